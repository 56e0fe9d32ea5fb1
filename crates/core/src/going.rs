//! Which addresses go away soon? Those of every interrupted task that this sandbox has heard of, for the two minutes of its
//! notice. No group may rest on a target that has one of them.
//!
//! The notices of one batch are not enough for that: one that failed comes back alone, and ECS may say that a task is down
//! while its target is still registered and healthy. An address that has been given to another task within the two minutes
//! counts as well, and so does the same address in another network: the guard then keeps a target too much, which is the
//! lesser harm. Clusters are not told apart, because a group may hold tasks of several.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::event::TaskChange;
use crate::limits::NOTICE;

/// How many addresses are remembered: a storm's worth, at some 40 bytes each. What a batch names itself counts in any case.
pub const CAPACITY: usize = 20_000;

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
            if self.until.len() >= CAPACITY && !self.forget_past(now) {
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

    /// All of them.
    pub(crate) fn all(&self, now: Timestamp) -> impl Iterator<Item = IpAddr> {
        self.until.iter().filter(move |(_, until)| now < **until).map(|(address, _)| *address)
    }

    /// Forgets what has gone away; whether there is room now.
    fn forget_past(&mut self, now: Timestamp) -> bool {
        self.until.retain(|_, until| now < *until);
        self.until.len() < CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, ToSpan};

    use super::*;
    use crate::event::read_event;

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
        for number in 0..CAPACITY {
            let address = format!("10.{}.{}.{}", number / 65536, number / 256 % 256, number % 256);
            going.note(&change(&address, now()), now());
        }
        going.note(&change("10.9.0.1", now()), now());
        assert_eq!(going.until.len(), CAPACITY, "no room while all of them go away");
        let late = change("10.9.0.1", after(120));
        going.note(&late, after(120));
        assert!(going.until.len() == 1 && going.has(late.addresses[0], after(121)));
    }
}
