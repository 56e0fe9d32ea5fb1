//! The design's tables *Observation* and *Deciding*, line by line.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed assumption fails the test"
)]

mod common;

use std::collections::BTreeMap;

use common::{Scenario, arn, down, ip, sighting, throttled, up};
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};
use spotdrain_core::model::arn::LoadBalancerArn;
use spotdrain_core::model::limits::MAX_TARGETS_PER_CALL;
use spotdrain_core::model::observed::{GroupObservation, Service, ServiceObservation, TaskObservation};
use spotdrain_core::model::outcome::{NoTargetGroup, Outcome};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::plan::last_healthy::StoppingTasks;
use spotdrain_core::plan::progress::{CallAnswer, Planned, Progress, Settled};
use spotdrain_core::plan::target_groups::Configured;
use spotdrain_core::report::RegistrationRecord;
use spotdrain_core::settings::Settings;

fn one() -> Scenario {
    Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))])
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
fn every_state_but_draining_is_deregistered() {
    for state in ["unhealthy", "unhealthy.draining", "initial", "unavailable", "unused", "a-state-of-tomorrow"] {
        let text = one().group("web", &[("10.0.2.21", 5044, state)]).rendered();
        assert!(text.contains(&format!("({state}): deregister")), "{text}");
    }
}

#[test]
fn what_is_draining_or_not_there_is_skipped() {
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
fn the_last_healthy_target_is_kept() {
    let alone = [("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "initial"), ("10.0.1.12", 5044, "draining")];
    assert_snapshot!(one().group("web", &alone).rendered(), @"one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy");
    let text = one().set("SPOTDRAIN_KEEP_LAST", "false").group("web", &alone).rendered();
    assert!(text.contains("deregister"), "{text}");
}

#[test]
fn all_the_interrupted_tasks_of_a_batch_are_counted_together() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let text = one().notice("two", &["10.0.2.22"]).group("web", &both).rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy
    call web: 10.0.2.21:5044
    ");
}

const FOUR: [(&str, u16, &str); 4] = [
    ("10.0.2.21", 5044, "healthy"),
    ("10.0.2.22", 5044, "healthy"),
    ("10.0.1.11", 5044, "healthy"),
    ("10.0.1.12", 5044, "draining"),
];

#[test]
fn ecs_is_asked_only_if_at_most_half_of_the_targets_would_stay() {
    let text = |targets: &[(&str, u16, &str)]| {
        one().notice("two", &["10.0.2.22"]).not_asked().group("web", targets).rendered()
    };
    let more = [FOUR.as_slice(), &[("10.0.1.13", 5044, "healthy"), ("10.0.1.14", 5044, "healthy")]].concat();
    assert!(text(&FOUR).ends_with("ECS is asked which tasks are stopping"), "1 of 4 stays");
    assert!(text(&more[..5]).ends_with("ECS is asked which tasks are stopping"), "2 of 5 stay");
    assert!(text(&more).ends_with("ECS is asked which tasks are stopping"), "3 of 6 stay");
    assert!(!text(&[more.as_slice(), &[("10.0.1.15", 5044, "healthy")]].concat()).contains("ECS"), "4 of 7 stay");
    let only_unhealthy = [("10.0.2.21", 5044, "unhealthy"), ("10.0.2.22", 5044, "initial")];
    assert!(!text(&only_unhealthy).contains("ECS"), "no healthy target would be removed");
    let off = one().set("SPOTDRAIN_KEEP_LAST", "false").not_asked().group("web", &FOUR[..1]).rendered();
    assert!(!off.contains("ECS"), "{off}");
}

#[test]
fn a_target_whose_task_ecs_does_not_name_stays_and_one_that_stops_departs() {
    let two = || one().notice("two", &["10.0.2.22"]).group("web", &FOUR);
    let own = [("one", "10.0.2.21", 0), ("two", "10.0.2.22", 1)];
    assert!(!two().stopping(&own).rendered().contains("KeptLastHealthy"), "10.0.1.11 stays");
    let all = [own.as_slice(), &[("three", "10.0.1.11", 2)]].concat();
    assert_snapshot!(two().stopping(&all).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn the_target_that_is_kept_is_the_last_to_stop_and_then_the_one_with_the_greatest_id() {
    let kept = |tasks: &[(&str, &str, i64)]| {
        let text = one().notice("two", &["10.0.2.22"]).group("web", &FOUR[..2]).stopping(tasks).rendered();
        text.lines().find(|line| line.ends_with("KeptLastHealthy")).map(|line| line[..3].to_owned())
    };
    assert_eq!(kept(&[("one", "10.0.2.21", 5), ("two", "10.0.2.22", 1)]).as_deref(), Some("one"));
    assert_eq!(kept(&[("one", "10.0.2.21", 1), ("two", "10.0.2.22", 1)]).as_deref(), Some("two"));
    assert_eq!(kept(&[("one", "10.0.2.21", 1)]).as_deref(), Some("one"), "one that ECS does not name began first");
    let mut unknown = one().notice("two", &["10.0.2.22"]).group("web", &FOUR);
    unknown.stopping = StoppingTasks::Unknown(throttled("ListTasks"));
    assert!(
        unknown.rendered().contains("two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy"),
        "all others count as departing"
    );
}

#[test]
fn the_address_of_a_task_that_stopped_long_ago_may_be_another_tasks() {
    let kept = |stopped_before: i64| {
        let scenario = one().after(60).task_is("one", up("10.0.2.21")).group("web", &FOUR);
        let stopped_at = Some(scenario.now() - SignedDuration::from_secs(stopped_before));
        let mut scenario = scenario.stopping(&[("three", "10.0.1.11", 0), ("four", "10.0.2.22", 0)]);
        if let StoppingTasks::Known(tasks) = &mut scenario.stopping {
            for task in tasks.values_mut() {
                task.stopped_at = stopped_at;
            }
        }
        scenario.rendered().contains("KeptLastHealthy")
    };
    assert!(kept(120) && !kept(121));
}

#[test]
fn the_interrupted_tasks_of_batches_before_go_away_too_for_the_two_minutes_of_their_notice() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let at = |seconds: i64| {
        let later = |time| time + SignedDuration::from_secs(seconds);
        let two = one().group("web", &both).another_before(&["10.0.2.22"]);
        two.but(|notice| notice.task.stopping_at = notice.task.stopping_at.map(later))
    };
    assert_snapshot!(at(100).after(101).rendered(), @"one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy");
    assert_snapshot!(at(120).after(121).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn no_group_rests_on_the_target_of_a_task_that_is_down_and_still_registered() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let two = one().notice("two", &["10.0.2.22"]).task_is("two", down()).another_before(&["10.0.2.22"]);
    assert_snapshot!(two.group("web", &both).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy
    two: 10.0.2.22:5044 in web (healthy): Stale
    ");
}

#[test]
fn a_group_that_cannot_be_read_is_acted_on_all_the_same() {
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

#[test]
fn a_configured_group_comes_beside_those_of_the_service() {
    let other = format!("{}=7000", arn("other"));
    let text = Scenario::new()
        .set("SPOTDRAIN_TARGET_GROUPS", &other)
        .notice("one", &["10.0.2.21"])
        .service(&[("web", Some(5044))])
        .group("web", &[("10.0.2.21", 5044, "unhealthy")])
        .rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:7000 in other (not read): deregister
    one: 10.0.2.21:5044 in web (unhealthy): deregister
    call other: 10.0.2.21:7000, to be confirmed
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn a_group_of_another_region_cannot_hold_the_task_and_that_is_told() {
    let elsewhere = arn("other").as_str().replace("eu-central-1", "us-east-1");
    let text = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", &elsewhere).notice("one", &["10.0.2.21"]).standalone();
    assert_snapshot!(text.rendered(), @"one: failed, SPOTDRAIN_TARGET_GROUPS arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/other/6d0ecf831eec9f09 is of another Region or account than the task, and cannot hold it (permanent)");
}

#[test]
fn a_standalone_task_has_the_configured_groups_only() {
    let scenario = || Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    let targets = [("10.0.2.21", 5044, "unhealthy")];
    let expected = "one: 10.0.2.21:5044 in web (unhealthy): deregister\ncall web: 10.0.2.21:5044";
    assert_eq!(scenario().standalone().group("web", &targets).rendered(), expected);
}

/// A cluster with tasks cannot be deleted: the credentials or the Region are wrong.
#[test]
fn a_service_that_ecs_does_not_know_is_a_failure_until_ecs_has_forgotten_it() {
    let scenario =
        |age| Scenario::new().notice("one", &["10.0.2.21"]).service_is(ServiceObservation::Missing).after(age);
    assert_snapshot!(scenario(1).rendered(), @"one: failed, DescribeServices ECS does not know service logstash of cluster demo, although a task of it was running: check that the credentials are those of account 123456789012, and the Region eu-central-1 (retryable)");
    let plans = scenario(3601).plan();
    let candidates = &plans.notices[0].0.candidates;
    assert_eq!((candidates.none, &candidates.failure), (Some(NoTargetGroup::Unresolved), &None));
}

#[test]
fn a_notice_without_a_target_group_says_why() {
    let ended = |service| {
        let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service_is(ServiceObservation::Found(service));
        let candidates = scenario.plan().notices.remove(0).0.candidates;
        (candidates.none, candidates.failure)
    };
    assert_eq!(ended(Service::default()), (Some(NoTargetGroup::NoLoadBalancer), None));
    let with_balancer = Service { has_balancer: true, ..Service::default() };
    assert_eq!(ended(with_balancer.clone()), (Some(NoTargetGroup::Unresolved), None));
    let unread = Service { revision_failure: Some(throttled("DescribeServiceRevisions")), ..with_balancer };
    assert_eq!(ended(unread), (None, Some(throttled("DescribeServiceRevisions"))));
    let standalone = Scenario::new().notice("one", &["10.0.2.21"]).standalone().plan();
    assert_eq!(standalone.notices[0].0.candidates.none, Some(NoTargetGroup::NoLoadBalancer));
}

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
fn a_task_that_ecs_does_not_know_is_stale_only_when_its_notice_is_over() {
    let text = |age| one_web().after(age).task_is("one", TaskObservation::Missing).rendered();
    assert!(text(60).contains("failed, DescribeTasks ECS does not know the task in cluster demo"), "{}", text(60));
    assert_snapshot!(text(120), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
}

#[test]
fn an_event_without_an_address_takes_that_of_describe_tasks() {
    let scenario = || Scenario::new().notice("one", &[]).service(&[("web", Some(5044))]);
    let read = |scenario: Scenario| scenario.group("web", &[("10.0.2.21", 5044, "unhealthy")]).rendered();
    assert!(read(scenario().task_is("one", up("10.0.2.21"))).contains("call web: 10.0.2.21:5044"));
    let unknown = read(scenario().task_is("one", sighting("RUNNING", "STOPPED", &[])));
    assert!(unknown.contains("failed, DescribeTasks neither the event nor DescribeTasks has an address"), "{unknown}");
}

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/logs/50dc6c495c0c9188";

/// The article's settings: a load balancer, and a target group with its port.
#[test]
fn a_named_load_balancer_is_searched_and_a_group_of_another_is_left_alone() {
    let web = arn("web");
    let settings = |groups: &str| {
        Settings::read([("SPOTDRAIN_LOAD_BALANCERS", BALANCER), ("SPOTDRAIN_TARGET_GROUPS", groups)]).unwrap()
    };
    let found = BTreeMap::from([(LoadBalancerArn::parse(BALANCER).unwrap(), vec![web.clone(), arn("logs")])]);
    let configured = |groups: &str| Configured::new(&settings(groups), Ok(&found));
    let named = |configured: &Configured| -> Vec<_> {
        configured.groups.iter().map(|group| (group.arn.name().to_owned(), group.port)).collect()
    };
    let own = configured(&format!("{web}=5044"));
    assert_eq!(named(&own), [("web".to_owned(), Some(5044)), ("logs".to_owned(), None)]);
    assert_eq!(own.failure, None);
    let other = configured(arn("other").as_str());
    assert_eq!(named(&other).len(), 2, "the groups of the load balancer are searched all the same");
    let problem = other.failure.unwrap().problem;
    assert!(problem.contains("targetgroup/other/") && problem.contains(BALANCER), "{problem}");
}

#[test]
fn configured_groups_are_drained_where_the_load_balancers_could_not_be_searched() {
    let web = arn("web");
    let settings = [("SPOTDRAIN_LOAD_BALANCERS", BALANCER), ("SPOTDRAIN_TARGET_GROUPS", web.as_str())];
    let settings = Settings::read(settings).unwrap();
    let configured = Configured::new(&settings, Err(throttled("DescribeTargetGroups")));
    assert_eq!((configured.groups.len(), configured.failure), (1, Some(throttled("DescribeTargetGroups"))));
}

/// One notice of a task whose target is unhealthy.
fn one_web() -> Scenario {
    let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))]);
    scenario.group("web", &[("10.0.2.21", 5044, "unhealthy")])
}

#[test]
fn nothing_is_done_while_the_services_tag_is_not_known() {
    let failed = ServiceObservation::Unknown(throttled("DescribeServices"));
    let text = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    assert_snapshot!(text.service_is(failed).rendered(), @"one: failed, DescribeServices Throttling: Rate exceeded (retryable)");
}

#[test]
fn the_services_tag_restricts() {
    let scenario = || one().group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    assert_snapshot!(scenario().tagged("off").rendered(), @"event-one: ignored, OutOfScope");
    for value in ["observe", "false"] {
        assert_eq!(
            scenario().tagged(value).rendered(),
            "one: 10.0.2.21:5044 in web (unhealthy): deregister",
            "and no call"
        );
    }
    assert!(scenario().tagged("on").rendered().contains("call web"));
}

#[test]
fn what_the_hold_takes_care_of_is_left_to_it() {
    let held = || one().group("web", &[("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")]).tagged("hold");
    assert_snapshot!(held().checked_on(8081).rendered(), @"one: 10.0.2.21:5044 in web (healthy): LeftToHold");
    assert_snapshot!(held().checked_on(8081).tagged("on").rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn the_tag_alone_keeps_nothing_in_place_that_the_load_balancer_does_not_turn_away_from() {
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
fn of_two_groups_of_a_held_task_each_has_its_own_check() {
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
fn a_held_task_is_not_acted_on_unread() {
    let unknown = || GroupObservation::Unknown(throttled("DescribeTargetHealth"));
    let held = || one().tagged("hold");
    assert_snapshot!(held().group_is("web", unknown()).rendered(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth Throttling: Rate exceeded (retryable)");
    assert_snapshot!(held().rendered(), @"one: 10.0.2.21 in web (not read): failed, DescribeTargetHealth not asked before the deadline (retryable)");
    let lost = held().after(60).task_is("one", down()).group_is("web", unknown());
    assert_snapshot!(lost.rendered(), @"one: 10.0.2.21 in web (not read): Stale");
}

#[test]
fn no_group_rests_on_a_target_that_is_left_to_its_hold() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let text = one().notice("two", &["10.0.2.22"]).group("web", &both).checked_on(8081).tagged("hold").rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:5044 in web (healthy): LeftToHold
    two: 10.0.2.22:5044 in web (healthy): LeftToHold
    ");
}

#[test]
fn an_old_notice_is_acted_on_only_if_the_task_still_has_the_address() {
    let scenario = || one().after(11).group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    let text = |finding| scenario().task_is("one", finding).rendered();
    assert!(text(up("10.0.2.21")).contains("call web: 10.0.2.21:5044"));
    assert_snapshot!(text(up("10.0.9.9")), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(text(down()), @"one: 10.0.2.21:5044 in web (unhealthy): Stale");
    assert_snapshot!(text(TaskObservation::Unknown(throttled("DescribeTasks"))), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks Throttling: Rate exceeded (retryable)");
    assert_snapshot!(scenario().rendered(), @"one: 10.0.2.21:5044 in web (unhealthy): failed, DescribeTasks not asked before the deadline (retryable)");
}

#[test]
fn age_future_dates_and_later_statuses_ask_for_the_owner() {
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
fn an_address_that_belongs_to_another_task_counts_as_one_that_stays() {
    let targets = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let scenario = one().notice("two", &["10.0.2.22"]).after(60).group("web", &targets);
    let text = scenario.task_is("one", up("10.0.2.21")).task_is("two", down()).rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): Stale
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn one_task_told_twice_is_one_target_of_one_call() {
    let text = one().notice("one", &["10.0.2.21"]).group("web", &[("10.0.2.21", 5044, "unhealthy")]).rendered();
    assert!(text.ends_with("call web: 10.0.2.21:5044"), "{text}");
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
    let (_, targets) = scenario.plan().calls.remove(0);
    assert_eq!(targets.len(), MAX_TARGETS_PER_CALL, "the last one gets another turn");
    assert_eq!(targets[0].target.address, ip("10.0.0.201"), "the notice that came last was interrupted first");
    assert!(!targets.iter().any(|owned| owned.target.address == ip("10.0.0.1")), "the latest deadline waits");
}

#[test]
fn a_notice_without_an_address_is_tried_again() {
    let text = Scenario::new().notice("one", &[]).service(&[("web", Some(5044))]).group("web", &[]).rendered();
    let failure = "not asked before the deadline (retryable)";
    assert_eq!(text, format!("one: failed, DescribeTasks {failure}"));
}

/// Plans one group again and again with the answers of AWS, which refuses a call that names a bad target.
fn calls_until_done(count: usize, bad: &[usize]) -> (usize, usize) {
    let addresses: Vec<_> = (0..count).map(|n| format!("10.0.{}.{}", n / 250, n % 250 + 1)).collect();
    let targets: Vec<_> = addresses.iter().map(|address| (address.as_str(), 80, "unhealthy")).collect();
    let mut scenario = Scenario::new().service(&[("web", Some(80))]).group("web", &targets);
    for (index, address) in addresses.iter().enumerate() {
        scenario = scenario.notice(&format!("t{index}"), &[address]);
    }
    let (mut progress, mut settled) = (Progress::default(), vec![Settled::new(); count]);
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
        let answer =
            if targets.iter().any(is_bad) { CallAnswer::Refused(refusal.clone()) } else { CallAnswer::Accepted };
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
fn bad_targets_are_found_by_halves_and_keep_none_of_the_others() {
    assert_eq!(calls_until_done(200, &[]), (1, 200));
    assert_eq!(calls_until_done(2, &[1]), (3, 1));
    assert_eq!(calls_until_done(1, &[0]), (1, 0));
    let (calls, done) = calls_until_done(200, &[3, 50, 51, 120, 199]);
    assert_eq!(done, 195);
    assert!(calls < 60, "{calls} calls: an environment has 10 at once and 2 a second");
}
