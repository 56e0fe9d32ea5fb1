//! What brings a notice to the function: the rule, the queue, the function and what its role allows.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::iam::Statement;
use crate::model::root::Place;
use crate::model::setting::{Fact, Unknown};
use spotdrain_core::settings::{Settings, SettingsError};

/// The rule, the queue, the function and its role.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delivery {
    /// The rule.
    pub rule: Fact<Rule>,
    /// The queue; absent where the rule invokes the function itself.
    pub queue: Fact<Queue>,
    /// The function.
    pub function: Function,
    /// What its role allows and denies.
    pub role: Fact<Vec<Statement>>,
}

/// A rule of EventBridge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its event pattern.
    pub pattern: Fact<Value>,
    /// `ENABLED` unless it is set.
    pub state: Fact<String>,
}

/// A queue and how the function reads it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// Where it is.
    pub place: Place,
    /// Its ARN.
    pub arn: String,
    /// `VisibilityTimeout`: 30 unless it is set.
    pub visibility: Fact<u32>,
    /// The state of the event source mapping: `Enabled` unless it is set.
    pub mapping: Fact<String>,
    /// `FunctionResponseTypes` of the event source mapping.
    pub responses: Fact<Vec<String>>,
}

/// The function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// `Timeout`: 3 unless it is set.
    pub timeout: Fact<u32>,
    /// Its environment.
    pub environment: Fact<BTreeMap<String, Fact<String>>>,
}

impl Function {
    /// Its settings, or why it would refuse to start.
    pub fn settings(&self) -> Result<Result<Settings, SettingsError>, Unknown> {
        let mut values = Vec::new();
        for (name, value) in self.environment.need()?.into_iter().flatten() {
            if name.starts_with("SPOTDRAIN_") {
                values.push((name.as_str(), value.or(String::new())?));
            }
        }
        Ok(Settings::read(values))
    }
}
