//! The settings: flags, and environment variables of the same names.

pub mod arguments;
pub mod options;
pub mod times;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::commands::command::Command;
use crate::health::check::{self, ApplicationCheck};
use crate::process::signal::Signal;
use options::OPTIONS;
use times::{RequestedTimes, Times};

/// A consistent configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The watched ports; at least one unless there is a quiet command.
    pub ports: Vec<u16>,
    /// The address of the health endpoint.
    pub health: Option<SocketAddr>,
    pub check: Option<ApplicationCheck>,
    /// While this file exists, the health endpoint fails.
    pub fail_health_file: Option<PathBuf>,
    pub check_interval: Duration,
    pub check_timeout: Duration,
    /// The signal to hold back.
    pub stop_signal: Signal,
    /// The signal to send to the application instead.
    pub forward: Signal,
    pub times: Times,
    /// The command to run at the stop signal.
    pub on_stop: Option<Command>,
    /// The URL to request at the stop signal.
    pub on_stop_url: Option<ApplicationCheck>,
    /// The command whose exit code says whether work is in progress.
    pub quiet_command: Option<Command>,
    /// Whether to signal the application's whole process group.
    pub signal_group: bool,
    /// The exit code if the application ended because of the stop signal.
    pub exit_code: Option<u8>,
    /// Whether to ignore new connections that are gone at the next sample.
    pub ignore_empty: bool,
    /// Whether to ignore connections from this task itself.
    pub ignore_loopback: bool,
    /// The URL of ECS's metadata endpoint.
    pub metadata: Option<String>,
    /// The program and its arguments; at least the program.
    pub command: Vec<OsString>,
}

/// Collects settings; whatever is not set keeps its default.
#[derive(Debug, Clone)]
pub struct SettingsBuilder {
    ports: Vec<u16>,
    health: Option<SocketAddr>,
    check: Option<ApplicationCheck>,
    fail_health_file: Option<PathBuf>,
    check_interval: Duration,
    check_timeout: Duration,
    stop_signal: Signal,
    forward: Option<Signal>,
    times: RequestedTimes,
    on_stop: Option<Command>,
    on_stop_url: Option<ApplicationCheck>,
    quiet_command: Option<Command>,
    signal_group: bool,
    exit_code: Option<u8>,
    ignore_empty: bool,
    ignore_loopback: bool,
    metadata: Option<String>,
}

impl Default for SettingsBuilder {
    fn default() -> Self {
        Self {
            ports: Vec::new(),
            health: None,
            check: None,
            fail_health_file: None,
            check_interval: Duration::from_secs(5),
            check_timeout: Duration::from_secs(2),
            stop_signal: Signal::TERM,
            forward: None,
            times: RequestedTimes::default(),
            on_stop: None,
            on_stop_url: None,
            quiet_command: None,
            signal_group: false,
            exit_code: None,
            ignore_empty: false,
            ignore_loopback: false,
            metadata: None,
        }
    }
}

impl SettingsBuilder {
    /// Sets the setting with this flag.
    pub fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        match flag {
            "port" => self.ports = ports(value)?,
            "health" => self.health = Some(check::address(value)?),
            "check" => self.check = Some(ApplicationCheck::parse(value)?),
            "fail-health-file" => self.fail_health_file = Some(file(value)?),
            "check-interval" => self.check_interval = pause(value)?,
            "check-timeout" => self.check_timeout = pause(value)?,
            "stop-signal" => self.stop_signal = Signal::parse(value)?,
            "forward" => self.forward = Some(Signal::parse(value)?),
            "quiet" => self.times.quiet = times::parse(value)?,
            "min-hold" => self.times.min_hold = times::parse(value)?,
            "max-hold" => self.times.max_hold = Some(times::parse(value)?),
            "stop-timeout" => self.times.stop_timeout = times::parse(value)?,
            "grace" => self.times.grace = times::parse(value)?,
            "on-stop" => self.on_stop = Some(Command::parse(value)?),
            "on-stop-url" => self.on_stop_url = Some(url(value)?),
            "on-stop-timeout" => self.times.on_stop_timeout = Some(pause(value)?),
            "quiet-command" => self.quiet_command = Some(Command::parse(value)?),
            "quiet-command-timeout" => self.times.quiet_command_timeout = Some(pause(value)?),
            "signal-group" => self.signal_group = boolean(value)?,
            "exit-code" => self.exit_code = Some(exit_code(value)?),
            "ignore-empty" => self.ignore_empty = boolean(value)?,
            "ignore-loopback" => self.ignore_loopback = boolean(value)?,
            _ => return Err(unknown()),
        }
        Ok(())
    }

    /// Sets the URL of ECS's metadata endpoint.
    pub fn set_metadata(&mut self, url: String) {
        self.metadata = Some(url);
    }

    /// Returns the settings, or every problem.
    pub fn finish(self, command: Vec<OsString>) -> Result<Settings, Vec<String>> {
        let ports = self.watched();
        let mut problems = self.problems(&ports, &command);
        let times = match self.times.validate() {
            Ok(times) if problems.is_empty() => times,
            other => {
                problems.extend(other.err().unwrap_or_default());
                return Err(problems);
            }
        };
        Ok(Settings {
            ports,
            health: self.health,
            check: self.check,
            fail_health_file: self.fail_health_file,
            check_interval: self.check_interval,
            check_timeout: self.check_timeout,
            stop_signal: self.stop_signal,
            forward: self.forward.unwrap_or(self.stop_signal),
            times,
            on_stop: self.on_stop,
            on_stop_url: self.on_stop_url,
            quiet_command: self.quiet_command,
            signal_group: self.signal_group,
            exit_code: self.exit_code,
            ignore_empty: self.ignore_empty,
            metadata: self.metadata,
            ignore_loopback: self.ignore_loopback,
            command,
        })
    }

    /// Returns the configured ports, or the check's port if none is configured. If some are, the check's port does not count,
    /// because it is often a management port.
    fn watched(&self) -> Vec<u16> {
        let of_check = || self.check.iter().map(|check| check.address().port()).collect();
        if self.ports.is_empty() { of_check() } else { self.ports.clone() }
    }

    fn problems(&self, ports: &[u16], command: &[OsString]) -> Vec<String> {
        let health = self.health.map(|address| address.port());
        let checked = self.check.as_ref().map(|check| check.address().port());
        let cases = [
            (command.is_empty(), "no command: spotdrain-hold [options] -- command arguments"),
            (
                ports.is_empty() && self.quiet_command.is_none(),
                "no port to watch: set port (SPOTDRAIN_HOLD_PORT), or check, whose port is then watched, or quiet-command",
            ),
            (
                self.times.on_stop_timeout.is_some() && self.on_stop.is_none() && self.on_stop_url.is_none(),
                "on-stop-timeout needs on-stop or on-stop-url",
            ),
            (
                self.times.quiet_command_timeout.is_some() && self.quiet_command.is_none(),
                "quiet-command-timeout needs quiet-command",
            ),
            (
                self.health.is_some() && self.check.is_none(),
                "health needs check: without it there is nothing to mirror",
            ),
            (
                self.fail_health_file.is_some() && self.health.is_none(),
                "fail-health-file needs health: without it nothing can fail",
            ),
            (health.is_some_and(|port| ports.contains(&port)), "health uses a watched port: it needs its own"),
            (health.is_some() && health == checked, "health uses the check's port: it needs its own"),
        ];
        cases.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, problem)| problem.to_owned()).collect()
    }
}

fn unknown() -> String {
    let known: Vec<_> = OPTIONS.iter().map(|option| option.flag).collect();
    format!("unknown setting; known settings: {}", known.join(", "))
}

fn ports(value: &str) -> Result<Vec<u16>, String> {
    value.split(',').map(|item| port(item.trim())).collect()
}

fn port(item: &str) -> Result<u16, String> {
    let number = item.parse().ok().filter(|port| *port > 0);
    number.ok_or_else(|| format!("expected ports from 1 to 65535, separated by commas, found {item:?}"))
}

fn url(value: &str) -> Result<ApplicationCheck, String> {
    match ApplicationCheck::parse(value) {
        Ok(url @ ApplicationCheck::Http(..)) => Ok(url),
        _ if value.starts_with("https://") => {
            Err(format!("https is not supported: use http or a command, found {value:?}"))
        }
        Ok(ApplicationCheck::Tcp(_)) => Err(format!("expected http://ADDRESS:PORT/PATH, found {value:?}")),
        Err(problem) => Err(problem),
    }
}

fn file(value: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(value);
    if path.is_absolute() { Ok(path) } else { Err(format!("expected an absolute path, found {value:?}")) }
}

fn exit_code(value: &str) -> Result<u8, String> {
    value.parse().map_err(|_| format!("expected an exit code from 0 to 255, found {value:?}"))
}

fn pause(value: &str) -> Result<Duration, String> {
    let time = times::parse(value)?;
    if time < Duration::from_millis(50) {
        Err(format!("expected 0.05 seconds or more, found {value:?}"))
    } else {
        Ok(time)
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("expected true or false, found {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(values: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let mut builder = SettingsBuilder::default();
        for (flag, value) in values {
            builder.set(flag, value).unwrap();
        }
        builder.finish(vec!["app".into()])
    }

    #[test]
    fn the_checks_port_is_watched_unless_a_port_is_set() {
        let check = ("check", "http://127.0.0.1:9600/");
        assert_eq!(finish(&[check]).unwrap().ports, [9600]);
        assert_eq!(finish(&[check, ("port", "5044, 5045")]).unwrap().ports, [5044, 5045]);
    }

    #[test]
    fn the_stop_signal_is_forwarded_unless_another_is_set() {
        let port = ("port", "80");
        assert_eq!(finish(&[port, ("stop-signal", "INT")]).unwrap().forward, Signal::parse("INT").unwrap());
        assert_eq!(finish(&[port, ("forward", "QUIT")]).unwrap().forward, Signal::parse("QUIT").unwrap());
    }

    #[test]
    fn every_problem_is_reported() {
        let mut builder = SettingsBuilder::default();
        builder.set("health", "0.0.0.0:80").unwrap();
        builder.set("grace", "30").unwrap();
        let problems = builder.finish(Vec::new()).unwrap_err();
        let begins: Vec<_> = problems.iter().map(|problem| problem.split([':', ' ']).next().unwrap()).collect();
        assert_eq!(begins, ["no", "no", "health", "stop-timeout"], "{problems:?}");
    }

    #[test]
    fn a_quiet_command_needs_no_port_and_a_time_limit_needs_its_command() {
        assert!(finish(&[("quiet-command", "idle")]).unwrap().ports.is_empty());
        for (flag, problem) in [
            ("on-stop-timeout", "on-stop-timeout needs on-stop or on-stop-url"),
            ("quiet-command-timeout", "quiet-command-timeout needs quiet-command"),
        ] {
            assert_eq!(finish(&[("port", "80"), (flag, "1")]).unwrap_err(), [problem]);
        }
    }

    #[test]
    fn the_endpoint_needs_its_own_port() {
        let wrong = [("health", "0.0.0.0:80"), ("check", "tcp://127.0.0.1:80")];
        assert!(finish(&wrong).unwrap_err().iter().all(|problem| problem.ends_with("it needs its own")));
    }

    #[test]
    fn invalid_values_are_rejected() {
        for (flag, value) in [
            ("port", ""),
            ("port", "0"),
            ("port", "80,"),
            ("port", "65536"),
            ("health", ":8081"),
            ("health", "host:8081"),
            ("check", "ftp://127.0.0.1:1"),
            ("check-interval", "0"),
            ("stop-signal", "KILL"),
            ("quiet", "ten"),
            ("on-stop", "a && b"),
            ("on-stop-url", "https://127.0.0.1/"),
            ("on-stop-url", "tcp://127.0.0.1:80"),
            ("on-stop-timeout", "0"),
            ("quiet-command", ""),
            ("exit-code", "256"),
            ("exit-code", "-1"),
            ("ignore-loopback", "yes"),
            ("nothing", "1"),
        ] {
            assert!(SettingsBuilder::default().set(flag, value).is_err(), "{flag} {value}");
        }
    }

    #[test]
    fn every_option_can_be_set() {
        for option in OPTIONS {
            assert_ne!(SettingsBuilder::default().set(option.flag, "x").err(), Some(unknown()), "{}", option.flag);
        }
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let mut values: Vec<_> = OPTIONS.iter().map(|option| (option.flag, option.default)).collect();
        values.retain(|(_, default)| {
            default.starts_with(|first: char| first.is_ascii_digit() || first == 'S') || *default == "false"
        });
        let needed = [("port", "80"), ("quiet-command", "idle")];
        values.extend(needed);
        assert_eq!(finish(&values).unwrap(), finish(&needed).unwrap());
    }
}
