//! The HTTP client that all AWS clients share. It opens connections before they are needed (docs/adr/0006).

mod endpoints;
mod http;
mod preconnect;
mod tls;

pub(crate) use endpoints::endpoints;
pub(crate) use http::Http;
pub use tls::TlsError;
pub(crate) use tls::{from_environment, from_system};
