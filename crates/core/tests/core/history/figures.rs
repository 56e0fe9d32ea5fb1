//! The figures. In `function.log` the tasks a1 to a8, a12 and a13 count in 30 days; a9 is simulated, a10 is dated in the future,
//! a11 is 33 days old, and a14 is cut off.

use spotdrain_core::history::counts::Firsts;
use spotdrain_core::history::{BalancerKind, HistoryQuery};

use super::{CAPACITY, FUNCTION, HOLD, days, history, named, report, sentences};

const WEB: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/6d0ecf831eec9f09";

#[test]
fn interruptions_are_counted_once_a_task() {
    let summary = report(&[FUNCTION], &days(30));
    assert_eq!(summary.interruptions, 10);
    assert_eq!(summary.first, Firsts { ecs: 2, spotdrain: 3, unknown: 5 });
    assert_eq!(named(&summary.by_zone), ["eu-central-1a 7", "eu-central-1b 2", "not recorded 1"]);
    assert_eq!(named(&summary.by_service), ["demo/logstash 8", "demo/api 1", "demo/worker 1"]);
    assert_eq!(named(&summary.by_size), ["0.25 vCPU, 0.5 GB 8", "1 vCPU, 2 GB 1", "not recorded 1"]);
    assert_eq!(named(&summary.by_architecture), ["x86_64 8", "arm64 1", "not recorded 1"]);
    assert_eq!(named(&summary.by_stop_code), ["known 9", "not recorded 1"]);
    assert_eq!(named(&summary.by_capacity_provider), ["FARGATE_SPOT 10"]);
    assert_eq!(named(&summary.outcomes), ["Deregistered 6", "AlreadyDraining 2", "Other 1"]);
}

#[test]
fn days_and_hours_are_utc() {
    let summary = report(&[FUNCTION], &days(30));
    assert_eq!(summary.by_day.len(), 31, "30 days touch 31 dates");
    let counted = summary.by_day.iter().filter(|day| day.interruptions > 0);
    let counted: Vec<_> = counted.map(|day| format!("{} {}", day.date, day.interruptions)).collect();
    assert_eq!(
        counted,
        [
            "2026-11-01 1",
            "2026-11-10 1",
            "2026-11-11 1",
            "2026-11-12 1",
            "2026-11-20 3",
            "2026-11-25 1",
            "2026-11-26 2"
        ]
    );
    let hours: Vec<_> = summary.by_hour.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    assert_eq!(hours, [(0, &1), (5, &1), (9, &1), (10, &3), (12, &3), (23, &1)]);
}

#[test]
fn the_slowest_registration_of_an_interruption_counts() {
    // a5 700, a3 900, a4 1500 and 4200, a6 12000; a13 is dated before its notice.
    let summary = report(&[FUNCTION], &days(30));
    let times = summary.notice_to_deregistered_ms.unwrap();
    assert_eq!((times.count, times.p50, times.p90, times.p99, times.max), (4, 900, 12000, 12000, 12000));
    assert_eq!(summary.with_clock_skew, 1);
}

#[test]
fn a_sweep_goes_on_while_the_next_comes_within_a_minute() {
    let summary = report(&[FUNCTION], &days(30));
    let [sweep, second] = summary.sweeps.as_slice() else { panic!("{:?}", summary.sweeps) };
    assert_eq!((sweep.tasks, sweep.seconds, sweep.from.to_string().as_str()), (3, 80, "2026-11-20T10:00:00Z"));
    assert_eq!((second.tasks, second.seconds), (2, 31), "over midnight");
    assert_eq!(sweep.zones.iter().collect::<Vec<_>>(), ["eu-central-1a", "eu-central-1b"]);
}

#[test]
fn the_trend_needs_records_from_before_the_window() {
    let summary = report(&[FUNCTION], &days(7));
    assert_eq!(summary.interruptions, 6, "a1 to a4, a12, a13");
    let trend = summary.trend.unwrap();
    assert_eq!(trend.last_7_days, Firsts { ecs: 2, spotdrain: 2, unknown: 2 });
    assert_eq!(trend.the_28_days_before, Firsts { ecs: 1, spotdrain: 1, unknown: 3 });
    assert!(!trend.ecs_share_fell_by_half);
    assert_eq!(report(&[FUNCTION], &days(6)).trend, None);
}

#[test]
fn problems_are_counted_by_their_last_record() {
    let problems = report(&[FUNCTION], &days(30)).problems;
    assert_eq!((problems.failed, problems.done_by_a_retry, problems.without_load_balancer), (1, 1, 1));
    assert_eq!(named(&problems.failures), ["DescribeServices: AccessDenied: no 1"]);
    assert_eq!((problems.unreadable_messages, problems.kept_last_healthy, problems.stale), (1, 0, 0));
}

#[test]
fn a_cluster_and_a_service_restrict_the_report() {
    let with = |cluster: Option<&str>, service: Option<&str>| {
        let query =
            HistoryQuery { cluster: cluster.map(str::to_owned), service: service.map(str::to_owned), ..days(30) };
        report(&[FUNCTION], &query).interruptions
    };
    assert_eq!(with(Some("demo"), None), 10);
    assert_eq!(with(Some("arn:aws:ecs:eu-central-1:123456789012:cluster/demo"), Some("api")), 1);
    assert_eq!((with(Some("emo"), None), with(None, Some("ap"))), (0, 0));
}

#[test]
fn simulated_notices_count_only_if_asked_for() {
    assert_eq!(report(&[FUNCTION], &days(30)).left_out.simulated, 1);
    let summary = report(&[FUNCTION], &HistoryQuery { with_simulated: true, ..days(30) });
    assert_eq!((summary.interruptions, summary.left_out.simulated), (11, 0));
}

#[test]
fn holds_are_joined_by_the_task() {
    let mut query = days(30);
    query.balancers.insert(WEB.to_owned(), BalancerKind::Network);
    let held = history(&[FUNCTION, HOLD]);
    assert!(held.held_target_groups().contains(WEB));
    let holds = report(&[FUNCTION, HOLD], &query).holds.unwrap();
    let [row] = holds.by_load_balancer.as_slice() else { panic!("{holds:?}") };
    // a2 20 s (killed: only its line forward), a1 30.5 s, a3 41.01 s (one of its lines came twice), and a4 without a connection.
    let times = row.last_new_ms.as_ref().unwrap();
    assert_eq!((row.load_balancer.as_str(), row.holds, row.without_new_connections), ("NLB", 4, 1));
    assert_eq!((times.count, times.p50, times.max, row.with_late_connections), (3, 30_500, 41_010, 1));
    assert_eq!(holds.without_interruption, 1, "a deployment");
    let unknown = report(&[FUNCTION, HOLD], &days(30)).holds.unwrap();
    assert_eq!(unknown.by_load_balancer[0].load_balancer, "unknown");
    assert_eq!(report(&[FUNCTION], &days(30)).holds, None);
}

#[test]
fn each_task_replaces_one() {
    let found = report(&[FUNCTION, CAPACITY], &days(30)).replacements.unwrap();
    // The watch began on 2026-11-11 at 00:00:20. a1 10:00:00 -> b1 10:00:45, a2 10:00:30 -> b2 10:01:30, a3 10:01:20 -> b3 10:31:20.
    let seconds = found.seconds.unwrap();
    assert_eq!((seconds.count, seconds.p50, seconds.p90, seconds.max), (3, 60, 1800, 1800));
    assert_eq!(found.by_service[0].service, "demo/logstash");
    // a7, a8, a12 and a13 have none, a4 only one after two hours and a half; a5 and a6 came before the watch.
    assert_eq!((found.without, found.pending, found.before_the_watch), (5, 0, 2));
    assert_eq!(named(&found.providers), ["FARGATE_SPOT 2", "FARGATE 1"]);
    let [failures] = found.placement_failures.as_slice() else { panic!("{:?}", found.placement_failures) };
    assert_eq!((failures.service.as_str(), failures.count), ("demo/logstash", 2));
    assert_eq!(report(&[CAPACITY], &days(1)).replacements.unwrap().placement_failures, [], "out of the window");
    assert_eq!(failures.providers.iter().collect::<Vec<_>>(), ["FARGATE_SPOT"]);
}

#[test]
fn the_sentences_say_what_the_numbers_mean() {
    let mut query = days(30);
    query.balancers.insert(WEB.to_owned(), BalancerKind::Network);
    let summary = report(&[FUNCTION, HOLD, CAPACITY], &query);
    assert_eq!(
        sentences(&summary),
        [
            "In 30 days ECS was first 2 times of 5; spotdrain deregistered 3. 1 interrupted task has no load balancer. For 4 interruptions it is unknown who was first.",
            "In 3 interruptions the target was still in service when spotdrain read it: without spotdrain it would have stayed in service longer.",
            "From notice to deregistration: p50 900 ms, p90 12 s, p99 12 s, of 4 interruptions.",
            "The largest sweep took 3 tasks within 80 s, on 2026-11-20 10:00 UTC.",
            "Behind an NLB the last new connection came 30 s after the stop signal (p50), at most 41 s.",
            "A replacement ran after 60 s (p50), 1800 s (p90). 5 interruptions had no replacement within an hour.",
            "ECS reported 2 placement failures for 1 service.",
            "Needs attention: 1 interruption failed, 1 message could not be read.",
        ]
    );
}

#[test]
fn the_hold_of_an_earlier_interruption_is_not_a_deployment() {
    let holds = report(&[FUNCTION, HOLD], &days(1)).holds.unwrap();
    assert_eq!((holds.by_load_balancer.len(), holds.without_interruption), (0, 1));
}
