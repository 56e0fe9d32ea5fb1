//! The signals that the hold receives. They are caught, never blocked: a child inherits blocked signals.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;

use crate::process::signal::Signal;

/// The code of a signal that the kernel sent; for the signals below, on behalf of a terminal. Source: `sigaction(2)`.
const SI_KERNEL: i32 = 0x80;
/// Signals that a terminal sends to its whole foreground process group, and so to the application as well.
const TERMINAL_SIGNALS: [&str; 3] = ["INT", "QUIT", "WINCH"];

/// Receives signals.
#[derive(Debug)]
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithRawSiginfo>,
    from_terminal: Vec<i32>,
}

impl Signals {
    /// Catches every signal that is passed on, and SIGCHLD. With a terminal, SIGTSTP is not caught, so that Ctrl-Z stops the
    /// hold together with the application.
    pub fn catch(has_terminal: bool) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let passed_on = Signal::all_passed_on().filter(|signal| !has_terminal || *signal != Signal::TSTP);
        let numbers = passed_on.chain([Signal::CHLD]).map(Signal::number);
        let delivery = SignalDelivery::with_pipe(read, write, WithRawSiginfo, numbers)?;
        let from_terminal = TERMINAL_SIGNALS.into_iter().filter(|_| has_terminal);
        let from_terminal = from_terminal.filter_map(|name| Signal::parse(name).ok()).map(Signal::number).collect();
        Ok(Self { delivery, from_terminal })
    }

    /// Returns the signals for the application since the last call, without those that the terminal sent it directly.
    pub fn take(&mut self) -> Vec<Signal> {
        let from_terminal = &self.from_terminal;
        let is_for_us = |number: i32, code: i32| code != SI_KERNEL || !from_terminal.contains(&number);
        let received = self.delivery.pending().filter(|info| is_for_us(info.si_signo, info.si_code));
        received.filter_map(|info| Signal::from_number(info.si_signo)).filter(|signal| signal.is_passed_on()).collect()
    }

    /// Readable when a signal has arrived.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }
}
