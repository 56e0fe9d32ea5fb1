//! How do bytes reach the world, and how does a connection end without an answer?
//!
//! The accept loop is its own because a reset needs the socket: closing it with a linger of zero sends a RST.

use std::convert::Infallible;
use std::future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time;

use crate::protocol::{Incoming, Reply};
use crate::server::dispatch::{self, Reaction};
use crate::server::shared::{Shared, Transport};

const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// A stream of a caller, and the socket below it.
trait Wire: AsyncRead + AsyncWrite + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Wire for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

#[cfg(feature = "tls")]
impl Wire for tokio_rustls::server::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Serves until it is dropped; the connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared)))),
            // Out of file descriptors, or a caller that is gone already: others may still be served.
            Err(_) => time::sleep(Duration::from_millis(10)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    stream.set_nodelay(true).ok();
    shared.counters.connection();
    match &shared.transport {
        Transport::Plain => talk(stream, Arc::clone(&shared)).await,
        #[cfg(feature = "tls")]
        Transport::Tls(tls) => {
            // A handshake fails by the caller, who does not trust us or went away.
            if let Ok((stream, resumed)) = tls.accept(stream).await {
                shared.counters.handshake(resumed);
                talk(stream, Arc::clone(&shared)).await;
            }
        }
    }
}

async fn talk(stream: impl Wire, shared: Arc<Shared>) {
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| answer(request, Arc::clone(&shared), Arc::clone(&reset)));
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error is the caller's who went away.
        _ = &mut served => {}
        () = reset.notified() => {
            served.into_parts().io.into_inner().socket().set_zero_linger().ok();
        }
    }
}

async fn answer(
    request: Request<Body>,
    shared: Arc<Shared>,
    reset: Arc<Notify>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return Ok(too_large());
    };
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let incoming = Incoming {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        origin: &format!("{}://{host}", shared.transport.scheme()),
        target: head.headers.get("x-amz-target").map(|target| target.to_str().unwrap_or("?")),
        body: &body.to_bytes(),
    };
    let reaction = dispatch::react(&mut shared.world(), &incoming, shared.now());
    let reaction = match reaction {
        Reaction::Wait(waiting) => shared.wait_for(|world, now| dispatch::look_again(world, &waiting, now)).await,
        reaction => reaction,
    };
    match reaction {
        Reaction::Answer { reply, after } => {
            wait(after).await;
            Ok(response(reply))
        }
        Reaction::Reset { after } => {
            wait(after).await;
            reset.notify_one();
            future::pending().await
        }
        Reaction::Hang | Reaction::Wait(_) => future::pending().await,
    }
}

/// A timer has a granularity of a millisecond, which no answer shall pay that is due at once.
async fn wait(time: Duration) {
    if !time.is_zero() {
        time::sleep(time).await;
    }
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let named = [("x-amzn-requestid", Some(reply.request_id)), ("x-amzn-query-error", reply.query_error)];
    for (name, value) in named {
        if let Some(Ok(value)) = value.as_deref().map(HeaderValue::from_str) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn too_large() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"the body is larger than 16 MiB")));
    *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
    response
}
