//! The one HTTP client of all AWS clients, with connections that are opened ahead (docs/adr/0006).

mod endpoints;
mod http;
mod preconnect;
mod tls;

pub(crate) use endpoints::endpoints;
pub(crate) use http::Http;
pub use tls::TlsError;
pub(crate) use tls::{from_environment, from_system};
