//! The delivery of notices: the rule, the queue, the function and its role.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::iam::Statement;
use crate::model::root::Place;
use crate::model::setting::{Setting, Unknown};
use spotdrain_core::settings::{Settings, SettingsError};

/// The rule, the queue, the function and its role.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Delivery {
    /// The rule.
    pub rule: Setting<Rule>,
    /// The queue; absent where the rule invokes the function itself.
    pub queue: Setting<Queue>,
    /// The function.
    pub function: Function,
    /// What its role allows and denies.
    pub role: Setting<Vec<Statement>>,
}

/// A rule of EventBridge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its event pattern.
    pub pattern: Setting<Value>,
    /// `ENABLED` unless it is set.
    pub state: Setting<String>,
    /// Its ARN.
    pub arn: String,
    /// `EventBusName`: `default` unless it is set.
    pub bus: Setting<String>,
    /// What the rule's target gets instead of the event, such as `InputPath $.detail`. By default it gets the whole event.
    pub input: Setting<String>,
    /// Whether the target has a role of its own with which EventBridge sends.
    pub has_role: Setting<bool>,
}

/// A queue and how the function reads it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Queue {
    /// Where it is.
    pub place: Place,
    /// Its ARN.
    pub arn: String,
    /// `VisibilityTimeout`: 30 unless it is set.
    pub visibility: Setting<u32>,
    /// The state of the event source mapping: `Enabled` unless it is set.
    pub mapping: Setting<String>,
    /// `FunctionResponseTypes` of the event source mapping.
    pub responses: Setting<Vec<String>>,
    /// The patterns of the event source mapping's `FilterCriteria`, as texts.
    pub filters: Setting<Vec<String>>,
    /// `KmsMasterKeyId`.
    pub kms_key: Setting<String>,
    /// The statements of its policy that concern EventBridge.
    pub policy: Setting<Vec<Statement>>,
}

/// The function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// `Timeout`: 3 unless it is set.
    pub timeout: Setting<u32>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Setting<u32>,
    /// Its environment.
    pub environment: Setting<BTreeMap<String, Setting<String>>>,
}

impl Function {
    /// Returns its settings, or why it would refuse to start.
    pub fn settings(&self) -> Result<Result<Settings, SettingsError>, Unknown> {
        let mut values = Vec::new();
        for (name, value) in self.environment.known_or_err()?.into_iter().flatten() {
            if name.starts_with("SPOTDRAIN_") {
                values.push((name.as_str(), value.value_or(String::new())?));
            }
        }
        Ok(Settings::read(values))
    }
}
