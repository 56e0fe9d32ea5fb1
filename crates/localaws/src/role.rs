//! What is a role of IAM? The policies that are written into it, those that are attached to it, and perhaps a boundary.

use std::collections::BTreeMap;

use serde_json::Value;

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
