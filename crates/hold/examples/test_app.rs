//! The application under test: prints the signals that it gets, and the requests.
//!
//! `test_app [serve PORT] [http PORT STATUS] [hang PORT] [parts PORT] [udp PORT] [end SIGNAL CODE] [stay SIGNAL]...`: accepts
//! connections; answers them with a status, never, or in 12 parts of half a second each; echoes datagrams. Exits on a signal,
//! by default on SIGTERM with 0, or stays. It exits by itself after a minute.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed assumption ends this helper of tests"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use signal_hook::consts::FORBIDDEN;
use signal_hook::iterator::Signals;

const SIGCHLD: i32 = 17;
const SIGTERM: i32 = 15;

fn main() {
    // musl keeps 34 for itself.
    let first_real_time = if cfg!(target_env = "musl") { 35 } else { 34 };
    let caught =
        (1..=31).chain(first_real_time..=64).filter(|number| !FORBIDDEN.contains(number) && *number != SIGCHLD);
    let mut signals = Signals::new(caught).unwrap();
    thread::spawn(|| {
        thread::sleep(Duration::from_mins(1));
        std::process::exit(99);
    });
    let ends = prepare(std::env::args().skip(1));
    println!("ready {}", std::process::id());
    for signal in signals.forever() {
        println!("signal {signal}");
        if let Some(code) = ends.get(&signal) {
            std::process::exit(*code);
        }
    }
}

fn prepare(mut words: impl Iterator<Item = String>) -> BTreeMap<i32, i32> {
    let mut ends = BTreeMap::from([(SIGTERM, 0)]);
    while let Some(word) = words.next() {
        let mut next = || words.next().unwrap();
        let number = next().parse().unwrap();
        match word.as_str() {
            "serve" => listen(number, |mut stream| drop(stream.read_to_end(&mut Vec::new()))),
            "hang" => listen(number, hang),
            "parts" => listen(number, parts),
            "udp" => echo(number),
            "http" => {
                let status = next();
                listen(number, move |stream| answer(stream, &status));
            }
            "stay" => drop(ends.remove(&number.into())),
            "end" => drop(ends.insert(number.into(), next().parse().unwrap())),
            other => panic!("unknown: {other}"),
        }
    }
    ends
}

/// On every address of IPv6 and IPv4.
fn listen(port: u16, serve: impl Fn(TcpStream) + Clone + Send + 'static) {
    let listener = TcpListener::bind(SocketAddr::from(([0; 8], port))).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream.unwrap()));
        }
    });
}

fn hang(stream: TcpStream) {
    thread::sleep(Duration::from_mins(2));
    drop(stream);
}

fn parts(mut stream: TcpStream) {
    for _ in 0..12 {
        thread::sleep(Duration::from_millis(500));
        stream.write_all(b"part\n").unwrap();
    }
}

fn echo(port: u16) {
    let socket = UdpSocket::bind(SocketAddr::from(([0; 8], port))).unwrap();
    thread::spawn(move || {
        loop {
            let (_, client) = socket.recv_from(&mut [0]).unwrap();
            socket.send_to(b"x", client).unwrap();
        }
    });
}

fn answer(mut stream: TcpStream, status: &str) {
    let mut request = [0; 1024];
    let length = stream.read(&mut request).unwrap_or_default();
    let request = String::from_utf8_lossy(request.get(..length).unwrap_or_default());
    println!("request {}", request.lines().next().unwrap_or_default());
    let _closed_by_the_other_end = write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 2\r\n\r\nok");
}
