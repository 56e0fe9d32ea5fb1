//! Services, tasks and revisions that are answered exactly as ECS once described them, with every field that they had.
//!
//! Tags are shown only to a call that asks for them, as ECS does.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::world::World;

/// Objects of ECS, by their ARN in this world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Described {
    pub(crate) services: BTreeMap<String, Value>,
    pub(crate) tasks: BTreeMap<String, Value>,
    pub(crate) revisions: BTreeMap<String, Value>,
}

impl World {
    /// Adds a service as `DescribeServices` shows it, and returns its ARN in this world. The object is answered as it is.
    pub fn add_described_service(&mut self, cluster: &str, name: &str, object: Value) -> String {
        self.add_cluster(cluster);
        let arn = self.location.service_arn(cluster, name);
        self.described.services.insert(arn.clone(), object);
        arn
    }

    /// Adds a task as `DescribeTasks` shows it, and returns its ARN in this world. The object is answered as it is.
    pub fn add_described_task(&mut self, cluster: &str, id: &str, object: Value) -> String {
        self.add_cluster(cluster);
        let arn = self.location.task_arn(cluster, id);
        self.described.tasks.insert(arn.clone(), object);
        arn
    }

    /// Adds a revision of a service as `DescribeServiceRevisions` shows it. The object is answered as it is.
    pub fn add_described_revision(&mut self, arn: &str, object: Value) {
        self.described.revisions.insert(arn.to_owned(), object);
    }
}

/// An object as a call sees it that may not ask for tags.
pub(crate) fn shown(object: &Value, with_tags: bool) -> Value {
    let mut shown = object.clone();
    if let Some(fields) = shown.as_object_mut().filter(|_| !with_tags) {
        fields.remove("tags");
    }
    shown
}
