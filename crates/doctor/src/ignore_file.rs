//! Accepted findings: a file of lines, each with a check, a subject and a reason.
//!
//! ```text
//! SD013 target group demo-5044  # clients reconnect by themselves
//! SD004 service demo/*          # scaled out every morning
//! ```

use thiserror::Error;

use crate::check::Check;
use crate::checks::check;
use crate::glob::glob;

/// The accepted findings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    line: String,
    id: String,
    subject: String,
    reason: String,
}

/// A line that is not an entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct AcceptedError {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong, and what is expected.
    pub problem: String,
}

impl Accepted {
    /// Reads the lines of a file. Empty ones and those that begin with `#` are skipped.
    pub fn read(text: &str) -> Result<Self, AcceptedError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let entries = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let entries = entries.map(|(line, text)| entry(text).map_err(|problem| AcceptedError { line, problem }));
        entries.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the reason why a finding is accepted, if it is.
    #[must_use]
    pub fn reason(&self, id: &str, subject: &str) -> Option<&str> {
        let entry = self.0.iter().find(|entry| entry.id == id && glob(&entry.subject, subject));
        entry.map(|entry| entry.reason.as_str())
    }

    /// Returns the lines that match none of the findings, which are given as check and subject.
    pub(super) fn unused(&self, found: &[(&str, &str)]) -> Vec<&str> {
        let fits = |entry: &&Entry| found.iter().any(|(id, subject)| entry.id == *id && glob(&entry.subject, subject));
        self.0.iter().filter(|entry| !fits(entry)).map(|entry| entry.line.as_str()).collect()
    }
}

/// Returns the line that accepts a finding; an error where the reason is missing or has several lines.
pub fn entry_line(check: &Check, subject: &str, reason: &str) -> Result<String, AcceptedError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.contains(['\n', '\r']) {
        return Err(AcceptedError { line: 1, problem: "the reason must be one line of text".to_owned() });
    }
    // The subject ends at the first " #".
    Ok(format!("{} {}  # {reason}", check.id, subject.replace(" #", "*")))
}

fn entry(line: &str) -> Result<Entry, String> {
    let expected = "expected a check, a subject and a reason, such as SD013 target group demo-5044 # clients reconnect";
    let (what, reason) = line.split_once(" #").ok_or(expected)?;
    let (id, subject) = what.trim().split_once(' ').ok_or(expected)?;
    let known = check(id).ok_or_else(|| format!("there is no check {id}: spotdrain doctor --explain lists them"))?;
    let (subject, reason) = (subject.trim().to_owned(), reason.trim().to_owned());
    if reason.is_empty() {
        return Err(format!("{id} has no reason: whoever reads it next must know why"));
    }
    Ok(Entry { line: line.to_owned(), id: known.id.to_owned(), subject, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_accepted_by_its_number_and_subject() {
        let accepted = Accepted::read("# ours\n\nSD013 target group demo-* # they reconnect\n").unwrap();
        assert_eq!(accepted.reason("SD013", "target group demo-5044"), Some("they reconnect"));
        assert_eq!(accepted.reason("SD012", "target group demo-5044"), None);
        assert_eq!(accepted.reason("SD013", "target group other"), None);
        assert_eq!(accepted.unused(&[("SD013", "target group other")]), ["SD013 target group demo-* # they reconnect"]);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let table = [
            ("SD013", "line 1: expected a check"),
            ("# a\nSD013 x", "line 2: expected a check"),
            ("SD999 x # y", "line 1: there is no check SD999"),
            ("SD013 x # ", "line 1: SD013 has no reason"),
        ];
        for (text, expected) in table {
            let error = Accepted::read(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
