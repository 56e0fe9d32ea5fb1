//! Which addresses go away soon? Those of every interrupted task that this sandbox has heard of, for the two minutes of its
//! notice. No group may rest on a target that has one of them.
//!
//! The notices of one batch are not enough for that: one that failed comes back alone, and ECS may say that a task is down
//! while its target is still registered and healthy. An address that has been given to another task within the two minutes
//! counts as well: the guard then keeps a target too much, which is the lesser harm.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::arn::ClusterArn;
use crate::event::TaskChange;
use crate::notice::NOTICE;

/// How many addresses are remembered: a storm's worth, at some 40 bytes each. What a batch names itself counts in any case.
pub const CAPACITY: usize = 20_000;

/// The addresses that go away, by cluster: the same address may be another task's in another network.
#[derive(Debug, Clone, Default)]
pub struct Going {
    until: BTreeMap<ClusterArn, BTreeMap<IpAddr, Timestamp>>,
    count: usize,
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
            if self.count >= CAPACITY && !self.forget_past(now) {
                return;
            }
            let known = self.until.entry(change.cluster.clone()).or_default();
            self.count += usize::from(!known.contains_key(address));
            let latest = known.entry(*address).or_insert(until);
            *latest = until.max(*latest);
        }
    }

    /// Whether the address is that of a task which goes away.
    #[must_use]
    pub fn has(&self, cluster: &ClusterArn, address: IpAddr, now: Timestamp) -> bool {
        self.until.get(cluster).and_then(|of_cluster| of_cluster.get(&address)).is_some_and(|until| now < *until)
    }

    /// Forgets what has gone away; whether there is room now.
    fn forget_past(&mut self, now: Timestamp) -> bool {
        self.until.retain(|_, of_cluster| {
            of_cluster.retain(|_, until| now < *until);
            !of_cluster.is_empty()
        });
        self.count = self.until.values().map(BTreeMap::len).sum();
        self.count < CAPACITY
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
        let has = |at| going.has(&change.cluster, change.addresses[0], at);
        assert!(has(now()) && has(after(119)) && !has(after(120)));
    }

    #[test]
    fn nobody_makes_it_go_away_for_longer() {
        let mut going = Going::default();
        let change = change("10.0.2.21", after(3600));
        going.note(&change, now());
        assert!(!going.has(&change.cluster, change.addresses[0], after(120)));
    }

    #[test]
    fn a_notice_that_is_over_is_not_noted() {
        let mut going = Going::default();
        going.note(&change("10.0.2.21", now() - SignedDuration::from_secs(120)), now());
        assert_eq!(going.count, 0);
    }

    #[test]
    fn what_is_over_makes_room() {
        let mut going = Going::default();
        for number in 0..CAPACITY {
            let address = format!("10.{}.{}.{}", number / 65536, number / 256 % 256, number % 256);
            going.note(&change(&address, now()), now());
        }
        going.note(&change("10.9.0.1", now()), now());
        assert_eq!(going.count, CAPACITY, "no room while all of them go away");
        let late = change("10.9.0.1", after(120));
        going.note(&late, after(120));
        assert!(going.count == 1 && going.has(&late.cluster, late.addresses[0], after(121)));
    }
}
