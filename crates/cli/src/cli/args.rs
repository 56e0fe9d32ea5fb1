//! The command line's arguments, as typed.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use super::connect::AwsArgs;
use super::doctor::DoctorArgs;
use super::drill::DrillArgs;
use super::probe::ProbeArgs;
use super::report::ReportArgs;
use super::settings::SettingFlags;

/// The version, with the commit that it was built from.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (commit ", env!("SPOTDRAIN_COMMIT"), ")");

#[derive(Debug, Parser)]
#[command(
    name = "spotdrain",
    version = VERSION,
    about = "Deregisters Fargate Spot tasks from their target groups as soon as they are interrupted",
    after_help = "Try it without an AWS account: spotdrain demo\n\n\
                  Exit codes: 0 done or nothing to do, 1 failed or an error was found, 2 a warning was found \
                  (doctor --strict), 64 bad configuration, 65 bad event, \
                  75 failed and worth retrying, 141 the output was closed by its reader."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: CliCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    /// Show how an event is read, and whether it is a notice
    ///
    /// Makes no AWS calls. The event is an EventBridge event or an SQS batch, as the function receives them.
    Explain(ExplainArgs),
    /// Show what the function would do with an event, and change nothing
    ///
    /// Reads from ECS and Elastic Load Balancing, with your AWS credentials.
    Plan(DrainArgs),
    /// Deregister the interrupted task of an event from its target groups
    ///
    /// Does what the function does, with your AWS credentials.
    Drain(DrainArgs),
    /// Run the function once against a local AWS inside this process
    ///
    /// Needs no AWS account, no Docker and no network.
    Demo(DemoArgs),
    /// Find the settings that will drop connections in an interruption
    ///
    /// Reads templates before they are deployed (--template), or what is deployed (--cluster, or every cluster of the Region)
    /// with your AWS credentials. Changes nothing.
    Doctor(DoctorArgs),
    /// Report what past interruptions did, and whether ECS or spotdrain was first
    ///
    /// Reads the function's log from CloudWatch Logs, with your AWS credentials, or from files. Changes nothing. See it without
    /// AWS: spotdrain report --demo
    Report(ReportArgs),
    /// Simulate the notice of a running task, to test the function
    ///
    /// Without --bus, --invoke or --here it only prints the event. Nothing is sent or done without --for-real and a confirmation.
    Simulate(SimulateArgs),
    /// Interrupt tasks under live traffic, and count the lost connections
    ///
    /// Runs five scenarios: nothing, the function, the hold, both, and a shell that sleeps before it passes SIGTERM on. Needs
    /// HAProxy, which acts as the load balancer, and no AWS account. The assumptions about AWS: docs/drill.md.
    Drill(DrillArgs),
    /// Measure your own load balancer: clients against a service while its targets leave
    ///
    /// Opens connections at a steady rate and counts those that are lost, while you stop a task, deploy, or let the probe deregister
    /// one target. How to measure an NLB's delays, step by step: docs/probe.md.
    Probe(ProbeArgs),
    /// Run a local AWS with the demo's service, until Ctrl-C
    ///
    /// Answers the SDKs and the aws command as AWS documents it, and lists the services and actions that it simulates.
    /// --world loads your own clusters, services, tasks and target groups.
    Local(LocalArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
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
    /// Treat the event as if it were sent now (a sample's own times are long past). Unless AWS_ENDPOINT_URL is set, ECS is then
    /// always asked whether the task still has the address
    #[arg(long)]
    pub(crate) restamp: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

impl EventArgs {
    /// The file with the event, given as argument or flag.
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
    /// Stop after this many seconds; unfinished work fails and is worth retrying
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
    /// The port on 127.0.0.1; 0 for any free port
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
    /// Send the event to this EventBridge bus, with the simulator's source, because only AWS can send aws.*
    #[arg(long, value_name = "NAME")]
    pub(crate) bus: Option<String>,
    /// The simulator's source; the function accepts it only if SPOTDRAIN_EVENT_SOURCES lists it
    #[arg(long, value_name = "SOURCE", default_value = "spotdrain.drill", requires = "bus")]
    pub(crate) source: String,
    /// Invoke this function with the event
    #[arg(long, value_name = "NAME", conflicts_with = "bus")]
    pub(crate) invoke: Option<String>,
    /// Handle the event in this process, as the function would
    #[arg(long, conflicts_with_all = ["bus", "invoke"])]
    pub(crate) here: bool,
    /// Only show what would be done (the default)
    #[arg(long, conflicts_with = "for_real")]
    pub(crate) dry_run: bool,
    /// Do it: the task is deregistered from its target groups, and keeps running
    #[arg(long)]
    pub(crate) for_real: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "for_real")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
    #[command(flatten)]
    pub(crate) settings: SettingFlags,
}
