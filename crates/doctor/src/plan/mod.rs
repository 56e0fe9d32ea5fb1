//! Terraform's and OpenTofu's plans and states, as `terraform show -json` writes them, read into the model that the doctor
//! examines.
//!
//! A plan has the values with the provider's defaults, and in its configuration the references between resources, but no
//! value that AWS chooses. The layers, in the order of the data: `document` is the JSON; `address` takes addresses and
//! references apart; `graph` has the instances of all modules; `search` follows references to them; `evaluate` gives every
//! attribute a value, a link, or the reason why it is unknown; `kinds` and `translate` turn a resource into the one of
//! CloudFormation with the same settings, which the template reader converts.
//! Source: <https://developer.hashicorp.com/terraform/internals/json-format>

mod address;
mod attach;
mod choose;
mod document;
mod evaluate;
mod graph;
mod kinds;
mod names;
mod policies;
mod read;
mod search;
mod translate;

pub use document::PlanError;
pub use read::{Plans, read};
