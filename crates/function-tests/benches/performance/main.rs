//! How fast is it? `cargo bench -p spotdrain --bench performance` measures the function as Lambda runs it, over a local AWS
//! with the published limits, beside the article's way of doing the same, and writes `docs/performance.md`'s tables and
//! `docs/storm.svg`. With names behind `--` only those are run: `start`, `warm`, `storm-1000`, `article-1000` and so on;
//! then nothing is written.
//!
//! What is measured and how is told in `docs/performance.md`.
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
mod limit;
mod measure;
mod page;
mod plot;
mod sandbox;
mod stage;
mod start;
mod storm;

use std::error::Error;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Tasks and target groups of each storm.
const STORMS: [(u32, u32); 4] = [(100, 5), (1000, 20), (5000, 100), (10_000, 200)];

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
    for (tasks, groups) in STORMS.into_iter().filter(|(tasks, _)| wanted(&format!("storm-{tasks}"))) {
        page.storms.push(runtime.block_on(storm::ours(tasks, groups))?);
    }
    let articles = STORMS.into_iter().filter(|(tasks, _)| wanted(&format!("article-{tasks}")));
    page.articles = runtime.block_on(storm::articles(articles.collect()))?;
    page.print();
    if names.is_empty() { page.write() } else { Ok(()) }
}

/// A line that is written over, on a terminal; elsewhere nothing.
fn progress(line: &str) {
    use std::io::IsTerminal as _;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[2K{line}");
    }
}
