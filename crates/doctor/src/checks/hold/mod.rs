//! The hold: whether it fits its task and its target group, the service's tag, and UDP groups.

pub(super) mod fit;
pub(super) mod tag;
pub(super) mod udp;
