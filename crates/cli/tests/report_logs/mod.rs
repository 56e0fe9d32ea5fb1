//! The report from log groups, against a server that answers `FilterLogEvents` as AWS documents it.

mod accounts;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::line;
use crate::common::command::{json, run, spotdrain};

/// The answer to a request: an HTTP status and a body.
type Answer = fn(&Value) -> (u16, Value);

/// Serves the answers on a free port. Returns its URL, and the requests as they come.
fn serve(answer: Answer) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(request) = read(&mut stream) {
                let (status, body) = answer(&request);
                _ = sender.send(request);
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
        }
    });
    (url, requests)
}

/// Reads one request; `None` at the end of the connection, which the command opens first only to see that somebody listens.
fn read(stream: &mut TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn against(url: &str, arguments: &[&str]) -> Command {
    let mut command = spotdrain(&[&["report"][..], arguments].concat());
    command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

/// Two pages; the first is empty, as AWS may answer, and has a token all the same.
fn two_pages(request: &Value) -> (u16, Value) {
    if request["nextToken"].is_null() {
        return (200, json!({"events": [], "nextToken": "second"}));
    }
    let event = |task: &str| json!({"message": line(task, "web"), "timestamp": 1_795_000_000_000_i64});
    (200, json!({"events": [event("one"), event("two")]}))
}

#[test]
fn every_page_of_a_group_is_read() {
    let (url, requests) = serve(two_pages);
    let (code, report) = json(against(&url, &["--logs", "/aws/lambda/spotdrain", "--since", "1d", "--json"]));
    assert_eq!((code, &report["interruptions"]), (0, &2.into()));
    let requests: Vec<_> = requests.try_iter().collect();
    assert_eq!(requests.len(), 2);
    assert_eq!(
        (&requests[0]["logGroupName"], &requests[1]["nextToken"]),
        (&"/aws/lambda/spotdrain".into(), &"second".into())
    );
    assert!(requests[0]["filterPattern"].as_str().unwrap().contains("$.record.interrupted_at"));
    let time = |name: &str| requests[0][name].as_i64().unwrap();
    assert_eq!(time("endTime") - time("startTime"), 86_400_000);
}

#[test]
fn a_month_is_read_with_the_weeks_that_it_is_compared_with() {
    let (url, requests) = serve(|_| (200, json!({"events": []})));
    let groups = [
        "--logs",
        "arn:aws:logs:eu-central-1:123456789012:log-group:x",
        "--hold-logs",
        "holds",
        "--capacity-logs",
        "capacity",
    ];
    let (code, text, _) = run(against(&url, &groups));
    assert!(code == 0 && text.contains("No interruptions in 30 days. No log lines were read."), "{text}");
    let requests: Vec<_> = requests.try_iter().collect();
    let [function, holds, capacity] = requests.as_slice() else { panic!("{requests:?}") };
    assert!(function["logGroupIdentifier"].as_str().unwrap().starts_with("arn:"));
    assert_eq!(function["endTime"].as_i64().unwrap() - function["startTime"].as_i64().unwrap(), 35 * 86_400_000);
    assert!(holds["filterPattern"].as_str().unwrap().contains("spotdrain-hold"));
    assert_eq!((&capacity["logGroupName"], &capacity["filterPattern"]), (&"capacity".into(), &Value::Null));
}

#[test]
fn a_group_that_does_not_exist_is_named() {
    let (url, _requests) = serve(|_| {
        (400, json!({"__type": "ResourceNotFoundException", "message": "The specified log group does not exist."}))
    });
    let (code, _, error) = run(against(&url, &["--logs", "nowhere"]));
    assert!(code == 1 && error.contains("log group nowhere does not exist: aws logs describe-log-groups"), "{error}");
    assert!(error.contains("Region eu-central-1"), "{error}");
}

#[test]
fn a_missing_right_is_named_with_its_resource() {
    let (url, _requests) = serve(|_| {
        (
            400,
            json!({"__type": "AccessDeniedException", "message": "User x is not authorized to perform: logs:FilterLogEvents"}),
        )
    });
    let (code, _, error) = run(against(&url, &["--logs", "secret"]));
    let right = "allow logs:FilterLogEvents on arn:aws:logs:eu-central-1:*:log-group:secret:*";
    assert!(code == 1 && error.contains(right) && error.contains("User x is not authorized"), "{error}");
}
