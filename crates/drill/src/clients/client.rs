//! One connection from the client's side: a single request, or a held connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::clients::outcome::ClientView;
use crate::service::server::{BYE, END, HOLD};

/// Time limit for every answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Interval between the lines of a held connection.
const PAUSE: Duration = Duration::from_millis(250);

/// Connects to the load balancer.
pub(crate) async fn connect(front: SocketAddr) -> io::Result<TcpStream> {
    timeout(TIMEOUT, TcpStream::connect(front)).await?
}

/// Sends a request, and reads the answer.
pub(crate) async fn request(mut stream: TcpStream) -> ClientView {
    let mut answer = Vec::new();
    let ask = async {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: drill\r\nConnection: close\r\n\r\n").await?;
        stream.read_to_end(&mut answer).await
    };
    // The error is irrelevant: only the bytes received so far count.
    timeout(TIMEOUT, ask).await.ok();
    view_of(&answer)
}

fn view_of(answer: &[u8]) -> ClientView {
    let is_whole = String::from_utf8_lossy(answer).ends_with(&format!("\n{END}\n"));
    match answer {
        [] => ClientView::Nothing,
        _ if is_whole => ClientView::Whole,
        _ => ClientView::Part,
    }
}

/// Keeps a connection in use until `until`, then closes it in order.
pub(crate) async fn hold(stream: TcpStream, until: Instant) -> ClientView {
    let mut stream = BufReader::new(stream);
    let Ok(true) = exchange(&mut stream, HOLD, "held by ").await else { return ClientView::Nothing };
    while Instant::now() + PAUSE < until {
        sleep_until(Instant::now() + PAUSE).await;
        let Ok(true) = exchange(&mut stream, "still here", "still here").await else { return ClientView::Part };
    }
    sleep_until(until).await;
    if let Ok(true) = exchange(&mut stream, BYE, BYE).await { ClientView::Whole } else { ClientView::Part }
}

/// Sends a line, and returns whether the answer begins as expected.
async fn exchange(stream: &mut BufReader<TcpStream>, say: &str, expected: &str) -> io::Result<bool> {
    stream.write_all(format!("{say}\n").as_bytes()).await?;
    let mut line = String::new();
    timeout(TIMEOUT, stream.read_line(&mut line)).await??;
    Ok(line.starts_with(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_only_with_its_last_line() {
        assert_eq!(view_of(b""), ClientView::Nothing);
        assert_eq!(view_of(b"HTTP/1.1 200 OK\r\n\r\n"), ClientView::Part);
        assert_eq!(view_of(b"HTTP/1.1 200 OK\r\n\r\nserved by task-1\nend\n"), ClientView::Whole);
    }
}
