//! An HTTP GET, or a TCP connection attempt, that never blocks. If the server hangs, only this exchange waits, until its
//! deadline.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::health::check::ApplicationCheck;
use crate::health::{ApplicationHealth, Cause};

/// Bytes of an answer that are kept.
const MAX_KEPT_BYTES: usize = 64 * 1024;
/// A server that sends more than this is disconnected.
const MAX_BYTES: usize = 1024 * 1024;
/// The maximum number of reads of 2 KB in a row, so that other work is not delayed.
const MAX_READS: usize = 8;
/// More headers than an answer to a health check has. Its status is known without them.
const MAX_HEADERS: usize = 64;

/// The HTTP version of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// An exchange that has begun.
#[derive(Debug)]
pub struct HttpGet {
    stream: TcpStream,
    version: Version,
    stage: Stage,
    answer: Vec<u8>,
    received: usize,
    until: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Requested,
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
    pub fn begin(check: &ApplicationCheck, version: Version, until: Duration) -> Result<Self, ApplicationHealth> {
        let stream = start_connecting(check.address()).map_err(|error| ApplicationHealth::NoAnswer(cause(&error)))?;
        Ok(Self { stream, version, stage: Stage::Connecting, answer: Vec::new(), received: 0, until })
    }

    /// Makes progress without waiting; returns the result once.
    pub fn advance(&mut self, check: &ApplicationCheck, now: Duration) -> Option<ApplicationHealth> {
        let result = match self.stage {
            Stage::Connecting => self.connected(check),
            Stage::Requested => self.answered(),
            Stage::Answered => self.read_rest(),
            Stage::Over => None,
        };
        let is_late = now >= self.until && self.stage != Stage::Over;
        let timeout = (is_late && self.is_pending()).then_some(ApplicationHealth::NoAnswer(Cause::TimedOut));
        if is_late {
            self.stage = Stage::Over;
        }
        result.or(timeout)
    }

    /// Whether the result is still unknown.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Requested)
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// The answer's body, as far as it has been received; at most 64 KB with the head.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        let length = final_head(&self.answer).length.unwrap_or(self.answer.len());
        self.answer.get(length..).unwrap_or_default()
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

    fn connected(&mut self, check: &ApplicationCheck) -> Option<ApplicationHealth> {
        match (is_connected(&self.stream), check) {
            (Ok(false), _) => None,
            (Ok(true), ApplicationCheck::Tcp(_)) => Some(self.end(ApplicationHealth::Answers(200))),
            (Ok(true), ApplicationCheck::Http(address, path)) => self.request(*address, path),
            (Err(error), _) => Some(self.end(ApplicationHealth::NoAnswer(cause(&error)))),
        }
    }

    fn request(&mut self, address: SocketAddr, path: &str) -> Option<ApplicationHealth> {
        let minor = u8::from(self.version == Version::Http11);
        let request = format!(
            "GET {path} HTTP/1.{minor}\r\nHost: {address}\r\nUser-Agent: spotdrain-hold\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        self.stage = Stage::Requested;
        match self.stream.write_all(request.as_bytes()) {
            Ok(()) => None,
            Err(error) => Some(self.end(ApplicationHealth::NoAnswer(cause(&error)))),
        }
    }

    fn answered(&mut self) -> Option<ApplicationHealth> {
        let received = self.receive();
        let head = final_head(&self.answer);
        match received {
            Received::End => Some(self.end(head.health())),
            Received::Failed => Some(self.end(ApplicationHealth::NoAnswer(Cause::Broken))),
            Received::Nothing if head.is_complete => {
                self.stage = Stage::Answered;
                Some(head.health())
            }
            Received::Nothing => None,
        }
    }

    fn read_rest(&mut self) -> Option<ApplicationHealth> {
        if !matches!(self.receive(), Received::Nothing) {
            self.stage = Stage::Over;
        }
        None
    }

    fn receive(&mut self) -> Received {
        let mut part = [0; 2048];
        for _ in 0..MAX_READS {
            match self.stream.read(&mut part) {
                Ok(0) => return Received::End,
                Ok(length) => self.keep(part.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Received::Nothing,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Received::Failed,
            }
        }
        if self.received > MAX_BYTES { Received::End } else { Received::Nothing }
    }

    fn keep(&mut self, part: &[u8]) {
        self.received = self.received.saturating_add(part.len());
        let free = MAX_KEPT_BYTES.saturating_sub(self.answer.len());
        self.answer.extend(part.iter().take(free));
    }

    fn end(&mut self, health: ApplicationHealth) -> ApplicationHealth {
        self.stage = Stage::Over;
        health
    }
}

/// The head of an answer, as far as it has been received.
#[derive(Debug, Default)]
struct Head {
    status: Option<u16>,
    is_complete: bool,
    /// Bytes up to its end, including the interim heads before it.
    length: Option<usize>,
}

impl Head {
    fn health(&self) -> ApplicationHealth {
        let status = self.status.filter(|status| (100..=599).contains(status));
        status.map_or(ApplicationHealth::NoAnswer(Cause::NotHttp), ApplicationHealth::Answers)
    }
}

/// Skips interim answers, such as 100 Continue and 103 Early Hints. An invalid head counts as complete.
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#section-15.2>
fn final_head(answer: &[u8]) -> Head {
    let mut start = 0;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(answer.get(start..).unwrap_or_default());
        let status = response.code;
        match parsed {
            Ok(httparse::Status::Partial) => {
                return Head { status: status.filter(|status| !is_interim(*status)), ..Head::default() };
            }
            Ok(httparse::Status::Complete(length)) => {
                start += length;
                if !status.is_some_and(is_interim) {
                    return Head { status, is_complete: true, length: Some(start) };
                }
            }
            Err(_) => return Head { status, is_complete: true, length: None },
        }
    }
}

/// 101 is final: nothing else follows on this connection that this client understands.
fn is_interim(status: u16) -> bool {
    (100..=199).contains(&status) && status != 101
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

#[cfg(test)]
mod tests {
    use super::*;

    fn status(answer: &str) -> (ApplicationHealth, bool) {
        let head = final_head(answer.as_bytes());
        (head.health(), head.is_complete)
    }

    #[test]
    fn the_status_is_known_once_the_status_line_is_complete() {
        for (answer, code, is_complete) in [
            ("HTTP/1.1 200 OK\r\n", 200, false),
            ("HTTP/1.0 503\r\n\r\n", 503, true),
            ("HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nbody", 404, true),
            ("HTTP/1.1 200 OK\r\nno header\r\n\r\n", 200, true),
        ] {
            assert_eq!(status(answer), (ApplicationHealth::Answers(code), is_complete), "{answer}");
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(status(&many), (ApplicationHealth::Answers(200), true));
    }

    #[test]
    fn interim_answers_are_skipped() {
        let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
        assert_eq!(status(hints), (ApplicationHealth::NoAnswer(Cause::NotHttp), false));
        assert_eq!(status(&format!("{hints}HTTP/1.1 200 OK\r\n\r\n")), (ApplicationHealth::Answers(200), true));
        assert_eq!(final_head(format!("{hints}HTTP/1.1 204 x\r\n\r\nbody").as_bytes()).length, Some(hints.len() + 18));
        assert_eq!(status("HTTP/1.1 101 Switching Protocols\r\n\r\n"), (ApplicationHealth::Answers(101), true));
    }

    #[test]
    fn an_answer_that_is_not_http_is_recognized() {
        for answer in ["HTTP/2 200 OK", "220 mail ESMTP", "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 abc"] {
            assert_eq!(status(answer), (ApplicationHealth::NoAnswer(Cause::NotHttp), true), "{answer}");
        }
        assert_eq!(status("HTTP/1.1 20"), (ApplicationHealth::NoAnswer(Cause::NotHttp), false));
    }
}
