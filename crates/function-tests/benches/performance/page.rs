//! The figures as people read them: on the terminal, and in `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::limit::{one_call_a_group, one_call_a_group_and_sandbox};
use crate::measure::Storm;
use crate::plot::plot;
use crate::start::Pair;
use crate::{Result, progress};

const BEGIN: &str = "<!-- written by the bench: begin -->";
const END: &str = "<!-- written by the bench: end -->";

/// All that was measured.
#[derive(Debug, Default)]
pub struct Page {
    pub starts: Vec<Pair>,
    pub warm: Option<Pair>,
    pub storms: Vec<Storm>,
    pub articles: Vec<Storm>,
}

impl Page {
    pub fn print(&self) {
        progress("");
        println!("{}", self.tables());
    }

    /// Writes the tables into the document, and the plot beside it.
    pub fn write(&self) -> Result<()> {
        let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        let path = docs.join("performance.md");
        let text = fs::read_to_string(&path)?;
        let (before, rest) = text.split_once(BEGIN).ok_or("docs/performance.md has no place for the tables")?;
        let (_, after) = rest.split_once(END).ok_or("docs/performance.md has no end of the tables")?;
        fs::write(&path, format!("{before}{BEGIN}\n{}{END}{after}", self.tables()))?;
        fs::write(docs.join("storm.svg"), plot(&self.storms, &self.articles))?;
        println!("written: docs/performance.md, docs/storm.svg");
        Ok(())
    }

    fn tables(&self) -> String {
        let mut text = String::new();
        self.storm_table(&mut text);
        self.pair_table(&mut text);
        text
    }

    fn storm_table(&self, text: &mut String) {
        if self.storms.is_empty() && self.articles.is_empty() {
            return;
        }
        text.push_str("| storm: tasks / groups | way | left in time | last one out after its notice | ELB and ECS calls | refused | calls a notice | peak memory |\n");
        text.push_str("|---|---|--:|--:|--:|--:|--:|--:|\n");
        for storm in &self.storms {
            row(text, "spotdrain", storm);
            let (least, dealt) = (one_call_a_group(storm.groups), one_call_a_group_and_sandbox(storm.groups));
            _ = writeln!(
                text,
                "| | the limit: one write a group; one a group and sandbox | | {least:.1} s; {dealt:.1} s | | | | |"
            );
            for article in self.articles.iter().filter(|article| article.tasks == storm.tasks) {
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
        self.whereabouts(text);
    }

    /// What is left: the way to the first call, and each call, of which AWS takes 10 ms.
    fn whereabouts(&self, text: &mut String) {
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
    let Storm { tasks, groups, calls, refused, peak_megabytes, .. } = storm;
    let in_time = storm.in_time();
    let last = storm.last().map_or("-".to_owned(), |last| format!("{:.1} s", last.as_secs_f64()));
    let share = 100.0 * in_time as f64 / f64::from(*tasks);
    let refused_share = 100.0 * *refused as f64 / (*calls).max(1) as f64;
    let a_notice = *calls as f64 / f64::from(*tasks);
    let peak = if *peak_megabytes > 0.0 { format!("{peak_megabytes:.0} MB") } else { String::new() };
    _ = writeln!(
        text,
        "| {tasks} / {groups} | {way} | {in_time} ({share:.0} %) | {last} | {calls} | {refused} ({refused_share:.1} %) | {a_notice:.2} | {peak} |"
    );
}
