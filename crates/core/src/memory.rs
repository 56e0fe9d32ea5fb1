//! Which tasks were handled to the end, so that a repeated event costs no call; and which are down, so that an event of
//! theirs that comes late is not acted on: their addresses may be other tasks' by now. And which addresses go away.
//!
//! ECS sends an event at least once, and several for one interruption. The memory is one sandbox's and bounded; what it
//! has forgotten is handled again, which is harmless. Only a success is remembered: after a failure, the message that
//! comes back is no repeat.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::arn::TaskArn;
use crate::batch::Message;
use crate::event::TaskChange;
use crate::going::Going;
use crate::stop::{TaskStatus, spot_interruption};

/// How many tasks are remembered: a storm's worth, at some 200 bytes each.
pub const CAPACITY: usize = 10_000;

/// What is remembered of tasks.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    tasks: BTreeMap<TaskArn, Remembered>,
    oldest_first: VecDeque<TaskArn>,
    going: Going,
}

/// What is remembered of one task.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    /// The highest version that was handled to the end.
    handled: Option<u64>,
    /// An event said that it is DEPROVISIONING or further. No task comes back from there.
    is_down: bool,
}

impl Memory {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether this task was handled at this version or a later one. An event without a version is always new.
    #[must_use]
    pub fn has(&self, task: &TaskArn, version: Option<u64>) -> bool {
        let handled = self.tasks.get(task).and_then(|remembered| remembered.handled);
        version.zip(handled).is_some_and(|(version, handled)| version <= handled)
    }

    /// Whether an event, of whatever version, has said that the task is down.
    #[must_use]
    pub fn is_down(&self, task: &TaskArn) -> bool {
        self.tasks.get(task).is_some_and(|remembered| remembered.is_down)
    }

    /// Remembers that the task was handled to the end; an event without a version cannot be remembered.
    pub fn remember(&mut self, task: &TaskArn, version: Option<u64>) {
        if version.is_some() {
            let remembered = self.entry(task);
            remembered.handled = version.max(remembered.handled);
        }
    }

    /// The addresses of the tasks that are interrupted.
    #[must_use]
    pub fn going(&self) -> &Going {
        &self.going
    }

    /// Remembers what the events of a batch say of tasks that are down or interrupted, before any of them is judged: events
    /// come in no order.
    pub fn note(&mut self, messages: &[Message], now: Timestamp) {
        let events = messages.iter().filter_map(|message| message.event.as_ref().ok());
        for change in events.filter_map(|event| event.change.as_ref()) {
            if change.last_status.is_down() {
                self.entry(&change.arn).is_down = true;
            }
            if goes_away(change) {
                self.going.note(change, now);
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

fn goes_away(change: &TaskChange) -> bool {
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
