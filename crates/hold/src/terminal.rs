//! Whether there is a terminal, and so in which process group the application runs.
//!
//! With one it shares the hold's group: Ctrl-C, Ctrl-Z and the foreground then work as without the hold. Without one it
//! has a group of its own: what it sends to its group (`kill 0`) is not mistaken for the stop signal.

use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::termios::tcgetpgrp;

/// Whether the standard input, output or error is this session's terminal.
#[must_use]
pub fn is_there() -> bool {
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    [is_terminal_of_session(&input), is_terminal_of_session(&output), is_terminal_of_session(&error)].contains(&true)
}

/// Not supported: the group in the foreground is one of another process namespace.
fn is_terminal_of_session(file: &impl std::os::fd::AsFd) -> bool {
    let file: BorrowedFd<'_> = file.as_fd();
    matches!(tcgetpgrp(file), Ok(_) | Err(Errno::OPNOTSUPP))
}
