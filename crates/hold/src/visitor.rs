//! A connection to the health endpoint: answered when its request is there, and never waited for.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::health::Health;

/// Longer than a load balancer's own timeout for a check no answer is wanted.
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_REQUEST: usize = 4096;

/// A connection.
#[derive(Debug)]
pub struct Visitor {
    stream: TcpStream,
    request: Vec<u8>,
    is_answered: bool,
    until: Duration,
}

impl Visitor {
    /// A new one; its stream does not block.
    #[must_use]
    pub fn new(stream: TcpStream, now: Duration) -> Self {
        Self { stream, request: Vec::new(), is_answered: false, until: now.saturating_add(PATIENCE) }
    }

    /// When it has been here for too long.
    #[must_use]
    pub fn until(&self) -> Duration {
        self.until
    }

    /// What to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Does what can be done now; false: it is finished with.
    pub fn serve(&mut self, health: Health, now: Duration) -> bool {
        let is_open = now < self.until && self.read();
        if is_open && !self.is_answered && self.is_whole() {
            self.is_answered = true;
            return self.answer(health);
        }
        is_open
    }

    /// False: the other end has closed it, or it is no request of HTTP.
    fn read(&mut self) -> bool {
        let mut part = [0; 1024];
        loop {
            match self.stream.read(&mut part) {
                Ok(0) => return false,
                Ok(length) => self.request.extend(part.iter().take(length).filter(|_| !self.is_answered)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
            if self.request.len() > LONGEST_REQUEST {
                return false;
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.request.windows(4).any(|end| end == b"\r\n\r\n")
    }

    /// The answer is short enough for the socket's buffer; the other end then closes the connection.
    fn answer(&mut self, health: Health) -> bool {
        let text = answer(health, self.request.starts_with(b"HEAD "));
        self.stream.write_all(text.as_bytes()).and_then(|()| self.stream.shutdown(Shutdown::Write)).is_ok()
    }
}

fn answer(health: Health, is_head: bool) -> String {
    let (status, told) = (health.status(), format!("{health}\n"));
    let body = if is_head || matches!(status, 204 | 304) { "" } else { &told };
    let length =
        if matches!(status, 204 | 304) { String::new() } else { format!("Content-Length: {}\r\n", told.len()) };
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
    use crate::health::Why;

    #[test]
    fn the_applications_status_is_mirrored() {
        for status in [200, 204, 404, 500] {
            assert!(answer(Health::Answers(status), false).starts_with(&format!("HTTP/1.1 {status} ")));
        }
    }

    #[test]
    fn no_answer_of_the_application_is_503_and_says_why() {
        let text = answer(Health::Silent(Why::Stopping), false);
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        assert!(text.contains("Content-Length: 9\r\n") && text.ends_with("\r\n\r\nstopping\n"), "{text}");
    }

    #[test]
    fn an_answer_without_a_body_has_none() {
        assert!(answer(Health::Answers(200), true).ends_with("\r\n\r\n"));
        assert!(!answer(Health::Answers(204), false).contains("Content-Length"));
    }
}
