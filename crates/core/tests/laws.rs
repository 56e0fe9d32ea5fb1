//! The laws over at least 100,000 histories of a simulated world. `WORLD_SEED=n` replays one.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test tells what it did, and stops where something is not as it should be"
)]

mod world;

use std::io::Write;

use world::laws::Law;
use world::{Failed, replay, run_all};

const HISTORIES: u64 = 100_000;

#[test]
fn the_laws_hold_over_many_histories() {
    let seed = std::env::var("WORLD_SEED")
        .ok()
        .map(|seed| seed.parse().unwrap_or_else(|_| panic!("WORLD_SEED: {seed:?} is no number")));
    if let Some(seed) = seed {
        if let Err(Failed(told)) = replay(seed) {
            panic!("{told}");
        }
        println!("seed {seed}: every law held");
        return;
    }
    match run_all(1, HISTORIES, |_| ()) {
        Err(Failed(told)) => panic!("{told}"),
        Ok(tally) => {
            // Not `println`: what a test that passes prints is not shown, and this is to be.
            let laws: Vec<_> = Law::ALL.iter().map(|law| format!("  {law}\n")).collect();
            let told = format!("\n{HISTORIES} histories, and each law held:\n{}{tally}", laws.concat());
            _ = std::io::stdout().write_all(told.as_bytes());
            let never: Vec<_> = tally.all().into_iter().filter(|(_, count)| *count == 0).collect();
            assert!(never.is_empty(), "this never happened, so nothing was shown of it: {never:?}");
        }
    }
}
