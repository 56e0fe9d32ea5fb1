//! The message that a person reads about the interruptions of one invocation.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::model::outcome::Outcome;
use crate::report::{First, NoticeRecord, Report};
use crate::settings::Mode;

/// The maximum number of lines of a message. Further lines are only counted.
const MAX_LINES: usize = 20;

/// A message about a sweep of interruptions, with one line for each service and Availability Zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepMessage {
    pub title: String,
    pub lines: Vec<String>,
}

/// What happened to the tasks of one service in one Availability Zone.
#[derive(Debug, Default)]
struct SweepCounts {
    tasks: u32,
    ecs_first: u32,
    failed: u32,
    kept: u32,
    held: u32,
    observed: u32,
    deregistered: u32,
    without_group: u32,
    slowest: SignedDuration,
}

impl SweepMessage {
    /// Describes the interruptions whose handling has ended; `None` if there are none. A notice that returns to the queue is
    /// described by the invocation that finishes it.
    #[must_use]
    pub fn of(report: &Report) -> Option<Self> {
        let mut sweeps: BTreeMap<(&str, &str), SweepCounts> = BTreeMap::new();
        for record in report.notices.iter().filter(|record| record.is_final()) {
            let task = &record.notice.task;
            let service = task.service.as_ref().map_or("no service", |service| service.as_str());
            let zone = task.platform.availability_zone.as_deref().unwrap_or("an unknown zone");
            sweeps.entry((service, zone)).or_default().add(record);
        }
        let tasks: u32 = sweeps.values().map(|sweep| sweep.tasks).sum();
        let failed: u32 = sweeps.values().map(|sweep| sweep.failed).sum();
        let hidden = sweeps.len().saturating_sub(MAX_LINES);
        let mut lines: Vec<_> =
            sweeps.iter().take(MAX_LINES).map(|((service, zone), sweep)| sweep.line(service, zone)).collect();
        lines.extend((hidden > 0).then(|| format!("and {hidden} more services or zones: see the function's log")));
        let problem = if failed == 0 { String::new() } else { format!("; {failed} not deregistered") };
        (tasks > 0).then(|| Self { title: format!("{} interrupted{problem}", count(tasks, "Spot task")), lines })
    }

    /// The JSON format that chat integrations of SNS accept.
    /// Source: <https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html>
    #[must_use]
    pub fn for_chat(&self) -> Value {
        json!({
            "version": "1.0",
            "source": "custom",
            "content": { "textType": "client-markdown", "title": self.title, "description": self.text() },
        })
    }

    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

impl NoticeRecord {
    /// Whether the handling of the notice has ended. A failed notice that came from the queue returns to it.
    fn is_final(&self) -> bool {
        let returns = self.has_failed() && self.message_id.is_some();
        self.look_again_seconds.is_none() && !self.postponed && !returns
    }
}

impl SweepCounts {
    fn add(&mut self, record: &NoticeRecord) {
        self.tasks += 1;
        self.ecs_first += u32::from(record.first == First::Ecs);
        self.observed += u32::from(record.mode == Mode::Observe);
        self.without_group += u32::from(record.registrations.is_empty() && record.failure.is_none());
        let failed = record.failures().next().is_some();
        self.failed += u32::from(failed);
        let has = |outcome: Outcome| u32::from(record.registrations.iter().any(|row| row.outcome == outcome));
        self.kept += has(Outcome::KeptLastHealthy);
        self.held += has(Outcome::LeftToHold);
        self.deregistered += if failed { 0 } else { has(Outcome::Deregistered) };
        let last = record.registrations.iter().filter_map(|row| row.notice_to_deregistered_ms).max();
        self.slowest = self.slowest.max(SignedDuration::from_millis(last.unwrap_or_default()));
    }

    fn line(&self, service: &str, zone: &str) -> String {
        let mut parts = vec![format!("{} of {service} interrupted in {zone}", count(self.tasks, "task"))];
        if self.deregistered > 0 {
            let how_many =
                if self.deregistered == self.tasks { "all".to_owned() } else { self.deregistered.to_string() };
            parts.push(format!("{how_many} deregistered within {:.1} s", self.slowest.as_secs_f64()));
        }
        for (number, what) in [
            (self.failed, "could not be deregistered (see the function's log)"),
            (self.kept, "kept as the last healthy target of a group"),
            (self.held, "left to the hold"),
            (self.observed, "only observed"),
            (self.without_group, "in no target group"),
        ] {
            parts.extend((number > 0).then(|| format!("{number} {what}")));
        }
        parts.extend((self.ecs_first > 0).then(|| format!("ECS was first for {}", self.ecs_first)));
        parts.join("; ")
    }
}

fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
