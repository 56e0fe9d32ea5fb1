//! The commands and the URL of the stop signal, the quiet command, and what happens when they fail, hang or print too much.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{HOLD, Running, connect, descendants, isolated, test_app, until};

const QUICK: [&str; 6] = ["--quiet", "0.2", "--min-hold", "0", "--max-hold", "15"];

fn hold(options: &[&str]) -> Running {
    let mut command = Command::new(HOLD);
    command.args(QUICK).args(options).args(["--", &test_app()]);
    let mut running = Running::start(&mut command);
    running.wait_print("ready");
    running
}

fn shell(script: &str) -> String {
    json!(["sh", "-c", script]).to_string()
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("hold-{}-{name}", std::process::id()))
}

fn stopped(options: &[&str]) -> (Running, Value) {
    let mut running = hold(options);
    running.send("TERM");
    let forward = running.wait_step("forward");
    assert_eq!(running.end().0, 0);
    (running, forward)
}

fn on_stop(options: &[&str]) -> Value {
    let (mut running, _) = stopped(&[&["--port", "1"], options].concat());
    running.wait_step("on_stop")
}

#[test]
fn the_command_of_the_stop_signal_runs_once_and_knows_what_is_left() {
    let heard = file("heard");
    let script = shell(&format!("echo $SPOTDRAIN_SECONDS_LEFT $SPOTDRAIN_APPLICATION_PID >>{}", heard.display()));
    let (mut running, forward) = stopped(&["--port", "1", "--on-stop", &script]);
    let done = running.wait_step("on_stop");
    assert_eq!(
        (&done["command"], &done["succeeded"], &done["result"]),
        (&"sh".into(), &true.into(), &"exit code 0".into())
    );
    assert_eq!(std::fs::read_to_string(&heard).unwrap(), format!("15 {}\n", running.child()));
    assert_eq!((&forward["reason"], &forward["work_in_progress"]), (&"quiet".into(), &false.into()));
    std::fs::remove_file(heard).unwrap();
}

#[test]
fn the_stop_signal_is_not_forwarded_while_the_command_runs() {
    let done = file("done");
    let script = shell(&format!("while [ ! -e {} ]; do sleep 0.05; done", done.display()));
    let mut running = hold(&["--port", "1", "--on-stop", &script]);
    running.send("TERM");
    running.wait_step("holding");
    // Longer than the quiet time: that the signal is not forwarded has no event to wait for.
    thread::sleep(Duration::from_secs(1));
    assert!(!running.printed_by_now().iter().any(|line| line.starts_with("signal")));
    std::fs::write(&done, "").unwrap();
    assert_eq!(running.wait_step("forward")["reason"], "quiet");
    assert_eq!(running.end().0, 0);
    std::fs::remove_file(done).unwrap();
}

#[test]
fn a_failure_is_logged_with_the_end_of_the_output() {
    let failed = on_stop(&["--on-stop", &shell("echo first; yes xxxxxxxxx | head -c 5000; echo last >&2; exit 3")]);
    assert_eq!((&failed["succeeded"], &failed["result"]), (&false.into(), &"exit code 3".into()));
    let output = failed["output"].as_str().unwrap();
    assert!(output.ends_with("last") && !output.contains("first") && output.len() <= 1000, "{output}");
    assert_eq!(on_stop(&["--on-stop", &shell("kill -SEGV $$")])["result"], "ended by signal 11");
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children() {
    let options = ["--on-stop", &shell("sleep 77 & sleep 78"), "--on-stop-timeout", "0.5"];
    let mut running = hold(&[&["--port", "1"], &options[..]].concat());
    running.send("TERM");
    let failed = running.wait_step("on_stop");
    assert_eq!((&failed["succeeded"], &failed["result"]), (&false.into(), &"killed: its time was up".into()));
    until("only the application is left", || descendants(running.pid()).len() == 1);
    assert_eq!(running.wait_step("forward")["reason"], "quiet");
    assert_eq!(running.end().0, 0);
}

#[test]
fn a_second_stop_signal_does_not_wait_for_the_command() {
    let mut running = hold(&["--port", "1", "--on-stop", "sleep 79"]);
    running.send("TERM");
    running.wait_step("holding");
    running.send("TERM");
    assert_eq!(running.wait_step("forward")["reason"], "second_signal");
    assert_eq!(running.end().0, 0);
}

#[test]
fn a_command_that_prints_without_end_delays_nothing() {
    let mut running = hold(&["--port", "1", "--on-stop", "yes"]);
    running.send("TERM");
    let failed = running.wait_step("on_stop");
    assert_eq!(failed["result"], "ended by signal 13", "SIGPIPE, because its output was closed: {failed}");
    assert_eq!(running.wait_step("forward")["reason"], "quiet");
    assert_eq!(running.end().0, 0);
}

#[test]
fn the_url_of_the_stop_signal_is_requested() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/drain?now=1", server.local_addr().unwrap());
    let requested = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(request[..length].to_vec()).unwrap()
    });
    let done = on_stop(&["--on-stop-url", &url]);
    assert_eq!(
        (&done["command"], &done["succeeded"], &done["result"]),
        (&url.into(), &true.into(), &"answers 202".into())
    );
    assert!(requested.join().unwrap().starts_with("GET /drain?now=1 HTTP/1.1\r\n"));
}

#[test]
fn a_url_that_is_gone_or_never_answers_is_logged() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let late = on_stop(&["--on-stop-url", &url, "--on-stop-timeout", "0.5"]);
    assert_eq!((&late["succeeded"], &late["result"]), (&false.into(), &"no answer: its time was up".into()));
    assert_eq!(on_stop(&["--on-stop-url", "http://127.0.0.1:1/"])["result"], "connection refused");
}

#[test]
fn without_a_port_the_quiet_command_decides() {
    let busy = file("busy");
    std::fs::write(&busy, "").unwrap();
    let script = shell(&format!("test ! -e {}", busy.display()));
    let mut running = hold(&["--quiet-command", &script]);
    running.send("TERM");
    running.wait_step("holding");
    // Longer than the quiet time: that the signal is not forwarded has no event to wait for.
    thread::sleep(Duration::from_secs(2));
    assert!(!running.printed_by_now().iter().any(|line| line.starts_with("signal")));
    std::fs::remove_file(busy).unwrap();
    let forward = running.wait_step("forward");
    assert_eq!((&forward["reason"], &forward["work_in_progress"]), (&"quiet".into(), &false.into()));
    assert_eq!(running.end().0, 0);
}

#[test]
fn both_the_quiet_command_and_the_connections_must_be_quiet() {
    isolated(|| {
        let mut command = Command::new(HOLD);
        command.args(QUICK).args(["--port", "5044", "--quiet-command", "true", "--", &test_app(), "serve", "5044"]);
        let mut running = Running::start(&mut command);
        running.wait_print("ready");
        let open = connect("127.0.0.1:5044");
        running.send("TERM");
        running.wait_step("holding");
        // Longer than the quiet time: that the signal is not forwarded has no event to wait for.
        thread::sleep(Duration::from_secs(2));
        assert!(!running.printed_by_now().iter().any(|line| line.starts_with("signal")));
        drop(open);
        assert_eq!(running.wait_step("forward")["reason"], "quiet");
    });
}

#[test]
fn a_quiet_command_that_hangs_or_breaks_counts_as_work_and_is_warned_of_once() {
    let (hangs, breaks) = (shell("exec sleep 80"), shell("echo no such queue; exit 127"));
    for (script, problem) in [(hangs, "killed: its time was up"), (breaks, "exit code 127: no such queue")] {
        let mut command = Command::new(HOLD);
        command.args(["--quiet", "0", "--min-hold", "0", "--max-hold", "4", "--quiet-command-timeout", "0.5"]);
        let mut running = Running::start(command.args(["--quiet-command", &script, "--", &test_app()]));
        running.wait_print("ready");
        running.send("TERM");
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], &forward["work_in_progress"]), (&"max_hold".into(), &true.into()));
        assert_eq!(running.end().0, 0);
        let warnings: Vec<_> = running.log_lines.iter().filter(|line| line["step"] == "warning").collect();
        assert!(warnings.len() == 1 && warnings[0]["text"].as_str().unwrap().ends_with(problem), "{warnings:?}");
    }
}
