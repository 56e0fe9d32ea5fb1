//! What the hold costs: the size of the binary, its memory, and the processor's time while it waits and while it holds.
//!
//! `cargo bench -p spotdrain-hold`. It measures the static binary where that was built (docs/hold.md), else the other.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement stops where something is wrong")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(20);
const CHECKED: &str = "--port 5044 --health 127.0.0.1:5081 --check http://127.0.0.1:5082/";

fn main() {
    let binary = binary();
    let size = std::fs::metadata(&binary).unwrap().len();
    println!("binary {}: {size} bytes", binary.display());
    thread::spawn(application);
    measure(&binary, "waiting, no health endpoint", "--port 5044", false);
    measure(&binary, "waiting, a check every 5 s", CHECKED, false);
    measure(&binary, "holding, 2 looks a second", &format!("{CHECKED} --stop-timeout 120 --quiet 60"), true);
}

fn binary() -> PathBuf {
    let usual = Path::new(env!("CARGO_BIN_EXE_spotdrain-hold"));
    let target = format!("{}-unknown-linux-gnu/release/spotdrain-hold", std::env::consts::ARCH);
    let is_static = usual.ancestors().nth(2).unwrap().join(target);
    if is_static.exists() { is_static } else { usual.to_owned() }
}

fn application() {
    use std::io::{Read as _, Write as _};
    for stream in std::net::TcpListener::bind("127.0.0.1:5082").unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _read = stream.read(&mut [0; 1024]);
        let _written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

fn measure(binary: &Path, what: &str, options: &str, stop: bool) {
    let mut hold = Command::new(binary);
    hold.args(options.split(' ')).args(["--", "sleep", "100"]).stderr(Stdio::null());
    let mut hold = hold.spawn().unwrap();
    thread::sleep(Duration::from_secs(2));
    if stop {
        send(&hold, "TERM");
    }
    let before = on_processor(&hold);
    thread::sleep(WINDOW);
    let spent = on_processor(&hold).saturating_sub(before);
    let share = spent.as_secs_f64() / WINDOW.as_secs_f64() * 100.0;
    println!("{what}: {} resident, {spent:?} in {WINDOW:?} ({share:.4} % of a processor)", resident(&hold));
    let _twice = (send(&hold, "TERM"), thread::sleep(Duration::from_millis(100)), send(&hold, "TERM"));
    hold.wait().unwrap();
}

fn send(hold: &Child, signal: &str) {
    Command::new("sh").args(["-c", &format!("kill -{signal} {}", hold.id())]).status().unwrap();
}

/// The first number is the time on a processor, in nanoseconds.
/// Source: <https://docs.kernel.org/scheduler/sched-stats.html>
fn on_processor(hold: &Child) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{}/schedstat", hold.id())).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn resident(hold: &Child) -> String {
    let text = std::fs::read_to_string(format!("/proc/{}/status", hold.id())).unwrap();
    text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned()
}
