//! Every command's output, exit codes, and effects on the local AWS.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::command::{ROOT, against, json, run, spotdrain};
use serde_json::Value;
use spotdrain_localaws::{Action, Fault, LocalAws, Scene};

const SAMPLE: &str = include_str!("../../../../events/spot-interruption.json");

/// The targets of a group, as `id:port state`.
fn targets(local: &LocalAws, group: &str) -> Vec<String> {
    let now = local.now();
    let targets = local.world().targets(group, now);
    targets.iter().map(|target| format!("{}:{} {}", target.id, target.port, target.state())).collect()
}

fn samples(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(format!("{ROOT}/{folder}")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn explain_reads_every_sample() {
    for file in samples("events") {
        let (code, output, _) = run(spotdrain(&["explain", "--event", &file]));
        assert!(code == 0 && (output.contains("  result  ") || file.contains("empty")), "{file}: {output}");
        let (code, events) = json(spotdrain(&["explain", "--json", "--event", &file]));
        assert_eq!(code, 0, "{file}");
        for event in events.as_array().unwrap() {
            let fate = event["fate"].as_str().unwrap();
            assert!(fate == "notice" && event["reason"].is_null() || fate == "ignored" && event["reason"].is_string());
        }
    }
}

#[test]
fn explain_rejects_every_malformed_sample_with_the_path_of_the_error() {
    for file in samples("events/malformed") {
        let (code, _, error) = run(spotdrain(&["explain", "--event", &file]));
        assert!(code == 65 && error.contains(", at "), "{file}: {code} {error}");
    }
}

#[test]
fn explain_prints_a_notice_as_text() {
    let (_, output, _) = run(spotdrain(&["explain", "--event", "events/spot-interruption.json"]));
    let still: Vec<_> = output.lines().filter(|line| !line.starts_with("  interrupted")).collect();
    insta::assert_snapshot!(still.join("\n"));
}

#[test]
fn explain_reads_standard_input_and_the_scope() {
    let mut command = spotdrain(&["explain", "--event", "-", "--json", "--clusters", "other"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(SAMPLE.as_bytes()).unwrap();
    let output: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output[0]["reason"], "OutOfScope");
}

const DRAIN: [&str; 5] = ["drain", "--restamp", "--json", "--event", "events/spot-interruption.json"];

#[test]
fn drain_deregisters_only_the_interrupted_target_and_a_second_run_finds_it_draining() {
    let scene = Scene::demo();
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    for (verdict, state, outcome) in [("done", "healthy", "Deregistered"), ("nothing", "draining", "AlreadyDraining")] {
        let (code, report) = json(against(&local, &DRAIN));
        let row = &report["notices"][0]["registrations"][0];
        assert_eq!((code, report["verdict"].as_str()), (0, Some(verdict)));
        assert_eq!((row["target"].as_str(), row["port"].as_u64()), (Some("10.0.2.21"), Some(5044)));
        assert_eq!((row["target_group"].as_str(), row["state"].as_str()), (Some(scene.group.as_str()), Some(state)));
        assert_eq!(row["outcome"], outcome);
    }
    let drained = targets(&local, &scene.group).into_iter().filter(|target| !target.ends_with(" healthy"));
    assert_eq!(drained.collect::<Vec<_>>(), ["10.0.2.21:5044 draining"]);
}

#[test]
fn without_a_custom_endpoint_a_restamped_event_is_handled_only_if_the_task_still_has_the_address() {
    let scene = Scene::demo();
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    local.world().remove_task(&scene.spot[0]).unwrap();
    let mut command = spotdrain(&DRAIN);
    for service in ["ECS", "ELASTIC_LOAD_BALANCING_V2"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), local.endpoint());
    }
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    let (code, report) = json(command);
    // The event is restamped, so ECS should know the task: a retryable failure.
    assert_eq!((code, &report["notices"][0]["registrations"][0]["outcome"]), (75, &"Failed".into()));
    assert!(targets(&local, &scene.group).iter().all(|target| target.ends_with(" healthy")));
}

#[test]
fn plan_and_observe_change_nothing() {
    let scene = Scene::demo();
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let plan = ["plan", "--restamp", "--json", "--event", "events/sqs-batch.json"];
    let (code, report) = json(against(&local, &plan));
    assert_eq!((code, &report["notices"][1]["registrations"][0]["outcome"]), (0, &"WouldDeregister".into()));
    let observe = [&DRAIN[..], &["--mode", "observe"]].concat();
    assert_eq!(json(against(&local, &observe)).1["verdict"], "done");
    assert!(targets(&local, &scene.group).iter().all(|target| target.ends_with(" healthy")));
}

#[test]
fn the_exit_code_shows_whether_a_retry_may_succeed() {
    let event = ["drain", "--restamp", "--timeout", "5", "--event", "events/spot-interruption.json"];
    for (fault, expected) in [(Fault::Hang, 75), (Fault::AccessDenied, 1)] {
        let mut scene = Scene::demo();
        scene.world.add_fault(fault.on(Action::DescribeServices));
        let local = LocalAws::spawn_thread(scene.world).unwrap();
        let (code, output, _) = run(against(&local, &event));
        assert!(code == expected && output.contains("failed DescribeServices: "), "{code}: {output}");
    }
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let bad = ["drain", "--event", "events/malformed/sqs-batch-one-bad.json"];
    assert_eq!(run(against(&local, &bad)).0, 65);
    for wrong in [&["drain"][..], &["drain", "--event", "x", "--mode", "on"], &["nonsense"], &["plan", "--port"]] {
        assert_eq!(run(spotdrain(wrong)).0, 64, "{wrong:?}");
    }
    let (code, _, error) = run(spotdrain(&["drain", "--event", "no-such-file"]));
    assert!(code == 65 && error.contains("cannot read no-such-file"), "{error}");
}

#[test]
fn without_credentials_the_error_names_what_to_set() {
    let mut command = spotdrain(&["drain", "--restamp", "--timeout", "5", "--event", "events/spot-interruption.json"]);
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    let (code, _, error) = run(command);
    assert!(code == 64 && error.contains("no AWS credentials: set AWS_PROFILE"), "{code}: {error}");
    assert!(error.contains("(Region eu-central-1, no profile set, the default credentials)"), "{error}");
}

#[test]
fn the_demo_ends_with_the_target_draining_and_prints_no_colours_to_a_pipe() {
    let (code, output, _) = run(spotdrain(&["demo"]));
    assert!(code == 0 && output.contains("10.0.2.21:5044  FARGATE_SPOT  healthy  draining\n"), "{output}");
    assert!(output.contains("Verdict done: ") && !output.contains('\x1b'), "{output}");
    let (_, demo) = json(spotdrain(&["demo", "--json"]));
    assert_eq!((&demo["verdict"], &demo["drained"]), (&"done".into(), &true.into()));
}

#[test]
fn the_local_aws_prints_how_to_use_it_and_stops_on_sigterm() {
    let mut child = spotdrain(&["local"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let exports: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let variables = exports.iter().filter_map(|line| line.strip_prefix("export "));
    let variables: Vec<_> =
        variables.flat_map(|line| line.split(' ')).filter_map(|pair| pair.split_once('=')).collect();
    let mut drain = spotdrain(&DRAIN);
    drain.envs(variables);
    assert_eq!(json(drain).1["verdict"], "done");
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!((child.wait().unwrap().code(), lines.last().as_deref()), (Some(0), Some("stopped")));
}

#[test]
fn a_completion_script_is_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(spotdrain(&["completions", shell]));
        assert!(code == 0 && script.contains("restamp"), "{shell}");
    }
}

#[test]
fn help_texts() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_drain", &["drain", "--help"]),
        ("help_drill", &["drill", "-h"]),
        ("help_local", &["local", "-h"]),
    ] {
        let (code, help, _) = run(spotdrain(arguments));
        assert_eq!(code, 0);
        insta::assert_snapshot!(name, help);
    }
}
