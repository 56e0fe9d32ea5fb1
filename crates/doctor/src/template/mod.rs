//! Templates of CloudFormation and SAM, read into the model that the doctor examines.
//!
//! Nothing is asked of AWS. What a template leaves open until it is deployed (a parameter without a default, an import,
//! what a macro makes) is *not known*, with its reason, and is never taken for a default. The way of the data is the order
//! of the modules: `node` is the text's tree with its lines, `stack` a template with its parameters, `resolve` does the
//! intrinsic functions, `value` is what comes out of them, `resources` puts the stacks together, and the others read from
//! them what the doctor wants to know.

mod balancing;
mod capacity;
mod conditions;
mod delivery;
mod function;
mod groups;
mod names;
mod network;
mod node;
mod policy;
mod pseudo;
mod read;
mod resolve;
mod resources;
mod services;
mod stack;
mod tasks;
mod value;

pub use policy::policy;
pub use read::{TemplateError, read};
