//! The results as tables, on the terminal and in `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::measure::Storm;
use crate::plot::plot;
use crate::start::Pair;
use crate::{Result, progress};

const BEGIN: &str = "<!-- written by the bench: begin -->";
const END: &str = "<!-- written by the bench: end -->";

/// All results.
#[derive(Debug, Default)]
pub struct Page {
    pub starts: Vec<Pair>,
    pub warm: Option<Pair>,
    pub storms: Vec<Storm>,
    pub articles: Vec<Storm>,
    pub searched: Option<Storm>,
}

impl Page {
    pub fn print(&self) {
        progress("");
        println!("{}", self.tables());
    }

    /// Writes the tables into `docs/performance.md`, and the plot to `docs/storm.svg`.
    pub fn write(&self) -> Result<()> {
        let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let path = docs.join("performance.md");
        let text = fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(BEGIN).ok_or("docs/performance.md has no place for the tables")?;
        let (_, after) = rest.split_once(END).ok_or("docs/performance.md has no end of the tables")?;
        fs::write(&path, format!("{before}{BEGIN}\n{}{END}{after}", self.tables()))?;
        fs::write(docs.join("storm.svg"), plot(&self.panels(), &self.articles))?;
        println!("written: docs/performance.md, docs/storm.svg");
        Ok(())
    }

    /// The storms in which the article's function was also measured.
    fn panels(&self) -> Vec<Storm> {
        let is_shown = |storm: &&Storm| self.articles.iter().any(|article| article.plan == storm.plan);
        self.storms.iter().filter(is_shown).cloned().collect()
    }

    fn tables(&self) -> String {
        let mut text = String::new();
        self.storm_table(&mut text);
        self.pair_table(&mut text);
        text
    }

    fn storm_table(&self, text: &mut String) {
        if self.storms.is_empty() && self.articles.is_empty() && self.searched.is_none() {
            return;
        }
        text.push_str(
            "| storm: tasks / groups | way | left in time | p50 | p99 | last | ELB calls | ECS calls | refused | peak memory |\n",
        );
        text.push_str("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for storm in self.storms.iter().chain(&self.searched) {
            row(text, "spotdrain", storm);
            for article in self.articles.iter().filter(|article| article.plan == storm.plan) {
                row(text, "the article's", article);
            }
        }
        if self.storms.is_empty() {
            self.articles.iter().for_each(|storm| row(text, "the article's", storm));
        }
        text.push('\n');
    }

    fn pair_table(&self, text: &mut String) {
        if self.starts.is_empty() && self.warm.is_none() {
            return;
        }
        text.push_str(
            "| one notice | spotdrain | the article's | ratio | at most | calls |\n|---|--:|--:|--:|--:|--:|\n",
        );
        for pair in self.starts.iter().chain(&self.warm) {
            let Pair { case, at_most, ours, article } = pair;
            let (mine, theirs, ratio) = (ours.deregistered, article.deregistered, pair.ratio());
            _ = writeln!(
                text,
                "| {case} | {mine:.1} ms | {theirs:.1} ms | {ratio:.2} | {at_most:.2} | {} to {} |",
                ours.calls, article.calls
            );
        }
        self.breakdown(text);
    }

    /// Writes the table of where the time goes: until the first call, and for each call, of which AWS takes 10 ms.
    fn breakdown(&self, text: &mut String) {
        text.push_str(
            "\n| where that time goes | until the first call arrives | from each call to the next |\n|---|--:|--:|\n",
        );
        for pair in self.starts.iter().chain(&self.warm) {
            for (way, figures) in [("spotdrain", pair.ours), ("the article's", pair.article)] {
                let (first, each) = (figures.first_call, figures.each_call);
                _ = writeln!(text, "| {}, {way} | {first:.1} ms | {each:.1} ms |", pair.case);
            }
        }
    }
}

fn row(text: &mut String, way: &str, storm: &Storm) {
    let Storm { plan, elb_calls, writes, ecs_calls, refused, peak_megabytes, .. } = storm;
    let name = if plan.tasks == 1 { format!("one notice, {} configured groups", plan.groups) } else { plan.name() };
    let in_time = storm.in_time();
    let share = 100.0 * in_time as f64 / f64::from(plan.tasks);
    let [p50, p99, last] = [0.5, 0.99, 1.0]
        .map(|share| storm.share_left(share).map_or("-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64())));
    let peak = if *peak_megabytes > 0.0 { format!("{peak_megabytes:.0} MB") } else { String::new() };
    _ = writeln!(
        text,
        "| {name} | {way} | {in_time} ({share:.0} %) | {p50} | {p99} | {last} | {elb_calls}, {writes} of them writes | {ecs_calls} | {refused} | {peak} |"
    );
}
