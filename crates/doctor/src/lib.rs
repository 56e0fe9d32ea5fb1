//! The doctor: which settings will drop connections, before an interruption does.
//!
//! - `model` is what is examined: services, their target groups, and the delivery of notices. Every setting is set, at its
//!   default, or unknown with a reason.
//! - `checks` judge it, one family a file; [`examine()`] runs them all, and keeps apart what was found and what could not be
//!   checked.
//! - [`forecast`] says until when each service receives new connections, and what would change that.
//! - `template` reads CloudFormation and SAM templates into the model, and `plan` the plans and states of Terraform. `iam` and `pattern` evaluate policies and event patterns.
//! - [`ignore_file`] holds the accepted findings, [`filter`] the checks to report; [`json`] and [`sarif`] write a diagnosis
//!   for programs, and [`page`](mod@page) the page of a check.

mod capacity_split;
pub mod check;
pub mod checks;
pub mod diagnosis;
mod examine;
pub mod filter;
pub mod forecast;
mod glob;
mod hold_config;
pub mod iam;
pub mod ignore_file;
pub mod model;
mod notices;
pub mod pattern;
pub mod plan;
mod report;
mod shell;
pub mod template;

pub use check::{Check, Severity};
pub use checks::{CHECKS, check};
pub use diagnosis::Diagnosis;
pub use examine::examine;
pub use report::{json, page, sarif};
