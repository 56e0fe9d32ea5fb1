//! Progress while it runs, on standard error: one line that is rewritten on a terminal, and a line now and then elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};

use spotdrain_drill::{Plan, Progress, Record};

use super::args::DrillArgs;
use crate::cli::present::{BAD, CAREFUL, GOOD, QUIET};

/// Played seconds between two lines where there is no terminal.
const PAUSE: f64 = 30.0;

/// Tells.
pub(crate) struct Teller {
    is_terminal: bool,
    next: Cell<f64>,
    run: Cell<u32>,
    runs: u32,
}

/// Says what is about to happen.
pub(crate) fn teller(args: &DrillArgs, plan: &Plan) -> Teller {
    let runs = args.repeat * u32::try_from(args.ways().len()).unwrap_or(u32::MAX);
    let takes = plan.real_seconds() * f64::from(runs);
    let (tasks, interrupted, rate, scale) = (plan.tasks, plan.interrupted, plan.rate, plan.scale);
    note(&format!(
        "{tasks} tasks, {interrupted} interrupted, {rate} connections a second, time x {scale}: {runs} runs, \
         about {takes:.0} s"
    ));
    Teller { is_terminal: std::io::stderr().is_terminal(), next: Cell::new(f64::MIN), run: Cell::new(1), runs }
}

impl Teller {
    /// How far it is.
    pub(crate) fn tell(&self, progress: Progress) {
        if !self.is_terminal && progress.now < self.next.get() {
            return;
        }
        self.next.set(progress.now + PAUSE);
        let Progress { now, end, opened, lost, scenario: way } = progress;
        let style = if lost == 0 { GOOD } else { BAD };
        let text = format!(
            "{QUIET}{}/{}{QUIET:#} {:<8} {now:>5.0} s of {end:.0}, {opened} opened, {style}{lost} lost{style:#}",
            self.run.get(),
            self.runs,
            way.name()
        );
        let (before, after) = if self.is_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        write(&format!("{before}{text}{after}"));
    }

    /// A run is over.
    pub(crate) fn over(&self, record: &Record) {
        let lost = record.figures.lost();
        let style = if lost == 0 { GOOD } else { BAD };
        let before = if self.is_terminal { "\r\x1b[2K" } else { "" };
        let (way, opened) = (record.scenario.name(), record.figures.opened);
        let run = format!("{QUIET}{}/{}{QUIET:#}", self.run.get(), self.runs);
        write(&format!("{before}{run} {way:<8} over: {opened} opened, {style}{lost} lost{style:#}\n"));
        self.next.set(f64::MIN);
        self.run.set(self.run.get().saturating_add(1));
    }
}

/// Something to know.
pub(crate) fn note(text: &str) {
    write(&format!("{CAREFUL}drill{CAREFUL:#} {text}\n"));
}

/// Nobody may be there to read it.
fn write(text: &str) {
    let mut error = anstream::stderr();
    _ = error.write_all(text.as_bytes());
    _ = error.flush();
}
