//! The templates repeat what the code says: the rule's pattern, the settings, the IAM actions, the metrics. Terraform and the
//! documents repeat it again. These tests compare them.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed assumption fails the test"
)]

mod capacity;
mod dashboard;
mod documents;
mod example;
mod metrics;
mod organization;
mod parameters;
mod pattern;
mod queue;
mod queue_policy;
mod role;
mod rule;
mod source;
mod template;
mod terraform;

use template::Template;

const TEMPLATE: &str = include_str!("../../../../deploy/template.yaml");

/// The template with every parameter at its default.
fn deployed() -> Template {
    Template::read(TEMPLATE)
}
