//! Evaluates parameters, conditions and intrinsic functions, as far as their values are known before a deployment.

pub(crate) mod conditions;
pub(crate) mod location;
pub(crate) mod names;
mod placeholders;
pub(crate) mod resolve;
pub(crate) mod rules;
pub(crate) mod stack;
pub(crate) mod value;
