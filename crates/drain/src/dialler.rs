//! Connections that are opened ahead: while the runtime waits for its first event, and when a sandbox wakes.
//!
//! A first call otherwise waits for its TCP and TLS handshakes, and so does the first call to the next service. A connection
//! that was dialled ahead is handed to the first request for its host, done or still under way; all others are dialled as
//! they are needed. It is never used again when the clients are made anew ([`crate::connections`]).

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
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

type Failed = Box<dyn Error + Send + Sync>;
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;
type Dialled = oneshot::Receiver<Result<Stream, Failed>>;

/// Opens connections; clones share what was dialled ahead.
#[derive(Clone)]
pub(crate) struct Dialler {
    https: HttpsConnector<HttpConnector>,
    ahead: Arc<Mutex<BTreeMap<String, Dialled>>>,
}

impl fmt::Debug for Dialler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialler").finish_non_exhaustive()
    }
}

impl Dialler {
    pub(crate) fn new(tls: ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(CONNECT));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        Self { https, ahead: Arc::default() }
    }

    /// The same with nothing dialled. The TLS sessions are kept: a server that remembers them saves both sides work.
    pub(crate) fn anew(&self) -> Self {
        Self { https: self.https.clone(), ahead: Arc::default() }
    }

    /// Dials a host now. Without a runtime there is nobody to do it, and nothing is lost.
    pub(crate) fn dial(&self, uri: &Uri) {
        let (Some(host), Ok(runtime)) = (uri.authority(), Handle::try_current()) else { return };
        let (tell, dialled) = oneshot::channel();
        let (mut https, to) = (self.https.clone(), uri.clone());
        runtime.spawn(async move { tell.send(https.call(to).await) });
        self.ahead().insert(host.to_string(), dialled);
    }

    fn ahead(&self) -> MutexGuard<'_, BTreeMap<String, Dialled>> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Uri> for Dialler {
    type Response = Stream;
    type Error = Failed;
    type Future = BoxFuture<'static, Result<Stream, Failed>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.https.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let ahead = uri.authority().and_then(|host| self.ahead().remove(host.as_str()));
        let mut https = self.https.clone();
        Box::pin(async move {
            if let Some(dialled) = ahead
                && let Ok(Ok(stream)) = dialled.await
            {
                return Ok(stream);
            }
            https.call(uri).await
        })
    }
}
