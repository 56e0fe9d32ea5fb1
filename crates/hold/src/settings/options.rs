//! The list of settings. Tests compare the help text and the table in `docs/hold.md` with it.

/// The prefix of the hold's environment variables.
pub const PREFIX: &str = "SPOTDRAIN_HOLD_";

/// A setting, as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct OptionSpec {
    /// Without the dashes.
    pub flag: &'static str,
    pub default: &'static str,
    pub help: &'static str,
}

/// Every setting.
pub const OPTIONS: [OptionSpec; 22] = [
    opt("port", "the check's", "A port to watch; repeat it, or separate several with commas"),
    opt("health", "none", "ADDRESS:PORT of a health endpoint that mirrors the check and fails from the stop signal on"),
    opt("check", "none", "How to check the application: tcp://ADDRESS:PORT or http://ADDRESS:PORT/PATH"),
    opt("fail-health-file", "none", "A file: while it exists, the health endpoint fails, to test a load balancer"),
    opt("check-interval", "5", "Seconds between checks; at most 1 until the first success"),
    opt("check-timeout", "2", "Seconds after which a check without an answer fails"),
    opt("stop-signal", "SIGTERM", "The signal to hold back: the image's STOPSIGNAL"),
    opt("forward", "the stop signal", "The signal to send to the application instead"),
    opt("quiet", "10", "Seconds without an established or new connection after which the signal is forwarded"),
    opt("min-hold", "5", "Minimum hold in seconds"),
    opt("max-hold", "stop-timeout - grace", "Maximum hold in seconds"),
    opt("stop-timeout", "30", "Seconds from the stop signal to SIGKILL: the container's stopTimeout"),
    opt("grace", "10", "Seconds of the stop timeout left for the application to stop"),
    opt("on-stop", "none", "Command to run at the stop signal, such as: drain --now; or a JSON array of words"),
    opt("on-stop-url", "none", "http://ADDRESS:PORT/PATH to request at the stop signal"),
    opt("on-stop-timeout", "max-hold", "Seconds after which both are ended"),
    opt("quiet-command", "none", "Command that exits with 0 if no work is in progress; with it, no port is needed"),
    opt("quiet-command-timeout", "5", "Seconds after which a run of it is ended, and counts as work in progress"),
    opt("signal-group", "false", "true: signal the application's whole process group"),
    opt("exit-code", "the application's", "Exit code if the application ended because of the stop signal"),
    opt("ignore-empty", "false", "true: ignore new connections that are gone at the next sample, such as TCP checks"),
    opt("ignore-loopback", "false", "true: ignore connections from this task itself"),
];

const fn opt(flag: &'static str, default: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { flag, default, help }
}

impl OptionSpec {
    /// Whether the flag may stand without a value, which means true.
    #[must_use]
    pub fn is_switch(&self) -> bool {
        self.default == "false"
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.flag.to_uppercase().replace('-', "_"))
    }
}
