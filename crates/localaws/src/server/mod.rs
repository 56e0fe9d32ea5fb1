//! The HTTP server around the model: connections, TLS, dispatch, and the controls under `/_local`.

pub(crate) mod control;
pub(crate) mod dispatch;
pub(crate) mod listener;
pub(crate) mod local;
mod parse;
pub(crate) mod shared;
#[cfg(feature = "tls")]
pub(crate) mod tls;
