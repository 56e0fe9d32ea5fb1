//! The signals that come to the hold. They are caught, never blocked: a child would inherit a blocked one.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::net::UnixStream;

use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithRawSiginfo;

use crate::signal::Signal;

/// Sent by the kernel: here, by a terminal. Source: `sigaction(2)`.
const SI_KERNEL: i32 = 0x80;
/// What a terminal sends to the whole process group in its foreground, and so to the application too.
const OF_A_TERMINAL: [&str; 3] = ["INT", "QUIT", "WINCH"];

/// The signals that have come.
#[derive(Debug)]
pub struct Signals {
    delivery: SignalDelivery<UnixStream, WithRawSiginfo>,
    of_terminal: Vec<i32>,
}

impl Signals {
    /// Catches every signal that is passed on, and hears of children that end. With a terminal, its own signals reach the
    /// application without help, and Ctrl-Z stops the hold with it.
    pub fn catch(has_terminal: bool) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let passed_on = Signal::all_passed_on().filter(|signal| !has_terminal || *signal != Signal::TSTP);
        let numbers = passed_on.chain([Signal::CHLD]).map(Signal::number);
        let delivery = SignalDelivery::with_pipe(read, write, WithRawSiginfo, numbers)?;
        let of_terminal = OF_A_TERMINAL.into_iter().filter(|_| has_terminal);
        let of_terminal = of_terminal.filter_map(|name| Signal::parse(name).ok()).map(Signal::number).collect();
        Ok(Self { delivery, of_terminal })
    }

    /// Those that have come since the last time and are to be passed on.
    pub fn take(&mut self) -> Vec<Signal> {
        let of_terminal = &self.of_terminal;
        let is_ours = |number: i32, code: i32| code != SI_KERNEL || !of_terminal.contains(&number);
        let come = self.delivery.pending().filter(|info| is_ours(info.si_signo, info.si_code));
        come.filter_map(|info| Signal::from_number(info.si_signo)).filter(|signal| signal.is_passed_on()).collect()
    }

    /// What to wait for.
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.delivery.get_read().as_fd()
    }
}
