//! The doctor finds the settings that will drop connections, before an interruption drops them.
//!
//! - `model`: the deployment to examine, with services, their target groups, and the delivery of notices. Every setting is set,
//!   at its default, or unknown with a reason.
//! - `checks`: the checks, one family in a file. [`examine()`] runs them all, and separates findings from what could not be
//!   checked.
//! - [`forecast`]: until when each service receives new connections, and what would change that.
//! - `template` reads CloudFormation and SAM templates into the model, and `plan` reads Terraform plans and states. `iam` and
//!   `pattern` evaluate policies and event patterns.
//! - [`ignore_file`] reads the accepted findings, and [`filter`] selects the checks to report. [`json`] and [`sarif`] write a
//!   diagnosis for programs, and [`page`](mod@page) writes the page of a check.
//!
//! To add a check, write a `Check` constant with its function in a file of `checks`, and list it in `checks::CHECKS`.

mod capacity_split;
pub mod check;
pub mod checks;
pub mod delays;
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
