//! Whether an address still belongs to the task of the notice.

use crate::scenario::{Scenario, down, sighting, throttled, up};
use insta::assert_snapshot;
use spotdrain_core::model::observed::TaskObservation;

use crate::planning::one;
use crate::planning::one_web;

#[test]
fn an_old_notice_of_a_task_that_is_not_stopping_is_stale_and_a_young_one_is_asked_about_again() {
    let text = |age, source: &str| {
        let scenario = one_web().after(age).task_is("one", sighting("RUNNING", "RUNNING", &["10.0.2.21"]));
        scenario.but(|notice| notice.source = source.to_owned()).rendered()
    };
    assert_snapshot!(text(31, "aws.ecs"), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(text(12, "aws.ecs"), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks ECS says that the task is not stopping: it may lag behind its own event (retryable)");
    assert!(text(31, "spotdrain.drill").contains("call web: 10.0.2.21:5044"), "a simulated notice is acted on");
}

#[test]
fn a_task_that_ecs_does_not_know_is_stale_only_after_its_notice() {
    let text = |age| one_web().after(age).task_is("one", TaskObservation::Missing).rendered();
    assert!(text(60).contains("failed, DescribeTasks ECS does not know the task in cluster demo"), "{}", text(60));
    assert_snapshot!(text(120), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
}

#[test]
fn the_address_of_an_event_without_one_comes_from_describe_tasks() {
    let scenario = || Scenario::new().notice("one", &[]).service(&[("web", Some(5044))]);
    let read = |scenario: Scenario| scenario.group("web", &[("10.0.2.21", 5044, "unhealthy")]).rendered();
    assert!(read(scenario().task_is("one", up("10.0.2.21"))).contains("call web: 10.0.2.21:5044"));
    let unknown = read(scenario().task_is("one", sighting("RUNNING", "STOPPED", &[])));
    assert!(unknown.contains("failed, DescribeTasks neither the event nor DescribeTasks has an address"), "{unknown}");
}

#[test]
fn an_old_notice_needs_the_confirmation_that_the_task_has_the_address() {
    let scenario = || one().after(11).group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    let text = |finding| scenario().task_is("one", finding).rendered();
    assert!(text(up("10.0.2.21")).contains("call web: 10.0.2.21:5044"));
    assert_snapshot!(text(up("10.0.9.9")), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(text(down()), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(text(TaskObservation::Unknown(throttled("DescribeTasks"))), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks Throttling: Rate exceeded (retryable)");
    assert_snapshot!(scenario().rendered(), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks not asked before the deadline (retryable)");
}

#[test]
fn old_and_future_dates_and_later_statuses_need_confirmation() {
    let asks = |scenario: Scenario| {
        let notice = &scenario.notices[0].notice;
        notice.needs_ownership(scenario.now(), scenario.settings.fresh)
    };
    assert!(!asks(one().after(0)) && !asks(one().after(10)));
    assert!(asks(one().after(11)) && asks(one().after(-1)));
    assert!(!asks(one().at_status("PENDING")) && asks(one().at_status("DEACTIVATING")));
    assert!(asks(one().at_status("STOPPING")) && asks(one().at_status("A_STATUS_OF_TOMORROW")));
}

#[test]
fn a_notice_without_an_address_is_retried() {
    let text = Scenario::new().notice("one", &[]).service(&[("web", Some(5044))]).group("web", &[]).rendered();
    let failure = "not asked before the deadline (retryable)";
    assert_eq!(text, format!("one: failed, DescribeTasks {failure}"));
}
