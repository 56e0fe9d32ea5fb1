//! The probe's arguments.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use spotdrain_drill::{ClientProtocol, TrafficSettings};
use strum::IntoStaticStr;

use crate::cli::connect::AwsArgs;
use crate::cli::exit::CliError;

#[derive(Debug, Args)]
pub(crate) struct ProbeArgs {
    /// The service to connect to
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) against: String,
    /// How long to open connections; with an experiment, from its step on
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 180, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Mark a moment in the result, such as 30=deployed; Enter marks the present one
    #[arg(long, value_name = "SECONDS=TEXT")]
    pub(crate) mark: Vec<TimedMark>,
    /// Print JSON, for programs (docs/schema/probe-1.json)
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the timeline to this file, as an HTML page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    clients: ClientArgs,
    /// Sample the health of this group's targets every second (DescribeTargetHealth)
    #[arg(long, value_name = "ARN")]
    pub(crate) target_group: Option<String>,
    #[command(flatten)]
    pub(crate) experiment: ExperimentArgs,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The clients")]
struct ClientArgs {
    /// Connections opened in a second
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Percentage of connections that are held open; the rest send one request
    #[arg(long, value_name = "PERCENT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(..=100))]
    held_percent: u32,
    /// How long a held connection stays open
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    held_seconds: u32,
    /// The path of the requests
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = path)]
    path: String,
    /// The header of the answers that names the server, to tell the targets apart
    #[arg(long, value_name = "HEADER", conflicts_with = "tcp")]
    served_by: Option<http::HeaderName>,
    /// Send no requests: a connection that stays open for a second counts as served
    #[arg(long, conflicts_with = "path")]
    tcp: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "An experiment on one target (docs/probe.md)")]
pub(crate) struct ExperimentArgs {
    /// What to do to the target, once
    #[arg(long = "experiment", value_enum, requires = "target_group", requires = "task")]
    pub(crate) kind: Option<ExperimentKind>,
    /// The task whose target it is
    #[arg(long, value_name = "ARN", requires = "kind")]
    pub(crate) task: Option<String>,
    /// The port of the target, if the task has several in the group
    #[arg(long, value_name = "NUMBER", requires = "kind")]
    pub(crate) target_port: Option<i32>,
    /// The name of the target in the header --served-by [default: the one with the task's address or id]
    #[arg(long, value_name = "NAME", requires = "kind")]
    pub(crate) server: Option<String>,
    /// Seconds of traffic before the step, for comparison
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(5..=600))]
    pub(crate) before: u32,
    /// The command that makes the target fail its health checks, instead of a request to you to do it
    #[arg(long, value_name = "COMMAND", requires = "kind")]
    pub(crate) fail_command: Option<String>,
    /// The command that undoes --fail-command
    #[arg(long, value_name = "COMMAND", requires = "fail_command")]
    pub(crate) recover_command: Option<String>,
    /// Go on even if no other target of the group is healthy: the service is then down for a while
    #[arg(long, requires = "kind")]
    pub(crate) allow_last: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "kind")]
    pub(crate) yes: bool,
}

/// What an experiment does to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub(crate) enum ExperimentKind {
    /// Deregister it; it is registered again at the end
    Deregister,
    /// Let it fail its health checks, through the hold's --fail-health-file
    Unhealthy,
    /// Deregister it, and let it fail its health checks while it drains
    Both,
    /// Stop its task; this cannot be undone
    Stop,
}

impl ExperimentKind {
    pub(crate) fn name(self) -> &'static str {
        self.into()
    }

    pub(crate) fn deregisters(self) -> bool {
        matches!(self, Self::Deregister | Self::Both)
    }

    pub(crate) fn fails_health(self) -> bool {
        matches!(self, Self::Unhealthy | Self::Both)
    }
}

/// A mark that the user sets in advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimedMark {
    pub(crate) at: u32,
    pub(crate) text: String,
}

impl FromStr for TimedMark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected SECONDS=TEXT, such as 30=deployed, found {text:?}");
        let (at, what) = text.split_once('=').ok_or_else(expected)?;
        Ok(Self { at: at.parse().map_err(|_| expected())?, text: what.to_owned() })
    }
}

fn path(text: &str) -> Result<String, String> {
    match text.parse::<http::Uri>() {
        Ok(uri) if text.starts_with('/') && uri.authority().is_none() => Ok(text.to_owned()),
        _ => Err("expected a path, such as / or /health?full=1".to_owned()),
    }
}

impl ProbeArgs {
    pub(crate) fn settings(&self) -> TrafficSettings {
        let ClientArgs { rate, held_percent, held_seconds, .. } = self.clients;
        let before = self.experiment.kind.map_or(0, |_| self.experiment.before);
        let end = f64::from(before) + f64::from(self.seconds);
        TrafficSettings { rate, held_percent, held_seconds: f64::from(held_seconds), end }
    }

    pub(crate) fn protocol(&self) -> ClientProtocol {
        if self.clients.tcp {
            ClientProtocol::Tcp
        } else {
            ClientProtocol::Http { path: self.clients.path.clone(), served_by: self.clients.served_by.clone() }
        }
    }

    /// Checks the combinations of options that clap does not check.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        let measures = self.experiment.kind.is_some_and(|kind| kind != ExperimentKind::Stop);
        if measures && self.clients.served_by.is_none() {
            return Err(CliError::Configuration(
                "this experiment needs --served-by HEADER: a client cannot see which target serves its connection, so the \
                 application must name itself in a header of its answers (docs/probe.md)"
                    .to_owned(),
            ));
        }
        let late = self.mark.iter().find(|mark| f64::from(mark.at) > self.settings().end);
        late.map_or(Ok(()), |mark| {
            Err(CliError::Configuration(format!(
                "--mark {}={}: the probe ends before, at {} s",
                mark.at,
                mark.text,
                self.settings().end
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_has_a_time_and_a_text() {
        assert_eq!("30=all = done".parse(), Ok(TimedMark { at: 30, text: "all = done".to_owned() }));
        for text in ["", "30", "x=y", "-1=y"] {
            assert!(text.parse::<TimedMark>().unwrap_err().contains("expected SECONDS=TEXT"), "{text}");
        }
    }

    #[test]
    fn a_path_is_not_a_url() {
        assert_eq!(path("/a?b=c"), Ok("/a?b=c".to_owned()));
        for text in ["", "a", "http://host/", "//host/a b"] {
            assert!(path(text).is_err(), "{text}");
        }
    }
}
