//! The arguments, as typed. What they mean is checked elsewhere.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use super::doctor::DoctorArgs;
use super::drill::{DrillArgs, DrillTaskArgs};
use super::report::ReportArgs;
use super::settings::SettingFlags;

/// The version, with the commit that it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("SPOTDRAIN_COMMIT"), ")");

#[derive(Debug, Parser)]
#[command(
    name = "spotdrain",
    version = VERSION,
    about = "Takes a Fargate Spot task that is being interrupted out of its target groups",
    after_help = "See it at work, without an AWS account: spotdrain demo\n\n\
                  Exit codes: 0 done or nothing to do, 1 failed for good or an error was found, 2 a warning was found \
                  (doctor --strict), 64 bad configuration, 65 bad event, \
                  75 failed but worth another try."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what is read from an event, and whether it is a notice
    ///
    /// Calls nothing. An event may be one of EventBridge or a batch of SQS, as the function gets them.
    Explain(ExplainArgs),
    /// Show what would be done about an event, and change nothing
    ///
    /// Asks ECS and the load balancer, with your AWS credentials.
    Plan(DrainArgs),
    /// Take the interrupted task of an event out of its target groups, now
    ///
    /// The same that the function does, with your AWS credentials.
    Drain(DrainArgs),
    /// See the whole of it at work on an AWS inside this process
    ///
    /// Needs no AWS account, no Docker and no network.
    Demo(DemoArgs),
    /// Find the settings that lose connections, before an interruption does
    ///
    /// Reads templates before they are deployed (--template), or what is deployed (--cluster, or every cluster of the Region),
    /// with your AWS credentials. Changes nothing.
    Doctor(DoctorArgs),
    /// Report what past interruptions did, and whether ECS or spotdrain was first
    ///
    /// Reads the function's log from CloudWatch Logs, with your AWS credentials, or from files. Changes nothing. See it without
    /// AWS: spotdrain report --demo
    Report(ReportArgs),
    /// Simulate the notice of a running task, and try the function with it
    ///
    /// Without an option it only prints the event. Nothing is sent or done without --for-real, and not before you have said yes.
    Simulate(SimulateArgs),
    /// Interrupt tasks under live traffic, and count the connections that are lost
    ///
    /// Four times: with nothing, with the function, with the hold, with both. Needs HAProxy, which stands for the load
    /// balancer, and no AWS account. What is assumed of AWS: docs/drill.md.
    Drill(DrillArgs),
    /// The application of a drill's task
    #[command(hide = true)]
    DrillTask(DrillTaskArgs),
    /// Run an AWS on this machine, with the demo's service in it, until Ctrl-C
    ///
    /// Answers the SDKs and the aws command as AWS documents it, and lists the services and actions that it simulates.
    /// With --world it loads your own clusters, services, tasks and target groups.
    Local(LocalArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// As whom AWS is asked.
#[derive(Debug, Args)]
pub(crate) struct AwsArgs {
    /// The profile whose credentials and Region are used, instead of AWS_PROFILE
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct EventSource {
    /// The file with the event; - for standard input
    #[arg(value_name = "EVENT")]
    event: Option<PathBuf>,
    /// The same as EVENT
    #[arg(id = "event_flag", long = "event", value_name = "FILE")]
    event_flag: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    #[command(flatten)]
    source: EventSource,
    /// Take the event as if it came now (a sample's own times are long past). Unless AWS_ENDPOINT_URL names a stand-in,
    /// ECS is then always asked whether the task still has the address
    #[arg(long)]
    pub(crate) restamp: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

impl EventArgs {
    /// The file with the event, however it was given.
    pub(crate) fn file(&self) -> &Path {
        let EventSource { event, event_flag } = &self.source;
        event.as_deref().or(event_flag.as_deref()).unwrap_or(Path::new("-"))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) event: EventArgs,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    pub(crate) event: EventArgs,
    /// Give up after so many seconds; what is not done by then is worth another try
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(5..=900))]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LocalArgs {
    /// The port on 127.0.0.1; 0 for one that is free
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// A world file: JSON with clusters, services, tasks and target groups
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct SimulateArgs {
    /// The cluster, by name or ARN
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: String,
    /// The running task, by id or ARN
    #[arg(long, value_name = "TASK")]
    pub(crate) task: String,
    /// Send it to this EventBridge bus, with the simulator's source: nobody but AWS can send aws.*
    #[arg(long, value_name = "NAME")]
    pub(crate) bus: Option<String>,
    /// The simulator's source; the function reads it only if SPOTDRAIN_EVENT_SOURCES has it
    #[arg(long, value_name = "SOURCE", default_value = "spotdrain.drill", requires = "bus")]
    pub(crate) source: String,
    /// Invoke this function with it
    #[arg(long, value_name = "NAME", conflicts_with = "bus")]
    pub(crate) invoke: Option<String>,
    /// Handle it here, as the function would
    #[arg(long, conflicts_with_all = ["bus", "invoke"])]
    pub(crate) here: bool,
    /// Only show what would be done; the default without --for-real
    #[arg(long, conflicts_with = "for_real")]
    pub(crate) dry_run: bool,
    /// Do it: the task's target is taken out of its target groups, though the task goes on
    #[arg(long)]
    pub(crate) for_real: bool,
    /// Do not ask
    #[arg(long, requires = "for_real")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}
