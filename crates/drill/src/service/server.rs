//! The application of the drill's tasks: a server with the usual shutdown behaviour.
//!
//! It answers HTTP requests, and echoes the lines of held connections, on one port. At SIGTERM it closes its listener at
//! once, finishes its connections within a grace period, and exits. It also exits when its standard input closes, so that
//! no task outlives the drill.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The path of health checks, which are answered without delay.
pub(crate) const HEALTH: &str = "/health";
/// The first line of a held connection.
pub(crate) const HOLD: &str = "hold";
/// The last line of a held connection.
pub(crate) const BYE: &str = "bye";
/// The last line of an answer.
pub(crate) const END: &str = "end";

/// A server's settings, in real time.
#[derive(Debug, Clone)]
pub struct Server {
    /// Sent to the clients in every answer.
    pub name: String,
    pub address: SocketAddr,
    /// How long it waits for its connections after SIGTERM.
    pub grace: Duration,
    /// How long a request takes.
    pub takes: Duration,
}

/// Serves until SIGTERM, or until the drill ends.
pub async fn serve(server: Server) -> io::Result<()> {
    let mut stop = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(server.address).await?;
    writeln!(io::stdout(), "ready")?;
    let mut connections = JoinSet::new();
    let mut drill = std::pin::pin!(drill_is_over());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                connections.spawn(answer(stream, server.name.clone(), server.takes));
            }
            Some(_) = connections.join_next() => {}
            _ = stop.recv() => break,
            () = &mut drill => return Ok(()),
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    // Connections that are still open now are cut.
    timeout(server.grace, finish).await.ok();
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

/// Errors are ignored: they mean that the client went away.
async fn answer(stream: TcpStream, name: String, takes: Duration) {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    if stream.read_line(&mut first).await.is_err() {
        return;
    }
    let done = match first.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["GET", path, _] => respond(&mut stream, &name, if *path == HEALTH { Duration::ZERO } else { takes }).await,
        [HOLD] => hold(&mut stream, &name).await,
        _ => Ok(()),
    };
    drop(done);
}

/// Sends the head at once and the body later, so that an answer can be cut in the middle.
async fn respond(stream: &mut BufReader<TcpStream>, name: &str, takes: Duration) -> io::Result<()> {
    let mut line = String::from("head");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let body = format!("served by {name}\n{END}\n");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    sleep(takes).await;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

async fn hold(stream: &mut BufReader<TcpStream>, name: &str) -> io::Result<()> {
    stream.write_all(format!("held by {name}\n").as_bytes()).await?;
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 && line.trim() != BYE {
        stream.write_all(line.as_bytes()).await?;
        line.clear();
    }
    stream.write_all(line.as_bytes()).await?;
    stream.shutdown().await
}
