//! What users expect of a command line: help, versions, and errors that appear quickly and name what to check.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::command::{against, json, run, spotdrain};
use spotdrain_localaws::{Action, CallResult, Fault, LocalAws, Scene};

const EVENT: &str = "events/spot-interruption.json";
/// Each command that calls AWS.
const CALLERS: [&[&str]; 4] = [
    &["plan", "--restamp", EVENT],
    &["drain", "--restamp", EVENT],
    &["doctor"],
    &["simulate", "--cluster", "demo", "--task", "c13b4cb40f1f4fe4a2971f76ae5a47ad"],
];

#[test]
fn help_is_also_a_command() {
    for arguments in [&["help"][..], &["help", "drain"]] {
        let (code, text, _) = run(spotdrain(arguments));
        assert!(code == 0 && text.contains("Usage: spotdrain"), "{text}");
    }
}

#[test]
fn the_version_names_the_commit() {
    let (code, text, _) = run(spotdrain(&["--version"]));
    let git = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit = git.ok().filter(|output| output.status.success());
    let commit =
        commit.map_or("unknown".to_owned(), |output| String::from_utf8(output.stdout).unwrap().trim().to_owned());
    assert_eq!((code, text), (0, format!("spotdrain {} (commit {commit})\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_event_needs_no_flag() {
    for arguments in [&["explain", EVENT][..], &["explain", "--event", EVENT]] {
        let (code, text, _) = run(spotdrain(arguments));
        assert!(code == 0 && text.contains("notice, a Spot interruption"), "{text}");
    }
    for arguments in [&["explain"][..], &["explain", EVENT, "--event", EVENT]] {
        assert_eq!(run(spotdrain(arguments)).0, 64, "{arguments:?}");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    for arguments in [&["explain", EVENT][..], &["explain", EVENT, "--json"], &["demo"], &["completions", "bash"]] {
        let (reader, closed) = std::io::pipe().unwrap();
        drop(reader);
        let output = spotdrain(arguments).stdout(closed).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), errors.as_str()), (Some(141), ""), "{arguments:?}");
    }
}

#[test]
fn a_plan_is_marked_as_a_dry_run() {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let plan = ["plan", "--restamp", EVENT];
    let (code, report) = json(against(&local, &[&plan[..], &["--json"]].concat()));
    assert_eq!((code, report["command"].as_str(), report["dry_run"].as_bool()), (0, Some("plan"), Some(true)));
    let (_, text, _) = run(against(&local, &plan));
    assert!(text.ends_with("plan 1 target would be deregistered (dry run: nothing was changed)\n"), "{text}");
    let (_, report) = json(against(&local, &["drain", "--restamp", "--json", EVENT]));
    assert_eq!((report["command"].as_str(), report["dry_run"].as_bool()), (Some("drain"), Some(false)));
}

#[test]
fn a_drain_in_observe_mode_reports_that_nothing_was_deregistered() {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let (_, text, _) = run(against(&local, &["drain", "--restamp", "--mode", "observe", EVENT]));
    assert!(text.ends_with("verdict done (mode observe: 1 planned, not deregistered)\n"), "{text}");
}

#[test]
fn empty_input_is_an_error_that_names_the_input() {
    let (code, _, error) = run(spotdrain(&["explain", "-"]));
    assert!(code == 65 && error.contains("standard input is empty: expected an EventBridge event"), "{error}");
    let (code, _, error) = run(spotdrain(&["explain", "/dev/null"]));
    assert!(code == 65 && error.contains("/dev/null is empty"), "{error}");
    let mut child = spotdrain(&["explain", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\": 7}").unwrap();
    let error = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
    assert!(error.contains("standard input, at "), "{error}");
}

/// A command with this configuration file.
fn configured(arguments: &[&str], name: &str, text: &str) -> Command {
    let file = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, text).unwrap();
    let mut command = spotdrain(arguments);
    command.env("AWS_CONFIG_FILE", file).env("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_REGION", "eu-central-1");
    command
}

#[test]
fn a_missing_profile_is_named() {
    for arguments in CALLERS {
        let text = "[profile other]\naws_access_key_id = a\naws_secret_access_key = b\n";
        let mut command = configured(arguments, "other.ini", text);
        command.env("AWS_PROFILE", "staging");
        let (code, _, error) = run(command);
        assert_eq!(code, 64, "{error}");
        assert!(error.contains("profile staging (AWS_PROFILE)") && error.contains("Region eu-central-1"), "{error}");
        assert!(error.contains("was not defined") && error.contains("aws configure list-profiles"), "{error}");
        let mut command = configured(arguments, "other.ini", text);
        command.env_remove("AWS_REGION").env("AWS_PROFILE", "staging");
        let (code, _, error) = run(command);
        assert!(code == 64 && error.contains("profile `staging` was not defined"), "without a Region: {error}");
        let mut command = configured(&[arguments, &["--profile", "nobody"]].concat(), "other.ini", text);
        command.env("AWS_ACCESS_KEY_ID", "k").env("AWS_SECRET_ACCESS_KEY", "s");
        let (code, _, error) = run(command);
        assert!(code == 64 && error.contains("profile nobody (--profile)"), "{error}");
    }
}

#[test]
fn a_profile_provides_credentials_and_region() {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let text = "[profile staging]\nregion = eu-central-1\naws_access_key_id = a\naws_secret_access_key = b\n";
    let mut command = configured(&["drain", "--restamp", "--json", "--profile", "staging", EVENT], "staging.ini", text);
    command.env_remove("AWS_REGION").env("AWS_ENDPOINT_URL", local.endpoint());
    assert_eq!(json(command).1["verdict"], "done");
}

#[test]
fn an_endpoint_that_does_not_answer_is_named_with_region_and_profile() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let text = "[profile staging]\naws_access_key_id = a\naws_secret_access_key = b\n";
    for arguments in CALLERS {
        let mut command = configured(&[arguments, &["--profile", "staging"]].concat(), "endpoint.ini", text);
        command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"));
        let (code, _, error) = run(command);
        assert_eq!(code, 75, "{error}");
        let expected = format!("cannot reach ECS at http://127.0.0.1:{port}: ");
        assert!(error.contains(&expected) && error.contains("Region eu-central-1, profile staging"), "{error}");
    }
}

#[test]
fn a_failure_names_region_credentials_and_endpoint() {
    let mut scene = Scene::demo();
    scene.world.add_fault(Fault::AccessDenied.on(Action::DescribeServices));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (code, _, error) = run(against(&local, &["drain", "--restamp", EVENT]));
    let endpoint = local.endpoint();
    let caller = format!("Region eu-central-1, no profile, the credentials of AWS_ACCESS_KEY_ID, endpoint {endpoint}");
    assert!(code == 1 && error.contains(&format!("note: AWS was called with {caller}")), "{error}");
    let (code, _, error) = run(against(&local, &["simulate", "--cluster", "nobody", "--task", "x"]));
    assert!(code == 1 && error.contains("Cluster not found") && error.contains(&caller), "{error}");
    let (code, _, error) = run(against(&local, &["doctor", "--cluster", "nobody"]));
    assert!(code == 1 && error.contains(&caller), "{error}");
}

#[test]
fn the_local_aws_answers_get_caller_identity_and_lists_its_actions() {
    let mut child = spotdrain(&["local"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let endpoint = lines.iter().find_map(|line| line.strip_prefix("export AWS_ENDPOINT_URL=http://")).unwrap();
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let form = "Content-Type: application/x-www-form-urlencoded";
    let mut stream = TcpStream::connect(endpoint).unwrap();
    let length = body.len();
    let head =
        format!("POST / HTTP/1.1\r\nHost: {endpoint}\r\nConnection: close\r\n{form}\r\nContent-Length: {length}\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.contains("<Account>123456789012</Account>"), "{answer}");
    for service in ["ECS: DescribeServices", "STS: GetCallerIdentity", "SQS: "] {
        assert!(lines.iter().any(|line| line.contains(service)), "{service}: {lines:?}");
    }
}

/// "Drill" means the test with traffic. A simulated notice comes from the simulator; only its default source has the old name.
#[test]
fn a_simulated_notice_comes_from_the_simulator() {
    let (_, help, _) = run(spotdrain(&["simulate", "--help"]));
    assert!(help.contains("simulator") && !help.replace("spotdrain.drill", "").contains("drill"), "{help}");
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let bus = [CALLERS[3], &["--bus", "default", "--for-real", "--yes"]].concat();
    assert_eq!(run(against(&local, &bus)).0, 0);
    let put =
        local.calls().into_iter().find(|call| call.action == "PutEvents" && call.answer == CallResult::Ok).unwrap();
    assert_eq!(put.targets, ["spotdrain.drill"]);
}
