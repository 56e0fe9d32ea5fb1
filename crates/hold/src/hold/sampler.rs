//! When and how the connections are sampled after the stop signal.

use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::connections::counter::{ConnectionCounter, KernelReading, PortFilter};
use crate::connections::half_closed;
use crate::connections::kernel::Kernel;
use crate::rules::Sample;

/// The shortest interval between samples. The counter includes connections that come and go in between.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
/// The longest interval between samples.
const MAX_INTERVAL: Duration = Duration::from_secs(10);
/// An interval is at least this many times the CPU time of the sample, so that sampling takes about 2.5 % of a CPU: with
/// tens of thousands of connections one sample takes 100 ms and more.
const COST_FACTOR: u32 = 40;

/// Samples the connections on the watched ports.
#[derive(Debug)]
pub(super) struct Sampler {
    kernel: Kernel,
    filter: PortFilter,
    counter: Option<ConnectionCounter>,
    next: Duration,
    warnings: SampleWarnings,
}

/// The warnings so far. Each warning is given once.
#[derive(Debug, Default)]
struct SampleWarnings {
    unreadable: bool,
    half_closed: bool,
    datagrams: bool,
}

impl Sampler {
    pub(super) fn new(filter: PortFilter) -> Self {
        let (kernel, warnings) = (Kernel::default(), SampleWarnings::default());
        Self { kernel, filter, counter: None, next: Duration::ZERO, warnings }
    }

    /// Reads the kernel's files once without a sample, while there is time to fix a problem. Returns a warning.
    pub(super) fn try_kernel(&mut self) -> Option<String> {
        let result =
            if self.filter.ports.is_empty() { Ok(()) } else { self.kernel.begin(&self.filter, || 0).map(drop) };
        result.err().and_then(|error| self.warn_unreadable(&error))
    }

    /// Makes the next sample due now.
    pub(super) fn start(&mut self, now: Duration) {
        self.next = now;
    }

    /// When the next sample is due.
    pub(super) fn next(&self) -> Duration {
        self.next
    }

    /// Takes a sample; `None` if the kernel's files could not be read. `own` returns how many connections the health endpoint
    /// has accepted. Also returns a warning.
    pub(super) fn sample(&mut self, now: Duration, own: impl FnOnce() -> u64) -> (Option<Sample>, Option<String>) {
        let before = cpu_time();
        let result = self.take(own);
        let cost = cpu_time().saturating_sub(before);
        let interval = cost.saturating_mul(COST_FACTOR).clamp(MIN_INTERVAL, MAX_INTERVAL);
        self.next = now.saturating_add(interval);
        match result {
            Ok((sample, warning)) => (Some(sample), warning),
            Err(error) => (None, self.warn_unreadable(&error)),
        }
    }

    fn take(&mut self, own: impl FnOnce() -> u64) -> io::Result<(Sample, Option<String>)> {
        if self.filter.ports.is_empty() {
            return Ok((Sample::default(), None));
        }
        let mut reading = match self.counter {
            Some(_) => self.kernel.read(&self.filter, own)?,
            None => self.kernel.begin(&self.filter, own)?,
        };
        let warning = self.add_half_closed(&mut reading);
        let counter = self.counter.get_or_insert_with(|| ConnectionCounter::start(reading.clone()));
        let (sample, others) = (counter.sample(reading), counter.other_udp_ports());
        Ok((sample, warning.or_else(|| self.warn_datagrams(sample, &others))))
    }

    fn add_half_closed(&mut self, reading: &mut KernelReading) -> Option<String> {
        if !reading.has_half_closed {
            return None;
        }
        let error = match half_closed::acknowledged(&self.filter) {
            Ok(acknowledged) => {
                reading.acknowledged = acknowledged;
                return None;
            }
            Err(error) => error,
        };
        let is_first = !std::mem::replace(&mut self.warnings.half_closed, true);
        is_first.then(|| {
            format!("connections whose client has shut down its sending side do not count: sock_diag: {error}")
        })
    }

    fn warn_datagrams(&mut self, sample: Sample, others: &str) -> Option<String> {
        if others.is_empty() || sample.datagrams.unwrap_or(0) == 0 {
            return None;
        }
        let is_first = !std::mem::replace(&mut self.warnings.datagrams, true);
        is_first.then(|| {
            format!(
                "received datagrams count for the watched UDP port, but may be those of UDP port {others}: the kernel has one \
                 counter, so the stop signal may be held for max-hold"
            )
        })
    }

    fn warn_unreadable(&mut self, error: &io::Error) -> Option<String> {
        let is_first = !std::mem::replace(&mut self.warnings.unreadable, true);
        is_first.then(|| format!("connections are unknown, so the stop signal is held for max-hold: {error}"))
    }
}

/// The CPU time of this thread. The wall clock would also count the time of other processes on a busy machine.
fn cpu_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
