//! Many histories, side by side, and the one that breaks a law told so that it can be read.

use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::history::{Told, live};
use super::tally::Tally;

/// A history that breaks a law.
#[derive(Debug)]
pub struct Failed(pub String);

/// Lives the histories of `count` seeds from `first` on. `progress` hears now and then how many there were.
pub fn run_all(first: u64, count: u64, progress: impl Fn(u64) + Sync) -> Result<Tally, Failed> {
    let next = AtomicU64::new(0);
    let is_broken = AtomicBool::new(false);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let worker = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || is_broken.load(Ordering::Relaxed) {
                return Ok(tally);
            }
            let seed = first + number;
            let told = catch_unwind(|| live(seed, false)).unwrap_or_else(|panic| {
                eprintln!("SEED {seed}");
                resume_unwind(panic)
            });
            tally.add(&told.tally);
            if !told.violations.is_empty() {
                is_broken.store(true, Ordering::Relaxed);
                return replay(seed).map(|()| tally);
            }
            progress(number + 1);
        }
    };
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

/// Lives one history with its trace; what it breaks is told with it.
pub fn replay(seed: u64) -> Result<(), Failed> {
    let Told { violations, trace, .. } = live(seed, true);
    let Some(first) = violations.first() else { return Ok(()) };
    let at = first.at as f64 / 1000.0;
    let told = format!(
        "the law \"{}\" does not hold at {at} s: {}\nSEED {seed} (WORLD_SEED={seed} replays it)\n{}",
        first.law,
        first.what,
        trace.join("\n")
    );
    Err(Failed(told))
}
