//! The application of the drill's tasks, as a process.
#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

struct App {
    process: Child,
    address: SocketAddr,
}

impl Drop for App {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn start() -> App {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotdrain-drill-app"));
    command.args(["--name", "task-7", "--address", &address.to_string(), "--grace", "20"]);
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    App { process, address }
}

/// Sends a request, and returns the answer up to its last chunk.
fn get(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n0\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn it_names_itself_and_keeps_connections_open() {
    let app = start();
    let mut stream = TcpStream::connect(app.address).unwrap();
    for _ in 0..2 {
        let answer = get(&mut stream);
        assert!(answer.contains("x-served-by: task-7\r\n") && answer.contains("served by task-7\n"), "{answer}");
    }
}

#[test]
fn at_sigterm_it_refuses_new_connections_and_serves_those_it_has() {
    let mut app = start();
    let mut stream = TcpStream::connect(app.address).unwrap();
    get(&mut stream);
    Command::new("kill").args(["-TERM", &app.process.id().to_string()]).status().unwrap();
    // The listener closes when the process handles the signal, and nothing else tells.
    while TcpStream::connect(app.address).is_ok() {}
    get(&mut stream);
    drop(stream);
    assert_eq!(app.process.wait().unwrap().code(), Some(0));
}

#[test]
fn it_ends_with_its_drill() {
    let mut app = start();
    drop(app.process.stdin.take());
    assert_eq!(app.process.wait().unwrap().code(), Some(0));
}
