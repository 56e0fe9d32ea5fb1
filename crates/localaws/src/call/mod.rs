//! What all calls have in common: names, errors, the log, and what can prevent a call (throttles and faults).

pub(crate) mod action;
pub(crate) mod error;
pub(crate) mod fault;
pub(crate) mod log;
pub(crate) mod throttle;
pub(crate) mod token_bucket;
