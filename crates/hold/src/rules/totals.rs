//! What is observed from the stop signal on: one sample, and the totals of all samples.

use std::time::Duration;

use crate::log::record::Counts;

/// What the rules look at while the stop signal is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// Connections in use on the watched ports.
    pub established: usize,
    /// New connections since the stop signal.
    pub new: u64,
    /// Datagrams received since the stop signal; `None` if no watched port has a UDP socket.
    pub datagrams: Option<u64>,
    /// Whether a command says that there is work in progress; `None` without a command.
    pub work_in_progress: Option<bool>,
}

impl Sample {
    /// Returns the same sample with the commands' answer.
    #[must_use]
    pub fn with_work(self, work_in_progress: Option<bool>) -> Self {
        Self { work_in_progress, ..self }
    }
}

/// What was observed since the stop signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Totals {
    pub(super) established: Option<usize>,
    pub(super) new: u64,
    pub(super) datagrams: Option<u64>,
    last_new_after: Option<Duration>,
    work_in_progress: Option<bool>,
    /// Whether a connection was in use in a sample after the first new one.
    any_lasted: bool,
}

impl Totals {
    /// If there is no sample, keeps the last known numbers.
    pub(super) fn with(self, sample: Option<Sample>, after: Duration) -> Self {
        let Some(sample) = sample else { return self };
        let is_new = sample.new > self.new || sample.datagrams > self.datagrams.or(Some(0));
        let new = sample.new.max(self.new);
        Self {
            established: Some(sample.established),
            new,
            datagrams: sample.datagrams.max(self.datagrams),
            last_new_after: if is_new { Some(after) } else { self.last_new_after },
            work_in_progress: sample.work_in_progress.or(self.work_in_progress),
            any_lasted: self.any_lasted || (new > 0 && sample.established > 0),
        }
    }

    pub(super) fn counts(self, after: Duration) -> Counts {
        Counts {
            after_ms: millis(after),
            established: self.established,
            new: self.new,
            last_new_after_ms: self.last_new_after.map(millis),
            datagrams: self.datagrams,
            checks_only: self.new > 0 && !self.any_lasted,
            work_in_progress: self.work_in_progress,
        }
    }
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
