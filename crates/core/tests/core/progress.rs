//! The targets of a call, and the search for a bad target.

use crate::scenario::{Scenario, ip, throttled};
use jiff::Timestamp;
use spotdrain_core::model::limits::MAX_TARGETS_PER_CALL;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::plan::progress::{DeregisterAnswer, GroupProgress, Planned, SettledRegistrations};
use spotdrain_core::report::RegistrationRecord;

use crate::planning::one;

#[test]
fn two_notices_of_one_task_make_one_target() {
    let text = one().notice("one", &["10.0.2.21"]).group("web", &[("10.0.2.21", 5044, "unhealthy")]).rendered();
    assert!(text.ends_with("call web: 10.0.2.21:5044"), "{text}");
}

#[test]
fn a_call_has_at_most_200_targets_and_the_earliest_deadlines_first() {
    let mut scenario = Scenario::new().service(&[("web", Some(80))]);
    let addresses: Vec<_> = (0..=MAX_TARGETS_PER_CALL).map(|n| format!("10.0.{}.{}", n / 250, n % 250 + 1)).collect();
    let targets: Vec<_> = addresses.iter().map(|address| (address.as_str(), 80, "unhealthy")).collect();
    scenario = scenario.group("web", &targets);
    for (index, address) in addresses.iter().enumerate() {
        let later = i64::try_from(MAX_TARGETS_PER_CALL - index).unwrap();
        scenario = scenario.notice(&format!("t{index}"), &[address]).but(|notice| {
            let at = notice.task.stopping_at.unwrap();
            notice.task.stopping_at = Some(at + jiff::SignedDuration::from_millis(later));
        });
    }
    let (_, targets) = scenario.plan().calls.remove(0);
    assert_eq!(targets.len(), MAX_TARGETS_PER_CALL, "the last one gets another turn");
    assert_eq!(targets[0].target.address, ip("10.0.0.201"), "the notice that came last was interrupted first");
    assert!(!targets.iter().any(|owned| owned.target.address == ip("10.0.0.1")), "the latest deadline waits");
}

/// Plans one group again and again with the answers of AWS, which refuses a call that names a bad target.
fn calls_until_done(count: usize, bad: &[usize]) -> (usize, usize) {
    let addresses: Vec<_> = (0..count).map(|n| format!("10.0.{}.{}", n / 250, n % 250 + 1)).collect();
    let targets: Vec<_> = addresses.iter().map(|address| (address.as_str(), 80, "unhealthy")).collect();
    let mut scenario = Scenario::new().service(&[("web", Some(80))]).group("web", &targets);
    for (index, address) in addresses.iter().enumerate() {
        scenario = scenario.notice(&format!("t{index}"), &[address]);
    }
    let (mut progress, mut settled) = (GroupProgress::default(), vec![SettledRegistrations::new(); count]);
    let plans = scenario.plan();
    let refusal = throttled("DeregisterTargets");
    let mut calls = 0;
    loop {
        let planned: Vec<_> = plans
            .notices
            .iter()
            .zip(&settled)
            .map(|((notice, plans), settled)| Planned { notice, plan: &plans[0], settled })
            .collect();
        let targets = progress.targets(&planned);
        if targets.is_empty() {
            return (
                calls,
                settled.iter().filter(|rows| rows.values().all(|row| row.outcome == Outcome::Deregistered)).count(),
            );
        }
        calls += 1;
        let is_bad = |owned: &OwnedTarget| bad.iter().any(|index| owned.target.address == ip(&addresses[*index]));
        let answer = if targets.iter().any(is_bad) {
            DeregisterAnswer::Refused(refusal.clone())
        } else {
            DeregisterAnswer::Accepted
        };
        let Some(outcome) = progress.note(&targets, answer) else { continue };
        for ((notice, plans), settled) in plans.notices.iter().zip(&mut settled) {
            for row in plans[0]
                .registrations
                .iter()
                .filter(|row| targets.iter().any(|owned| owned.target == row.registration.target))
            {
                let record = RegistrationRecord::new(row, outcome.clone(), Timestamp::UNIX_EPOCH, notice.notice());
                settled.insert(row.registration.target, record);
            }
        }
    }
}

#[test]
fn bad_targets_are_found_by_halving_and_all_others_are_deregistered() {
    assert_eq!(calls_until_done(200, &[]), (1, 200));
    assert_eq!(calls_until_done(2, &[1]), (3, 1));
    assert_eq!(calls_until_done(1, &[0]), (1, 0));
    let (calls, done) = calls_until_done(200, &[3, 50, 51, 120, 199]);
    assert_eq!(done, 195);
    assert!(calls < 60, "{calls} calls: an environment has 10 at once and 2 a second");
}
