//! Elastic Load Balancing v2.

pub(crate) mod attributes;
pub(crate) mod balancers;
pub(crate) mod listeners;
pub(crate) mod requests;
pub(crate) mod shapes;
pub(crate) mod tags;

pub(crate) use requests::{ElbRequest, subject};
