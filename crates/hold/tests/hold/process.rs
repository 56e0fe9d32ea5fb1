//! The hold as a first process: signals, orphans, exit codes, with and without a terminal.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use crate::common::{HOLD, Running, descendants, hold_test_app, namespace, signal_to, test_app, until, wait};

fn hold(arguments: &[&str]) -> Running {
    Running::start(Command::new(HOLD).args(arguments))
}

fn shell(script: &str) -> Running {
    hold(&["--port", "1", "--", "sh", "-c", script])
}

#[test]
fn every_signal_is_passed_on_and_the_stop_signal_is_not() {
    let mut running = hold_test_app("--port 1 --max-hold 20", "end 64 3");
    let passed_on = [1, 2, 3, 6, 10, 12, 14, 16, 18, 20, 23, 24, 25, 26, 27, 28, 29, 30, 31, 35, 37, 50, 63];
    running.send("15");
    running.wait_step("stopping");
    for signal in passed_on {
        running.send(&signal.to_string());
        running.wait_print(&format!("signal {signal}"));
    }
    running.send("64");
    assert_eq!(running.end().0, 3);
    let expected: BTreeSet<_> = passed_on.iter().chain(&[64]).map(|signal| format!("signal {signal}")).collect();
    let printed: BTreeSet<_> = running.printed.iter().filter(|line| line.starts_with("signal")).cloned().collect();
    assert_eq!(printed, expected, "each once, and no other");
}

#[test]
fn it_ends_as_the_application_ends() {
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        let (found, last) = shell(script).end();
        assert_eq!((found, &last["step"], &last["code"]), (code, &"exited".into(), &code.into()), "{script}");
    }
}

#[test]
fn a_missing_command_is_127_and_one_that_cannot_be_run_126() {
    let file = std::env::temp_dir().join(format!("hold-{}-not-executable", std::process::id()));
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for (command, code) in [("no-such-command", 127), ("/no/such/file", 127), ("/", 126), (file.to_str().unwrap(), 126)]
    {
        let (found, last) = hold(&["--port", "1", "--", command]).end();
        assert_eq!((found, &last["step"]), (code, &"refused".into()), "{command}");
        assert!(last["problems"][0].as_str().unwrap().starts_with(command), "{last}");
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn the_applications_signals_are_neither_blocked_nor_ignored() {
    let mut running = shell("grep ^Sig /proc/self/status");
    assert_eq!(running.end().0, 0);
    let mask = |name: &str| {
        let line = running.printed.iter().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim_start_matches(":\t"), 16).unwrap()
    };
    let of_the_c_library = (1 << 31) | (1 << 32);
    assert_eq!((mask("SigBlk"), mask("SigPnd"), mask("SigIgn") & !of_the_c_library), (0, 0, 0));
}

#[test]
fn the_standard_output_is_the_applications_alone() {
    let mut running = shell("echo one");
    assert_eq!((running.end().0, running.printed.clone()), (0, vec!["one".to_owned()]));
    assert!(running.log_lines.iter().all(|line| line["program"] == "spotdrain-hold"), "{:?}", running.log_lines);
}

#[test]
fn orphans_are_reaped_if_it_is_not_the_first_process() {
    let mut running = shell("(sleep 30 >&- 2>&- & echo orphan $!); exec sleep 20");
    let orphan = running.wait_print("orphan").trim_start_matches("orphan ").parse().unwrap();
    assert_eq!(running.wait_step("started")["first_process"], false);
    until("the orphan is the hold's", || parent(orphan) == running.pid());
    signal_to(orphan, "KILL");
    until("it is reaped", || !std::fs::exists(format!("/proc/{orphan}")).unwrap());
    assert_eq!(descendants(running.pid()), [running.child()]);
    running.stop_twice();
    assert_eq!(running.end().0, 143);
}

#[test]
fn it_works_as_the_first_process() {
    let Some(mut command) = namespace("--pid --fork --kill-child --mount-proc", "true") else {
        println!("skipped: it_works_as_the_first_process: process namespaces are unavailable");
        return;
    };
    command.args([HOLD, "--port", "1", "--", "sh", "-c"]);
    let script = "trap 'exit 5' USR1; orphan=$(sleep 0.1 >&- & echo $!); while [ -d /proc/$orphan ]; do sleep 0.05; done; \
                  echo reaped; while :; do sleep 0.05; done";
    let mut running = Running::start(command.arg(script));
    let started = running.wait_step("started");
    assert_eq!((&started["first_process"], &started["pid"]), (&true.into(), &1.into()));
    running.wait_print("reaped");
    let outside: Vec<_> = descendants(running.pid());
    let first = outside.iter().copied().find(|pid| parent(*pid) == running.pid()).unwrap();
    signal_to(first, "USR1");
    assert_eq!(running.end().0, 5);
}

#[test]
fn a_signal_of_the_application_to_its_own_group_is_not_the_stop_signal() {
    let mut command = Command::new(HOLD);
    command.args(["--port", "1", "--", "sh", "-c", "trap 'echo caught' TERM; kill -TERM 0; exit 4"]).process_group(0);
    let mut running = Running::start(&mut command);
    assert_eq!(running.end().0, 4);
    assert!(running.log_lines.iter().all(|line| line["step"] != "stopping"), "{:?}", running.log_lines);
}

#[test]
fn a_terminals_own_signals_reach_the_application_once() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: a_terminals_own_signals_reach_the_application_once: no script(1)");
        return;
    }
    let inside = format!("exec {HOLD} --port 1 -- {} end 12 6", test_app());
    let mut running = Running::start(Command::new("script").args(["-qefc", &inside, "/dev/null"]));
    let started = wait_shown(&mut running, "started");
    assert!(started.contains("\"terminal\":true"), "{started}");
    running.wait_print("ready");
    running.type_in("\x03");
    running.wait_print("^Csignal 2");
    let child = started.split_once("\"child\":").unwrap().1.split(',').next().unwrap().parse().unwrap();
    let hold = parent(child);
    signal_to(hold, "USR1");
    running.wait_print("signal 10");
    signal_to(hold, "INT");
    running.wait_print("signal 2");
    signal_to(hold, "USR2");
    running.wait_print("signal 12");
    assert_eq!(running.end().0, 6, "script(1) ends as its command");
    let interrupts = running.printed.iter().filter(|line| line.trim_end().ends_with("signal 2")).count();
    assert_eq!(interrupts, 2, "Ctrl-C once, and the one that was sent: {:?}", running.printed);
}

/// On a terminal the log and the application's output are mixed.
fn wait_shown(running: &mut Running, step: &str) -> String {
    running.wait_print("{\"program\":\"spotdrain-hold\"");
    running.printed.iter().find(|line| line.contains(step)).unwrap().clone()
}

fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim().parse().unwrap()
}

#[test]
fn ctrl_z_stops_the_hold_with_the_application_and_both_continue() {
    if Command::new("script").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: ctrl_z_stops_the_hold_with_the_application_and_both_continue: no script(1)");
        return;
    }
    let inside =
        format!("set -m; {HOLD} --port 1 -- sh -c 'echo ready; read x; echo got'; echo stopped; fg; echo over");
    let mut running =
        Running::start(Command::new("script").args(["-qefc", &format!("bash -c \"{inside}\""), "/dev/null"]));
    running.wait_print("ready");
    running.type_in("\x1a");
    running.wait_print("stopped");
    running.type_in("word\n");
    running.wait_print("got");
    running.wait_print("over");
    assert_eq!(running.end().0, 0);
}

#[test]
fn a_log_that_nobody_reads_does_not_block_the_hold() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut command = Command::new(HOLD);
    let options = ["--port", "1", "--quiet", "0.5", "--min-hold", "0.5", "--max-hold", "1"];
    command.args(options).args(["--", &test_app()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer);
    let mut process = command.spawn().unwrap();
    drop(command);
    let pid = process.id();
    until("it has started", || descendants(pid).len() == 1 && has_handler(descendants(pid)[0]));
    for _ in 0..2000 {
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(),
            rustix::process::Signal::USR1,
        )
        .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(300));
    }
    signal_to(pid, "TERM");
    assert_eq!(wait(&mut process), Some(0));
    drop(reader);
}

/// Whether SIGTERM is caught.
fn has_handler(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).unwrap_or("0").to_owned();
    u64::from_str_radix(&caught, 16).unwrap() & (1 << 14) != 0
}

#[test]
fn invalid_settings_are_refused_at_the_start_with_every_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let health = format!("--health {} --check tcp://127.0.0.1:1 true", taken.local_addr().unwrap());
    for (arguments, reason) in [
        ("", "no command"),
        ("--port 1", "no command"),
        ("-- true", "no port to watch"),
        (&health, "(os error 98)"),
        ("--health 192.0.2.1:1 --check tcp://127.0.0.1:2 true", "(os error 99)"),
        ("--health 0.0.0.0:1 --port 2 true", "health needs check"),
        ("--check localhost:80 true", "--check: expected tcp://"),
        ("--check http://localhost/ true", "names are not looked up"),
        ("--port 1 --max-hold 9 true", "quiet 10 is longer than max-hold 9"),
        ("--port 1 --min-hold 21 true", "min-hold 21 is longer than max-hold 20"),
        ("--port 1 --max-hold 21 true", "max-hold 21 leaves no grace of 10 before stop-timeout 30 is over"),
        ("--port 1 --grace 30 true", "stop-timeout 30 leaves no time to hold"),
        ("--port 1 --stop-signal KILL true", "SIGKILL cannot be held back"),
        ("--port 1 --on-stop /no/such/program true", "on-stop: /no/such/program: no executable file"),
        ("--quiet-command no-such-program true", "quiet-command: no-such-program: no executable file"),
        ("--port 1 --on-stop /etc/passwd true", "on-stop: /etc/passwd: no executable file"),
        ("--port 1 --on-stop a|b true", "commands run without a shell"),
        ("--port 1 --on-stop-url https://127.0.0.1/ true", "https is not supported"),
        ("--port 1 --on-stop true --on-stop-timeout 21 true", "on-stop-timeout 21 is longer than max-hold 20"),
        ("--quiet-command true --quiet-command-timeout 21 true", "quiet-command-timeout 21 is longer than max-hold 20"),
        ("--port 1 --exit-code 256 true", "expected an exit code from 0 to 255"),
        ("--check tcp://127.0.0.1:1 --check tcp://127.0.0.1:2 true", "--check: given more than once"),
        ("--no-such-flag 1 true", "--no-such-flag: unknown setting"),
    ] {
        let words: Vec<_> = arguments.split_whitespace().collect();
        let (code, last) = hold(&words).end();
        let problems = last["problems"].to_string();
        assert!(code == 64 && problems.contains(reason), "{arguments}: {code} {last}");
    }
}

#[test]
fn the_environment_alone_can_configure_the_hold() {
    let mut running = Running::start(Command::new(HOLD).args(["--", "true"]).env("SPOTDRAIN_HOLD_PORT", "5044"));
    assert_eq!(running.end().0, 0);
    assert_eq!(running.wait_step("started")["ports"], serde_json::json!([5044]));
    let mut running = Running::start(Command::new(HOLD).args(["--port", "1", "true"]).env("SPOTDRAIN_HOLD_QUITE", "1"));
    assert_eq!(running.end().0, 64);
}

#[test]
fn help_and_version_are_printed() {
    for (flag, begin) in [("--help", "Runs a command"), ("--version", "spotdrain-hold ")] {
        let mut running = hold(&[flag]);
        assert_eq!(running.end().0, 0);
        assert!(running.printed[0].starts_with(begin));
    }
}

#[test]
fn an_interruption_has_its_own_exit_code_and_a_crash_keeps_its_own() {
    for (application, code) in [("end 15 0", 75), ("end 15 143", 75), ("end 15 7", 7)] {
        let mut running = hold_test_app("--port 1 --exit-code 75", application);
        running.stop_twice();
        let (found, last) = running.end();
        assert_eq!((found, &last["code"]), (code, &code.into()), "{application}");
    }
    assert_eq!(hold(&["--port", "1", "--exit-code", "75", "--", "sh", "-c", "exit 0"]).end().0, 0);
}

#[test]
fn a_stop_signal_that_was_not_held_back_is_warned_of() {
    let mut running = hold_test_app("--port 1", "end 3 0");
    running.send("QUIT");
    let (code, last) = running.end();
    assert_eq!((code, &last["not_held"]), (0, &"SIGQUIT".into()));
    let warning = running.wait_step("warning");
    assert!(warning["text"].as_str().unwrap().contains("set stop-signal (SPOTDRAIN_HOLD_STOP_SIGNAL) to SIGQUIT"));
}

#[test]
fn the_whole_group_can_be_signalled_and_is_waited_for() {
    let script = "exec 2>/dev/null; trap '' TERM; (trap 'sleep 0.5; echo worker done; exit' TERM; echo ready; while :; do sleep 0.05; done) & \
                  wait; exit 6";
    let mut running = hold(&["--port", "1", "--signal-group", "--", "sh", "-c", script]);
    running.wait_print("ready");
    running.stop_twice();
    running.wait_print("worker done");
    assert_eq!(running.end().0, 6);

    let script = "exec 2>/dev/null; (trap 'sleep 0.5; echo worker done; exit' TERM; echo ready; while :; do sleep 0.05; done) & wait";
    let mut running = hold(&["--port", "1", "--signal-group", "--", "sh", "-c", script]);
    running.wait_print("ready");
    running.stop_twice();
    assert_eq!(running.end().0, 143, "the shell ended at once, and the worker was waited for");
    assert!(running.printed.iter().any(|line| line == "worker done"), "{:?}", running.printed);
}

#[test]
fn a_group_that_does_not_end_gets_the_grace_and_a_crash_ends_the_hold_at_once() {
    let script = "(trap '' TERM; exec sleep 30 >&- 2>&-) & sleep 0.2; echo ready; wait";
    let mut running =
        hold(&["--port", "1", "--signal-group", "--stop-timeout", "20", "--grace", "1", "--", "sh", "-c", script]);
    running.wait_print("ready");
    running.stop_twice();
    assert_eq!(running.end().0, 143);

    let mut running = hold(&["--port", "1", "--signal-group", "--", "sh", "-c", "(exec sleep 30 >&- 2>&-) & exit 9"]);
    assert_eq!(running.end().0, 9);
}

#[test]
fn an_init_system_behind_the_hold_is_warned_of() {
    let Some(mut command) = namespace("--pid --fork --kill-child --mount-proc", "true") else {
        println!("skipped: an_init_system_behind_the_hold_is_warned_of: process namespaces are unavailable");
        return;
    };
    let folder = std::env::temp_dir().join(format!("hold-{}-init", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let init = folder.join("init");
    std::fs::write(&init, "#!/bin/sh\n[ $$ = 1 ] || exit 100\n").unwrap();
    std::fs::set_permissions(&init, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut running = Running::start(command.args([HOLD, "--port", "1", "--", init.to_str().unwrap()]));
    assert_eq!(running.end().0, 100);
    let warning = running.wait_step("warning");
    assert!(warning["text"].as_str().unwrap().contains("may have to be process 1"), "{warning}");
    std::fs::remove_dir_all(folder).unwrap();
}
