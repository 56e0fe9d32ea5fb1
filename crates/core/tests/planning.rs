//! The design's tables *Finding* and *Deciding*, line by line.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

mod common;

use common::{Scenario, arn, ip, throttled};
use insta::assert_snapshot;
use jiff::SignedDuration;
use spotdrain_core::finding::{GroupFinding, ServiceFinding, TaskFinding};
use spotdrain_core::limits::MAX_TARGETS_PER_CALL;

fn one() -> Scenario {
    Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))])
}

#[test]
fn a_healthy_target_is_deregistered_with_the_port_that_is_registered() {
    let told = one().group("web", &[("10.0.2.21", 9600, "healthy"), ("10.0.1.11", 5044, "healthy")]).told();
    assert_snapshot!(told, @r"
    one: 10.0.2.21:9600 in web (healthy): deregister
    call web: 10.0.2.21:9600
    ");
}

#[test]
fn every_state_but_draining_is_deregistered() {
    for state in ["unhealthy", "unhealthy.draining", "initial", "unavailable", "unused", "a-state-of-tomorrow"] {
        let told = one().group("web", &[("10.0.2.21", 5044, state)]).told();
        assert!(told.contains(&format!("({state}): deregister")), "{told}");
    }
}

#[test]
fn what_is_draining_or_not_there_is_skipped() {
    assert_snapshot!(one().group("web", &[("10.0.2.21", 5044, "draining")]).told(), @"one: 10.0.2.21:5044 in web (draining): AlreadyDraining");
    assert_snapshot!(one().group("web", &[("10.0.1.11", 5044, "healthy")]).told(), @"one: 10.0.2.21 in web (not read): NotRegistered");
    assert_snapshot!(one().group_is("web", GroupFinding::Missing).told(), @"one: 10.0.2.21 in web (not read): AlreadyGone");
}

#[test]
fn several_ports_and_both_families_of_one_task() {
    let told = Scenario::new()
        .notice("one", &["10.0.2.21", "2001:db8::21"])
        .service(&[("web", Some(80)), ("six", Some(80))])
        .group("web", &[("10.0.2.21", 80, "healthy"), ("10.0.2.21", 443, "initial"), ("10.0.1.11", 80, "healthy")])
        .group("six", &[("2001:db8::21", 80, "healthy"), ("2001:db8::11", 80, "healthy")])
        .told();
    assert_snapshot!(told, @r"
    one: [2001:db8::21]:80 in six (healthy): deregister
    one: 10.0.2.21:80 in web (healthy): deregister
    one: 10.0.2.21:443 in web (initial): deregister
    call six: [2001:db8::21]:80
    call web: 10.0.2.21:80 10.0.2.21:443
    ");
}

#[test]
fn the_last_healthy_target_is_kept() {
    let alone = [("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "initial"), ("10.0.1.12", 5044, "draining")];
    assert_snapshot!(one().group("web", &alone).told(), @"one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy");
    let told = one().set("SPOTDRAIN_KEEP_LAST", "false").group("web", &alone).told();
    assert!(told.contains("deregister"), "{told}");
}

#[test]
fn all_the_interrupted_tasks_of_a_batch_are_counted_together() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let told = one().notice("two", &["10.0.2.22"]).group("web", &both).told();
    assert_snapshot!(told, @r"
    one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy
    two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy
    ");
}

#[test]
fn the_interrupted_tasks_of_batches_before_go_away_too_for_the_two_minutes_of_their_notice() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let at = |seconds: i64| {
        let later = |time| time + SignedDuration::from_secs(seconds);
        let two = one().group("web", &both).another_before(&["10.0.2.22"]);
        two.but(|notice| notice.task.stopping_at = notice.task.stopping_at.map(later))
    };
    assert_snapshot!(at(100).after(101).told(), @"one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy");
    assert_snapshot!(at(120).after(121).told(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn no_group_rests_on_the_target_of_a_task_that_is_down_and_still_registered() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let two = one().notice("two", &["10.0.2.22"]).task_is("two", TaskFinding::Missing).another_before(&["10.0.2.22"]);
    assert_snapshot!(two.group("web", &both).told(), @r"
    one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy
    two: 10.0.2.22:5044 in web (healthy): Stale
    ");
}

#[test]
fn a_group_that_cannot_be_read_is_acted_on_all_the_same() {
    let unknown = || GroupFinding::Unknown(throttled("DescribeTargetHealth"));
    assert_snapshot!(one().group_is("web", unknown()).told(), @r"
    one: 10.0.2.21:5044 in web (not read): deregister
    call web: 10.0.2.21:5044, to be confirmed
    ");
    assert_snapshot!(one().service(&[("web", None)]).group_is("web", unknown()).told(), @r"
    one: 10.0.2.21 in web (not read): deregister
    call web: 10.0.2.21, to be confirmed
    ");
}

#[test]
fn a_configured_group_comes_beside_those_of_the_service() {
    let other = format!("{}=7000", arn("other"));
    let told = Scenario::new()
        .set("SPOTDRAIN_TARGET_GROUPS", &other)
        .notice("one", &["10.0.2.21"])
        .service(&[("web", Some(5044))])
        .group("web", &[("10.0.2.21", 5044, "unhealthy")])
        .told();
    assert_snapshot!(told, @r"
    one: 10.0.2.21:7000 in other (not read): deregister
    one: 10.0.2.21:5044 in web (unhealthy): deregister
    call other: 10.0.2.21:7000, to be confirmed
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn a_group_of_another_region_cannot_hold_the_task_and_that_is_told() {
    let elsewhere = arn("other").as_str().replace("eu-central-1", "us-east-1");
    let told = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", &elsewhere).notice("one", &["10.0.2.21"]).standalone();
    assert_snapshot!(told.told(), @"one: failed, SPOTDRAIN_TARGET_GROUPS arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/other/6d0ecf831eec9f09 is of another Region or account than the task, and cannot hold it (for good)");
}

#[test]
fn a_standalone_task_and_one_whose_service_is_gone_have_the_configured_groups_only() {
    let scenario = || Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    let targets = [("10.0.2.21", 5044, "unhealthy")];
    let expected = "one: 10.0.2.21:5044 in web (unhealthy): deregister\ncall web: 10.0.2.21:5044";
    assert_eq!(scenario().standalone().group("web", &targets).told(), expected);
    assert_eq!(scenario().service_is(ServiceFinding::Missing).group("web", &targets).told(), expected);
}

#[test]
fn nothing_is_done_while_the_services_tag_is_not_known() {
    let failed = ServiceFinding::Unknown(throttled("DescribeServices"));
    let told = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    assert_snapshot!(told.service_is(failed).told(), @"one: failed, DescribeServices Throttling: Rate exceeded (another try may mend it)");
}

#[test]
fn the_services_tag_restricts() {
    let scenario = || one().group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    assert_snapshot!(scenario().tagged("off").told(), @"event-one: ignored, OutOfScope");
    for value in ["observe", "false"] {
        assert_eq!(
            scenario().tagged(value).told(),
            "one: 10.0.2.21:5044 in web (unhealthy): deregister",
            "and no call"
        );
    }
    assert!(scenario().tagged("on").told().contains("call web"));
}

#[test]
fn what_the_hold_takes_care_of_is_left_to_it() {
    let held = || one().group("web", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")]).tagged("hold");
    assert_snapshot!(held().checked_on(8081).told(), @"one: 10.0.2.21:5044 in web (healthy): LeftToHold");
    assert_snapshot!(held().checked_on(8081).tagged("on").told(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn the_tag_alone_keeps_nothing_in_place_that_the_load_balancer_does_not_turn_away_from() {
    let held = || one().group("web", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")]).tagged("hold");
    assert_snapshot!(held().told(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
    for state in ["unused", "unavailable"] {
        let told = one().group("web", &[("10.0.2.21", 5044, state)]).tagged("hold").checked_on(8081).told();
        assert!(told.contains(&format!("({state}): deregister")), "{told}");
    }
}

#[test]
fn of_two_groups_of_a_held_task_each_has_its_own_check() {
    let told = Scenario::new()
        .notice("one", &["10.0.2.21"])
        .service(&[("nlb", Some(5044)), ("alb", Some(80))])
        .group("nlb", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")])
        .checked_on(8081)
        .group("alb", &[("10.0.2.21", 80, "healthy"), ("10.0.1.11", 80, "healthy")])
        .tagged("hold");
    assert_snapshot!(told.told(), @r"
    one: 10.0.2.21:80 in alb (healthy): deregister
    one: 10.0.2.21:5044 in nlb (healthy): LeftToHold
    call alb: 10.0.2.21:80
    ");
}

#[test]
fn a_held_task_is_not_acted_on_unread() {
    let unknown = || GroupFinding::Unknown(throttled("DescribeTargetHealth"));
    let held = || one().tagged("hold");
    assert_snapshot!(held().group_is("web", unknown()).told(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth Throttling: Rate exceeded (another try may mend it)");
    assert_snapshot!(held().told(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth not asked before the deadline (another try may mend it)");
    let lost = held().after(60).task_is("one", TaskFinding::Missing).group_is("web", unknown());
    assert_snapshot!(lost.told(), @"one: 10.0.2.21 in web (not read): Stale");
}

#[test]
fn no_group_rests_on_a_target_that_is_left_to_its_hold() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let told = one().notice("two", &["10.0.2.22"]).group("web", &both).checked_on(8081).tagged("hold").told();
    assert_snapshot!(told, @r"
    one: 10.0.2.21:5044 in web (healthy): LeftToHold
    two: 10.0.2.22:5044 in web (healthy): LeftToHold
    ");
}

#[test]
fn an_old_notice_is_acted_on_only_if_the_task_still_has_the_address() {
    let scenario = || one().after(11).group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    let told = |finding| scenario().task_is("one", finding).told();
    assert!(told(TaskFinding::Found(vec![ip("10.0.2.21")])).contains("call web: 10.0.2.21:5044"));
    assert_snapshot!(told(TaskFinding::Found(vec![ip("10.0.9.9")])), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(told(TaskFinding::Missing), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(told(TaskFinding::Unknown(throttled("DescribeTasks"))), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks Throttling: Rate exceeded (another try may mend it)");
    assert_snapshot!(scenario().told(), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks not asked before the deadline (another try may mend it)");
}

#[test]
fn age_future_dates_and_later_statuses_ask_for_the_owner() {
    let asks = |scenario: Scenario| {
        let notice = &scenario.reading.notices[0].notice;
        notice.needs_ownership(scenario.now(), scenario.settings.fresh)
    };
    assert!(!asks(one().after(0)) && !asks(one().after(10)));
    assert!(asks(one().after(11)) && asks(one().after(-1)));
    assert!(!asks(one().at_status("PENDING")) && asks(one().at_status("DEACTIVATING")));
    assert!(asks(one().at_status("STOPPING")) && asks(one().at_status("A_STATUS_OF_TOMORROW")));
}

#[test]
fn an_address_that_belongs_to_another_task_counts_as_one_that_stays() {
    let targets = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let scenario = one().notice("two", &["10.0.2.22"]).after(60).group("web", &targets);
    let told =
        scenario.task_is("one", TaskFinding::Found(vec![ip("10.0.2.21")])).task_is("two", TaskFinding::Missing).told();
    assert_snapshot!(told, @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): Stale
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn one_task_told_twice_is_one_target_of_one_call() {
    let told = one().notice("one", &["10.0.2.21"]).group("web", &[("10.0.2.21", 5044, "unhealthy")]).told();
    assert!(told.ends_with("call web: 10.0.2.21:5044"), "{told}");
}

#[test]
fn the_earliest_deadline_comes_first_and_a_call_has_its_most_targets() {
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
    let calls = scenario.plan().calls;
    assert_eq!(calls.iter().map(|call| call.targets.len()).collect::<Vec<_>>(), [MAX_TARGETS_PER_CALL, 1]);
    assert_eq!(calls[0].targets[0].target.address, ip("10.0.0.201"), "the notice that came last was interrupted first");
    assert!(calls[0].deadline < calls[1].deadline);
}

#[test]
fn a_notice_without_an_address_is_tried_again() {
    let told = Scenario::new().notice("one", &[]).service(&[("web", Some(5044))]).group("web", &[]).told();
    let failure = "the event has no address: DescribeTasks was not asked (another try may mend it)";
    assert_eq!(told, format!("one: failed, DescribeTasks {failure}"));
}
