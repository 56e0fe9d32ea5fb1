//! `spotdrain simulate` as a process: the event, where it goes, and that nothing happens before a yes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

mod common {
    pub(crate) mod command;
}

use std::io::Write as _;
use std::process::{Command, Stdio};

use common::command::{ROOT, against, json, run};
use serde_json::json;
use spotdrain_localaws::{CallAnswer, LocalAws, Scene, State};

const TASK: &str = "c13b4cb40f1f4fe4a2971f76ae5a47ad";
const SIMULATE: [&str; 5] = ["simulate", "--cluster", "demo", "--task", TASK];

fn local() -> (LocalAws, String) {
    let mut scene = Scene::demo();
    scene.world.add_function(json!({"FunctionName": "spotdrain", "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:spotdrain"}));
    (LocalAws::spawn_thread(scene.world).unwrap(), scene.group)
}

fn state(local: &LocalAws, group: &str) -> Option<State> {
    let now = local.now();
    local.world().state(group, ("10.0.2.21", 5044), now)
}

fn asked(local: &LocalAws, action: &str) -> Vec<(Option<String>, Vec<String>)> {
    let calls = local.calls().into_iter().filter(|call| call.action == action && call.answer == CallAnswer::Ok);
    calls.map(|call| (call.resource, call.targets)).collect()
}

#[test]
fn without_more_it_prints_the_event_and_explain_reads_it_as_a_notice() {
    let (local, group) = local();
    let (code, event) = json(against(&local, &SIMULATE));
    assert_eq!(
        (code, event["source"].as_str(), event["detail"]["stopCode"].as_str()),
        (0, Some("aws.ecs"), Some("SpotInterruption"))
    );
    assert_eq!(event["detail"]["attachments"][0]["type"], "eni");
    let file = format!("{}/simulated.json", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, event.to_string()).unwrap();
    let (_, output) = json(against(&local, &["explain", "--json", "--event", &file]));
    assert_eq!((&output[0]["fate"], &output[0]["addresses"]), (&json!("notice"), &json!(["10.0.2.21"])));
    assert_eq!(state(&local, &group), Some(State::Healthy));
}

#[test]
fn nothing_is_done_without_for_real_nor_without_a_yes() {
    let (local, group) = local();
    for way in [vec!["--here"], vec!["--bus", "simulator"], vec!["--invoke", "spotdrain"]] {
        let (code, output, _) = run(against(&local, &[&SIMULATE[..], &way].concat()));
        assert!(code == 0 && output.contains("dry run: would "), "{output}");
        let (code, _, error) = run(against(&local, &[&SIMULATE[..], &way, &["--for-real"]].concat()));
        assert!(code == 64 && error.contains("not a terminal: pass --yes to confirm"), "{error}");
    }
    let done = ["DeregisterTargets", "PutEvents", "Invoke"].map(|action| asked(&local, action).len());
    assert_eq!((done, state(&local, &group)), ([0, 0, 0], Some(State::Healthy)));
}

/// `--here --for-real` on a terminal, script(1)'s, before which a person types this and then ends the input (Ctrl-D).
fn typed(local: &LocalAws, typed: &str) -> (i32, String) {
    let inner = against(local, &[&SIMULATE[..], &["--here", "--for-real"]].concat());
    let words = std::iter::once(inner.get_program()).chain(inner.get_args());
    let line: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut terminal = Command::new("script");
    terminal.args(["-qefc", &line.join(" "), "/dev/null"]).current_dir(ROOT).env_clear();
    terminal.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let terminal = terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut terminal = terminal.unwrap_or_else(|error| panic!("script(1) of util-linux: {error}"));
    terminal.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = terminal.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn on_a_terminal_it_asks_and_a_yes_takes_the_target_out() {
    let (local, group) = local();
    let (code, output) = typed(&local, "yes\n");
    assert!(code == 0 && output.contains("This will handle the event here"), "{code} {output}");
    assert!(output.contains(&format!("task {TASK} of service:logstash is removed from its target groups")), "{output}");
    assert!(
        output.contains("Type yes to continue: ")
            && output.contains("to register it again: aws elbv2 register-targets"),
        "{output}"
    );
    assert_eq!(asked(&local, "DeregisterTargets"), [(Some(group.clone()), vec!["10.0.2.21:5044".to_owned()])]);
    assert_eq!(state(&local, &group), Some(State::Draining));
}

#[test]
fn any_other_answer_and_the_end_of_the_input_change_nothing() {
    let (local, group) = local();
    for answer in ["no\n", "\n", "y\n", "YES\n", "yes please\n", ""] {
        let (code, output) = typed(&local, answer);
        assert!(code == 0 && output.contains("Type yes to continue: "), "{answer:?}: {code} {output}");
        assert!(output.trim_end().ends_with("nothing was done"), "{answer:?}: {output}");
    }
    let (_, output) = typed(&local, "");
    assert!(
        output.contains("Type yes to continue: \r\nnothing was done"),
        "the line of the question is ended: {output:?}"
    );
    assert_eq!((asked(&local, "DeregisterTargets").len(), state(&local, &group)), (0, Some(State::Healthy)));
}

#[test]
fn handled_here_the_target_goes_and_the_way_back_is_told() {
    let (local, group) = local();
    let (code, output, _) = run(against(&local, &[&SIMULATE[..], &["--here", "--for-real", "--yes"]].concat()));
    assert!(code == 0 && output.contains("verdict done"), "{output}");
    assert!(
        output.contains(&format!("register-targets --target-group-arn {group} --targets Id=10.0.2.21,Port=5044")),
        "{output}"
    );
    assert_eq!(state(&local, &group), Some(State::Draining));
}

#[test]
fn it_is_sent_from_the_simulators_source_or_given_to_the_function() {
    let (local, _) = local();
    let for_real = ["--for-real", "--yes"];
    let bus = [&SIMULATE[..], &["--bus", "simulator"], &for_real].concat();
    let (code, output, _) = run(against(&local, &bus));
    assert!(code == 0 && output.contains("sent to bus simulator"), "{output}");
    assert_eq!(asked(&local, "PutEvents"), [(Some("simulator".to_owned()), vec!["spotdrain.drill".to_owned()])]);
    let (code, output, _) = run(against(&local, &[&SIMULATE[..], &["--invoke", "spotdrain"], &for_real].concat()));
    assert!(code == 0 && output.contains("the function answered null"), "{output}");
    let (code, _, error) = run(against(&local, &[&bus[..], &["--source", "aws.ecs"]].concat()));
    assert!(code == 1 && error.contains("NotAuthorizedForSourceException"), "{error}");
}

#[test]
fn only_a_running_task_gets_a_notice() {
    let (local, _) = local();
    let missing = ["simulate", "--cluster", "demo", "--task", "00000000000000000000000000000000"];
    let (code, _, error) = run(against(&local, &missing));
    assert!(code == 1 && error.contains("there is no task 0000"), "{error}");
    let (code, _, error) = run(against(&local, &["simulate", "--cluster", "nobody", "--task", TASK]));
    assert!(code == 1 && error.contains("Cluster not found"), "{error}");
}
