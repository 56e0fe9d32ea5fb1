//! Parameters, conditions and intrinsic functions: what the values of a template are, as far as that can be said before a
//! deployment.

pub(crate) mod conditions;
pub(crate) mod location;
pub(crate) mod names;
mod placeholders;
pub(crate) mod resolve;
pub(crate) mod rules;
pub(crate) mod stack;
pub(crate) mod value;
