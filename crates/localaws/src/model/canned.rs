//! What is only read, as a test arranges it: what clusters, task definitions, attributes, functions and rules are set to.
//! It is given back in the APIs' own JSON, and nothing here follows from it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::location;
use crate::model::ecs::service::Tag;
use crate::model::world::World;

/// What is set up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canned {
    /// The fields of clusters, by name.
    pub(crate) clusters: BTreeMap<String, Value>,
    /// The fields of services, by ARN.
    pub(crate) services: BTreeMap<String, Value>,
    /// The fields of task definitions, by family.
    pub(crate) task_definitions: BTreeMap<String, Value>,
    /// Attributes of target groups and load balancers, by ARN.
    pub(crate) attributes: BTreeMap<String, BTreeMap<String, String>>,
    /// Tags of target groups, by ARN.
    pub(crate) tags: BTreeMap<String, Vec<Tag>>,
    /// Roles of IAM, by name.
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) functions: Vec<Value>,
    pub(crate) mappings: Vec<Value>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) scalable_targets: Vec<Value>,
}

/// A rule of `EventBridge`.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// The ARNs of its targets.
    pub(crate) targets: Vec<String>,
    pub(crate) fields: Value,
}

impl World {
    /// Adds fields to what `DescribeClusters` shows of a cluster.
    pub fn set_cluster(&mut self, name: &str, fields: Value) {
        self.canned.clusters.insert(name.to_owned(), fields);
    }

    /// Adds fields to what `DescribeServices` shows of a service.
    pub fn set_service(&mut self, arn: &str, fields: Value) {
        self.canned.services.insert(arn.to_owned(), fields);
    }

    /// Sets what `DescribeTaskDefinition` shows. A service's task definition has the family of the service's name.
    pub fn set_task_definition(&mut self, family: &str, fields: Value) {
        self.canned.task_definitions.insert(family.to_owned(), fields);
    }

    /// Sets an attribute of a target group, a load balancer or a queue that has another value by default.
    pub fn set_attribute(&mut self, arn: &str, key: &str, value: &str) {
        self.canned.attributes.entry(arn.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }

    /// Sets the tags of a target group, as `DescribeTags` shows them.
    pub fn set_tags(&mut self, arn: &str, tags: &[(&str, &str)]) {
        self.canned.tags.insert(arn.to_owned(), tags.iter().map(|(key, value)| Tag::new(key, value)).collect());
    }

    /// Adds a role, or replaces the one of its name, and gives its ARN.
    pub fn add_role(&mut self, role: Role) -> String {
        let arn = location::role_arn(&role.name);
        self.canned.roles.insert(role.name.clone(), role);
        arn
    }

    /// Deletes a role, whoever uses it.
    pub fn remove_role(&mut self, name: &str) {
        self.canned.roles.remove(name);
    }

    /// Adds a function, as `ListFunctions` shows it; its `Tags` as `ListTags` does.
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

    /// Deletes a rule.
    pub fn remove_rule(&mut self, name: &str) {
        self.canned.rules.retain(|rule| rule.name != name);
    }

    /// Adds an event source mapping, as `ListEventSourceMappings` shows it.
    pub fn add_mapping(&mut self, fields: Value) {
        self.canned.mappings.push(fields);
    }

    /// Adds a scalable target, as `DescribeScalableTargets` shows it.
    pub fn add_scalable_target(&mut self, fields: Value) {
        self.canned.scalable_targets.push(fields);
    }

    /// Adds a rule with the ARNs of its targets, as `DescribeRule` shows it; its `Targets` as `ListTargetsByRule` does.
    pub fn add_rule(&mut self, name: &str, targets: &[&str], fields: Value) {
        let targets = targets.iter().map(|arn| (*arn).to_owned()).collect();
        self.canned.rules.push(Rule { name: name.to_owned(), targets, fields });
    }
}

/// An object with the fields of another, which win.
pub(crate) fn with(mut base: Value, fields: Option<&Value>) -> Value {
    if let (Some(base), Some(fields)) = (base.as_object_mut(), fields.and_then(Value::as_object)) {
        base.extend(fields.clone());
    }
    base
}

/// A role. Its ARN follows from the world's account.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    pub(crate) name: String,
    pub(crate) boundary: Option<String>,
    /// Documents by name.
    pub(crate) inline: BTreeMap<String, Value>,
    /// Documents by ARN.
    pub(crate) attached: BTreeMap<String, Value>,
}

impl Role {
    /// A role that may do nothing.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), boundary: None, inline: BTreeMap::new(), attached: BTreeMap::new() }
    }

    /// With a policy of its own.
    #[must_use]
    pub fn policy(mut self, name: &str, document: Value) -> Self {
        self.inline.insert(name.to_owned(), document);
        self
    }

    /// With an attached policy.
    #[must_use]
    pub fn attached(mut self, arn: &str, document: Value) -> Self {
        self.attached.insert(arn.to_owned(), document);
        self
    }

    /// With a permissions boundary: the ARN of its policy.
    #[must_use]
    pub fn boundary(mut self, arn: &str) -> Self {
        self.boundary = Some(arn.to_owned());
        self
    }
}
