//! Connections that are opened ahead: while the runtime waits for its first event, and when an execution environment thaws.
//!
//! A first call otherwise waits for its TCP and TLS handshakes, and so does the first call to the next service. A connection
//! that was opened ahead is handed to the first request for its host, whether it is ready or still being opened; all others are
//! opened when they are needed. When the clients reconnect, those that were opened before are dropped.

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

/// How long opening a TCP connection may take. A Region's endpoint answers in a few milliseconds from within it.
const CONNECT: Duration = Duration::from_secs(1);

type ConnectError = Box<dyn Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Opening = oneshot::Receiver<Result<Stream, ConnectError>>;

/// Opens connections; clones share those that were opened ahead.
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
        http.set_connect_timeout(Some(CONNECT));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        Self { https, ahead: Arc::default() }
    }

    /// The same without connections that were opened ahead. The TLS sessions are kept: a server that remembers them saves both
    /// sides work.
    pub(crate) fn without_connections(&self) -> Self {
        Self { https: self.https.clone(), ahead: Arc::default() }
    }

    /// Opens a connection to a host now. Without a runtime it is opened when it is needed.
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
