//! Which tasks were handled to the end, so that a repeated event costs no call.
//!
//! ECS sends an event at least once, and several for one interruption. The memory is one sandbox's and bounded; what it
//! has forgotten is handled again, which is harmless. Only a success is remembered: after a failure, the message that
//! comes back is no repeat.

use std::collections::{BTreeMap, VecDeque};

use crate::arn::TaskArn;

/// How many tasks are remembered: a storm's worth, at some 200 bytes each.
pub const CAPACITY: usize = 10_000;

/// The tasks handled to the end, with the version of the event.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    versions: BTreeMap<TaskArn, u64>,
    oldest_first: VecDeque<TaskArn>,
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
        version.zip(self.versions.get(task)).is_some_and(|(version, handled)| version <= *handled)
    }

    /// Remembers that the task was handled to the end; an event without a version cannot be remembered.
    pub fn remember(&mut self, task: &TaskArn, version: Option<u64>) {
        let Some(version) = version else { return };
        if let Some(handled) = self.versions.get_mut(task) {
            *handled = version.max(*handled);
            return;
        }
        if self.oldest_first.len() >= CAPACITY
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.versions.remove(&oldest);
        }
        self.oldest_first.push_back(task.clone());
        self.versions.insert(task.clone(), version);
    }
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
        assert_eq!(memory.versions.len(), CAPACITY);
    }
}
