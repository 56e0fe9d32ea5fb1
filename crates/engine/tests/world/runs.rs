//! Many histories side by side, and a readable trace of the one that breaks a law.

use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::history::{History, simulate};
use super::tally::Tally;

/// Which histories to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Histories {
    pub first_seed: u64,
    pub count: u64,
    /// The number of execution environments; `None` draws it for each history.
    pub environments: Option<usize>,
}

/// The trace of a history that breaks a law.
#[derive(Debug)]
pub struct Failed(pub String);

/// Simulates the histories, and calls `progress` with the number of each.
pub fn run_all(histories: Histories, progress: impl Fn(u64) + Sync) -> Result<Tally, Failed> {
    let (next, is_broken) = (AtomicU64::new(0), AtomicBool::new(false));
    let worker = || work(histories, &next, &is_broken, &progress);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut sum = Tally::default();
    for tally in results {
        sum.add(&tally?);
    }
    Ok(sum)
}

/// Simulates one history after another until all are done or one breaks a law.
fn work(
    histories: Histories,
    next: &AtomicU64,
    is_broken: &AtomicBool,
    progress: impl Fn(u64),
) -> Result<Tally, Failed> {
    let mut tally = Tally::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= histories.count || is_broken.load(Ordering::Relaxed) {
            return Ok(tally);
        }
        let history = run_one(histories, number);
        tally.add(&history.tally);
        if !history.violations.is_empty() {
            is_broken.store(true, Ordering::Relaxed);
            return replay(histories.first_seed + number, histories.environments).map(|()| tally);
        }
        progress(number + 1);
    }
}

/// Simulates one history; if it panics, prints the seed.
fn run_one(histories: Histories, number: u64) -> History {
    let seed = histories.first_seed + number;
    catch_unwind(|| simulate(seed, histories.environments, false)).unwrap_or_else(|panic| {
        eprintln!("SEED {seed}");
        resume_unwind(panic)
    })
}

/// Simulates one history with its trace, which is the error if it breaks a law.
pub fn replay(seed: u64, environments: Option<usize>) -> Result<(), Failed> {
    let History { violations, trace, .. } = simulate(seed, environments, true);
    let Some(first) = violations.first() else { return Ok(()) };
    let at = first.at as f64 / 1000.0;
    let text = format!(
        "the law \"{}\" does not hold at {at} s: {}\nSEED {seed} (WORLD_SEED={seed} replays it)\n{}",
        first.law,
        first.what,
        trace.join("\n")
    );
    Err(Failed(text))
}
