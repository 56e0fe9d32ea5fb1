//! The arguments, as typed. What they mean is checked elsewhere.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::drill::{DrillArgs, DrillTaskArgs};
use super::settings::SettingFlags;

#[derive(Debug, Parser)]
#[command(
    name = "spotdrain",
    version,
    about = "Takes a Fargate Spot task that is being interrupted out of its target groups",
    after_help = "See it at work, without an AWS account: spotdrain demo\n\n\
                  Exit codes: 0 done or nothing to do, 1 failed for good, 64 bad configuration, 65 bad event, \
                  75 failed but worth another try.",
    disable_help_subcommand = true
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
    /// Answers the SDKs and the aws command. What it knows of ECS and ELBv2 it does as AWS documents it.
    Local(LocalArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct EventArgs {
    /// The file with the event; - for standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) event: PathBuf,
    /// Take the event as if it came now (a sample's own times are long past). Unless AWS_ENDPOINT_URL names a stand-in,
    /// ECS is then always asked whether the task still has the address
    #[arg(long)]
    pub(crate) restamp: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
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
}
