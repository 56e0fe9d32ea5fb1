//! One connection from the client's side: a request, or a connection that is held.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::fate::Seen;
use crate::server::{BYE, END, HOLD};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// From one line of a held connection to the next.
const PAUSE: Duration = Duration::from_millis(250);

/// Connects to the load balancer.
pub(crate) async fn connect(front: SocketAddr) -> io::Result<TcpStream> {
    timeout(PATIENCE, TcpStream::connect(front)).await?
}

/// Sends a request, and reads until the end.
pub(crate) async fn request(mut stream: TcpStream) -> Seen {
    let mut answer = Vec::new();
    let ask = async {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: drill\r\nConnection: close\r\n\r\n").await?;
        stream.read_to_end(&mut answer).await
    };
    // How it ended does not matter beside what has come by then.
    timeout(PATIENCE, ask).await.ok();
    seen(&answer)
}

fn seen(answer: &[u8]) -> Seen {
    let is_whole = String::from_utf8_lossy(answer).ends_with(&format!("\n{END}\n"));
    match answer {
        [] => Seen::Nothing,
        _ if is_whole => Seen::Whole,
        _ => Seen::Part,
    }
}

/// Holds the connection until then, and says goodbye.
pub(crate) async fn hold(stream: TcpStream, until: Instant) -> Seen {
    let mut stream = BufReader::new(stream);
    let Ok(true) = exchange(&mut stream, HOLD, "held by ").await else { return Seen::Nothing };
    while Instant::now() + PAUSE < until {
        sleep_until(Instant::now() + PAUSE).await;
        let Ok(true) = exchange(&mut stream, "still here", "still here").await else { return Seen::Part };
    }
    sleep_until(until).await;
    if let Ok(true) = exchange(&mut stream, BYE, BYE).await { Seen::Whole } else { Seen::Part }
}

/// Says a line, and whether the answer begins as it should.
async fn exchange(stream: &mut BufReader<TcpStream>, say: &str, expected: &str) -> io::Result<bool> {
    stream.write_all(format!("{say}\n").as_bytes()).await?;
    let mut line = String::new();
    timeout(PATIENCE, stream.read_line(&mut line)).await??;
    Ok(line.starts_with(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_only_with_its_last_line() {
        assert_eq!(seen(b""), Seen::Nothing);
        assert_eq!(seen(b"HTTP/1.1 200 OK\r\n\r\n"), Seen::Part);
        assert_eq!(seen(b"HTTP/1.1 200 OK\r\n\r\nserved by task-1\nend\n"), Seen::Whole);
    }
}
