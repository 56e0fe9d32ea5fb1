//! `cargo bench -p spotdrain-function-tests --bench performance` measures the function as Lambda runs it, against a local AWS
//! with AWS's published limits, and compares it with the article's function. It writes the tables in `docs/performance.md`,
//! which explains the measurements, and `docs/storm.svg`.
//!
//! With names after `--` it runs only those and writes nothing: `start`, `warm`, `searched`, `storm-1000`, `storm-1000-30`,
//! `article-1000` and so on.
#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a program for the terminal, and JSON by its paths"
)]

mod article;
mod environment;
mod measure;
mod page;
mod plot;
mod stage;
mod start;
mod storm;

use std::error::Error;
use std::time::Duration;

use measure::{Plan, Receives};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The storms.
const STORMS: [Plan; 8] = [
    Plan::new(100, 5, 2),
    Plan::new(1000, 20, 2),
    Plan::new(1000, 20, 2).receives(Receives::Every(Duration::from_millis(90))),
    Plan::new(1000, 20, 10),
    Plan::new(1000, 20, 30),
    Plan::new(1000, 20, 60),
    Plan::new(5000, 100, 2),
    Plan::new(10_000, 200, 2),
];

/// The number of configured target groups in which a task is searched.
const SEARCHED: u32 = 120;

fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some(article::AS_FUNCTION) {
        return article::serve();
    }
    let names: Vec<String> = std::env::args().skip(1).filter(|name| !name.starts_with("--")).collect();
    let wanted = |name: &str| names.is_empty() || names.iter().any(|one| one == name);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut page = page::Page::default();
    if wanted("start") {
        page.starts = runtime.block_on(start::cold())?;
    }
    if wanted("warm") {
        page.warm = Some(runtime.block_on(start::warm())?);
    }
    if wanted("searched") {
        page.searched = Some(runtime.block_on(storm::searched(SEARCHED))?);
    }
    for plan in STORMS.into_iter().filter(|plan| wanted(&key("storm", *plan))) {
        page.storms.push(runtime.block_on(storm::ours(plan))?);
    }
    let articles = STORMS.into_iter().filter(|plan| is_of_two_seconds(*plan) && wanted(&key("article", *plan)));
    page.articles = runtime.block_on(storm::articles(articles.collect()))?;
    page.print();
    if names.is_empty() { page.write() } else { Ok(()) }
}

/// The article's function is measured only in storms of two seconds.
fn is_of_two_seconds(plan: Plan) -> bool {
    plan.within == Duration::from_secs(2) && plan.receives == Receives::Uneven
}

/// The name of a storm on the command line: `storm-1000`, `storm-1000-30` within 30 seconds, `storm-1000-slow` with slow
/// receives.
fn key(way: &str, plan: Plan) -> String {
    let within =
        if plan.within == Duration::from_secs(2) { String::new() } else { format!("-{}", plan.within.as_secs()) };
    let slow = if plan.receives == Receives::Uneven { "" } else { "-slow" };
    format!("{way}-{}{within}{slow}", plan.tasks)
}

/// Overwrites the progress line on a terminal; prints nothing elsewhere.
fn progress(line: &str) {
    use std::io::IsTerminal as _;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{line}");
    }
}
