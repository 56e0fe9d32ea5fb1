//! What a call is, apart from what it does: its name, its errors, the log, and what can stop it (throttles and faults).

pub(crate) mod action;
pub(crate) mod error;
pub(crate) mod fault;
pub(crate) mod log;
pub(crate) mod throttle;
pub(crate) mod token_bucket;
