//! The plan for one registration.

use crate::scenario::{Scenario, throttled};
use insta::assert_snapshot;
use spotdrain_core::model::observed::GroupObservation;

pub(crate) fn one() -> Scenario {
    Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))])
}

/// Two interrupted tasks of a service, and the targets of its group.
pub(crate) fn two(targets: &[(&str, u16, &str)]) -> Scenario {
    one().notice("two", &["10.0.2.22"]).group("web", targets)
}

#[test]
fn a_healthy_target_is_deregistered_with_the_port_that_is_registered() {
    let text = one().group("web", &[("10.0.2.21", 9600, "healthy"), ("10.0.1.11", 5044, "healthy")]).rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:9600 in web (healthy): deregister
    call web: 10.0.2.21:9600
    ");
}

#[test]
fn a_target_in_any_state_but_draining_is_deregistered() {
    for state in ["unhealthy", "unhealthy.draining", "initial", "unavailable", "unused", "a-state-of-tomorrow"] {
        let text = one().group("web", &[("10.0.2.21", 5044, state)]).rendered();
        assert!(text.contains(&format!("({state}): deregister")), "{text}");
    }
}

#[test]
fn a_target_that_drains_or_does_not_exist_is_skipped() {
    assert_snapshot!(one().group("web", &[("10.0.2.21", 5044, "draining")]).rendered(), @"one: 10.0.2.21:5044 in web (draining): AlreadyDraining");
    assert_snapshot!(one().group("web", &[("10.0.1.11", 5044, "healthy")]).rendered(), @"one: 10.0.2.21 in web (not read): NotRegistered");
    assert_snapshot!(one().group_is("web", GroupObservation::Missing).rendered(), @"one: 10.0.2.21 in web (not read): AlreadyGone");
}

#[test]
fn several_ports_and_both_families_of_one_task() {
    let text = Scenario::new()
        .notice("one", &["10.0.2.21", "2001:db8::21"])
        .service(&[("web", Some(80)), ("six", Some(80))])
        .group("web", &[("10.0.2.21", 80, "healthy"), ("10.0.2.21", 443, "initial"), ("10.0.1.11", 80, "healthy")])
        .group("six", &[("2001:db8::21", 80, "healthy"), ("2001:db8::11", 80, "healthy")])
        .rendered();
    assert_snapshot!(text, @r"
    one: [2001:db8::21]:80 in six (healthy): deregister
    one: 10.0.2.21:80 in web (healthy): deregister
    one: 10.0.2.21:443 in web (initial): deregister
    call six: [2001:db8::21]:80
    call web: 10.0.2.21:80 10.0.2.21:443
    ");
}

#[test]
fn a_target_of_an_unreadable_group_is_deregistered() {
    let unknown = || GroupObservation::Unknown(throttled("DescribeTargetHealth"));
    assert_snapshot!(one().group_is("web", unknown()).rendered(), @r"
    one: 10.0.2.21:5044 in web (not read): deregister
    call web: 10.0.2.21:5044, to be confirmed
    ");
    assert_snapshot!(one().service(&[("web", None)]).group_is("web", unknown()).rendered(), @r"
    one: 10.0.2.21 in web (not read): deregister
    call web: 10.0.2.21, to be confirmed
    ");
}

/// One notice of a task whose target is unhealthy.
pub(crate) fn one_web() -> Scenario {
    let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))]);
    scenario.group("web", &[("10.0.2.21", 5044, "unhealthy")])
}
