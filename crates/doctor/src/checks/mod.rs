//! Every check, in the order of their numbers. A family is a file.

mod capacity;
mod draining;
mod function;
mod hold;
mod queue;
mod reach;
mod refused;
mod registration;
mod role;
mod rule;
mod scope;
mod stopping;
mod task_count;

use crate::check::Check;

/// Every check. The numbers never change; a check that is dropped leaves a gap.
pub const CHECKS: [&Check; 61] = [
    &capacity::NO_STRATEGY,
    &capacity::LAUNCH_TYPE_BESIDE,
    &capacity::ALL_ON_SPOT,
    &capacity::NONE_ON_SPOT,
    &capacity::SPOT_CANNOT_RUN,
    &task_count::ONE_TASK,
    &task_count::NO_MINIMUM,
    &task_count::ONE_IN_ZONE,
    &stopping::STOP_TIMEOUT,
    &stopping::SIDECAR,
    &hold::fit::HOLD_UNWIRED,
    &draining::DELAY,
    &draining::CUT_AFTER_DELAY,
    &draining::CUT_WHEN_UNHEALTHY,
    &draining::HOLD_CUTS,
    &draining::SLOW_CHECK,
    &registration::PORT,
    &registration::GROUP_PORT,
    &registration::ADDRESS_FAMILY,
    &registration::BLUE_GREEN,
    &rule::NO_NOTICE,
    &rule::SOME_NOTICES,
    &rule::DISABLED,
    &queue::VISIBILITY,
    &queue::WHOLE_BATCH,
    &function::TIMEOUT,
    &role::RIGHTS,
    &role::GROUP_RIGHT,
    &scope::TAG,
    &scope::OUT_OF_SCOPE,
    &scope::OBSERVES,
    &scope::SETTINGS,
    &refused::NO_FUNCTION,
    &hold::tag::HOLD_TAG,
    &role::RETURNS_MESSAGES,
    &registration::UNUSED,
    &task_count::SCALES_TO_ONE,
    &task_count::NO_ROOM,
    &capacity::REFUSED_STRATEGY,
    &stopping::SHELL,
    &stopping::STOP_TOO_LONG,
    &registration::TARGET_TYPE,
    &capacity::OLD_PLATFORM,
    &hold::fit::FAIL_OPEN,
    &hold::fit::UNHELD_SIDECAR,
    &reach::NO_TARGET_GROUP,
    &draining::NO_GRACE_PERIOD,
    &capacity::BREAKER_ON_SPOT,
    &draining::SLOW_START,
    &reach::MANAGED_INGRESS,
    &rule::CHANGED_EVENT,
    &queue::FILTERED,
    &rule::OTHER_BUS,
    &queue::QUEUE_KEY,
    &queue::QUEUE_POLICY,
    &function::NO_CONCURRENCY,
    &refused::REFUSED,
    &task_count::ZONE_REBALANCING,
    &hold::fit::UNANSWERED_CHECK,
    &hold::udp::UNHELD,
    &hold::udp::HELD,
];

/// The check of this number.
#[must_use]
pub fn check(id: &str) -> Option<&'static Check> {
    CHECKS.into_iter().find(|check| check.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_count_up_and_every_check_has_a_source() {
        assert!(CHECKS.is_sorted_by(|one, next| one.id < next.id));
        for check in CHECKS {
            assert!(check.id.len() == 5 && check.id.starts_with("SD"), "{}", check.id);
            assert!(check.sources.iter().all(|source| source.starts_with("https://")) && !check.sources.is_empty());
            assert!(check.explanation.ends_with('.') && !check.title.ends_with('.'), "{}", check.id);
        }
    }

    #[test]
    fn a_check_is_found_by_its_number() {
        assert_eq!(check("sd004").unwrap().id, "SD004");
        assert!(check("SD999").is_none());
    }
}
