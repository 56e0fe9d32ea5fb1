//! The progress of reading a log group, on standard error if that is a terminal.

use std::io::{IsTerminal as _, Write as _};

use jiff::Timestamp;

/// One line that is overwritten for every page.
pub(crate) struct ReadProgress {
    is_seen: bool,
    /// The profile, if one was named.
    profile: Option<String>,
    lines: u64,
}

impl ReadProgress {
    pub(crate) fn new(profile: Option<String>) -> Self {
        Self { is_seen: std::io::stderr().is_terminal(), profile, lines: 0 }
    }

    /// Another page of a group was read, up to this time.
    pub(crate) fn page(&mut self, group: &str, lines: usize, up_to: Option<Timestamp>) {
        self.lines += lines as u64;
        if self.is_seen {
            _ = write!(anstream::stderr(), "\r\x1b[K{}", text(&self.place(group), self.lines, up_to));
            _ = anstream::stderr().flush();
        }
    }

    fn place(&self, group: &str) -> String {
        self.profile.as_ref().map_or_else(|| group.to_owned(), |profile| format!("{profile}: {group}"))
    }

    /// Removes the line.
    pub(crate) fn done(&self) {
        if self.is_seen {
            _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}

fn text(group: &str, lines: u64, up_to: Option<Timestamp>) -> String {
    let up_to = up_to.map(|at| format!(", up to {}", at.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
    format!("reading {group}: {lines} lines{up_to}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_read_and_how_far() {
        let at = "2026-11-03T10:00:00Z".parse().unwrap();
        assert_eq!(
            text("/aws/lambda/spotdrain", 1200, Some(at)),
            "reading /aws/lambda/spotdrain: 1200 lines, up to 2026-11-03 10:00 UTC"
        );
        assert_eq!(text("group", 0, None), "reading group: 0 lines");
    }
}
