//! Templates of CloudFormation and SAM, read into the model that the doctor examines.
//!
//! Nothing is asked of AWS. What a template leaves open until it is deployed (a parameter without a default, an import, the
//! work of a macro) is unknown, with its reason, and is never taken for a default. The layers, in the order of the data:
//! `syntax` is the text's tree with its lines; `evaluate` knows parameters, conditions and intrinsic functions; `nested` and
//! `resources` put the stacks together, `assembly` finds those of a CDK app; `convert` reads services, target groups and the delivery of notices from the
//! resources. `format` recognises files of other formats.

mod assembly;
pub(crate) mod convert;
pub(crate) mod evaluate;
mod format;
mod nested;
mod read;
pub(crate) mod resources;
mod suppression;
mod syntax;

pub use assembly::stacks;
pub use convert::policy::{policy, queue_policy};
pub use evaluate::location::Location;
pub use read::{TemplateError, Templates, read};
