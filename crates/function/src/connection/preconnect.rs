//! Opens connections before they are needed: while the runtime waits for its first event, and when an execution environment
//! thaws. The first call to each service then does not wait for the TCP and TLS handshakes.
//!
//! The first request to a host takes the connection that was opened for it, or waits until it is open. All other connections
//! are opened on demand. When the clients reconnect, the connections that were opened before are dropped.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tower_service::Service;

/// The timeout for a TCP connection. Within a Region, an endpoint answers in a few milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

type ConnectError = Box<dyn Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Opening = oneshot::Receiver<Result<Stream, ConnectError>>;

/// A connector that can open connections ahead. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Preconnector {
    https: HttpsConnector<HttpConnector>,
    ahead: Arc<Mutex<BTreeMap<String, Opening>>>,
}

impl Preconnector {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        Self { https, ahead: Arc::default() }
    }

    /// Returns a connector without open connections. It keeps the TLS sessions, which make new handshakes cheaper.
    pub(crate) fn without_connections(&self) -> Self {
        Self { https: self.https.clone(), ahead: Arc::default() }
    }

    /// Starts to open a connection to a host. Does nothing outside an async runtime.
    pub(crate) fn preconnect(&self, uri: &Uri) {
        let (Some(host), Ok(runtime)) = (uri.authority(), Handle::try_current()) else { return };
        let (sender, opening) = oneshot::channel();
        let (mut https, to) = (self.https.clone(), uri.clone());
        runtime.spawn(async move { sender.send(https.call(to).await) });
        self.ahead().insert(host.to_string(), opening);
    }

    fn ahead(&self) -> MutexGuard<'_, BTreeMap<String, Opening>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Uri> for Preconnector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Stream, ConnectError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let ahead = uri.authority().and_then(|host| self.ahead().remove(host.as_str()));
        let mut https = self.https.clone();
        Box::pin(async move {
            if let Some(opening) = ahead
                && let Ok(Ok(stream)) = opening.await
            {
                return Ok(stream);
            }
            https.call(uri).await
        })
    }
}
