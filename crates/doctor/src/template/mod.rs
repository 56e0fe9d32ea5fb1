//! Templates of CloudFormation and SAM, read into the model that the doctor examines.
//!
//! Makes no AWS calls. A value that is known only after the deployment (a parameter without a default, an import, the result of
//! a macro) is unknown, with the reason, and never replaced by a default. The layers, in the order in which the data passes
//! them: `syntax` parses the text into a tree with line numbers; `evaluate` evaluates parameters, conditions and intrinsic
//! functions; `nested` and `resources` combine the stacks, and `assembly` finds those of a CDK app; `convert` reads services,
//! target groups and the delivery of notices from the resources. `format` recognises files of other formats.

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
