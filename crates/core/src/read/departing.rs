//! The addresses of the interrupted tasks that this execution environment knows of.
//!
//! A group must not rely on a target whose address is departing. The notices of one batch are not enough to know that: a notice
//! that failed returns alone, and ECS may report a task as down while its target is still registered and healthy. An address
//! counts as departing even if another task got it within the two minutes, or if another network has the same address. Then one
//! target too many is kept, which does less harm than one too few. Clusters are not distinguished, because a
//! group may hold tasks of several.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::limits::NOTICE;
use crate::model::task_change::TaskChange;

/// Number of addresses that are remembered, about 40 bytes each. The addresses that a batch itself names count in any case.
pub const ADDRESS_CAPACITY: usize = 20_000;

/// Addresses of interrupted tasks, each with the time until which it is departing.
#[derive(Debug, Clone, Default)]
pub struct DepartingAddresses {
    until: BTreeMap<IpAddr, Timestamp>,
}

impl DepartingAddresses {
    /// Remembers the addresses of an interrupted task until its notice ends. An interruption dated in the future counts as
    /// one that begins now, so that no event can mark an address for longer than a notice lasts.
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

    /// Returns whether the address is that of a task whose notice has not ended.
    #[must_use]
    pub fn has(&self, address: IpAddr, now: Timestamp) -> bool {
        self.until.get(&address).is_some_and(|until| now < *until)
    }

    /// Forgets the addresses whose notice has ended, and returns whether there is room now.
    fn forget_past(&mut self, now: Timestamp) -> bool {
        self.until.retain(|_, until| now < *until);
        self.until.len() < ADDRESS_CAPACITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::event::read_event;
    use jiff::{SignedDuration, ToSpan};

    fn change(address: &str, stopping_at: Timestamp) -> TaskChange {
        let text = include_str!("../../../../events/spot-interruption.json");
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
    fn an_address_departs_for_the_two_minutes_of_its_notice() {
        let mut departing = DepartingAddresses::default();
        let change = change("10.0.2.21", now());
        departing.note(&change, now());
        let has = |at| departing.has(change.addresses[0], at);
        assert!(has(now()) && has(after(119)) && !has(after(120)));
    }

    #[test]
    fn a_date_in_the_future_does_not_make_it_longer() {
        let mut departing = DepartingAddresses::default();
        let change = change("10.0.2.21", after(3600));
        departing.note(&change, now());
        assert!(!departing.has(change.addresses[0], after(120)));
    }

    #[test]
    fn a_notice_that_has_ended_is_not_noted() {
        let mut departing = DepartingAddresses::default();
        departing.note(&change("10.0.2.21", now() - SignedDuration::from_secs(120)), now());
        assert_eq!(departing.until.len(), 0);
    }

    #[test]
    fn ended_notices_make_room() {
        let mut departing = DepartingAddresses::default();
        for number in 0..ADDRESS_CAPACITY {
            let address = format!("10.{}.{}.{}", number / 65536, number / 256 % 256, number % 256);
            departing.note(&change(&address, now()), now());
        }
        departing.note(&change("10.9.0.1", now()), now());
        assert_eq!(departing.until.len(), ADDRESS_CAPACITY, "no room while all notices last");
        let late = change("10.9.0.1", after(120));
        departing.note(&late, after(120));
        assert!(departing.until.len() == 1 && departing.has(late.addresses[0], after(121)));
    }
}
