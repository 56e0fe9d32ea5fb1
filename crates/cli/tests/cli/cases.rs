//! Events that once had the wrong outcome, each handled by the command line against the local AWS of its world file.
//!
//! The events are in `case-events/`, the worlds in `crates/localaws/tests/worlds/`. By hand: `spotdrain local --world WORLD`, then
//! `spotdrain drain --restamp EVENT`.

use std::path::Path;

use crate::command::{ROOT, against, json, run, spotdrain};
use spotdrain_localaws::{LocalAws, Scene, World};

const GROUPS: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup";

struct Case {
    event: &'static str,
    world: &'static str,
    settings: &'static [&'static str],
    exit: i32,
    /// The only registration, as target, port and outcome; `None` if the notice fails earlier.
    registration: Option<(&'static str, u16, &'static str)>,
    /// The states of the targets afterwards, as group and `target state`.
    group: &'static str,
    targets: [&'static str; 2],
    /// Parts of the printed text.
    text: &'static [&'static str],
}

/// A cluster with a running task cannot be deleted: the account, the Region or the credentials are wrong.
const CLUSTER_NOT_FOUND: Case = Case {
    event: "cluster-not-found",
    world: "cluster-not-found",
    settings: &[],
    exit: 75,
    registration: None,
    group: "api",
    targets: ["10.1.4.17:8080 healthy", "10.1.4.18:8080 healthy"],
    text: &[
        "failed DescribeServices",
        "account 999988887777",
        "Region eu-west-1",
        "no profile, the credentials of AWS_",
    ],
};

/// A target outside the VPC is deregistered only with the zone it was registered with.
const ZONE_ALL: Case = Case {
    event: "zone-all",
    world: "zone-all",
    settings: &[
        "--target-groups",
        "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/peer/0123456789abcdef",
    ],
    exit: 0,
    registration: Some(("10.1.4.17", 8080, "Deregistered")),
    group: "peer",
    targets: ["10.1.4.17:8080 draining", "10.1.4.18:8080 healthy"],
    text: &["verdict done"],
};

/// The rule sends to an SNS topic, and the topic to the queue, without raw message delivery.
const SNS_IN_SQS: Case = Case {
    event: "sns-in-sqs",
    world: "cluster-not-found",
    settings: &[],
    exit: 0,
    registration: Some(("10.1.4.17", 8080, "Deregistered")),
    group: "api",
    targets: ["10.1.4.17:8080 draining", "10.1.4.18:8080 healthy"],
    text: &["verdict done"],
};

impl Case {
    fn local(&self) -> LocalAws {
        let file = format!("{ROOT}/crates/localaws/tests/worlds/{}.json", self.world);
        LocalAws::spawn_thread(World::from_json(&std::fs::read_to_string(file).unwrap()).unwrap()).unwrap()
    }

    fn command(&self, local: &LocalAws, more: &[&str]) -> std::process::Command {
        let event = format!("crates/cli/tests/case-events/{}.json", self.event);
        let arguments = [&["drain", "--restamp", "--timeout", "10", &event][..], self.settings, more].concat();
        let mut command = against(local, &arguments);
        command.env("AWS_REGION", "eu-west-1");
        command
    }

    /// Runs the case twice, as JSON and as text, each time on a new local AWS.
    fn check(&self) {
        let local = self.local();
        let (code, report) = json(self.command(&local, &["--json"]));
        assert_eq!(code, self.exit, "{report}");
        let [notice] = report["notices"].as_array().unwrap().as_slice() else { panic!("one notice: {report}") };
        let rows = notice["registrations"].as_array().unwrap().iter();
        let rows: Vec<_> =
            rows.map(|row| (row["target"].as_str().unwrap(), row["port"].as_u64(), &row["outcome"])).collect();
        let expected = self.registration.iter();
        let expected: Vec<_> =
            expected.map(|(target, port, outcome)| (*target, Some(u64::from(*port)), *outcome)).collect();
        let rows: Vec<_> =
            rows.into_iter().map(|(target, port, outcome)| (target, port, outcome.as_str().unwrap())).collect();
        assert_eq!(rows, expected, "{report}");
        assert_eq!(self.targets(&local), self.targets);
        let (_, out, error) = run(self.command(&self.local(), &[]));
        let text = out + &error;
        assert!(self.text.iter().all(|part| text.contains(part)), "{text}");
    }

    fn targets(&self, local: &LocalAws) -> Vec<String> {
        let (now, group) = (local.now(), format!("{GROUPS}/{}/0123456789abcdef", self.group));
        let targets = local.world().targets(&group, now);
        targets.iter().map(|target| format!("{}:{} {}", target.id, target.port, target.state())).collect()
    }
}

#[test]
fn a_missing_cluster_is_a_failure_that_is_worth_retrying() {
    CLUSTER_NOT_FOUND.check();
}

#[test]
fn a_target_of_all_zones_is_deregistered_with_its_zone() {
    ZONE_ALL.check();
}

#[test]
fn an_event_in_an_sns_envelope_is_read_from_a_queue() {
    SNS_IN_SQS.check();
}

/// An unreadable `stoppingAt` is replaced by the event's own time.
#[test]
fn an_unreadable_stopping_at_is_a_warning_and_the_target_is_deregistered() {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let (code, out, error) = run(against(&local, &["drain", "--restamp", "events/stopping-at-unreadable.json"]));
    assert!(code == 0 && out.contains("warning ") && out.contains("Deregistered"), "{out}{error}");
}

/// A worker without a load balancer is normal, and the text says so.
#[test]
fn the_report_explains_why_a_task_without_a_service_has_no_target_group() {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let (code, out, _) = run(against(&local, &["drain", "--restamp", "events/standalone-task.json"]));
    assert!(code == 0 && out.contains("no target group, NoLoadBalancer: the task has no service"), "{out}");
}

#[test]
fn explain_and_drain_ignore_a_stopped_task_for_the_same_reason() {
    let event = "events/sqs-stopped-before-notice.json";
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let (_, explained) = json(spotdrain(&["explain", "--json", event]));
    let explained: Vec<_> = explained.as_array().unwrap().iter().map(|one| one["reason"].as_str()).collect();
    let (code, report) = json(against(&local, &["drain", "--restamp", "--json", event]));
    let drained: Vec<_> = report["ignored"].as_array().unwrap().iter().map(|one| one["reason"].as_str()).collect();
    assert_eq!((code, explained), (0, drained.clone()));
    assert_eq!(drained, [Some("AlreadyDown"); 2]);
}

#[test]
fn every_event_in_the_folder_has_a_case() {
    let all = [CLUSTER_NOT_FOUND, ZONE_ALL, SNS_IN_SQS].map(|case| format!("{}.json", case.event));
    let files = std::fs::read_dir(Path::new(ROOT).join("crates/cli/tests/case-events")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(files.into_iter().all(|file| all.contains(&file)), "{all:?}");
}

#[test]
fn a_notice_from_another_region_or_account_than_the_queues_is_an_error_that_names_both() {
    let local = CLUSTER_NOT_FOUND.local();
    let event = format!("{ROOT}/events/malformed/sqs-other-region.json");
    let (code, out, error) = run(against(&local, &["drain", "--restamp", &event]));
    let text = out + &error;
    assert_eq!(code, 65, "{text}");
    for side in ["account 123456789012 in eu-central-1", "account 210987654321 in us-east-1"] {
        assert!(text.contains(side), "{side}: {text}");
    }
    assert!(local.calls().is_empty(), "no call is made");
}
