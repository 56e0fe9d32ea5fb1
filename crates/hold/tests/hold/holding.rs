//! The hold with real connections, each test in its own network namespace: when the signal is forwarded, and what the log says.

use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::common::{Running, ask, connect, hold_test_app, isolated};
use serde_json::Value;

const PORT: &str = "127.0.0.1:5044";
const QUICK: &str = "--port 5044 --quiet 1 --min-hold 0.5 --max-hold 15";

/// Long enough for at least one sample.
fn a_moment() {
    thread::sleep(Duration::from_millis(800));
}

fn short_connection(address: &str) {
    drop(connect(address));
}

fn stopped(options: &str, test_app: &str) -> Running {
    let mut running = hold_test_app(options, test_app);
    running.send("TERM");
    running.wait_step("holding");
    running
}

fn number(line: &Value, name: &str) -> u64 {
    line[name].as_u64().unwrap_or_else(|| panic!("no {name} in {line}"))
}

#[test]
fn the_signal_is_forwarded_after_the_quiet_time() {
    isolated(|| {
        let mut running = stopped(QUICK, "serve 5044");
        assert!(!running.printed_by_now().iter().any(|line| line.starts_with("signal")), "not forwarded yet");
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], &forward["signal"]), (&"quiet".into(), &"SIGTERM".into()));
        assert!(number(&forward, "after_ms") >= 1000, "{forward}");
        let (code, last) = running.end();
        assert_eq!((code, number(&last, "new"), &last["last_new_after_ms"]), (0, 0, &Value::Null));
        assert_eq!(running.printed.last().unwrap(), "signal 15");
    });
}

#[test]
fn the_minimum_hold_is_kept() {
    isolated(|| {
        let options = "--port 5044 --quiet 0.2 --min-hold 2 --max-hold 15";
        let forward = stopped(options, "serve 5044").wait_step("forward");
        assert_eq!(forward["reason"], "quiet");
        assert!(number(&forward, "after_ms") >= 2000, "{forward}");
    });
}

#[test]
fn a_second_stop_signal_is_forwarded_at_once_as_another_signal() {
    isolated(|| {
        let mut running = hold_test_app("--port 5044 --stop-signal INT --forward QUIT", "serve 5044 end 3 8");
        let _never_quiet = connect(PORT);
        running.send("INT");
        running.wait_step("holding");
        running.send("INT");
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], &forward["signal"]), (&"second_signal".into(), &"SIGQUIT".into()));
        assert_eq!(running.end().0, 8);
        assert_eq!(running.printed[1..], ["signal 3"]);
    });
}

#[test]
fn established_connections_hold_it_until_they_end() {
    isolated(|| {
        let mut running = hold_test_app(QUICK, "serve 5044");
        let connections = [connect(PORT), connect("[::1]:5044")];
        running.send("TERM");
        assert_eq!(running.wait_step("holding")["established"], 2);
        // Longer than the quiet time: that the signal is not forwarded has no event to wait for.
        thread::sleep(Duration::from_secs(2));
        assert!(!running.printed_by_now().iter().any(|line| line.starts_with("signal")), "not forwarded yet");
        drop(connections);
        let forward = running.wait_step("forward");
        assert_eq!(
            (&forward["reason"], number(&forward, "established"), number(&forward, "new")),
            (&"quiet".into(), 0, 0)
        );
        assert!(number(&forward, "after_ms") >= 3000, "{forward}");
    });
}

#[test]
fn the_maximum_hold_ends_it_although_a_connection_is_open() {
    isolated(|| {
        let mut running = hold_test_app("--port 5044 --quiet 1 --min-hold 1 --max-hold 2", "serve 5044 end 15 9");
        let _open = connect(PORT);
        running.send("TERM");
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], number(&forward, "established")), (&"max_hold".into(), 1));
        assert!(number(&forward, "after_ms") >= 2000, "{forward}");
        assert_eq!(running.end().0, 9);
    });
}

#[test]
fn connections_too_short_for_a_sample_are_counted_and_hold_it() {
    isolated(|| {
        let mut running = hold_test_app(QUICK, "serve 5044");
        (0..7).for_each(|_| short_connection(PORT));
        running.send("TERM");
        running.wait_step("holding");
        for _ in 0..20 {
            short_connection(PORT);
            short_connection("[::1]:5044");
            thread::sleep(Duration::from_millis(100));
        }
        let forward = running.wait_step("forward");
        assert_eq!(
            (&forward["reason"], number(&forward, "new")),
            (&"quiet".into(), 40),
            "exactly those after the stop signal"
        );
        let last_new = number(&forward, "last_new_after_ms");
        assert!(last_new >= 1900 && number(&forward, "after_ms") >= last_new + 1000, "{forward}");
        assert_eq!(number(&running.end().1, "new"), 40);
    });
}

#[test]
fn connections_after_the_signal_was_forwarded_are_counted_separately() {
    isolated(|| {
        let mut running = hold_test_app("--port 5044", "serve 5044 stay 15 end 10 0");
        running.send("TERM");
        running.wait_step("holding");
        (0..2).for_each(|_| short_connection(PORT));
        a_moment();
        running.send("TERM");
        assert_eq!(number(&running.wait_step("forward"), "new"), 2);
        (0..3).for_each(|_| short_connection(PORT));
        a_moment();
        running.send("USR1");
        let (code, last) = running.end();
        assert_eq!((code, number(&last, "new"), number(&last, "new_after_forward")), (0, 5, 3));
    });
}

#[test]
fn ignored_loopback_connections_are_neither_established_nor_new() {
    isolated(|| {
        for (option, reason) in [("--ignore-loopback", "quiet"), ("", "max_hold")] {
            let options = format!("--port 5044 --quiet 1 --min-hold 0 --max-hold 3 {option}");
            let mut running = hold_test_app(&options, "serve 5044");
            let open = connect(PORT);
            running.send("TERM");
            running.wait_step("holding");
            let checks = thread::spawn(|| {
                (0..12).for_each(|_| {
                    short_connection(PORT);
                    thread::sleep(Duration::from_millis(200));
                });
            });
            assert_eq!(running.wait_step("forward")["reason"], reason, "{option}");
            drop(open);
            running.end();
            drop(checks);
        }
    });
}

#[test]
fn connections_to_a_sidecar_over_loopback_do_not_count() {
    isolated(|| {
        let neighbour = TcpListener::bind("127.0.0.1:6379").unwrap();
        thread::spawn(move || neighbour.incoming().for_each(drop));
        let mut running = stopped(QUICK, "serve 5044");
        let mut made = 0;
        let forward = loop {
            short_connection("127.0.0.1:6379");
            made += 1;
            thread::sleep(Duration::from_millis(20));
            if !running.printed_by_now().iter().all(|line| line.starts_with("ready")) {
                break running.wait_step("forward");
            }
        };
        assert_eq!(forward["reason"], "quiet");
        // One whose ports the kernel gives to the next one, or that leaves no row, cannot be distinguished from a client's.
        assert!(number(&forward, "new") * 10 <= made, "of {made}: {forward}");
    });
}

#[test]
fn health_checks_of_the_endpoint_do_not_count() {
    isolated(|| {
        let check = "--health 127.0.0.1:8081 --check http://127.0.0.1:5044/ --check-interval 0.2";
        let mut running = hold_test_app(&format!("{QUICK} {check}"), "http 5044 200");
        running.wait_healthy();
        running.send("TERM");
        running.wait_step("holding");
        let forward = loop {
            assert!(ask("127.0.0.1:8081").is_none_or(|line| line.contains("503")));
            if running.printed_by_now().iter().any(|line| line.starts_with("signal")) {
                break running.wait_step("forward");
            }
            thread::sleep(Duration::from_millis(20));
        };
        assert_eq!((&forward["reason"], number(&forward, "new")), (&"quiet".into(), 0), "{forward}");
    });
}

#[test]
fn after_the_stop_signal_the_application_is_not_checked() {
    isolated(|| {
        let check = "--health 127.0.0.1:8081 --check http://127.0.0.1:5044/health --check-interval 0.1";
        let mut running = hold_test_app(&format!("--quiet 2 {check}"), "http 5044 200");
        running.wait_print("request GET /health HTTP/1.1");
        running.send("TERM");
        running.wait_step("holding");
        a_moment();
        let before = running.printed_by_now().len();
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], number(&forward, "new")), (&"quiet".into(), 0));
        running.end();
        assert_eq!(running.printed[before..], ["signal 15"]);
    });
}

#[test]
fn without_the_kernels_tables_it_is_held_for_the_maximum() {
    isolated(|| {
        let Some(mut command) = crate::common::namespace("--mount", "mount -t tmpfs none /proc") else {
            println!(
                "skipped: without_the_kernels_tables_it_is_held_for_the_maximum: mount namespaces are unavailable"
            );
            return;
        };
        let options = "--port 5044 --quiet 0 --min-hold 0 --max-hold 1";
        command.arg(crate::common::HOLD).args(options.split(' ')).arg(crate::common::test_app());
        let mut running = Running::start(&mut command);
        running.wait_print("ready");
        assert!(running.wait_step("warning")["text"].as_str().unwrap().contains("/proc/net/tcp"));
        running.send("TERM");
        let forward = running.wait_step("forward");
        assert_eq!((&forward["reason"], &forward["established"]), (&"max_hold".into(), &Value::Null));
        assert_eq!(running.end().0, 0);
    });
}

/// A client that sends a datagram every 50 ms, and counts the answers.
fn udp_client(port: u16, datagrams: usize) -> usize {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    (0..datagrams)
        .filter(|_| {
            thread::sleep(Duration::from_millis(50));
            client.send(b"x").is_ok() && client.recv(&mut [0]).is_ok()
        })
        .count()
}

#[test]
fn received_datagrams_hold_a_udp_service() {
    isolated(|| {
        let mut running = hold_test_app(QUICK, "udp 5044");
        running.send("TERM");
        running.wait_step("holding");
        assert_eq!(udp_client(5044, 80), 80, "no datagram is lost");
        let forward = running.wait_step("forward");
        assert_eq!(
            (&forward["reason"], number(&forward, "datagrams"), number(&forward, "new")),
            (&"quiet".into(), 160, 0)
        );
        assert!(number(&forward, "after_ms") >= number(&forward, "last_new_after_ms") + 1000, "{forward}");
    });
}

#[test]
fn datagrams_that_may_be_of_another_port_hold_it_with_a_warning() {
    isolated(|| {
        let neighbour = UdpSocket::bind("127.0.0.1:2000").unwrap();
        let mut running = hold_test_app("--port 5044 --quiet 1 --min-hold 0 --max-hold 3", "udp 5044");
        running.send("TERM");
        running.wait_step("holding");
        thread::spawn(move || {
            loop {
                neighbour.send_to(b"x", "127.0.0.1:2000").unwrap();
                neighbour.recv(&mut [0]).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
        });
        assert_eq!(running.wait_step("forward")["reason"], "max_hold");
        let warning = running.wait_step("warning");
        assert!(warning["text"].as_str().unwrap().contains("may be those of UDP port 2000"), "{warning}");
    });
}

#[test]
fn an_answer_to_a_client_that_has_shut_down_its_sending_side_is_finished() {
    isolated(|| {
        let mut running = hold_test_app(QUICK, "parts 5044");
        let mut client = connect(PORT);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        running.send("TERM");
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "part\n".repeat(12));
        assert_eq!(running.wait_step("forward")["reason"], "quiet");
        assert_eq!(running.end().0, 0);
    });
}

#[test]
fn a_half_closed_connection_without_progress_does_not_hold() {
    isolated(|| {
        let mut running = hold_test_app(QUICK, "hang 5044");
        let client = connect(PORT);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        running.send("TERM");
        assert_eq!(running.wait_step("forward")["reason"], "quiet");
        assert_eq!(running.end().0, 0);
    });
}

#[test]
fn a_load_balancers_checks_on_the_traffic_port_can_be_ignored() {
    isolated(|| {
        for (option, reason) in [("--ignore-empty", "quiet"), ("", "max_hold")] {
            let mut running =
                hold_test_app(&format!("--port 5044 --quiet 1 --min-hold 1 --max-hold 4 {option}"), "serve 5044");
            running.send("TERM");
            running.wait_step("holding");
            let checks = thread::spawn(|| {
                (0..8).for_each(|_| {
                    thread::sleep(Duration::from_millis(400));
                    let _refused_once_the_application_has_ended = std::net::TcpStream::connect(PORT);
                });
            });
            assert_eq!(running.wait_step("forward")["reason"], reason, "{option}");
            let (_, last) = running.end();
            assert!(number(&last, "new") > 0 && last["checks_only"] == true, "{last}");
            checks.join().unwrap();
        }
    });
}
