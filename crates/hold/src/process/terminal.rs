//! Is there a terminal? It decides which process group the application runs in.
//!
//! With a terminal the application shares the hold's group, so that Ctrl-C, Ctrl-Z and job control work as without the
//! hold. Without one it has its own group, so that a signal it sends to its group (`kill 0`) does not reach the hold.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::termios::tcgetpgrp;

/// Whether standard input, output or error is this session's terminal.
#[must_use]
pub fn exists() -> bool {
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    [is_terminal_of_session(&input), is_terminal_of_session(&output), is_terminal_of_session(&error)].contains(&true)
}

/// `EOPNOTSUPP` means that the foreground group belongs to another process namespace.
fn is_terminal_of_session(file: &impl std::os::fd::AsFd) -> bool {
    let file: BorrowedFd<'_> = file.as_fd();
    matches!(tcgetpgrp(file), Ok(_) | Err(Errno::OPNOTSUPP))
}
