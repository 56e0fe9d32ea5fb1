//! Elastic Container Service.

pub(crate) mod describe;
pub(crate) mod lists;
pub(crate) mod requests;
pub(crate) mod shapes;

pub(crate) use requests::EcsRequest;
