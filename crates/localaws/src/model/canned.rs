//! Canned objects: configuration that calls only read, and that has no effect on the simulation. They are returned as they
//! were set, in the APIs' own JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::location;
use crate::model::ecs::service::Tag;
use crate::model::world::World;

/// The bus of rules and requests that do not name one.
pub(crate) const DEFAULT_BUS: &str = "default";

/// All canned objects.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned {
    /// Fields of clusters, by name.
    pub(crate) clusters: BTreeMap<String, Value>,
    /// Fields of services, by ARN.
    pub(crate) services: BTreeMap<String, Value>,
    /// Fields of task definitions, by family.
    pub(crate) task_definitions: BTreeMap<String, Value>,
    /// Attributes of target groups and load balancers, by ARN.
    pub(crate) attributes: BTreeMap<String, BTreeMap<String, String>>,
    /// Tags of target groups, by ARN.
    pub(crate) tags: BTreeMap<String, Vec<Tag>>,
    /// IAM roles, by name.
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) functions: Vec<Value>,
    pub(crate) mappings: Vec<Value>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) scalable_targets: Vec<Value>,
    pub(crate) published: Vec<PublishedMessage>,
}

/// A message that was published to an SNS topic. Nothing is delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedMessage {
    pub topic: String,
    pub subject: Option<String>,
    pub message: String,
}

/// An `EventBridge` rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// ARNs.
    pub(crate) targets: Vec<String>,
    pub(crate) fields: Value,
}

impl Rule {
    /// The bus that has the rule.
    pub(crate) fn bus(&self) -> &str {
        self.fields.get("EventBusName").and_then(Value::as_str).unwrap_or(DEFAULT_BUS)
    }
}

impl World {
    /// The messages that were published to SNS topics, in order.
    #[must_use]
    pub fn published(&self) -> &[PublishedMessage] {
        &self.canned.published
    }

    /// Adds fields to a cluster in `DescribeClusters`.
    pub fn set_cluster(&mut self, name: &str, fields: Value) {
        self.canned.clusters.insert(name.to_owned(), fields);
    }

    /// Adds fields to a service in `DescribeServices`.
    pub fn set_service(&mut self, arn: &str, fields: Value) {
        self.canned.services.insert(arn.to_owned(), fields);
    }

    /// Sets a task definition for `DescribeTaskDefinition`. A service uses the family with its own name.
    pub fn set_task_definition(&mut self, family: &str, fields: Value) {
        self.canned.task_definitions.insert(family.to_owned(), fields);
    }

    /// Sets an attribute of a target group, load balancer or queue.
    pub fn set_attribute(&mut self, arn: &str, key: &str, value: &str) {
        self.canned.attributes.entry(arn.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    /// Sets the tags of a target group for `DescribeTags`.
    pub fn set_tags(&mut self, arn: &str, tags: &[(&str, &str)]) {
        self.canned.tags.insert(arn.to_owned(), tags.iter().map(|(key, value)| Tag::new(key, value)).collect());
    }

    /// Adds or replaces a role, and returns its ARN.
    pub fn add_role(&mut self, role: Role) -> String {
        let arn = location::role_arn(&role.name);
        self.canned.roles.insert(role.name.clone(), role);
        arn
    }

    /// Deletes a role, even if it is in use.
    pub fn remove_role(&mut self, name: &str) {
        self.canned.roles.remove(name);
    }

    /// Adds a function for `ListFunctions`; its `Tags` are for `ListTags`.
    pub fn add_function(&mut self, fields: Value) {
        self.canned.functions.push(fields);
    }

    /// Sets a field of a function.
    pub fn set_function(&mut self, name: &str, key: &str, value: &Value) {
        for function in &mut self.canned.functions {
            if let Some(fields) = function.as_object_mut().filter(|all| all.get("FunctionName") == Some(&name.into())) {
                fields.insert(key.to_owned(), value.clone());
            }
        }
    }

    pub fn remove_rule(&mut self, name: &str) {
        self.canned.rules.retain(|rule| rule.name != name);
    }

    /// Adds a scalable target for `DescribeScalableTargets`.
    pub fn add_scalable_target(&mut self, fields: Value) {
        self.canned.scalable_targets.push(fields);
    }

    /// Adds an event source mapping for `ListEventSourceMappings`.
    pub fn add_mapping(&mut self, fields: Value) {
        self.canned.mappings.push(fields);
    }

    /// Adds a rule, with the ARNs of its targets, for `DescribeRule`. The field `Targets` is for `ListTargetsByRule`. Its field
    /// `EventBusName` also adds that bus to `ListEventBuses`.
    pub fn add_rule(&mut self, name: &str, targets: &[&str], fields: Value) {
        let targets = targets.iter().map(|arn| (*arn).to_owned()).collect();
        self.canned.rules.push(Rule { name: name.to_owned(), targets, fields });
    }
}

/// Merges two objects; `fields` wins.
pub(crate) fn with(mut base: Value, fields: Option<&Value>) -> Value {
    if let (Some(base), Some(fields)) = (base.as_object_mut(), fields.and_then(Value::as_object)) {
        base.extend(fields.clone());
    }
    base
}

/// An IAM role: its policies and its permissions boundary.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub(crate) name: String,
    pub(crate) boundary: Option<String>,
    /// Policy documents by name.
    pub(crate) inline: BTreeMap<String, Value>,
    /// Policy documents by ARN.
    pub(crate) attached: BTreeMap<String, Value>,
}

impl Role {
    /// A role without policies.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), boundary: None, inline: BTreeMap::new(), attached: BTreeMap::new() }
    }

    /// Adds an inline policy.
    #[must_use]
    pub fn policy(mut self, name: &str, document: Value) -> Self {
        self.inline.insert(name.to_owned(), document);
        self
    }

    /// Attaches a managed policy.
    #[must_use]
    pub fn attached(mut self, arn: &str, document: Value) -> Self {
        self.attached.insert(arn.to_owned(), document);
        self
    }

    /// Sets the permissions boundary by ARN.
    #[must_use]
    pub fn boundary(mut self, arn: &str) -> Self {
        self.boundary = Some(arn.to_owned());
        self
    }
}
