//! `spotdrain-drill-app`: the application of the drill's tasks, a server with the usual shutdown behaviour.
//!
//! It answers HTTP requests, and names itself in the header `x-served-by`. At SIGTERM it closes its listener at once, finishes its
//! connections within a grace period, and exits. It also exits when its standard input closes, so that no task outlives the drill.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::Duration;

use clap::Parser;
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The path of health checks, which are answered without delay.
const HEALTH: &str = "/health";

/// The application of the drill's tasks: an HTTP server that shuts down as usual servers do.
#[derive(Debug, Parser)]
#[command(version)]
struct Settings {
    /// The name that every answer has in its header x-served-by
    #[arg(long)]
    name: String,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: SocketAddr,
    /// How long to wait for connections after SIGTERM
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "10")]
    grace: Duration,
    /// How long a request takes
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "0.02")]
    takes: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().map_err(|_| "expected seconds, such as 10 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let settings = Settings::parse();
    let mut stop = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(settings.address).await?;
    writeln!(io::stdout(), "ready")?;
    let mut connections = JoinSet::new();
    let mut drill = std::pin::pin!(drill_is_over());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(serve(stream, settings.name.clone(), settings.takes));
            }
            Some(_) = connections.join_next() => {}
            _ = stop.recv() => break,
            () = &mut drill => return Ok(()),
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    // Connections that are still open after the grace period are cut.
    timeout(settings.grace, finish).await.ok();
    Ok(())
}

/// Waits until standard input closes; forever if it is not a pipe.
async fn drill_is_over() {
    let pipe = io::stdin().as_fd().try_clone_to_owned().and_then(Receiver::from_owned_fd);
    match pipe {
        Ok(mut pipe) => while pipe.read_u8().await.is_ok() {},
        Err(_) => std::future::pending().await,
    }
}

/// Answers the requests of one connection. An error means that the client went away.
async fn serve(stream: TcpStream, name: String, takes: Duration) {
    let service = service_fn(|request: Request<Incoming>| {
        let takes = if request.uri().path() == HEALTH { Duration::ZERO } else { takes };
        let answer = Response::builder().header("x-served-by", name.as_str()).body(body(name.clone(), takes));
        async { answer }
    });
    http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
}

/// The body comes later than the head, so that an answer can be cut in the middle.
fn body(name: String, takes: Duration) -> impl Body<Data = Bytes, Error = Infallible> {
    let text = async move {
        sleep(takes).await;
        Ok(Frame::data(Bytes::from(format!("served by {name}\n"))))
    };
    StreamBody::new(Box::pin(stream::once(text)))
}
