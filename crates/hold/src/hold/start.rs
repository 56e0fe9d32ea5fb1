//! Starts the hold: everything that can be refused is tried before the application runs.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use super::Hold;
use super::sampler::Sampler;
use crate::connections::counter::PortFilter;
use crate::health::check::ApplicationCheck;
use crate::health::checker::Checker;
use crate::health::endpoint::Endpoint;
use crate::log::Log;
use crate::log::record::{LogRecord, Start};
use crate::metadata::MetadataRequest;
use crate::process::child::{self, Child, ProcessGroup};
use crate::process::signals::Signals;
use crate::process::terminal;
use crate::rules::{HoldState, Rules};
use crate::settings::Settings;

/// `EX_USAGE` of `sysexits.h`.
const USAGE: u8 = 64;
/// Where programs are looked for without a `PATH`, as by the C library.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Why nothing was started.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub code: u8,
    pub problems: Vec<String>,
}

impl Hold {
    /// Binds the port and catches the signals before it starts the application, so that no signal is lost.
    pub fn start(settings: Settings, log: Log) -> Result<Self, Refusal> {
        check_commands(&settings)?;
        let endpoint = endpoint(&settings)?;
        let has_terminal = terminal::exists();
        let signals = Signals::catch(has_terminal).map_err(|error| refusal(126, "the signals", &error))?;
        let is_first = std::process::id() == 1;
        let orphans = if is_first { Ok(()) } else { child::adopt_orphans() };
        let child = Child::start(&settings.command, group(&settings, has_terminal))
            .map_err(|error| Refusal { code: error.code(), problems: vec![error.to_string()] })?;
        let mut hold = Self::new(settings, log, signals, child, endpoint);
        hold.log.write(&LogRecord::Started(Box::new(start(&hold.settings, hold.child, has_terminal))));
        hold.warn_on_error("orphans cannot be adopted", orphans);
        hold.warn_at_start(is_first, has_terminal);
        Ok(hold)
    }

    fn new(settings: Settings, log: Log, signals: Signals, child: Child, endpoint: Option<Endpoint>) -> Self {
        let checker = settings.check.clone().filter(|_| endpoint.is_some());
        let own_port = settings.health.map(|address| address.port());
        let filter = PortFilter { ports: settings.ports.clone(), own_port, ignore_local: settings.ignore_loopback };
        Self {
            rules: Rules::from(&settings),
            state: HoldState::default(),
            signals,
            child,
            ended: None,
            endpoint,
            checker: checker.map(|check| Checker::new(check, settings.check_interval, settings.check_timeout)),
            sampler: Sampler::new(filter),
            commands: None,
            metadata: None,
            started: Instant::now(),
            log,
            settings,
        }
    }

    fn warn_at_start(&mut self, is_first: bool, has_terminal: bool) {
        let metadata = self.settings.metadata.as_deref().map(MetadataRequest::new).transpose();
        let metadata = metadata.map(|request| self.metadata = request).err();
        let kernel = self.sampler.try_kernel();
        let init = is_init(&self.settings.command).filter(|_| is_first);
        let group = (has_terminal && self.settings.signal_group).then(|| {
            "signal-group has no effect with a terminal, whose process group the application shares with the hold"
                .to_owned()
        });
        for text in [metadata, kernel, init, group].into_iter().flatten() {
            self.log.warn(text);
        }
    }
}

fn check_commands(settings: &Settings) -> Result<(), Refusal> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
    let commands = [("on-stop", &settings.on_stop), ("quiet-command", &settings.quiet_command)];
    let checked =
        commands.into_iter().filter_map(|(name, command)| Some((name, command.as_ref()?.check(&path).err()?)));
    let problems: Vec<_> = checked.map(|(name, problem)| format!("{name}: {problem}")).collect();
    if problems.is_empty() { Ok(()) } else { Err(Refusal { code: USAGE, problems }) }
}

/// With a terminal, the application shares the hold's group; see [`terminal`].
fn group(settings: &Settings, has_terminal: bool) -> ProcessGroup {
    match (has_terminal, settings.signal_group) {
        (true, _) => ProcessGroup::Shared,
        (false, true) => ProcessGroup::Signalled,
        (false, false) => ProcessGroup::Own,
    }
}

/// Init systems such as s6-overlay and systemd insist on being process 1, which is the hold's place.
fn is_init(command: &[OsString]) -> Option<String> {
    let program = child::program(command);
    let is_init = matches!(program.rsplit('/').next(), Some("init" | "systemd"));
    is_init.then(|| {
        format!(
            "{program} may have to be process 1, as s6-overlay's /init and systemd do: then start it first, and the hold in the \
             run script of the service that serves the traffic (docs/hold.md)"
        )
    })
}

fn endpoint(settings: &Settings) -> Result<Option<Endpoint>, Refusal> {
    let closes = matches!(settings.check, Some(ApplicationCheck::Tcp(_)));
    let opened = settings.health.map(|address| {
        Endpoint::open(address, closes).map_err(|error| refusal(USAGE, &format!("health {address}"), &error))
    });
    opened.transpose()
}

fn refusal(code: u8, what: &str, error: &io::Error) -> Refusal {
    Refusal { code, problems: vec![format!("{what}: {error}")] }
}

fn start(settings: &Settings, child: Child, terminal: bool) -> Start {
    let pid = std::process::id();
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let command = settings.on_stop.as_ref().map(ToString::to_string);
    let url = settings.on_stop_url.as_ref().map(ToString::to_string);
    Start {
        version: env!("CARGO_PKG_VERSION"),
        pid,
        first_process: pid == 1,
        terminal,
        child: child.id(),
        command: child::program(&settings.command),
        ports: settings.ports.clone(),
        health: settings.health.map(|address| address.to_string()),
        check: settings.check.as_ref().map(ToString::to_string),
        stop_signal: settings.stop_signal,
        forward: settings.forward,
        quiet_ms: millis(settings.times.quiet),
        min_hold_ms: millis(settings.times.min_hold),
        max_hold_ms: millis(settings.times.max_hold),
        on_stop: command.into_iter().chain(url).collect(),
        quiet_command: settings.quiet_command.as_ref().map(ToString::to_string),
    }
}
