//! A progress bar on standard error, when that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

/// The width of the bar, in characters.
const WIDTH: usize = 30;

/// A progress bar, redrawn at every step.
#[derive(Debug)]
pub(crate) struct ProgressBar {
    is_terminal: bool,
    steps: Mutex<(usize, usize)>,
}

impl ProgressBar {
    pub(crate) fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), steps: Mutex::new((0, 0)) }
    }

    /// Adds steps to do.
    pub(crate) fn expect(&self, steps: usize) {
        self.change(|(_, all)| *all += steps, "");
    }

    /// Counts one step as done, and shows what was read.
    pub(crate) fn step(&self, what: &str) {
        self.change(|(done, _)| *done += 1, what);
    }

    /// Erases the bar.
    pub(crate) fn done(&self) {
        if self.is_terminal {
            _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }

    fn change(&self, change: impl FnOnce(&mut (usize, usize)), what: &str) {
        let Ok(mut steps) = self.steps.lock() else { return };
        change(&mut steps);
        if self.is_terminal {
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
    fn the_bar_is_full_at_the_end_and_never_overflows() {
        for (done, all, full) in [(0, 0, 0), (0, 7, 0), (3, 6, WIDTH / 2), (7, 7, WIDTH), (9, 7, WIDTH)] {
            assert_eq!(bar(done, all).matches('█').count(), full, "{done}/{all}");
        }
    }
}
