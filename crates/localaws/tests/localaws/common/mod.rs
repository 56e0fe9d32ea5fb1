//! Helpers of several test modules.

pub(crate) mod cli;
pub(crate) mod http;
pub(crate) mod sdk;
