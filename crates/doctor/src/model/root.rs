//! What the doctor examines: services and the delivery of their notices, read from AWS or from templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delays::Delays;
use crate::model::delivery::Delivery;
use crate::model::service::Service;
use crate::model::setting::Setting;

/// Everything that is examined together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Deployment {
    /// The services.
    pub services: Vec<Service>,
    /// The rule, the queue, the function and its role: one set serves all services.
    pub delivery: Setting<Delivery>,
    /// Resources that could not be read at all.
    pub unread: Vec<Unread>,
    /// Findings that are accepted in the templates themselves.
    pub suppressions: Vec<Suppression>,
    /// Where it was read from.
    pub origin: Origin,
    /// The load balancers' delays, which cannot be read.
    pub delays: Delays,
}

/// Findings that are accepted in the resource's own metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The resource.
    pub place: Place,
    /// The ids of the checks.
    pub checks: Vec<&'static str>,
    /// Why they are accepted.
    pub reason: String,
}

impl Suppression {
    /// Whether it is for a finding about this resource, or about a part of it.
    #[must_use]
    pub fn covers(&self, check: &str, name: &str) -> bool {
        let is_own = name.strip_prefix(&self.place.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "));
        is_own && self.checks.contains(&check)
    }
}

/// Where a deployment was read from, which decides the form of a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// From AWS.
    #[default]
    Deployed,
    /// From templates of CloudFormation, SAM or the CDK.
    Template,
    /// From a plan or a state of Terraform or OpenTofu.
    Plan,
}

impl Origin {
    /// Its document, as messages name it.
    #[must_use]
    pub fn document(self) -> &'static str {
        match self {
            Self::Deployed => "this account and Region",
            Self::Template => "this template",
            Self::Plan => "this plan",
        }
    }
}

/// A resource that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Such as `service demo/logstash`.
    pub subject: String,
    /// Why not, and what to do about it.
    pub why: String,
}

/// A resource's name and place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its kind and name, such as `target group demo-5044`.
    pub name: String,
    /// The template's file, where there is one.
    pub file: Option<String>,
    /// The line where it begins, from 1.
    pub line: Option<usize>,
    /// The lines of its properties and attributes, by their names.
    pub lines: Lines,
}

/// The lines of properties, by their names.
pub type Lines = Arc<BTreeMap<String, usize>>;

impl Place {
    /// A deployed resource, which is in no file.
    #[must_use]
    pub fn live(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// The same place with another name: a part of the resource.
    #[must_use]
    pub fn named(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }

    /// The place of a property, if its line is known.
    #[must_use]
    pub fn of_property(self, property: Option<&str>) -> Self {
        let line = property.and_then(|property| self.lines.get(property)).copied();
        Self { line: line.or(self.line), ..self }
    }
}
