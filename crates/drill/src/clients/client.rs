//! One connection from the client's side: a single request, or a connection that is held and used all the time.

use std::io;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{Request, Response, StatusCode, Version, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clients::frontend::{ClientProtocol, Frontend};
use crate::clients::outcome::ClientView;

/// Time limit for a connection to open, and for every answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Interval between the requests of a held connection.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a TCP connection must stay open to count as served. A proxy accepts a connection first, and closes it if its own
/// connection to the target is refused.
const STAYS_OPEN: Duration = Duration::from_secs(1);

/// What a client received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientAnswer {
    pub(crate) view: ClientView,
    /// The name of the server that answered first, from the header that names it.
    pub(crate) served_by: Option<String>,
}

impl From<ClientView> for ClientAnswer {
    fn from(view: ClientView) -> Self {
        Self { view, served_by: None }
    }
}

/// Connects to the next address of the frontend.
pub(crate) async fn connect(frontend: &Frontend) -> io::Result<TcpStream> {
    let address = frontend.next_address().ok_or(io::ErrorKind::NotFound)?;
    timeout(TIMEOUT, TcpStream::connect(address)).await?
}

/// Sends one request.
pub(crate) async fn request(stream: TcpStream, frontend: &Frontend) -> ClientAnswer {
    match &frontend.protocol {
        ClientProtocol::Tcp => stays_open(&stream, Instant::now() + STAYS_OPEN, ClientView::Nothing).await.into(),
        ClientProtocol::Http { .. } => match HttpConnection::open(stream, frontend).await {
            Some(mut connection) => connection.exchange(true).await.received,
            None => ClientView::Nothing.into(),
        },
    }
}

/// Keeps a connection in use until `until`, then closes it cleanly.
pub(crate) async fn hold(stream: TcpStream, frontend: &Frontend, until: Instant) -> ClientAnswer {
    match &frontend.protocol {
        ClientProtocol::Tcp => hold_open(&stream, until).await.into(),
        ClientProtocol::Http { .. } => match HttpConnection::open(stream, frontend).await {
            Some(connection) => connection.hold(until).await,
            None => ClientView::Nothing.into(),
        },
    }
}

/// A connection that ends within the first second was never served.
async fn hold_open(stream: &TcpStream, until: Instant) -> ClientView {
    match stays_open(stream, until.min(Instant::now() + STAYS_OPEN), ClientView::Nothing).await {
        ClientView::Whole => stays_open(stream, until, ClientView::Part).await,
        lost => lost,
    }
}

/// Waits until `until`; returns `otherwise` if the server ends the connection earlier. Data from the server is ignored.
async fn stays_open(stream: &TcpStream, until: Instant, otherwise: ClientView) -> ClientView {
    let mut ignored = [0; 1024];
    let ended = async {
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut ignored) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => {}
            }
        }
    };
    tokio::select! {
        () = ended => otherwise,
        () = sleep_until(until) => ClientView::Whole,
    }
}

/// An HTTP connection, and the task that drives it.
struct HttpConnection<'a> {
    frontend: &'a Frontend,
    sender: SendRequest<Empty<Bytes>>,
    driver: tokio::task::JoinHandle<()>,
}

/// One request and its answer.
struct Exchange {
    received: ClientAnswer,
    /// Whether the server announced the end of the connection.
    is_last: bool,
}

impl Drop for HttpConnection<'_> {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl<'a> HttpConnection<'a> {
    async fn open(stream: TcpStream, frontend: &'a Frontend) -> Option<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        // The error can be ignored: the request that it ends also returns an error.
        let driver = tokio::spawn(async { drop(connection.await) });
        Some(Self { frontend, sender, driver })
    }

    /// Sends requests until `until`. Stops at the first lost answer, or when the server announces the end of the connection.
    async fn hold(mut self, until: Instant) -> ClientAnswer {
        let first = self.exchange(false).await;
        let (mut view, mut is_last) = (first.received.view, first.is_last);
        while view == ClientView::Whole && !is_last && Instant::now() < until {
            sleep_until(until.min(Instant::now() + PAUSE)).await;
            let next = self.exchange(Instant::now() >= until).await;
            is_last = next.is_last;
            view = if next.received.view == ClientView::Whole { ClientView::Whole } else { ClientView::Part };
        }
        ClientAnswer { view, ..first.received }
    }

    async fn exchange(&mut self, is_last: bool) -> Exchange {
        let lost = |view: ClientView| Exchange { received: view.into(), is_last: true };
        let Some(request) = self.frontend.request(is_last) else { return lost(ClientView::Nothing) };
        match timeout(TIMEOUT, self.sender.send_request(request)).await {
            Ok(Ok(response)) => timeout(TIMEOUT, self.frontend.read(response)).await.unwrap_or(lost(ClientView::Part)),
            // Data was received, but it was not HTTP.
            Ok(Err(error)) if error.is_parse() => lost(ClientView::Part),
            Ok(Err(_)) | Err(_) => lost(ClientView::Nothing),
        }
    }
}

impl Frontend {
    fn request(&self, is_last: bool) -> Option<Request<Empty<Bytes>>> {
        let ClientProtocol::Http { path, .. } = &self.protocol else { return None };
        let request = Request::get(path).header(HOST, self.host());
        let request = if is_last { request.header(CONNECTION, "close") } else { request };
        request.body(Empty::new()).ok()
    }

    async fn read(&self, response: Response<Incoming>) -> Exchange {
        let served_by = self.server(&response);
        // HTTP/1.0 ends the connection unless the server says otherwise, and HTTP/1.1 keeps it.
        let is_last = match response.headers().get(CONNECTION) {
            Some(value) => value.as_bytes().eq_ignore_ascii_case(b"close"),
            None => response.version() == Version::HTTP_10,
        };
        let has_no_target = has_no_target(response.status());
        let view = match response.into_body().collect().await {
            Ok(_) if has_no_target => ClientView::Refused,
            Ok(_) => ClientView::Whole,
            Err(_) => ClientView::Part,
        };
        Exchange { received: ClientAnswer { view, served_by }, is_last }
    }

    fn server(&self, response: &Response<Incoming>) -> Option<String> {
        let ClientProtocol::Http { served_by: Some(name), .. } = &self.protocol else { return None };
        response.headers().get(name).map(HeaderValue::as_bytes).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// An Application Load Balancer's own answers if no target takes the request or answers it.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>
fn has_no_target(status: StatusCode) -> bool {
    [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT].contains(&status)
}
