//! An HTTP GET, or a TCP connection attempt, that never blocks. If the server hangs, only this exchange does, until its
//! deadline.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::health::check::Check;
use crate::health::{Cause, Health};

/// The head of an answer is not longer.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// More headers than an answer to a health check has. Its status is known without them.
const MAX_HEADERS: usize = 64;

/// An exchange that has begun.
#[derive(Debug)]
pub struct HttpGet {
    stream: TcpStream,
    stage: Stage,
    until: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// The request is sent; the answer received so far.
    Requested(Vec<u8>),
    /// The result is known. The rest of the answer is still read, because some applications log a reset as an error.
    Answered,
    Over,
}

enum Received {
    Nothing,
    End,
    Failed,
}

impl HttpGet {
    /// Begins to connect. An immediate error is already the result.
    pub fn begin(check: &Check, until: Duration) -> Result<Self, Health> {
        let stream = start_connecting(check.address()).map_err(|error| Health::NoAnswer(cause(&error)))?;
        Ok(Self { stream, stage: Stage::Connecting, until })
    }

    /// Makes progress without waiting; returns the result once.
    pub fn advance(&mut self, check: &Check, now: Duration) -> Option<Health> {
        let result = match &self.stage {
            Stage::Connecting => self.connected(check),
            Stage::Requested(_) => self.answered(),
            Stage::Answered => self.discard_rest(),
            Stage::Over => None,
        };
        let is_late = now >= self.until && self.stage != Stage::Over;
        let timeout = (is_late && self.is_pending()).then_some(Health::NoAnswer(Cause::TimedOut));
        if is_late {
            self.stage = Stage::Over;
        }
        result.or(timeout)
    }

    /// Whether the result is still unknown.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Requested(_))
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// The deadline.
    #[must_use]
    pub fn until(&self) -> Duration {
        self.until
    }

    /// The socket to wait for, and the event.
    #[must_use]
    pub fn interest(&self) -> (BorrowedFd<'_>, PollFlags) {
        (self.stream.as_fd(), if self.stage == Stage::Connecting { PollFlags::OUT } else { PollFlags::IN })
    }

    fn connected(&mut self, check: &Check) -> Option<Health> {
        match (is_connected(&self.stream), check) {
            (Ok(false), _) => None,
            (Ok(true), Check::Tcp(_)) => Some(self.end(Health::Answers(200))),
            (Ok(true), Check::Http(address, path)) => self.request(*address, path),
            (Err(error), _) => Some(self.end(Health::NoAnswer(cause(&error)))),
        }
    }

    fn request(&mut self, address: SocketAddr, path: &str) -> Option<Health> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: spotdrain-hold\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        self.stage = Stage::Requested(Vec::new());
        match self.stream.write_all(request.as_bytes()) {
            Ok(()) => None,
            Err(error) => Some(self.end(Health::NoAnswer(cause(&error)))),
        }
    }

    fn answered(&mut self) -> Option<Health> {
        let received = self.receive();
        let Stage::Requested(answer) = &self.stage else { return None };
        let (health, is_complete) = status(answer);
        match received {
            Received::End => Some(self.end(health)),
            Received::Failed => Some(self.end(Health::NoAnswer(Cause::Broken))),
            Received::Nothing if is_complete => {
                self.stage = Stage::Answered;
                Some(health)
            }
            Received::Nothing => None,
        }
    }

    fn discard_rest(&mut self) -> Option<Health> {
        if !matches!(self.receive(), Received::Nothing) {
            self.stage = Stage::Over;
        }
        None
    }

    fn receive(&mut self) -> Received {
        let mut part = [0; 2048];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return Received::End,
                Ok(length) => self.keep(part.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Received::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Received::Failed,
            }
        }
    }

    fn keep(&mut self, part: &[u8]) {
        if let Stage::Requested(answer) = &mut self.stage {
            let free = MAX_HEAD_BYTES.saturating_sub(answer.len());
            answer.extend(part.iter().take(free));
        }
    }

    fn end(&mut self, health: Health) -> Health {
        self.stage = Stage::Over;
        health
    }
}

fn start_connecting(address: SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

fn is_connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

fn cause(error: &io::Error) -> Cause {
    match error.kind() {
        ErrorKind::ConnectionRefused => Cause::Refused,
        ErrorKind::TimedOut => Cause::TimedOut,
        _ => Cause::Broken,
    }
}

/// The status of an answer, and whether its head is complete.
fn status(answer: &[u8]) -> (Health, bool) {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(answer);
    let is_complete = !matches!(parsed, Ok(httparse::Status::Partial));
    let status = response.code.filter(|status| (100..=599).contains(status));
    (status.map_or(Health::NoAnswer(Cause::NotHttp), Health::Answers), is_complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_known_once_the_status_line_is_complete() {
        for (answer, code, is_complete) in [
            ("HTTP/1.1 200 OK\r\n", 200, false),
            ("HTTP/1.0 503\r\n\r\n", 503, true),
            ("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nbody", 404, true),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n", 200, true),
        ] {
            assert_eq!(status(answer.as_bytes()), (Health::Answers(code), is_complete), "{answer}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(status(many.as_bytes()), (Health::Answers(200), true));
    }

    #[test]
    fn an_answer_that_is_not_http_is_recognized() {
        for answer in ["HTTP/2 200 OK", "220 mail ESMTP", "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 abc"] {
            assert_eq!(status(answer.as_bytes()), (Health::NoAnswer(Cause::NotHttp), true), "{answer}");
        }
        assert_eq!(status(b"HTTP/1.1 20"), (Health::NoAnswer(Cause::NotHttp), false));
    }
}
