//! What the doctor looks at: services and what delivers their notices to the function, whether read from AWS or from a
//! template.

use crate::model::delivery::Delivery;
use crate::model::service::Service;
use crate::model::setting::Setting;

/// All that is examined together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Deployment {
    /// The services.
    pub services: Vec<Service>,
    /// The rule, the queue, the function and its role: one set serves all services.
    pub delivery: Setting<Delivery>,
    /// What could not be read at all.
    pub unread: Vec<Unread>,
}

/// A thing that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Such as `service demo/logstash`.
    pub subject: String,
    /// Why not, and what to do about it.
    pub why: String,
}

/// Where a thing is, for a person and for a code review.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// What it is and what it is called, such as `target group demo-5044`.
    pub name: String,
    /// The template's file, where there is one.
    pub file: Option<String>,
    /// The line in it where the thing begins, from 1.
    pub line: Option<usize>,
}

impl Place {
    /// A thing of AWS, which is in no file.
    #[must_use]
    pub fn live(name: String) -> Self {
        Self { name, file: None, line: None }
    }

    /// The same place by another name: a part of the thing.
    #[must_use]
    pub fn named(&self, name: String) -> Self {
        Self { name, ..self.clone() }
    }
}
