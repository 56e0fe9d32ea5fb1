//! A hold as a process: its log, and what its application prints.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test.
pub(crate) const HOLD: &str = env!("CARGO_BIN_EXE_spotdrain-hold");

/// Nothing is waited for longer than this.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The application under the hold: prints the signals that it gets.
pub(crate) fn test_app() -> String {
    let folder = PathBuf::from(HOLD).parent().unwrap().join("examples/test_app");
    assert!(folder.exists(), "the example test_app is not built: cargo test -p spotdrain-hold builds it");
    folder.to_string_lossy().into_owned()
}

/// A running hold. Dropping it kills its processes.
pub(crate) struct Running {
    process: Child,
    out: Receiver<String>,
    log: Receiver<String>,
    /// The log so far.
    pub(crate) log_lines: Vec<Value>,
    /// What the application has printed so far.
    pub(crate) printed: Vec<String>,
}

/// Starts a hold with these options and the test application.
pub(crate) fn hold_test_app(options: &str, test_app_arguments: &str) -> Running {
    let mut words: Vec<_> = options.split_whitespace().map(str::to_owned).collect();
    words.extend(["--".to_owned(), test_app()]);
    words.extend(test_app_arguments.split_whitespace().map(str::to_owned));
    let mut running = Running::start(Command::new(HOLD).args(words));
    running.wait_print("ready");
    running
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
    receive
}

impl Running {
    /// Starts a command that is, or becomes, a hold.
    pub(crate) fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (out, log) = (lines(process.stdout.take().unwrap()), lines(process.stderr.take().unwrap()));
        Self { process, out, log, log_lines: Vec::new(), printed: Vec::new() }
    }

    /// The process id of the command.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The application's process id, from the hold's log.
    pub(crate) fn child(&mut self) -> u32 {
        u32::try_from(self.wait_step("started")["child"].as_u64().unwrap()).unwrap()
    }

    /// Sends the hold a signal.
    pub(crate) fn send(&self, signal: &str) {
        signal_to(self.pid(), signal);
    }

    /// Sends SIGTERM, and waits until it is held back.
    pub(crate) fn stop(&mut self) {
        self.send("TERM");
        self.wait_step("stopping");
    }

    /// Sends SIGTERM twice. Without the wait in between, the kernel may merge the two into one.
    pub(crate) fn stop_twice(&mut self) {
        self.stop();
        self.send("TERM");
    }

    /// Writes to its standard input.
    pub(crate) fn type_in(&mut self, text: &str) {
        self.process.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a line of the log with this step; returns the first one.
    pub(crate) fn wait_step(&mut self, step: &str) -> Value {
        self.wait_line(step, |line| line["step"] == step)
    }

    /// Waits until a check has found the application healthy; the first one may come before the application listens.
    pub(crate) fn wait_healthy(&mut self) {
        self.wait_line("healthy", |line| line["healthy"] == true);
    }

    /// Waits for a line of the log.
    pub(crate) fn wait_line(&mut self, what: &str, matches: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = self.log_lines.iter().find(|line| matches(line)) {
                return found.clone();
            }
            let Some(line) = next(&self.log, until) else {
                panic!("no line {what}, only {:#?} and {:?}", self.log_lines, self.printed);
            };
            self.log_lines.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        }
    }

    /// Takes the lines of the log that are there, without waiting.
    pub(crate) fn read_log(&mut self) {
        self.log_lines.extend(self.log.try_iter().map(|line| serde_json::from_str::<Value>(&line).unwrap()));
    }

    /// Waits for the application to print a line with this beginning.
    pub(crate) fn wait_print(&mut self, begin: &str) -> String {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(found) = self.printed.iter().find(|line| line.starts_with(begin)) {
                return found.clone();
            }
            let Some(line) = next(&self.out, until) else {
                panic!("{begin:?} is not printed, only {:?} and {:#?}", self.printed, self.log_lines);
            };
            self.printed.push(line);
        }
    }

    /// What the application has printed by now, without waiting.
    pub(crate) fn printed_by_now(&mut self) -> &[String] {
        self.printed.extend(self.out.try_iter());
        &self.printed
    }

    /// Waits for the end; returns the exit code and the last line of the log.
    pub(crate) fn end(&mut self) -> (i32, Value) {
        let code = wait(&mut self.process).unwrap_or_else(|| panic!("it does not end: {:#?}", self.log_lines));
        self.log_lines.extend(rest(&self.log).iter().map(|line| serde_json::from_str(line).unwrap()));
        self.printed.extend(rest(&self.out));
        (code, self.log_lines.last().cloned().unwrap_or_default())
    }
}

fn next(lines: &Receiver<String>, until: Instant) -> Option<String> {
    lines.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.recv_timeout(TIMEOUT) {
            Ok(line) => all.push(line),
            Err(RecvTimeoutError::Disconnected) => return all,
            Err(RecvTimeoutError::Timeout) => panic!("the output is still open"),
        }
    }
}

/// Waits for a process; returns its exit code.
pub(crate) fn wait(process: &mut Child) -> Option<i32> {
    let until = Instant::now() + TIMEOUT;
    while Instant::now() < until {
        if let Some(status) = process.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        let children: Vec<_> = descendants(self.pid());
        children.into_iter().chain([self.pid()]).for_each(|pid| signal_to(pid, "KILL"));
        let _ended = self.process.wait();
    }
}

/// All descendants of a process.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children: Vec<u32> = children.split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    children.iter().flat_map(|child| descendants(*child)).chain(children.iter().copied()).collect()
}

/// Sends a signal by name or number.
pub(crate) fn signal_to(pid: u32, signal: &str) {
    let kill = Command::new("sh").args(["-c", &format!("kill -{signal} {pid}")]).stderr(Stdio::null()).status();
    kill.unwrap();
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < until, "timed out: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a test in its own network namespace, with its own counters and ports: starts this test binary again inside it, for
/// this test alone. Without the rights to do so, prints that the test is skipped.
pub(crate) fn isolated<T: FnOnce()>(test: T) {
    const INSIDE: &str = "HOLD_TEST_IS_ISOLATED";
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let name = std::any::type_name::<T>().split_once("::").unwrap().1.trim_end_matches("::{{closure}}");
    let Some(mut command) = namespace("--net", "ip link set lo up") else {
        println!("skipped: {name}: network namespaces are unavailable");
        return;
    };
    let command = command.arg(std::env::current_exe().unwrap()).args([name, "--exact", "--nocapture"]);
    let output = command.env(INSIDE, "1").output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "{name} is not the name of this test: {stdout}");
}

/// A command that runs its arguments in a new namespace after a preparation, as root or through a user namespace.
pub(crate) fn namespace(kind: &str, prepare: &str) -> Option<Command> {
    let as_user: [&str; 2] = ["--user", "--map-root-user"];
    let run = |rights: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(rights).args(kind.split(' ')).args(["sh", "-c", &format!("{prepare} && exec \"$0\" \"$@\"")]);
        command
    };
    let works = |rights: &[&str]| run(rights).arg("true").output().is_ok_and(|output| output.status.success());
    [&[][..], &as_user].into_iter().find(|rights| works(rights)).map(run)
}

/// Opens a connection.
pub(crate) fn connect(address: &str) -> TcpStream {
    let address: SocketAddr = address.parse().unwrap();
    TcpStream::connect_timeout(&address, TIMEOUT).unwrap()
}

/// Sends a GET; returns the status line, or `None` if the connection is refused.
pub(crate) fn ask(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.lines().next().map(str::to_owned)
}
