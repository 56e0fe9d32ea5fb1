//! What an execution environment remembers of tasks, within bounds: which were handled to the end, so that a repeated event
//! costs no call; which are down, so that a late event of theirs is not acted on; and which addresses depart.
//!
//! ECS sends an event at least once, and several for one interruption. What has been forgotten is handled again, which is
//! harmless. Only a success is remembered: after a failure, the message that returns is no repeat.
//!
//! No group may rest on a target whose address departs: that of any interrupted task that this environment has heard of, for
//! the two minutes of its notice. The notices of one batch are not enough: a notice that failed returns alone, and ECS may say
//! that a task is down while its target is still registered and healthy. An address that was given to another task within
//! the two minutes counts as well, and so does the same address in another network: then a target too many is kept, which is
//! the lesser harm. Clusters are not distinguished, because a group may hold tasks of several.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::arn::TaskArn;
use crate::batch::Message;
use crate::event::TaskChange;
use crate::limits::NOTICE;
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
    /// A target of it was kept as the last healthy one of its group, and is looked at again.
    is_kept: bool,
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

    /// Whether a target of the task was kept as a last healthy one.
    #[must_use]
    pub fn was_kept(&self, task: &TaskArn) -> bool {
        self.tasks.get(task).is_some_and(|remembered| remembered.is_kept)
    }

    /// Remembers that a target of the task was kept as a last healthy one.
    pub fn keep(&mut self, task: &TaskArn) {
        self.entry(task).is_kept = true;
    }

    /// The addresses of the tasks that are interrupted.
    #[must_use]
    pub fn going(&self) -> &Going {
        &self.going
    }

    /// Remembers what the events of a batch say of tasks that are down or interrupted, before any of them is judged: events
    /// come in no order. A task of another account or Region than its queue is left out: its address is another one here.
    pub fn note(&mut self, messages: &[Message], now: Timestamp) {
        let here = messages.iter().filter(|message| message.elsewhere().is_none());
        let events = here.filter_map(|message| message.event.as_ref().ok());
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

/// How many addresses are remembered: a storm's worth, at some 40 bytes each. What a batch names itself counts in any case.
pub const ADDRESS_CAPACITY: usize = 20_000;

/// The addresses that go away, each with the moment at which it has.
#[derive(Debug, Clone, Default)]
pub struct Going {
    until: BTreeMap<IpAddr, Timestamp>,
}

impl Going {
    /// Remembers the addresses of a task that is interrupted, until it is gone at the latest. A date in the future counts as
    /// now: nobody can make an address go away for longer than a notice lasts.
    pub fn note(&mut self, change: &TaskChange, now: Timestamp) {
        let until = change.interrupted_at().min(now).saturating_add(NOTICE).unwrap_or(now);
        if until <= now {
            return;
        }
        for address in &change.addresses {
            if self.until.len() >= ADDRESS_CAPACITY && !self.forget_past(now) {
                return;
            }
            let latest = self.until.entry(*address).or_insert(until);
            *latest = until.max(*latest);
        }
    }

    /// Whether the address is that of a task which goes away.
    #[must_use]
    pub fn has(&self, address: IpAddr, now: Timestamp) -> bool {
        self.until.get(&address).is_some_and(|until| now < *until)
    }

    /// Forgets what has gone away; whether there is room now.
    fn forget_past(&mut self, now: Timestamp) -> bool {
        self.until.retain(|_, until| now < *until);
        self.until.len() < ADDRESS_CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::read_event;
    use jiff::{SignedDuration, ToSpan};

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

    fn change(address: &str, stopping_at: Timestamp) -> TaskChange {
        let text = include_str!("../../../events/spot-interruption.json");
        let mut change = read_event(text, &["aws.ecs".to_owned()]).unwrap().change.unwrap();
        change.addresses = vec![address.parse().unwrap()];
        change.stopping_at = Some(stopping_at);
        change
    }

    fn now() -> Timestamp {
        "2026-01-31T12:00:00Z".parse().unwrap()
    }

    fn after(seconds: i64) -> Timestamp {
        now() + seconds.seconds()
    }

    #[test]
    fn an_address_goes_away_for_the_two_minutes_of_its_notice() {
        let mut going = Going::default();
        let change = change("10.0.2.21", now());
        going.note(&change, now());
        let has = |at| going.has(change.addresses[0], at);
        assert!(has(now()) && has(after(119)) && !has(after(120)));
    }

    #[test]
    fn nobody_makes_it_go_away_for_longer() {
        let mut going = Going::default();
        let change = change("10.0.2.21", after(3600));
        going.note(&change, now());
        assert!(!going.has(change.addresses[0], after(120)));
    }

    #[test]
    fn a_notice_that_is_over_is_not_noted() {
        let mut going = Going::default();
        going.note(&change("10.0.2.21", now() - SignedDuration::from_secs(120)), now());
        assert_eq!(going.until.len(), 0);
    }

    #[test]
    fn what_is_over_makes_room() {
        let mut going = Going::default();
        for number in 0..ADDRESS_CAPACITY {
            let address = format!("10.{}.{}.{}", number / 65536, number / 256 % 256, number % 256);
            going.note(&change(&address, now()), now());
        }
        going.note(&change("10.9.0.1", now()), now());
        assert_eq!(going.until.len(), ADDRESS_CAPACITY, "no room while all of them go away");
        let late = change("10.9.0.1", after(120));
        going.note(&late, after(120));
        assert!(going.until.len() == 1 && going.has(late.addresses[0], after(121)));
    }
}
