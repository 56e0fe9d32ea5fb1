//! The task's name in the log, from a server in the role of ECS's metadata endpoint.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;

use crate::common::{HOLD, Running, test_app};

/// Part of an answer as AWS documents it, longer than what Go's HTTP server sends without chunks.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html>
const TASK: &str = r#"{"Cluster": "arn:aws:ecs:us-west-2:111122223333:cluster/default", "TaskARN":
    "arn:aws:ecs:us-west-2:111122223333:task/default/e9028f8d5d8e4f258373e7b93ce9a3c3", "Family": "curltest", "Revision": "3",
    "DesiredStatus": "RUNNING", "AvailabilityZone": "us-west-2d", "Containers": [], "LaunchType": "FARGATE"}"#;

/// Serves these answers, one a connection, and returns the variable's value.
fn endpoint(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            assert!(request[..length].starts_with(b"GET /v4/abc/task HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/v4/abc")
}

fn start(url: &str) -> Running {
    let mut command = Command::new(HOLD);
    command.args(["--port", "1", "--", &test_app()]).env("ECS_CONTAINER_METADATA_URI_V4", url);
    let mut running = Running::start(&mut command);
    running.wait_print("ready");
    running
}

#[test]
fn every_line_names_the_task_once_the_endpoint_has_answered() {
    let bad = "HTTP/1.0 500 x\r\n\r\n".to_owned();
    let body = format!("{TASK}{}", " ".repeat(40_000));
    let mut running =
        start(&endpoint(vec![bad, format!("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{body}")]));
    let mut sent = 0;
    while !running.log_lines.iter().any(|line| line["task"].is_string()) {
        running.send("USR1");
        sent += 1;
        running.wait_line("as many signals as were sent", |_| true);
        running.read_log();
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert!(sent < 400, "{:?}", running.log_lines);
    }
    running.send("TERM");
    let line = running.wait_step("stopping");
    assert_eq!(line["task"], "arn:aws:ecs:us-west-2:111122223333:task/default/e9028f8d5d8e4f258373e7b93ce9a3c3");
    assert_eq!(line["cluster"], "arn:aws:ecs:us-west-2:111122223333:cluster/default");
    assert_eq!((&line["family"], &line["zone"]), (&"curltest".into(), &"us-west-2d".into()));
    running.send("TERM");
    assert_eq!(running.end().0, 0);
}

#[test]
fn an_endpoint_that_never_answers_delays_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut running = start(&format!("http://{}/v4/abc", silent.local_addr().unwrap()));
    running.stop_twice();
    assert_eq!(running.end().0, 0);
}

#[test]
fn an_endpoint_that_is_gone_or_no_url_is_a_warning() {
    for (url, problem) in
        [("http://127.0.0.1:1/v4/abc", "connection refused"), ("http://metadata/v4", "names are not looked up")]
    {
        let mut running = start(url);
        running.wait_line(problem, |line| {
            line["step"] == "warning" && line["text"].as_str().is_some_and(|text| text.contains(problem))
        });
    }
}
