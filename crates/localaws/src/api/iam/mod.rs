//! Identity and Access Management: roles and policies, read only; and `GetCallerIdentity` of STS.

pub(crate) mod requests;
pub(crate) mod shapes;

pub(crate) use requests::{IamRequest, subject};
