//! One check of the application. Nothing here waits: a check that hangs hangs alone, until its time is up.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};

use crate::check::Check;
use crate::health::{Health, Why};

/// The head of a longer answer is not HTTP's.
const LONGEST_HEAD: usize = 16 * 1024;

/// A check that has begun.
#[derive(Debug)]
pub struct Probe {
    stream: TcpStream,
    stage: Stage,
    until: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// The request is sent, and so much of the answer has come.
    Asked(Vec<u8>),
    /// The result is told. The rest of the answer is still read: an application that is hung up on logs an error.
    Told,
    Over,
}

enum Received {
    Nothing,
    End,
    Failed,
}

impl Probe {
    /// Begins to connect; an error is a result too.
    pub fn begin(check: &Check, until: Duration) -> Result<Self, Health> {
        let stream = start_connecting(check.address()).map_err(|error| Health::Silent(why(&error)))?;
        Ok(Self { stream, stage: Stage::Connecting, until })
    }

    /// Does what can be done now; the result, once.
    pub fn advance(&mut self, check: &Check, now: Duration) -> Option<Health> {
        let found = match &self.stage {
            Stage::Connecting => self.connected(check),
            Stage::Asked(_) => self.answered(),
            Stage::Told => self.rest(),
            Stage::Over => None,
        };
        let is_late = now >= self.until && self.stage != Stage::Over;
        let late = (is_late && self.is_undecided()).then_some(Health::Silent(Why::TimedOut));
        if is_late {
            self.stage = Stage::Over;
        }
        found.or(late)
    }

    /// Whether its result is not told yet.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Asked(_))
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.stage == Stage::Over
    }

    /// When its time is up.
    #[must_use]
    pub fn until(&self) -> Duration {
        self.until
    }

    /// What to wait for.
    #[must_use]
    pub fn interest(&self) -> (BorrowedFd<'_>, PollFlags) {
        (self.stream.as_fd(), if self.stage == Stage::Connecting { PollFlags::OUT } else { PollFlags::IN })
    }

    fn connected(&mut self, check: &Check) -> Option<Health> {
        match (is_connected(&self.stream), check) {
            (Ok(false), _) => None,
            (Ok(true), Check::Tcp(_)) => Some(self.end(Health::Answers(200))),
            (Ok(true), Check::Http(address, path)) => self.ask(*address, path),
            (Err(error), _) => Some(self.end(Health::Silent(why(&error)))),
        }
    }

    fn ask(&mut self, address: SocketAddr, path: &str) -> Option<Health> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: spotdrain-hold\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        self.stage = Stage::Asked(Vec::new());
        match self.stream.write_all(request.as_bytes()) {
            Ok(()) => None,
            Err(error) => Some(self.end(Health::Silent(why(&error)))),
        }
    }

    fn answered(&mut self) -> Option<Health> {
        let received = self.receive();
        let Stage::Asked(answer) = &self.stage else { return None };
        let (health, is_whole) = (health(answer), answer.windows(4).any(|end| end == b"\r\n\r\n"));
        match received {
            Received::End => Some(self.end(health)),
            Received::Failed => Some(self.end(Health::Silent(Why::Broken))),
            Received::Nothing if is_whole => {
                self.stage = Stage::Told;
                Some(health)
            }
            Received::Nothing => None,
        }
    }

    fn rest(&mut self) -> Option<Health> {
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
        if let Stage::Asked(answer) = &mut self.stage {
            answer.extend(part.iter().take(LONGEST_HEAD.saturating_sub(answer.len())));
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

fn why(error: &io::Error) -> Why {
    match error.kind() {
        ErrorKind::ConnectionRefused => Why::Refused,
        ErrorKind::TimedOut => Why::TimedOut,
        _ => Why::Broken,
    }
}

/// The status line is `HTTP/1.1 200 OK`; the reason may be missing.
/// Source: <https://www.rfc-editor.org/rfc/rfc9112#section-4>
fn health(answer: &[u8]) -> Health {
    let status = || {
        let line = std::str::from_utf8(answer.get(..12)?).ok()?;
        let status = line.strip_prefix("HTTP/1.")?.split_once(' ')?.1;
        status.parse().ok().filter(|status| (100..=599).contains(status))
    };
    status().map_or(Health::Silent(Why::NotHttp), Health::Answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_read_from_the_first_line() {
        for (answer, status) in [("HTTP/1.1 200 OK\r\n", 200), ("HTTP/1.0 503\r\n\r\n", 503), ("HTTP/1.1 404 ", 404)] {
            assert_eq!(health(answer.as_bytes()), Health::Answers(status), "{answer}");
        }
    }

    #[test]
    fn what_is_no_answer_of_http_is_told() {
        for answer in ["", "HTTP/1.1 20", "HTTP/2 200 OK", "220 mail ESMTP", "HTTP/1.1 099 x", "HTTP/1.1 abc"] {
            assert_eq!(health(answer.as_bytes()), Health::Silent(Why::NotHttp), "{answer}");
        }
    }
}
