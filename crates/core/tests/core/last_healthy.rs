//! The rule of the last healthy target.

use crate::scenario::{down, throttled, up};
use insta::assert_snapshot;
use jiff::SignedDuration;
use spotdrain_core::plan::last_healthy::StoppingTasks;

use crate::planning::{one, two};

const FOUR: [(&str, u16, &str); 4] = [
    ("10.0.2.21", 5044, "healthy"),
    ("10.0.2.22", 5044, "healthy"),
    ("10.0.1.11", 5044, "healthy"),
    ("10.0.1.12", 5044, "draining"),
];

#[test]
fn the_last_healthy_target_is_kept() {
    let alone = [("10.0.2.21", 5044, "healthy"), ("10.0.1.11", 5044, "initial"), ("10.0.1.12", 5044, "draining")];
    assert_snapshot!(one().group("web", &alone).rendered(), @"one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy");
    let text = one().set("SPOTDRAIN_KEEP_LAST", "false").group("web", &alone).rendered();
    assert!(text.contains("deregister"), "{text}");
}

#[test]
fn all_interrupted_tasks_of_a_batch_count_as_departing() {
    assert_snapshot!(two(&FOUR[..2]).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn ecs_is_asked_only_if_at_most_half_of_the_targets_would_stay() {
    let text = |targets: &[(&str, u16, &str)]| two(targets).not_asked().rendered();
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
    let own = [("one", "10.0.2.21", 0), ("two", "10.0.2.22", 1)];
    assert!(!two(&FOUR).stopping(&own).rendered().contains("KeptLastHealthy"), "10.0.1.11 stays");
    let all = [own.as_slice(), &[("three", "10.0.1.11", 2)]].concat();
    assert_snapshot!(two(&FOUR).stopping(&all).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): deregister
    two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn the_target_that_is_kept_is_the_last_to_stop_and_then_the_one_with_the_greatest_id() {
    let kept = |tasks: &[(&str, &str, i64)]| {
        let text = two(&FOUR[..2]).stopping(tasks).rendered();
        text.lines().find(|line| line.ends_with("KeptLastHealthy")).map(|line| line[..3].to_owned())
    };
    assert_eq!(kept(&[("one", "10.0.2.21", 5), ("two", "10.0.2.22", 1)]).as_deref(), Some("one"));
    assert_eq!(kept(&[("one", "10.0.2.21", 1), ("two", "10.0.2.22", 1)]).as_deref(), Some("two"));
    assert_eq!(kept(&[("one", "10.0.2.21", 1)]).as_deref(), Some("one"), "one that ECS does not name began first");
    let mut unknown = two(&FOUR);
    unknown.stopping = StoppingTasks::Unknown(throttled("ListTasks"));
    assert!(
        unknown.rendered().contains("two: 10.0.2.22:5044 in web (healthy): KeptLastHealthy"),
        "all others count as departing"
    );
}

#[test]
fn the_address_of_a_task_that_stopped_long_ago_may_belong_to_another_task() {
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
fn the_tasks_of_earlier_batches_depart_for_the_two_minutes_of_their_notices() {
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
fn a_healthy_target_of_a_task_that_is_down_does_not_count_as_staying() {
    let both = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let two = one().notice("two", &["10.0.2.22"]).task_is("two", down()).another_before(&["10.0.2.22"]);
    assert_snapshot!(two.group("web", &both).rendered(), @r"
    one: 10.0.2.21:5044 in web (healthy): KeptLastHealthy
    two: 10.0.2.22:5044 in web (healthy): Stale
    ");
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
