//! What the clients connect to, and how they speak to it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::header::HeaderName;

/// A load balancer or a server, as its clients reach it.
#[derive(Debug, Clone)]
pub struct Frontend {
    /// The value of the header `Host`.
    host: String,
    addresses: Arc<[SocketAddr]>,
    next: Arc<AtomicUsize>,
    pub(crate) protocol: ClientProtocol,
}

/// The request that a client sends, and the condition under which its connection counts as served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientProtocol {
    /// A GET for `path`, and its complete answer. A status of 502, 503 or 504 counts as refused, because a load balancer returns
    /// it if no target takes the request.
    Http {
        path: String,
        /// The header of an answer that names the server, to tell the servers apart.
        served_by: Option<HeaderName>,
    },
    /// The client sends nothing; a connection that stays open counts as served.
    Tcp,
}

impl Frontend {
    /// Looks up `HOST:PORT`. The addresses are then used in turn, and are not looked up again.
    ///
    /// # Errors
    ///
    /// If the text has no port, or the host has no address.
    pub async fn resolve(host: &str, protocol: ClientProtocol) -> io::Result<Self> {
        let addresses: Vec<_> = tokio::net::lookup_host(host).await?.collect();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
        }
        Ok(Self { host: host.to_owned(), addresses: addresses.into(), next: Arc::default(), protocol })
    }

    /// A frontend at one address.
    pub(crate) fn at(address: SocketAddr, protocol: ClientProtocol) -> Self {
        Self { host: address.to_string(), addresses: [address].into(), next: Arc::default(), protocol }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address for the next connection.
    pub(crate) fn next_address(&self) -> Option<SocketAddr> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.addresses.get(number % self.addresses.len().max(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_addresses_are_used_in_turn() {
        let addresses = ["127.0.0.1:1", "127.0.0.2:1"].map(|text| text.parse().unwrap());
        let frontend = Frontend { addresses: addresses.into(), ..Frontend::at(addresses[0], ClientProtocol::Tcp) };
        let used: Vec<_> = (0..3).filter_map(|_| frontend.next_address()).collect();
        assert_eq!(used, [addresses[0], addresses[1], addresses[0]]);
    }

    #[tokio::test]
    async fn a_text_without_a_port_is_an_error() {
        assert!(Frontend::resolve("127.0.0.1", ClientProtocol::Tcp).await.is_err());
    }
}
