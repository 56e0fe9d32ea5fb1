//! The load balancer: the model of AWS's one, and the `HAProxy` process that the director makes follow the model.

pub(crate) mod config;
pub(crate) mod director;
pub(crate) mod haproxy;
pub(crate) mod log_line;
pub(crate) mod model;
pub(crate) mod runtime_api;
