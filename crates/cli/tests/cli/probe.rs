//! The probe, against `HAProxy` driven by the local AWS's target states, and against servers of the test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use spotdrain_drill::{
    Isolation, LoadBalancerModel, LoadBalancerType, Plan, Programs, Rig, RigSettings, Scenario, WhileDraining,
};
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, LocalAws, Service, State, Task, TaskStatus, World};

use crate::command::{against, json, run, spotdrain};
use crate::drill::{TRAFFIC, has_all};
use crate::validator::problems;

const PROGRAM: &str = env!("CARGO_BIN_EXE_spotdrain");
/// Simulated seconds in a real one. With `PROBE_SCALE=1` the blind test takes as long as on AWS: half an hour.
const SCALE: f64 = 20.0;
const TASK: &str = "00000000000000000000000000000001";

/// A load balancer whose delays are random, in simulated seconds.
fn random_balancer(random: &mut fastrand::Rng, unhealthy_while_draining: WhileDraining) -> LoadBalancerModel {
    LoadBalancerModel {
        kind: LoadBalancerType::Nlb,
        after_deregistration: 80.0 + 80.0 * random.f64(),
        after_unhealthy: 20.0 + 40.0 * random.f64(),
        unhealthy_while_draining,
        cuts_unhealthy: false,
        check_interval: 5.0,
        check_threshold: 2,
    }
}

fn plan(scale: f64, balancer: LoadBalancerModel) -> Plan {
    let (held_percent, held_seconds, event_delay) = (0, 30.0, 1.0);
    let (tagged, ecs_deregisters, stop_timeout, grace) = (false, None, 120.0, 10.0);
    let plan = Plan {
        scale,
        balancer,
        is_measured: false,
        rate: 100,
        tasks: 3,
        interrupted: 1,
        held_percent,
        held_seconds,
        event_delay,
        tagged,
        ecs_deregisters,
        stop_timeout,
        grace,
    };
    plan.check().unwrap()
}

/// Runs the probe with an experiment on the first task, and returns its result.
async fn measure(rig: &Rig<'_>, scale: f64, experiment: &str, file: &Path) -> Value {
    let (against, seconds) = (rig.frontend().to_string(), (200.0 / scale).ceil().to_string());
    let (fail, recover) = (format!("touch {}", file.display()), format!("rm {}", file.display()));
    let task = &rig.task_arns()[0];
    let mut arguments = vec!["probe", "--against", &against, "--target-group", rig.target_group(), "--task", task];
    arguments.extend(["--experiment", experiment, "--yes", "--before", "5", "--for", &seconds, "--rate", "100"]);
    arguments.extend(["--served-by", "x-served-by", "--server", "task-1", "--held-percent", "0", "--json"]);
    if experiment == "unhealthy" || experiment == "both" {
        arguments.extend(["--fail-command", &fail, "--recover-command", &recover]);
    }
    let mut command = tokio::process::Command::new(PROGRAM);
    command.args(arguments).env("AWS_ENDPOINT_URL", rig.endpoint()).env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local").stdin(Stdio::null());
    let output = tokio::select! {
        output = command.output() => output.unwrap(),
        stopped = rig.run() => panic!("{stopped:?}"),
        () = rig.stop_tasks() => unreachable!("it goes on without end"),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let result = serde_json::from_slice(&output.stdout).unwrap();
    assert_matches_the_schema(&result);
    result
}

fn assert_matches_the_schema(result: &Value) {
    let schema = serde_json::from_str(include_str!("../../../../docs/schema/probe-1.json")).unwrap();
    assert_eq!(problems(&schema, result), [""; 0]);
}

/// One blind experiment: the delay that the load balancer has, and the bounds that the probe found, in real seconds.
async fn blind(scale: f64, experiment: &str, balancer: LoadBalancerModel) -> Value {
    let scenario = if experiment == "deregister" || experiment == "stop" { Scenario::Nothing } else { Scenario::Hold };
    let programs = Programs::find(Path::new(PROGRAM), None, None, None, &[scenario]).unwrap();
    let folder = std::env::temp_dir().join(format!("spotdrain-test-probe-{}-{experiment}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let plan = plan(scale, balancer);
    let settings = RigSettings {
        scenario,
        plan: &plan,
        programs: &programs,
        isolation: Isolation::Shared,
        fail_health_in: Some(&folder),
    };
    let rig = Rig::start(settings).await.unwrap();
    let result = measure(&rig, scale, experiment, &folder.join("task-1")).await;
    std::fs::remove_dir_all(&folder).unwrap();
    result
}

fn bounds(result: &Value, name: &str) -> (f64, f64) {
    let of = |bound: &str| result["measured"][name][bound].as_f64().unwrap_or_else(|| panic!("{name}: {result}"));
    (of("at_least"), of("at_most"))
}

#[tokio::test]
async fn blind_the_probe_recovers_the_delays_of_the_load_balancer() {
    if !has_all("blind_the_probe_recovers_the_delays_of_the_load_balancer", true) {
        return;
    }
    let _alone = TRAFFIC.lock().await;
    let scale = std::env::var("PROBE_SCALE").map_or(SCALE, |text| text.parse().unwrap());
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    println!("seed {seed}, {scale} simulated seconds in a real one");
    let not = random_balancer(&mut random, WhileDraining::Not);
    for (experiment, name, truth) in [
        ("deregister", "after_deregistration", not.after_deregistration),
        ("unhealthy", "after_unhealthy", not.after_unhealthy),
        ("both", "after_deregistration_while_unhealthy", not.after_deregistration),
    ] {
        let (at_least, at_most) = bounds(&blind(scale, experiment, not).await, name);
        let truth = truth / scale;
        println!("{experiment:<11} is {truth:>7.2} s, measured {at_least:>7.2} to {at_most:>7.2} s");
        // The load balancer itself is up to 50 ms late: it looks at the targets every 25 ms.
        assert!(at_least <= truth + 0.05 && truth <= at_most + 0.05, "seed {seed}: {experiment}");
        assert!(at_most - at_least < 2.0, "seed {seed}: {experiment} is measured closely enough to be of use");
    }
    let sooner = LoadBalancerModel { unhealthy_while_draining: WhileDraining::Sooner, ..not };
    let (_, at_most) = bounds(&blind(scale, "both", sooner).await, "after_deregistration_while_unhealthy");
    println!(
        "both        ends sooner than {:>7.2} s, measured at most {at_most:>7.2} s",
        not.after_deregistration / scale
    );
    assert!(
        at_most < not.after_deregistration / scale,
        "seed {seed}: a draining target that is unhealthy is left sooner"
    );
}

#[tokio::test]
async fn a_stopped_task_loses_connections_and_is_not_registered_again() {
    if !has_all("a_stopped_task_loses_connections_and_is_not_registered_again", false) {
        return;
    }
    let _alone = TRAFFIC.lock().await;
    let balancer = random_balancer(&mut fastrand::Rng::with_seed(1), WhileDraining::Sooner);
    let result = blind(SCALE, "stop", balancer).await;
    assert!(result["reset"].as_u64().unwrap() > 0, "{}", result["total"]);
    assert_eq!(result["marks"][0]["text"], "StopTask");
    assert!(result["experiment"]["not_measured"].is_null());
}

/// A server that answers HTTP requests with its name, on a thread that ends with the test.
fn server(name: &str) -> String {
    answering(format!("HTTP/1.1 200 OK\r\nx-name: {name}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"))
}

/// A server that gives this answer to the first request of each connection, and closes it.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let answer = answer.clone();
            std::thread::spawn(move || {
                _ = stream.read(&mut [0; 1024]);
                _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    address
}

/// A local AWS with a group of `targets` healthy targets, each of a running task.
async fn cloud(targets: u8) -> (LocalAws, String, String) {
    let mut world = World::new();
    let group = world.add_group(Group::new("web", 80));
    world.add_service(Service::new("web", "app").load_balancer(LoadBalancer::new(&group, "app", 80)));
    for number in 1..=targets {
        let task = Task::new("web", &format!("{number:032x}")).service("app").address(&format!("10.0.0.{number}"));
        world.add_task_in(task, &group, State::Healthy, Duration::ZERO).unwrap();
    }
    let local = LocalAws::start(world).await.unwrap();
    (local, group, format!("arn:aws:ecs:eu-central-1:123456789012:task/web/{TASK}"))
}

/// The probe with a deregistration of the first target, which is named `10.0.0.1`.
fn deregister(local: &LocalAws, against_server: &str, group: &str, task: &str, more: &[&str]) -> Command {
    let mut arguments = vec!["probe", "--against", against_server, "--target-group", group, "--task", task];
    arguments.extend(["--experiment", "deregister", "--served-by", "x-name", "--before", "5"]);
    arguments.extend(more);
    against(local, &arguments)
}

fn calls(local: &LocalAws, action: Action) -> usize {
    local.calls().iter().filter(|call| call.action == action.name()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_healthy_target_is_refused_and_yes_does_not_imply_it() {
    let (local, group, task) = cloud(1).await;
    let server = server("10.0.0.1");
    let (code, _, err) = run(deregister(&local, &server, &group, &task, &["--yes"]));
    assert_eq!(code, 1);
    assert!(err.contains("the only healthy target of its group") && err.contains("--allow-last"), "{err}");
    assert_eq!(calls(&local, Action::DeregisterTargets), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_right_is_named_before_anything_is_changed() {
    let (local, group, task) = cloud(2).await;
    let server = server("10.0.0.1");
    for action in [Action::DescribeTargetHealth, Action::DescribeTasks, Action::RegisterTargets] {
        local.world().add_fault(Fault::AccessDenied.on(action));
        let (code, _, err) = run(deregister(&local, &server, &group, &task, &["--yes"]));
        assert_eq!(code, 1, "{err}");
        assert!(err.contains("nothing was changed") && err.contains(&action.to_string()), "{err}");
        local.world().clear_faults(None);
    }
    assert_eq!(calls(&local, Action::DeregisterTargets), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_confirmation_nothing_is_done() {
    let (local, group, task) = cloud(2).await;
    let (code, _, err) = run(deregister(&local, &server("10.0.0.1"), &group, &task, &[]));
    assert_eq!(code, 64);
    assert!(err.contains("undo: aws elbv2 register-targets") && err.contains("pass --yes"), "{err}");
    assert_eq!(calls(&local, Action::RegisterTargets), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_be_recognised_is_left_alone() {
    let (local, group, task) = cloud(2).await;
    let (code, _, err) = run(deregister(&local, &server("somebody"), &group, &task, &["--yes"]));
    assert_eq!(code, 1);
    assert!(err.contains("nothing was changed") && err.contains("(somebody)") && err.contains("--server"), "{err}");
    assert_eq!(calls(&local, Action::DeregisterTargets), 0);
}

/// Starts the probe, and waits until it has deregistered its target.
fn started(local: &LocalAws, mut command: Command) -> Child {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while calls(local, Action::DeregisterTargets) == 0 {
        assert!(Instant::now() < until, "no deregistration");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn interrupt(child: Child) -> (Option<i32>, String) {
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_registers_the_target_again() {
    let (local, group, task) = cloud(2).await;
    let command = deregister(&local, &server("10.0.0.1"), &group, &task, &["--yes"]);
    let (code, err) = interrupt(started(&local, command));
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("the target 10.0.0.1:80 is registered again"), "{err}");
    assert_eq!(calls(&local, Action::RegisterTargets), 2, "once to prove the right, once to undo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_gone_is_not_registered_again() {
    let (local, group, task) = cloud(2).await;
    let command = deregister(&local, &server("10.0.0.1"), &group, &task, &["--yes"]);
    let child = started(&local, command);
    let now = local.now();
    local.world().set_last_status(&task, TaskStatus::Stopped, now).unwrap();
    let (code, err) = interrupt(child);
    assert_eq!(code, Some(1));
    assert!(err.contains("the target 10.0.0.1:80 is not registered") && err.contains("STOPPED"), "{err}");
    assert_eq!(calls(&local, Action::RegisterTargets), 1);
}

#[test]
fn a_service_that_does_not_serve_now_is_not_probed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mail = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.write_all(b"220 mail\r\n").unwrap();
            // Reads the request: closing with unread data would reset the connection, perhaps before the client has read.
            _ = stream.read(&mut [0; 1024]);
        }
    });
    for (against, code, part) in [
        // Nobody listens there: a free port could be another test's by now.
        ("127.0.0.1:1", 75, "does not serve now"),
        (mail.as_str(), 75, "does not answer an HTTP request. If it speaks another protocol, pass --tcp"),
        ("no.such.host.invalid:80", 64, "Expected HOST:PORT"),
        ("127.0.0.1", 64, "Expected HOST:PORT"),
    ] {
        let (found, _, err) = run(spotdrain(&["probe", "--against", against]));
        assert_eq!(found, code, "{against}: {err}");
        assert!(err.contains(part), "{against}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_cannot_be_sampled_is_an_error_before_the_clients_start() {
    let (local, group, _) = cloud(1).await;
    local.world().add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth));
    let (code, out, err) = run(against(&local, &["probe", "--against", &server("a"), "--target-group", &group]));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("--target-group: ") && err.contains("DescribeTargetHealth"), "{err}");
}

#[test]
fn a_connection_that_http_1_0_ends_is_not_lost() {
    let _alone = TRAFFIC.blocking_lock();
    let server = answering("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned());
    let traffic = ["--for", "1", "--held-percent", "100", "--held-seconds", "1", "--json"];
    let (code, result) = json(spotdrain(&[&["probe", "--against", &server], &traffic[..]].concat()));
    let lost: Vec<_> = ["refused", "reset", "cut"].map(|loss| result[loss].as_u64().unwrap()).into();
    assert_eq!((code, lost), (0, vec![0, 0, 0]), "{result}");
}

#[test]
fn connections_that_this_machine_cannot_open_are_not_counted_as_lost() {
    let _alone = TRAFFIC.blocking_lock();
    let address = server("a");
    let probe =
        format!("ulimit -n 40; exec {PROGRAM} probe --against {address} --tcp --for 2 --held-percent 100 --json");
    let output = Command::new("sh").args(["-c", &probe]).stdin(Stdio::null()).output().unwrap();
    let (result, errors) =
        (serde_json::from_slice::<Value>(&output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_matches_the_schema(&result);
    assert!(output.status.code() == Some(1) && errors.contains("no file descriptor or port left"), "{errors}");
    assert!(result["not_opened"].as_u64().unwrap() > 0 && result["refused"] == 0, "{result}");
}

#[test]
fn an_experiment_needs_to_tell_the_targets_apart() {
    let group = "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/a/1";
    let arguments =
        ["probe", "--against", "127.0.0.1:1", "--target-group", group, "--task", "t", "--experiment", "deregister"];
    let (code, _, err) = run(spotdrain(&arguments));
    assert_eq!(code, 64);
    assert!(err.contains("needs --served-by"), "{err}");
}

#[test]
fn lines_and_times_mark_moments_and_the_page_has_them() {
    let page = std::env::temp_dir().join(format!("spotdrain-test-probe-{}.html", std::process::id()));
    let server = server("a");
    let mut command = spotdrain(&["probe", "--against", &server, "--for", "3", "--mark", "1=deployed", "--json"]);
    command.args(["--held-percent", "0", "--html"]).arg(&page).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"stopped here\n\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_matches_the_schema(&result);
    let texts: Vec<_> = result["marks"].as_array().unwrap().iter().map(|mark| mark["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["stopped here", "mark 2", "deployed"]);
    assert_eq!((&result["refused"], &result["reset"], &result["cut"]), (&0.into(), &0.into(), &0.into()));
    let written = std::fs::read_to_string(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    assert!(written.contains("nothing lost") && written.contains("deployed"), "{written}");
}

#[test]
fn a_probe_that_was_suspended_says_that_its_figures_are_not_valid() {
    let _alone = TRAFFIC.blocking_lock();
    let server = server("a");
    let mut command = spotdrain(&["probe", "--against", &server, "--for", "5", "--held-percent", "0"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    // The first line of progress: the clients have begun.
    messages.read_line(&mut String::new()).unwrap();
    let signal = |name: &str| Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    signal("-STOP");
    std::thread::sleep(Duration::from_millis(1500)); // the suspension itself
    signal("-CONT");
    let mut rest = String::new();
    messages.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let (_, after) = rest.split_once("the probe itself stood still for ").unwrap_or_else(|| panic!("{rest}"));
    let seconds: f64 = after.split(' ').next().unwrap().parse().unwrap();
    assert!(seconds >= 1.4, "{rest}");
}
