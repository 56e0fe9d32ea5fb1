//! How do bytes reach the world, and how does a connection end without an answer?
//!
//! The accept loop is its own because a reset needs the socket: closing it with a linger of zero sends a RST.

use std::convert::Infallible;
use std::future;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time;

use crate::dispatch::{self, Reaction};
use crate::exchange::{Incoming, Reply};
use crate::poll::Look;
use crate::world::World;

const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// What the server and its owner share.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    start: Instant,
    ahead: Mutex<Duration>,
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), start: Instant::now(), ahead: Mutex::new(Duration::ZERO) }
    }

    /// A world whose holder panicked is still the world.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.start.elapsed().saturating_add(ahead)
    }

    /// Those who wait look again.
    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
        drop(ahead);
        self.world().queues.bell.ring();
    }

    /// Looks until something is found, whenever a message may have come; others are answered meanwhile.
    pub(crate) async fn wait_for<T>(&self, mut look: impl FnMut(&mut World, Duration) -> Look<T>) -> T {
        let bell = self.world().queues.bell.listener();
        loop {
            // It listens before it looks: what comes in between wakes it.
            let rung = bell.notified();
            let again_in = match self.look(&mut look) {
                ControlFlow::Break(found) => return found,
                ControlFlow::Continue(again_in) => again_in,
            };
            tokio::select! {
                () = rung => {}
                () = time::sleep(again_in) => {}
            }
        }
    }

    /// What is found, or in how long to look again.
    fn look<T>(&self, look: &mut impl FnMut(&mut World, Duration) -> Look<T>) -> ControlFlow<T, Duration> {
        let (mut world, now) = (self.world(), self.now());
        look(&mut world, now).map_continue(|again_at| again_at.saturating_sub(now))
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
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| answer(request, Arc::clone(&shared), Arc::clone(&reset)));
    let mut served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error is the caller's who went away.
        _ = &mut served => {}
        () = reset.notified() => {
            served.into_parts().io.into_inner().set_zero_linger().ok();
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
        origin: &format!("http://{host}"),
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
