//! The controls for other processes: faults, target states and the call log.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::common::http;
use serde_json::{Value, json};
use spotdrain_localaws::{Fault, LocalAws, Scene, State};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[test]
fn faults_states_and_calls_are_available_by_http() {
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let post = |path: &str, body: &Value| http::request(&aws.endpoint(), "POST", path, "", &body.to_string());
    let fault = json!({"action": "DescribeTargetHealth", "fault": "refuse", "times": 1});
    assert_eq!(post("/_local/fault", &fault), (200, "{}".to_owned()));
    let state = json!({"target_group": scene.group, "target": "10.0.1.11", "port": 5044, "state": "unhealthy"});
    assert_eq!(post("/_local/target-state", &state), (200, "{}".to_owned()));
    assert_eq!(aws.world().state(&scene.group, "10.0.1.11", aws.now()), Some(State::Unhealthy));

    let call = format!("Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn={}", scene.group);
    let statuses = [0, 1].map(|_| http::request(&aws.endpoint(), "POST", "/", FORM, &call).0);
    assert_eq!(statuses, [400, 200]);
    let (status, log) = http::request(&aws.endpoint(), "GET", "/_local/calls", "", "");
    let log: Value = serde_json::from_str(&log).unwrap();
    assert_eq!((status, log.as_array().unwrap().len()), (200, 2));
    assert_eq!((&log[0]["answer"], &log[0]["code"]), (&json!("error"), &json!("Throttling")));
    assert_eq!((&log[1]["answer"], &log[1]["resource"]), (&json!("ok"), &json!(scene.group)));
}

#[test]
fn an_invalid_control_gets_an_error() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let (status, body) = http::request(&aws.endpoint(), "POST", "/_local/fault", "", r#"{"fault":"hangs"}"#);
    assert_eq!(status, 400);
    assert!(body.contains("unknown fault `hangs`"), "{body}");
}

#[test]
fn every_method_and_path_is_answered() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    for (method, path) in [("GET", "/"), ("PUT", "/a/b?c=d"), ("DELETE", "*"), ("OPTIONS", "/")] {
        let (status, body) = http::request(&aws.endpoint(), method, path, "", "");
        assert!(status == 400 && body.contains("MissingAction"), "{method} {path}: {status} {body}");
    }
}

#[test]
fn a_reset_is_a_reset_and_not_an_orderly_end() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    aws.world().add_fault(Fault::Reset.times(1));
    let mut stream = TcpStream::connect(aws.endpoint().strip_prefix("http://").unwrap()).unwrap();
    let form = "Action=DescribeTargetGroups&Version=2015-12-01";
    write!(stream, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{form}", form.len()).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_body_has_its_bound() {
    let aws = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let mut stream = TcpStream::connect(aws.endpoint().strip_prefix("http://").unwrap()).unwrap();
    let length = 16 * 1024 * 1024 + 1;
    write!(stream, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n").unwrap();
    // The answer comes as soon as the bound is passed; the write may fail then.
    stream.write_all(&vec![b'a'; length]).ok();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
