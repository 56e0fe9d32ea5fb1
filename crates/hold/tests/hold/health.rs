//! The health endpoint: mirrors the application's health, fails from the stop signal on, and never waits for a client.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::common::{Running, ask, connect, hold_test_app, isolated, until};

const ENDPOINT: &str = "127.0.0.1:8081";

fn checked(check: &str, test_app: &str) -> Running {
    hold_test_app(&format!("--port 5044 --health [::]:8081 --check-interval 0.1 --check {check}"), test_app)
}

/// A hold whose application answers 200 on port 5044, after the first good check.
fn healthy() -> Running {
    let mut running = checked("http://127.0.0.1:5044/", "http 5044 200");
    running.wait_healthy();
    running
}

/// An application on port 5044 that answers each request in this way.
fn application(answer: impl Fn(&mut TcpStream) + Send + 'static) {
    let listener = TcpListener::bind("127.0.0.1:5044").unwrap();
    std::thread::spawn(move || {
        listener.incoming().for_each(|stream| {
            let mut stream = stream.unwrap();
            let _read = stream.read(&mut [0; 1024]);
            answer(&mut stream);
        });
    });
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
            running.stop();
            assert!(answers("503"));
            running.send("TERM");
            assert_eq!(running.end().0, 0);
        }
    });
}

#[test]
fn while_the_file_exists_the_health_endpoint_fails() {
    isolated(|| {
        let file = std::env::temp_dir().join(format!("spotdrain-test-fail-{}", std::process::id()));
        let check = format!("http://127.0.0.1:5044/ --fail-health-file {}", file.display());
        let mut running = checked(&check, "http 5044 200");
        running.wait_healthy();
        std::fs::write(&file, "").unwrap();
        running.wait_line("a failing check", |line| line["found"] == "the file of fail-health-file exists");
        assert!(answers("503"));
        std::fs::remove_file(&file).unwrap();
        until("healthy again", || answers("200"));
        running.stop();
        running.send("TERM");
        assert_eq!(running.end().0, 0);
    });
}

#[test]
fn by_tcp_the_port_is_open_while_the_applications_is_and_closed_from_the_stop_signal_on() {
    isolated(|| {
        let mut running = checked("tcp://[::1]:5044", "serve 5044");
        running.wait_healthy();
        assert!(is_open() && answers("200"), "a load balancer may ask by TCP or by HTTP");
        running.stop();
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
            let application = TcpListener::bind("127.0.0.1:5044").unwrap();
            until("the port is open", is_open);
            drop(application);
            until("the port is closed", || !is_open());
        }
    });
}

#[test]
fn an_application_that_does_not_speak_http_is_not_healthy() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/", "serve 1");
        application(|stream| {
            let _closed = stream.write_all(b"220 mail\r\n");
        });
        running.wait_line("no HTTP", |line| line["found"] == "no HTTP answer");
    });
}

#[test]
fn a_check_that_hangs_delays_nothing() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/ --check-timeout 60", "hang 5044");
        assert!(answers("503"), "the endpoint answers meanwhile");
        running.send("USR1");
        running.wait_print("signal 10");
        running.stop();
        assert_eq!(running.wait_step("holding")["established"], 0, "the check was given up");
        running.send("TERM");
        assert_eq!(running.end().0, 0);
    });
}

#[test]
fn a_check_without_an_answer_fails_after_its_timeout() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/ --check-timeout 0.2", "hang 5044");
        running.wait_line("late", |line| line["found"] == "no answer in time");
    });
}

#[test]
fn clients_that_send_nothing_do_not_block_others() {
    isolated(|| {
        let _running = healthy();
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
        let _running = healthy();
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

/// Sends this, and returns everything that comes back until the connection ends.
fn exchange(mut stream: TcpStream, request: &[u8], half_closes: bool) -> String {
    stream.write_all(request).unwrap();
    if half_closes {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut answer = Vec::new();
    let result = stream.read_to_end(&mut answer);
    let is_late = result.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!is_late, "the connection is neither closed nor reset");
    String::from_utf8(answer).unwrap()
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn a_client_that_shuts_down_its_sending_side_is_answered() {
    isolated(|| {
        let _running = healthy();
        for _ in 0..20 {
            assert!(exchange(connect(ENDPOINT), REQUEST, true).starts_with("HTTP/1.1 200 OK"));
        }
        assert_eq!(exchange(connect(ENDPOINT), b"GET / HTTP/1.1\r\n", true), "");
    });
}

#[test]
fn a_thousand_requests_at_once_are_all_answered() {
    isolated(|| {
        let _running = healthy();
        let clients = (0..20).map(|_| {
            std::thread::spawn(|| {
                let streams: Vec<_> = (0..50)
                    .map(|_| {
                        let mut stream = connect(ENDPOINT);
                        stream.write_all(REQUEST).unwrap();
                        stream
                    })
                    .collect();
                streams.into_iter().map(|stream| exchange(stream, b"", false)).collect::<Vec<_>>()
            })
        });
        let clients: Vec<_> = clients.collect();
        let answers: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        assert_eq!(answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 OK")).count(), 1000);
    });
}

/// Stops the hold's process, and waits until it has stopped.
fn freeze(running: &Running) {
    running.send("STOP");
    let status = format!("/proc/{}/status", running.pid());
    until("stopped", || std::fs::read_to_string(&status).unwrap().contains("State:\tT"));
}

/// The hold finds the request and forty idle connections at once. If it ran meanwhile, a probe that is slow to send its request
/// would be one of those without a request, which give way.
#[test]
fn connections_without_a_request_do_not_displace_those_with_one() {
    isolated(|| {
        let running = healthy();
        let mut idle = std::collections::VecDeque::new();
        for _ in 0..40 {
            freeze(&running);
            let mut probe = connect(ENDPOINT);
            probe.write_all(REQUEST).unwrap();
            idle.extend((0..40).map(|_| connect(ENDPOINT)));
            idle.drain(..idle.len().saturating_sub(400));
            running.send("CONT");
            assert!(exchange(probe, b"", false).starts_with("HTTP/1.1 "));
        }
    });
}

#[test]
fn a_client_that_never_stops_sending_delays_nothing() {
    isolated(|| {
        let mut running = healthy();
        let floods: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    let mut sent = 0;
                    let mut stream = connect(ENDPOINT);
                    stream.write_all(REQUEST).unwrap();
                    while let Ok(length) = stream.write(&[b'x'; 8192]) {
                        sent += length;
                    }
                    sent
                })
            })
            .collect();
        assert!(answers("200"));
        running.stop();
        let sent: usize = floods.into_iter().map(|flood| flood.join().unwrap()).sum();
        assert!(sent < 64 << 20, "each is disconnected once the socket's buffers are full: {sent} bytes");
    });
}

#[test]
fn an_endless_answer_of_the_application_delays_nothing() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/ --check-timeout 10", "serve 1");
        application(|stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            while stream.write_all(&[b'x'; 8192]).is_ok() {}
        });
        running.wait_line("healthy", |line| line["found"] == "answers 200");
        assert!(answers("200"));
        running.send("USR1");
        running.wait_print("signal 10");
    });
}

#[test]
fn interim_answers_are_not_mirrored() {
    isolated(|| {
        let mut running = checked("http://127.0.0.1:5044/", "serve 1");
        application(|stream| {
            stream.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n").unwrap();
            std::thread::sleep(Duration::from_millis(50));
            let _closed = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
        });
        let line = running.wait_line("a result of the application", |line| {
            line["found"] != "connection refused" && line["step"] == "health"
        });
        assert_eq!(line["found"], "answers 200");
    });
}

#[test]
fn http_2_and_tls_are_refused_at_once_with_one_warning_each() {
    isolated(|| {
        let mut running = healthy();
        let hello = [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], &[7; 500]].concat();
        for (request, protocol) in [(&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], "HTTP/2"), (&hello, "TLS")] {
            (0..3).for_each(|_| assert_eq!(exchange(connect(ENDPOINT), request, false), ""));
            running.wait_line(protocol, |line| {
                line["step"] == "warning" && line["text"].as_str().unwrap().contains(&format!("speaks {protocol}"))
            });
        }
        assert!(answers("200"));
        running.stop_twice();
        running.end();
        assert_eq!(running.log_lines.iter().filter(|line| line["step"] == "warning").count(), 2);
    });
}
