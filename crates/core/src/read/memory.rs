//! What an execution environment remembers of tasks, within bounds:
//!
//! - Which were handled to the end, so that a repeated event costs no call. ECS sends each event at least once, and several
//!   events for one interruption. A task that was forgotten is handled again, which is harmless. A failure is not remembered,
//!   so the message that returns is not a repeat.
//! - Which are down, so that a late event does not deregister an address that may belong to another task by now.
//! - Which addresses are departing ([`DepartingAddresses`]).

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::model::arn::TaskArn;
use crate::model::task_change::TaskChange;
use crate::model::task_status::{TaskStatus, spot_interruption};
use crate::read::batch::Message;
use crate::read::departing::DepartingAddresses;

/// Number of tasks that are remembered, about 200 bytes each: those of a large storm.
pub const CAPACITY: usize = 10_000;

/// The tasks and addresses that an execution environment remembers.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    tasks: BTreeMap<TaskArn, Remembered>,
    oldest_first: VecDeque<TaskArn>,
    departing: DepartingAddresses,
}

/// What is remembered of one task.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    /// The highest version that was handled to the end.
    handled: Option<u64>,
    /// An event reported DEPROVISIONING or a later status, which no task leaves again.
    is_down: bool,
    /// One of its targets was kept as the last healthy one of its group, and is examined again later.
    is_kept: bool,
}

impl Memory {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether this task was handled at this version or a later one. An event without a version is always new.
    #[must_use]
    pub fn has(&self, task: &TaskArn, version: Option<u64>) -> bool {
        let handled = self.tasks.get(task).and_then(|remembered| remembered.handled);
        version.zip(handled).is_some_and(|(version, handled)| version <= handled)
    }

    /// Returns whether any event, of whatever version, reported that the task is down.
    #[must_use]
    pub fn is_down(&self, task: &TaskArn) -> bool {
        self.tasks.get(task).is_some_and(|remembered| remembered.is_down)
    }

    /// Remembers that the task was handled to the end. An event without a version is not remembered.
    pub fn remember(&mut self, task: &TaskArn, version: Option<u64>) {
        if version.is_some() {
            let remembered = self.entry(task);
            remembered.handled = version.max(remembered.handled);
        }
    }

    /// Returns whether one of the task's targets was kept as the last healthy one.
    #[must_use]
    pub fn was_kept(&self, task: &TaskArn) -> bool {
        self.tasks.get(task).is_some_and(|remembered| remembered.is_kept)
    }

    /// Remembers that one of the task's targets was kept as the last healthy one.
    pub fn keep(&mut self, task: &TaskArn) {
        self.entry(task).is_kept = true;
    }

    #[must_use]
    pub fn departing(&self) -> &DepartingAddresses {
        &self.departing
    }

    /// Remembers which tasks of a batch are down or interrupted. Call it before any event of the batch is classified, because
    /// events are unordered. A task of another account or Region than its queue is skipped: its address means nothing here.
    pub fn note(&mut self, messages: &[Message], now: Timestamp) {
        let here = messages.iter().filter(|message| message.elsewhere().is_none());
        let events = here.filter_map(|message| message.event.as_ref().ok());
        for change in events.filter_map(|event| event.change.as_ref()) {
            if change.last_status.is_down() {
                self.entry(&change.arn).is_down = true;
            }
            if is_departing(change) {
                self.departing.note(change, now);
            }
        }
    }

    fn entry(&mut self, task: &TaskArn) -> &mut Remembered {
        if !self.tasks.contains_key(task) {
            if self.oldest_first.len() >= CAPACITY
                && let Some(oldest) = self.oldest_first.pop_front()
            {
                self.tasks.remove(&oldest);
            }
            self.oldest_first.push_back(task.clone());
        }
        self.tasks.entry(task.clone()).or_default()
    }
}

fn is_departing(change: &TaskChange) -> bool {
    let is_spot = spot_interruption(change.stop_code.as_ref(), change.stopped_reason.as_deref()).is_some();
    is_spot && change.desired_status == TaskStatus::Stopped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: usize) -> TaskArn {
        TaskArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{id}")).unwrap()
    }

    #[test]
    fn the_same_or_an_older_version_is_a_repeat() {
        let mut memory = Memory::new();
        memory.remember(&task(1), Some(4));
        assert!(memory.has(&task(1), Some(4)) && memory.has(&task(1), Some(3)));
        assert!(!memory.has(&task(1), Some(5)) && !memory.has(&task(1), None) && !memory.has(&task(2), Some(1)));
    }

    #[test]
    fn an_older_version_does_not_replace_a_newer() {
        let mut memory = Memory::new();
        memory.remember(&task(1), Some(5));
        memory.remember(&task(1), Some(3));
        assert!(memory.has(&task(1), Some(5)));
    }

    #[test]
    fn forgets_the_oldest_beyond_its_capacity() {
        let mut memory = Memory::new();
        for id in 0..=CAPACITY {
            memory.remember(&task(id), Some(1));
        }
        assert!(
            !memory.has(&task(0), Some(1)) && memory.has(&task(1), Some(1)) && memory.has(&task(CAPACITY), Some(1))
        );
        assert_eq!(memory.tasks.len(), CAPACITY);
    }
}
