//! One connection to the health endpoint: answered once its request is complete, and never waited for.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::Health;

/// Longer than a load balancer waits for a health check.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_REQUEST_BYTES: usize = 4096;
/// More headers than a health check sends.
const MAX_HEADERS: usize = 64;

/// A connection to the health endpoint.
#[derive(Debug)]
pub struct HealthRequest {
    stream: TcpStream,
    request: Vec<u8>,
    is_answered: bool,
    until: Duration,
}

impl HealthRequest {
    /// Takes a stream that does not block.
    #[must_use]
    pub fn new(stream: TcpStream, now: Duration) -> Self {
        Self { stream, request: Vec::new(), is_answered: false, until: now.saturating_add(TIMEOUT) }
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

    /// Makes progress without waiting; returns false when the connection is to be closed.
    pub fn serve(&mut self, health: Health, now: Duration) -> bool {
        let is_open = now < self.until && self.read();
        if !is_open || self.is_answered {
            return is_open;
        }
        match is_head_request(&self.request) {
            Ok(Some(is_head)) => {
                self.is_answered = true;
                self.answer(health, is_head)
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Returns false if the client closed the connection, or sent too much.
    fn read(&mut self) -> bool {
        let mut part = [0; 1024];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return false,
                Ok(length) => self.request.extend(part.iter().take(length).filter(|_| !self.is_answered)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
            if self.request.len() > MAX_REQUEST_BYTES {
                return false;
            }
        }
    }

    /// The answer fits into the socket's buffer. The client then closes the connection.
    fn answer(&mut self, health: Health, is_head: bool) -> bool {
        let text = answer(health, is_head);
        self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.shutdown(Shutdown::Write)).is_ok()
    }
}

/// Whether the request is HEAD; `None` if it is not complete.
fn is_head_request(text: &[u8]) -> Result<Option<bool>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let is_complete = request.parse(text)?.is_complete();
    Ok(is_complete.then_some(request.method == Some("HEAD")))
}

fn answer(health: Health, is_head: bool) -> String {
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
        assert!(is_head_request(b"\x16\x03\x01\x02").is_err());
    }

    #[test]
    fn the_applications_status_is_mirrored() {
        for status in [200, 204, 404, 500] {
            assert!(answer(Health::Answers(status), false).starts_with(&format!("HTTP/1.1 {status} ")));
        }
    }

    #[test]
    fn without_an_answer_the_status_is_503_and_the_body_the_cause() {
        let text = answer(Health::NoAnswer(Cause::Stopping), false);
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        assert!(text.contains("Content-Length: 9\r\n") && text.ends_with("\r\n\r\nstopping\n"), "{text}");
    }

    #[test]
    fn an_answer_that_must_not_have_a_body_has_none() {
        assert!(answer(Health::Answers(200), true).ends_with("\r\n\r\n"));
        assert!(!answer(Health::Answers(204), false).contains("Content-Length"));
    }
}
