//! The health endpoint: mirrors the application's health, fails from the stop signal on, and waits for nobody.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::common::{Running, ask, connect, hold_test_app, isolated, until};

const ENDPOINT: &str = "127.0.0.1:8081";

fn checked(check: &str, test_app: &str) -> Running {
    hold_test_app(&format!("--port 5044 --health [::]:8081 --check-interval 0.1 --check {check}"), test_app)
}

fn is_open() -> bool {
    TcpStream::connect(ENDPOINT).is_ok()
}

fn answers(status: &str) -> bool {
    ask(ENDPOINT).is_some_and(|line| line.contains(status))
}

#[test]
fn by_http_the_applications_status_is_mirrored_and_503_from_the_stop_signal_on() {
    isolated(|| {
        for status in ["200", "204", "404", "500"] {
            let mut running = checked("http://127.0.0.1:9600/", &format!("http 9600 {status}"));
            let found = running.wait_line("a good check", |line| line["found"] == format!("answers {status}"));
            assert_eq!(found["healthy"], status.starts_with('2'));
            assert!(answers(status));
            running.send("TERM");
            running.wait_step("stopping");
            assert!(answers("503"));
            running.send("TERM");
            assert_eq!(running.end().0, 0);
        }
    });
}

#[test]
fn by_tcp_the_port_is_open_while_the_applications_is_and_closed_from_the_stop_signal_on() {
    isolated(|| {
        let mut running = checked("tcp://[::1]:5044", "serve 5044");
        running.wait_step("health");
        assert!(is_open() && answers("200"), "a load balancer may ask by TCP or by HTTP");
        running.send("TERM");
        running.wait_step("stopping");
        assert!(!is_open());
        running.send("TERM");
        assert_eq!(running.end().0, 0);
    });
}

#[test]
fn an_application_that_is_not_up_is_not_healthy() {
    isolated(|| {
        let mut by_tcp = checked("tcp://127.0.0.1:5044", "serve 5045");
        assert_eq!(by_tcp.wait_step("health")["found"], "connection refused");
        assert!(!is_open());
        drop(by_tcp);
        let mut by_http = checked("http://127.0.0.1:5044/", "serve 5045");
        by_http.wait_step("health");
        assert!(answers("503"));
    });
}

#[test]
fn the_port_opens_and_closes_with_the_applications() {
    isolated(|| {
        let _running = checked("tcp://127.0.0.1:5044", "serve 1");
        for _ in 0..2 {
            assert!(!is_open());
            let application = std::net::TcpListener::bind("127.0.0.1:5044").unwrap();
            until("the port is open", is_open);
            drop(application);
            until("the port is closed", || !is_open());
        }
    });
}

#[test]
fn what_does_not_speak_http_is_not_healthy() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/", "serve 1");
        let application = std::net::TcpListener::bind("127.0.0.1:5044").unwrap();
        std::thread::spawn(move || {
            application.incoming().for_each(|stream| {
                let mut stream = stream.unwrap();
                let _read = stream.read(&mut [0; 1024]);
                let _closed = stream.write_all(b"220 mail\r\n");
            });
        });
        running.wait_line("no HTTP", |line| line["found"] == "no HTTP answer");
    });
}

#[test]
fn a_check_that_hangs_hangs_alone() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/ --check-timeout 15", "hang 5044");
        let begin = Instant::now();
        assert!(answers("503"), "the endpoint answers meanwhile");
        running.send("USR1");
        running.wait_print("signal 10");
        running.send("TERM");
        running.wait_step("stopping");
        assert_eq!(running.wait_step("holding")["established"], 0, "the check was given up");
        running.send("TERM");
        assert_eq!(running.end().0, 0);
        assert!(begin.elapsed() < Duration::from_secs(10));
    });
}

#[test]
fn a_check_without_an_answer_has_failed_in_time() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/ --check-timeout 0.2", "hang 5044");
        running.wait_line("late", |line| line["found"] == "no answer in time");
    });
}

#[test]
fn visitors_who_say_nothing_keep_nobody_out() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/", "http 5044 200");
        running.wait_step("health");
        let silent: Vec<_> = (0..200).map(|_| connect(ENDPOINT)).collect();
        assert!(answers("200"));
        let mut endless = connect(ENDPOINT);
        let _hung_up_on = endless.write_all(&vec![b'x'; 100_000]);
        assert!(answers("200"));
        drop(silent);
    });
}

#[test]
fn a_head_request_gets_no_body_and_a_slow_one_its_answer() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/", "http 5044 200");
        running.wait_step("health");
        let mut stream = connect(ENDPOINT);
        for part in ["HEAD / HT", "TP/1.1\r\nHost: x\r\n", "\r\n"] {
            stream.write_all(part.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    });
}
