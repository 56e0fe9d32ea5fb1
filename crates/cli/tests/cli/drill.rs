//! The drill, with live traffic. Without `HAProxy` these tests print that they are skipped.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::schemas::checked::Checked;

const PROGRAM: &str = env!("CARGO_BIN_EXE_spotdrain");
const DOCUMENT: &str = include_str!("../../../../docs/drill.md");
/// A small drill: seven seconds for a run.
const SMALL: [&str; 5] = ["drill", "--scale", "20", "--rate", "50"];

fn drill(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = drill(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Traffic that several tests make at once would slow all of them down: their clients would stand still, and the runs fail.
pub(crate) static TRAFFIC: Mutex<()> = Mutex::const_new(());

/// Returns whether the programs that a test needs are installed, and prints which one is missing.
pub(crate) fn has_all(test: &str, needs_hold: bool) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders = path.split(':').chain(["/usr/sbin", "/usr/local/sbin"]);
    let has_haproxy = folders.any(|folder| Path::new(folder).join("haproxy").exists());
    let has_hold = Path::new(PROGRAM).with_file_name("spotdrain-hold").exists();
    if !has_haproxy {
        println!("skipped: {test}: haproxy is not installed (apt-get install haproxy)");
    } else if needs_hold && !has_hold {
        println!("skipped: {test}: spotdrain-hold is not built (cargo build -p spotdrain-hold)");
    }
    has_haproxy && (has_hold || !needs_hold)
}

/// Returns the figures of the first run. What the drill printed must match its schema.
fn figures(arguments: &[&str]) -> Value {
    let (code, out, err) = run(&[&SMALL[..], arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{err}");
    let result: Value = serde_json::from_str(&out).unwrap();
    let mut schema = Checked::new("drill-1.json");
    schema.check(&result);
    schema.assert_complete_but_for(&[]);
    result["runs"][0].clone()
}

fn assert_nothing_is_lost(run: &Value) {
    for loss in ["refused", "reset", "cut"] {
        assert_eq!(run[loss], 0, "{run}");
    }
    assert!(run["opened"].as_u64().unwrap() > 200, "{run}");
    for task in run["interrupted"].as_array().unwrap() {
        assert!(task["unhealthy"].is_f64() && task["last_new"].is_f64(), "{task}");
        assert!(
            task["last_new"].as_f64() < task["told"].as_f64(),
            "SIGTERM is passed on after the last new connection: {task}"
        );
    }
}

#[test]
fn with_both_no_connection_is_lost_under_either_assumption_about_draining_targets() {
    if !has_all("with_both_no_connection_is_lost_under_either_assumption_about_draining_targets", true) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    for assumption in ["sooner", "not"] {
        let run = figures(&["--only", "both", "--draining-unhealthy", assumption]);
        assert_nothing_is_lost(&run);
        let left = run["interrupted"].as_array().unwrap().iter().all(|task| task["deregistered"].is_null());
        assert!(left, "the function leaves the targets to the hold: {run}");
    }
}

#[test]
fn without_the_tag_the_function_deregisters_a_held_task() {
    if !has_all("without_the_tag_the_function_deregisters_a_held_task", true) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let run = figures(&["--only", "both", "--tag", "none"]);
    assert_nothing_is_lost(&run);
    assert!(run["interrupted"].as_array().unwrap().iter().all(|task| task["deregistered"].is_f64()), "{run}");
}

#[test]
fn without_anything_connections_are_refused_until_the_load_balancer_stops_routing() {
    if !has_all("without_anything_connections_are_refused_until_the_load_balancer_stops_routing", false) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let page = std::env::temp_dir().join(format!("spotdrain-test-drill-{}.html", std::process::id()));
    let run = figures(&["--only", "nothing", "--report", &page.to_string_lossy()]);
    assert!(run["refused"].as_u64().unwrap() > 0, "{run}");
    assert_eq!(run["interrupted"].as_array().unwrap().len(), 2);
    let written = std::fs::read_to_string(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    assert!(written.contains("<svg") && written.contains("connections lost") && !written.contains("http"));
}

/// A running drill, its further messages, and all its descendant processes.
fn running_drill() -> (Child, BufReader<ChildStderr>, Vec<u32>) {
    let mut process = drill(&[&SMALL[..], &["--only", "hold"]].concat()).spawn().unwrap();
    let mut messages = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(" s of ") {
        line.clear();
        assert!(messages.read_line(&mut line).unwrap() > 0, "the drill ended before its first run");
    }
    let below = descendants(process.id());
    assert!(below.len() >= 13, "six tasks with their holds, and the load balancer: {below:?}");
    (process, messages, below)
}

#[test]
fn the_runs_before_one_that_was_suspended_are_kept() {
    if !has_all("the_runs_before_one_that_was_suspended_are_kept", false) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let mut process = drill(&[&SMALL[..], &["--only", "nothing", "--repeat", "2", "--json"]].concat()).spawn().unwrap();
    let mut messages = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !(line.starts_with("2/2") && line.contains(" s of ")) {
        line.clear();
        assert!(messages.read_line(&mut line).unwrap() > 0, "the drill ended before its second run");
    }
    let name = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let own = descendants(process.id()).into_iter().chain([process.id()]).filter(|pid| name(pid) == "spotdrain\n");
    let own: Vec<_> = own.map(|pid| pid.to_string()).collect();
    let signal = |signal: &str| assert!(Command::new("kill").arg(signal).args(&own).status().unwrap().success());
    signal("-STOP");
    std::thread::sleep(Duration::from_millis(1500)); // the suspension itself
    signal("-CONT");
    let (mut rest, mut json) = (String::new(), String::new());
    messages.read_to_string(&mut rest).unwrap();
    process.stdout.take().unwrap().read_to_string(&mut json).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(1));
    assert!(rest.contains("stood still"), "{rest}");
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_drill_that_is_stopped_leaves_nothing_behind() {
    if !has_all("a_drill_that_is_stopped_leaves_nothing_behind", true) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let (mut process, mut messages, below) = running_drill();
    Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(1));
    let mut rest = String::new();
    messages.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted: everything was stopped"), "{rest}");
    assert!(below.into_iter().all(|pid| !is_running(pid)));
}

#[test]
fn a_drill_that_is_killed_leaves_nothing_behind() {
    if !has_all("a_drill_that_is_killed_leaves_nothing_behind", true) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let (mut process, _messages, below) = running_drill();
    process.kill().unwrap();
    process.wait().unwrap();
    // The kernel and the drill's watcher end the processes a moment later, and nothing signals that to this process.
    let until = Instant::now() + Duration::from_secs(20);
    while below.iter().any(|pid| is_running(*pid)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<_> = below.into_iter().filter(|pid| is_running(*pid)).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn descendants(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    children.iter().flat_map(|child| descendants(*child)).chain(children.iter().copied()).collect()
}

/// Returns whether a process is running. A zombie is not.
fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn the_users_own_application_is_held_too() {
    if !has_all("the_users_own_application_is_held_too", true) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let program = Path::new(PROGRAM).with_file_name("spotdrain-drill-app");
    let app = format!("{} --name own --address 0.0.0.0:8123 --grace 1 >/dev/null", program.display());
    let (code, out, err) =
        run(&[&SMALL[..], &["--only", "nothing,hold", "--app", &app, "--port", "8123", "--json"]].concat());
    if err.contains("--app needs network namespaces") {
        println!("skipped: the_users_own_application_is_held_too: network namespaces are unavailable");
        return;
    }
    assert_eq!(code, 0, "{err}");
    let runs = serde_json::from_str::<Value>(&out).unwrap()["runs"].clone();
    assert!(runs[0]["refused"].as_u64().unwrap() > 0, "{runs}");
    assert_nothing_is_lost(&runs[1]);
}

#[test]
fn a_missing_program_is_an_error_that_says_how_to_install_it() {
    let (code, _, err) = run(&["drill", "--haproxy", "/nowhere/haproxy"]);
    assert_eq!(code, 1);
    assert!(err.contains("/nowhere/haproxy not found") && err.contains("apt-get install haproxy"), "{err}");
    let (code, _, err) = run(&["drill", "--haproxy", PROGRAM, "--hold", "/nowhere/hold"]);
    assert_eq!(code, 1);
    assert!(err.contains("/nowhere/hold not found") && err.contains("cargo build -p spotdrain-hold"), "{err}");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error_before_the_drill() {
    if !has_all("a_report_that_cannot_be_written_is_an_error_before_the_drill", false) {
        return;
    }
    let _alone = TRAFFIC.blocking_lock();
    let (code, _, err) = run(&["drill", "--only", "nothing", "--report", "/nowhere/drill.html"]);
    assert_eq!(code, 1);
    assert!(err.contains("cannot write /nowhere/drill.html") && !err.contains(" s of "), "{err}");
}

#[test]
fn an_invalid_plan_is_rejected_with_every_problem() {
    let (code, _, err) = run(&["drill", "--scale", "100", "--interrupted", "9"]);
    assert_eq!(code, 64);
    assert!(err.contains("--scale: from 1 to 20") && err.contains("--interrupted: at least 1"), "{err}");
}

/// The flag and the default in every row of the document's tables.
fn documented() -> BTreeSet<(String, String)> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `--"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let flag = cells.next().unwrap().trim_matches('`').to_owned();
        (flag, cells.next().unwrap().to_owned())
    })
    .collect()
}

#[test]
fn the_document_has_every_flag_with_its_default() {
    let (_, help, _) = run(&["drill", "-h"]);
    let lines: Vec<_> = help.split("\n      --").skip(1).collect();
    let documented = documented();
    let flags: BTreeSet<_> = lines.iter().filter_map(|line| line.split_whitespace().next()).collect();
    let known: BTreeSet<_> = documented.iter().map(|(flag, _)| flag.trim_start_matches("--")).collect();
    assert_eq!(flags, known);
    for (flag, default) in documented.iter().filter(|(_, default)| default != "none") {
        let line = lines.iter().find(|line| line.starts_with(flag.trim_start_matches("--"))).unwrap();
        let output = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(output.contains(&format!("[default: {default}]")), "{flag}: {output}");
    }
}
