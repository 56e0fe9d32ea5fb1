//! The deployment says twice what the code says once: the rule's pattern, the settings, the actions, the metrics, and all of
//! it again in Terraform and in the documents. Here each is compared with the other.
#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod capacity;
mod dashboard;
mod documents;
mod example;
mod metrics;
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
