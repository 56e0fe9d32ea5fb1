//! Progress on standard error: one line that is rewritten on a terminal, a line every 30 simulated seconds elsewhere.

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _};

use spotdrain_drill::{Plan, Progress, Record};

use super::args::DrillArgs;
use crate::cli::output::style::{BAD, CAREFUL, GOOD, QUIET};

/// Simulated seconds between two lines if standard error is not a terminal.
const PAUSE: f64 = 30.0;

pub(crate) struct ProgressLine {
    is_terminal: bool,
    /// The simulated time of the next line.
    next: Cell<f64>,
    run: Cell<u32>,
    runs: u32,
}

impl ProgressLine {
    /// Announces the runs.
    pub(crate) fn start(args: &DrillArgs, plan: &Plan) -> Self {
        let runs = args.repeat * u32::try_from(args.scenarios().len()).unwrap_or(u32::MAX);
        let takes = plan.real_seconds() * f64::from(runs);
        let (tasks, interrupted, rate, scale) = (plan.tasks, plan.interrupted, plan.rate, plan.scale);
        note(&format!(
            "{tasks} tasks, {interrupted} interrupted, {rate} connections a second, time x {scale}: {runs} runs, \
             about {takes:.0} s"
        ));
        Self { is_terminal: std::io::stderr().is_terminal(), next: Cell::new(f64::MIN), run: Cell::new(1), runs }
    }

    pub(crate) fn show(&self, progress: Progress) {
        if !self.is_terminal && progress.now < self.next.get() {
            return;
        }
        self.next.set(progress.now + PAUSE);
        let Progress { now, end, opened, lost, scenario } = progress;
        let style = if lost == 0 { GOOD } else { BAD };
        let text = format!(
            "{QUIET}{}/{}{QUIET:#} {:<8} {now:>5.0} s of {end:.0}, {opened} opened, {style}{lost} lost{style:#}",
            self.run.get(),
            self.runs,
            scenario.name()
        );
        let (before, after) = if self.is_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        write(&format!("{before}{text}{after}"));
    }

    pub(crate) fn end_run(&self, record: &Record) {
        let lost = record.figures.lost();
        let style = if lost == 0 { GOOD } else { BAD };
        let before = if self.is_terminal { "\r\x1b[2K" } else { "" };
        let (scenario, opened) = (record.scenario.name(), record.figures.opened);
        let run = format!("{QUIET}{}/{}{QUIET:#}", self.run.get(), self.runs);
        write(&format!("{before}{run} {scenario:<8} done: {opened} opened, {style}{lost} lost{style:#}\n"));
        self.next.set(f64::MIN);
        self.run.set(self.run.get().saturating_add(1));
    }
}

pub(crate) fn note(text: &str) {
    write(&format!("{CAREFUL}drill{CAREFUL:#} {text}\n"));
}

/// Ignores errors: standard error may have no reader.
fn write(text: &str) {
    let mut error = anstream::stderr();
    _ = error.write_all(text.as_bytes());
    _ = error.flush();
}
