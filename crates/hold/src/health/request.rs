//! One connection to the health endpoint. It is answered when its request is complete, and the hold never blocks on it.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::ApplicationHealth;

/// Longer than a load balancer waits for a health check.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_REQUEST_BYTES: usize = 4096;
/// A client that sends more than this in total is disconnected.
const MAX_BYTES: usize = 16 * 1024;
/// More headers than a health check sends.
const MAX_HEADERS: usize = 64;

/// A connection to the health endpoint.
#[derive(Debug)]
pub struct HealthRequest {
    stream: TcpStream,
    request: Vec<u8>,
    received: usize,
    is_answered: bool,
    until: Duration,
}

/// What is left to do for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestProgress {
    Open,
    Finished,
    /// The client speaks a protocol that the endpoint does not.
    Unsupported(Protocol),
}

/// A protocol that load balancers can use for health checks, but that the endpoint does not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/2 without TLS: the target group's protocol version is HTTP2 or GRPC.
    Http2,
    /// TLS: the health check protocol is HTTPS or TLS.
    Tls,
}

enum ReceivedBytes {
    Something,
    End,
    Failed,
}

impl HealthRequest {
    /// Takes a stream that does not block.
    #[must_use]
    pub fn new(stream: TcpStream, now: Duration) -> Self {
        let until = now.saturating_add(TIMEOUT);
        Self { stream, request: Vec::new(), received: 0, is_answered: false, until }
    }

    /// When the connection is dropped.
    #[must_use]
    pub fn until(&self) -> Duration {
        self.until
    }

    /// The socket to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// The order in which connections are dropped for new ones, lowest first: answered connections, then those without any data,
    /// then those that have sent a part of their request.
    #[must_use]
    pub fn priority(&self) -> u8 {
        match (self.is_answered, self.received) {
            (true, _) => 0,
            (false, 0) => 1,
            (false, _) => 2,
        }
    }

    /// Makes progress without waiting.
    pub fn serve(&mut self, health: ApplicationHealth, now: Duration) -> RequestProgress {
        let has_ended = match self.read() {
            ReceivedBytes::Something => self.received > MAX_BYTES || now >= self.until,
            ReceivedBytes::End => true,
            ReceivedBytes::Failed => return RequestProgress::Finished,
        };
        let progress = if self.is_answered { RequestProgress::Open } else { self.answer_if_complete(health) };
        if has_ended && progress == RequestProgress::Open { RequestProgress::Finished } else { progress }
    }

    /// Reads once: a client that never stops sending must not keep the hold from other work.
    fn read(&mut self) -> ReceivedBytes {
        let mut part = [0; MAX_REQUEST_BYTES];
        match self.stream.read(&mut part) {
            Ok(0) => ReceivedBytes::End,
            Ok(length) => {
                self.received = self.received.saturating_add(length);
                self.request.extend(part.iter().take(length).filter(|_| !self.is_answered));
                ReceivedBytes::Something
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                ReceivedBytes::Something
            }
            Err(_) => ReceivedBytes::Failed,
        }
    }

    fn answer_if_complete(&mut self, health: ApplicationHealth) -> RequestProgress {
        match is_head_request(&self.request) {
            Ok(None) if self.request.len() > MAX_REQUEST_BYTES => RequestProgress::Finished,
            Ok(None) => RequestProgress::Open,
            Ok(Some(is_head)) => match self.answer(health, is_head) {
                Ok(()) => RequestProgress::Open,
                Err(_) => RequestProgress::Finished,
            },
            Err(_) => protocol(&self.request).map_or(RequestProgress::Finished, RequestProgress::Unsupported),
        }
    }

    /// The answer fits into the socket's buffer. The client then closes the connection.
    fn answer(&mut self, health: ApplicationHealth, is_head: bool) -> io::Result<()> {
        self.is_answered = true;
        self.stream.write_all(answer(health, is_head).as_bytes())?;
        self.stream.shutdown(Shutdown::Write)
    }
}

impl Protocol {
    /// What to change at the target group.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Http2 => {
                "a health check speaks HTTP/2, and the health endpoint only HTTP/1.1: it fails for target groups whose \
                 protocol version is HTTP2 or GRPC; use HTTP1, or check the application itself"
            }
            Self::Tls => {
                "a health check speaks TLS, and the health endpoint only plain HTTP/1.1: set the target group's health \
                 check protocol to HTTP or TCP"
            }
        }
    }
}

/// Sources: <https://www.rfc-editor.org/rfc/rfc9113#section-3.4> (the preface of HTTP/2) and
/// <https://www.rfc-editor.org/rfc/rfc8446#section-5.1> (a handshake record is type 22, version 3.x).
fn protocol(request: &[u8]) -> Option<Protocol> {
    match request {
        [0x16, 3, ..] => Some(Protocol::Tls),
        _ if request.starts_with(b"PRI * HTTP/2.0") => Some(Protocol::Http2),
        _ => None,
    }
}

/// Whether the request is HEAD; `None` if it is not complete.
fn is_head_request(text: &[u8]) -> Result<Option<bool>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let is_complete = request.parse(text)?.is_complete();
    Ok(is_complete.then_some(request.method == Some("HEAD")))
}

fn answer(health: ApplicationHealth, is_head: bool) -> String {
    let (status, text) = (health.status(), format!("{health}\n"));
    let has_no_body = matches!(status, 204 | 304);
    let body = if is_head || has_no_body { "" } else { &text };
    let length = if has_no_body { String::new() } else { format!("Content-Length: {}\r\n", text.len()) };
    format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: text/plain\r\n{length}Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}",
        reason(status)
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        503 => "Service Unavailable",
        _ => "Mirrored",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Cause;

    #[test]
    fn a_request_is_parsed_once_it_is_complete() {
        for (text, expected) in [
            ("", Ok(None)),
            ("GET / HTTP/1.1\r\nHost: x\r\n", Ok(None)),
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Ok(Some(false))),
            ("HEAD /health HTTP/1.0\r\n\r\n", Ok(Some(true))),
        ] {
            assert_eq!(is_head_request(text.as_bytes()), expected, "{text}");
        }
        for (request, expected) in [
            (&b"\x16\x03\x01\x02\x00\x01"[..], Some(Protocol::Tls)),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(Protocol::Http2)),
            (b"\x00\x01", None),
        ] {
            assert!(is_head_request(request).is_err());
            assert_eq!(protocol(request), expected);
        }
    }

    #[test]
    fn the_applications_status_is_mirrored() {
        for status in [200, 204, 404, 500] {
            assert!(answer(ApplicationHealth::Answers(status), false).starts_with(&format!("HTTP/1.1 {status} ")));
        }
    }

    #[test]
    fn without_an_answer_the_status_is_503_and_the_body_the_cause() {
        let text = answer(ApplicationHealth::NoAnswer(Cause::Stopping), false);
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        assert!(text.contains("Content-Length: 9\r\n") && text.ends_with("\r\n\r\nstopping\n"), "{text}");
    }

    #[test]
    fn an_answer_that_must_not_have_a_body_has_none() {
        assert!(answer(ApplicationHealth::Answers(200), true).ends_with("\r\n\r\n"));
        assert!(!answer(ApplicationHealth::Answers(204), false).contains("Content-Length"));
    }
}
