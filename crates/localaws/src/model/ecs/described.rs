//! Services, tasks and revisions that are returned unchanged, with every field.
//!
//! As in ECS, only calls that request tags receive them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::world::World;

/// ECS objects by their ARN in this world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(crate) services: BTreeMap<String, Value>,
    pub(crate) tasks: BTreeMap<String, Value>,
    pub(crate) revisions: BTreeMap<String, Value>,
}

impl World {
    /// Adds a service in the format of `DescribeServices`, and returns its ARN in this world.
    pub fn add_described_service(&mut self, cluster: &str, name: &str, object: Value) -> String {
        self.add_cluster(cluster);
        let arn = self.location.service_arn(cluster, name);
        self.described.services.insert(arn.clone(), object);
        arn
    }

    /// Adds a task in the format of `DescribeTasks`, and returns its ARN in this world.
    pub fn add_described_task(&mut self, cluster: &str, id: &str, object: Value) -> String {
        self.add_cluster(cluster);
        let arn = self.location.task_arn(cluster, id);
        self.described.tasks.insert(arn.clone(), object);
        arn
    }

    /// Adds a service revision in the format of `DescribeServiceRevisions`.
    pub fn add_described_revision(&mut self, arn: &str, object: Value) {
        self.described.revisions.insert(arn.to_owned(), object);
    }
}

/// Returns the object, without its tags unless the call requests them.
pub(crate) fn shown(object: &Value, with_tags: bool) -> Value {
    let mut shown = object.clone();
    if let Some(fields) = shown.as_object_mut().filter(|_| !with_tags) {
        fields.remove("tags");
    }
    shown
}
