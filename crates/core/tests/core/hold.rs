//! Registrations that are left to the hold.

use crate::scenario::{Scenario, down, throttled};
use insta::assert_snapshot;
use spotdrain_core::model::observed::GroupObservation;

use crate::planning::{one, two};

#[test]
fn a_held_target_whose_check_asks_the_hold_is_left_to_it() {
    let held = || one().group("web", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")]).tagged("hold");
    assert_snapshot!(held().checked_on(8081).rendered(), @"one: 10.0.2.21:5044 in web (healthy): LeftToHold");
    assert_snapshot!(held().checked_on(8081).tagged("on").rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn a_held_target_is_deregistered_if_its_check_does_not_ask_the_hold() {
    let held = || one().group("web", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")]).tagged("hold");
    assert_snapshot!(held().rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
    for state in ["unused", "unavailable"] {
        let text = one().group("web", &[("10.0.2.21", 5044, state)]).tagged("hold").checked_on(8081).rendered();
        assert!(text.contains(&format!("({state}): deregister")), "{text}");
    }
}

#[test]
fn each_group_of_a_held_task_is_decided_by_its_own_check() {
    let text = Scenario::new()
        .notice("one", &["10.0.2.21"])
        .service(&[("nlb", Some(5044)), ("alb", Some(80))])
        .group("nlb", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")])
        .checked_on(8081)
        .group("alb", &[("10.0.2.21", 80, "healthy"), ("10.0.1.11", 80, "healthy")])
        .tagged("hold");
    assert_snapshot!(text.rendered(), @r"
    one: 10.0.2.21:80 in alb (healthy): deregister
    one: 10.0.2.21:5044 in nlb (healthy): LeftToHold
    call alb: 10.0.2.21:80
    ");
}

#[test]
fn a_held_target_of_an_unreadable_group_is_not_deregistered() {
    let unknown = || GroupObservation::Unknown(throttled("DescribeTargetHealth"));
    let held = || one().tagged("hold");
    assert_snapshot!(held().group_is("web", unknown()).rendered(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth Throttling: Rate exceeded (retryable)");
    assert_snapshot!(held().rendered(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth not asked before the deadline (retryable)");
    let lost = held().after(60).task_is("one", down()).group_is("web", unknown());
    assert_snapshot!(lost.rendered(), @"one: 10.0.2.21 in web (not read): Stale");
}

#[test]
fn a_target_that_is_left_to_the_hold_does_not_count_as_staying() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    assert_snapshot!(two(&both).checked_on(8081).tagged("hold").rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): LeftToHold
    two: 10.0.2.22:5044 in web (healthy): LeftToHold
    ");
}
