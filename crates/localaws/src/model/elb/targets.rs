//! The targets of a group, and the effects of registering and deregistering them.
//!
//! The rules follow the `ELBv2` API (`DeregisterTargets`, `TargetGroupAttribute`, `TargetHealth`): a target is identified by id
//! and port; deregistering an unknown target succeeds; a deregistered target is `draining` for the group's
//! `deregistration_delay.timeout_seconds`, then it is gone; deregistering it again changes nothing, and registering it again
//! ends the draining. There are no timers: every method compares its `now` with the stored times.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::elb::health::{Health, State};
use crate::model::elb::target::Registered;

/// Identifies a target within its group: id and port.
pub(crate) type TargetKey = (String, u16);

/// The targets of one group.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    all: BTreeMap<TargetKey, Registration>,
}

#[derive(Debug, Clone)]
struct Registration {
    zone: Option<String>,
    phase: TargetPhase,
}

#[derive(Debug, Clone, Copy)]
enum TargetPhase {
    Active { state: State, since: Duration },
    Draining { until: Duration },
}

impl Targets {
    /// Registers a target. An active one does not change, and a draining one becomes active again.
    pub(crate) fn register(&mut self, key: TargetKey, zone: Option<String>, state: State, now: Duration) {
        self.remove_drained(now);
        let active = self.all.get(&key).is_some_and(|known| matches!(known.phase, TargetPhase::Active { .. }));
        if !active {
            self.all.insert(key, Registration { zone, phase: TargetPhase::Active { state, since: now } });
        }
    }

    /// Starts the draining of an active target. A draining or unknown target is ignored.
    pub(crate) fn deregister(&mut self, key: &TargetKey, delay: Duration, now: Duration) {
        if let Some(known) = self.all.get_mut(key)
            && matches!(known.phase, TargetPhase::Active { .. })
        {
            known.phase = TargetPhase::Draining { until: now.saturating_add(delay) };
        }
        self.remove_drained(now);
    }

    /// Sets the state of a target; `draining` deregisters it. Returns false if the target is unknown.
    pub(crate) fn set_state(&mut self, key: &TargetKey, state: State, delay: Duration, now: Duration) -> bool {
        self.remove_drained(now);
        if state == State::Draining {
            self.deregister(key, delay, now);
            return self.all.contains_key(key) || delay.is_zero();
        }
        let Some(known) = self.all.get_mut(key) else {
            return false;
        };
        known.phase = TargetPhase::Active { state, since: now };
        true
    }

    /// The health of a target, or `None` if it is neither active nor draining.
    pub(crate) fn health(&self, key: &TargetKey, warm_up: Option<Duration>, now: Duration) -> Option<Health> {
        self.all.get(key).and_then(|known| known.phase.health(warm_up, now))
    }

    /// All active and draining targets, ordered by id and port.
    pub(crate) fn list(&self, warm_up: Option<Duration>, now: Duration) -> Vec<Registered> {
        let described = |((id, port), known): (&TargetKey, &Registration)| {
            let health = known.phase.health(warm_up, now)?;
            Some(Registered { id: id.clone(), port: *port, zone: known.zone.clone(), health })
        };
        self.all.iter().filter_map(described).collect()
    }

    pub(crate) fn zone(&self, key: &TargetKey) -> Option<String> {
        self.all.get(key).and_then(|known| known.zone.clone())
    }

    fn remove_drained(&mut self, now: Duration) {
        self.all.retain(|_, known| !matches!(known.phase, TargetPhase::Draining { until } if until <= now));
    }
}

impl TargetPhase {
    fn health(self, warm_up: Option<Duration>, now: Duration) -> Option<Health> {
        match self {
            Self::Draining { until } => (now < until).then_some(Health::of(State::Draining)),
            Self::Active { state: State::Initial, since }
                if warm_up.is_some_and(|time| since.saturating_add(time) <= now) =>
            {
                Some(Health::of(State::Healthy))
            }
            Self::Active { state, .. } => Some(Health::of(state)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAY: Duration = Duration::from_mins(1);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn key(port: u16) -> TargetKey {
        ("10.0.0.1".to_owned(), port)
    }

    fn with(state: State) -> Targets {
        let mut targets = Targets::default();
        targets.register(key(5044), None, state, at(0));
        targets
    }

    fn state(targets: &Targets, port: u16, now: u64) -> Option<State> {
        targets.health(&key(port), None, at(now)).map(|health| health.state)
    }

    #[test]
    fn a_deregistered_target_drains_and_is_then_gone() {
        for before in [State::Healthy, State::Initial, State::Unhealthy, State::Unused, State::Unavailable] {
            let mut targets = with(before);
            targets.deregister(&key(5044), DELAY, at(10));
            assert_eq!(state(&targets, 5044, 10), Some(State::Draining));
            assert_eq!(state(&targets, 5044, 69), Some(State::Draining));
            assert_eq!(state(&targets, 5044, 70), None);
            assert!(targets.list(None, at(70)).is_empty());
        }
    }

    #[test]
    fn without_a_delay_it_is_gone_at_once() {
        let mut targets = with(State::Healthy);
        targets.deregister(&key(5044), Duration::ZERO, at(10));
        assert_eq!(state(&targets, 5044, 10), None);
    }

    #[test]
    fn deregistering_again_does_not_restart_the_delay() {
        let mut targets = with(State::Healthy);
        targets.deregister(&key(5044), DELAY, at(10));
        targets.deregister(&key(5044), DELAY, at(50));
        assert_eq!(state(&targets, 5044, 70), None);
    }

    #[test]
    fn registering_again_ends_the_draining() {
        let mut targets = with(State::Healthy);
        targets.deregister(&key(5044), DELAY, at(10));
        targets.register(key(5044), None, State::Initial, at(20));
        assert_eq!(state(&targets, 5044, 20), Some(State::Initial));
        assert_eq!(state(&targets, 5044, 100), Some(State::Initial));
    }

    #[test]
    fn registering_an_active_target_changes_nothing() {
        let mut targets = with(State::Healthy);
        targets.register(key(5044), None, State::Initial, at(5));
        assert_eq!(state(&targets, 5044, 5), Some(State::Healthy));
    }

    #[test]
    fn another_port_is_another_target() {
        let mut targets = with(State::Healthy);
        targets.register(key(6000), None, State::Healthy, at(0));
        targets.deregister(&key(5044), DELAY, at(1));
        assert_eq!(state(&targets, 6000, 1), Some(State::Healthy));
        assert_eq!(state(&targets, 5044, 1), Some(State::Draining));
    }

    #[test]
    fn deregistering_what_is_not_there_does_nothing() {
        let mut targets = with(State::Healthy);
        targets.deregister(&key(1), DELAY, at(1));
        assert_eq!(targets.list(None, at(1)).len(), 1);
    }

    #[test]
    fn initial_becomes_healthy_after_the_warm_up() {
        let targets = with(State::Initial);
        let state = |now| targets.health(&key(5044), Some(at(30)), at(now)).unwrap().state;
        assert_eq!(state(29), State::Initial);
        assert_eq!(state(30), State::Healthy);
    }

    #[test]
    fn every_state_can_be_set() {
        let mut targets = with(State::Healthy);
        for wanted in [State::Unhealthy, State::UnhealthyDraining, State::Unused, State::Draining, State::Healthy] {
            assert!(targets.set_state(&key(5044), wanted, DELAY, at(1)));
            assert_eq!(state(&targets, 5044, 1), Some(wanted));
        }
        assert!(!targets.set_state(&key(1), State::Healthy, DELAY, at(1)));
        assert!(!targets.set_state(&key(1), State::Draining, DELAY, at(1)));
    }
}
