//! A progress bar on standard error, when that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

/// The width of the bar, in characters.
const WIDTH: usize = 30;

/// A bar that is drawn anew at every step.
#[derive(Debug)]
pub(crate) struct Progress {
    is_seen: bool,
    steps: Mutex<(usize, usize)>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_seen: std::io::stderr().is_terminal(), steps: Mutex::new((0, 0)) }
    }

    /// So much more is to be done.
    pub(crate) fn expect(&self, steps: usize) {
        self.change(|(_, all)| *all += steps, "");
    }

    /// One step of it is done.
    pub(crate) fn step(&self, what: &str) {
        self.change(|(done, _)| *done += 1, what);
    }

    /// The bar goes away.
    pub(crate) fn done(&self) {
        if self.is_seen {
            _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }

    fn change(&self, change: impl FnOnce(&mut (usize, usize)), what: &str) {
        let Ok(mut steps) = self.steps.lock() else { return };
        change(&mut steps);
        if self.is_seen {
            _ = write!(anstream::stderr(), "\r\x1b[K{} {what}", bar(steps.0, steps.1));
            _ = anstream::stderr().flush();
        }
    }
}

fn bar(done: usize, all: usize) -> String {
    let full = (done * WIDTH).checked_div(all).unwrap_or(0).min(WIDTH);
    format!("{}{} {done}/{all}", "█".repeat(full), "░".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_full_at_the_end_and_never_longer() {
        for (done, all, full) in [(0, 0, 0), (0, 7, 0), (3, 6, WIDTH / 2), (7, 7, WIDTH), (9, 7, WIDTH)] {
            assert_eq!(bar(done, all).matches('█').count(), full, "{done}/{all}");
        }
    }
}
