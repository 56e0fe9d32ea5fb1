//! The drill's arguments, as typed, and the plan that they make.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use spotdrain_drill::{Balancer, Kind, Plan, Scenario, Server, WhileDraining};

use crate::cli::exit::Problem;

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// Simulated seconds in a real one; requests and the rate keep their real time
    #[arg(long, value_name = "FACTOR", default_value_t = 10.0)]
    pub(crate) scale: f64,
    /// The ways to run it, comma-separated [default: all four]
    #[arg(long, value_name = "WAYS", value_delimiter = ',')]
    pub(crate) only: Vec<OneWay>,
    /// Number of runs of each
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) repeat: u32,
    /// Write the timelines of all runs to this file, as one page of HTML
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    pub(crate) programs: ProgramArgs,
    /// Set when it was started in namespaces of its own
    #[arg(long, hide = true)]
    pub(crate) inside: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The service and its clients")]
struct ServiceArgs {
    /// Connections that are opened in a real second
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    rate: u32,
    /// Tasks of the service
    #[arg(long, value_name = "NUMBER", default_value_t = 6)]
    tasks: usize,
    /// Tasks that are interrupted, all at once
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    interrupted: usize,
    /// Percentage of long-lived connections; the rest send one request
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    held_percent: u32,
    /// How long they are held
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    held_seconds: f64,
    /// stopTimeout of tasks with the hold; without it, it is Fargate's default of 30
    #[arg(long, value_name = "SECONDS", default_value_t = 120.0)]
    stop_timeout: f64,
    /// The service's tag spotdrain, where its tasks have the hold [default: hold for nlb, none for alb]
    #[arg(long, value_enum)]
    tag: Option<OneTag>,
    /// How long the application, once it is told to stop, waits for its connections; the hold leaves it as much
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    grace: f64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The model of AWS (docs/drill.md has the sources of the defaults)")]
struct ModelArgs {
    /// Which load balancer is played
    #[arg(long, value_enum, default_value_t = OneBalancer::Nlb)]
    load_balancer: OneBalancer,
    /// From a deregistration to the last new connection [default: 120 for nlb, 1 for alb]
    #[arg(long, value_name = "SECONDS")]
    after_deregistration: Option<f64>,
    /// From the moment a target is marked unhealthy to the last new connection [default: 40 for nlb, 1 for alb]
    #[arg(long, value_name = "SECONDS")]
    after_unhealthy: Option<f64>,
    /// Whether a draining target that fails its health check is left sooner; nobody has measured it
    #[arg(long, value_enum, default_value_t = OneAssumption::Sooner)]
    draining_unhealthy: OneAssumption,
    /// The target group's unhealthy connection termination; AWS's default is on, docs/hold.md advises off
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    unhealthy_termination: Switch,
    /// The health check's interval
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    check_interval: f64,
    /// Failures after which a target is marked unhealthy
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    check_threshold: u32,
    /// From the interruption to the event at the function
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    event_delay: f64,
    /// When ECS deregisters the tasks itself [default: never]
    #[arg(long, value_name = "SECONDS")]
    ecs_deregisters: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Programs")]
pub(crate) struct ProgramArgs {
    /// The load balancer [default: on the path]
    #[arg(long, value_name = "FILE")]
    pub(crate) haproxy: Option<PathBuf>,
    /// The hold [default: spotdrain-hold beside this program]
    #[arg(long, value_name = "FILE")]
    pub(crate) hold: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OneWay {
    Nothing,
    Function,
    Hold,
    Both,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OneBalancer {
    Nlb,
    Alb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OneTag {
    Hold,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OneAssumption {
    Sooner,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl DrillArgs {
    /// The ways in their own order, each once.
    pub(crate) fn ways(&self) -> Vec<Scenario> {
        let asked: Vec<_> = self.only.iter().map(|way| way.meant()).collect();
        Scenario::ALL.iter().copied().filter(|way| asked.is_empty() || asked.contains(way)).collect()
    }

    /// The plan, checked.
    pub(crate) fn plan(&self) -> Result<Plan, Problem> {
        let ServiceArgs { rate, tasks, interrupted, held_percent, held_seconds, stop_timeout, tag, grace } =
            self.service;
        let balancer = self.model.balancer();
        let plan = Plan {
            scale: self.scale,
            balancer,
            rate,
            tasks,
            interrupted,
            held_percent,
            held_seconds,
            event_delay: self.model.event_delay,
            tagged: tag.map_or(balancer.kind == Kind::Nlb, |tag| tag == OneTag::Hold),
            ecs_deregisters: self.model.ecs_deregisters,
            stop_timeout,
            grace,
        };
        plan.check().map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(|problem| format!("\n  --{problem}")).collect();
            Problem::Configuration(format!("the drill cannot be run so:{}", problems.concat()))
        })
    }
}

impl OneWay {
    fn meant(self) -> Scenario {
        match self {
            Self::Nothing => Scenario::Nothing,
            Self::Function => Scenario::Function,
            Self::Hold => Scenario::Hold,
            Self::Both => Scenario::Both,
        }
    }
}

impl ModelArgs {
    fn balancer(&self) -> Balancer {
        let (kind, deregistration, unhealthy) = match self.load_balancer {
            OneBalancer::Nlb => (Kind::Nlb, 120.0, 40.0),
            OneBalancer::Alb => (Kind::Alb, 1.0, 1.0),
        };
        Balancer {
            kind,
            after_deregistration: self.after_deregistration.unwrap_or(deregistration),
            after_unhealthy: self.after_unhealthy.unwrap_or(unhealthy),
            unhealthy_while_draining: match self.draining_unhealthy {
                OneAssumption::Sooner => WhileDraining::Sooner,
                OneAssumption::Not => WhileDraining::Not,
            },
            cuts_unhealthy: self.unhealthy_termination == Switch::On,
            check_interval: self.check_interval,
            check_threshold: self.check_threshold,
        }
    }
}

/// The application of a drill's task.
#[derive(Debug, Args)]
pub(crate) struct DrillTaskArgs {
    #[arg(long)]
    name: String,
    #[arg(long)]
    address: SocketAddr,
    #[arg(long, value_parser = seconds)]
    grace: Duration,
    #[arg(long, value_parser = seconds)]
    takes: Duration,
}

impl DrillTaskArgs {
    pub(crate) fn server(self) -> Server {
        Server { name: self.name, address: self.address, grace: self.grace, takes: self.takes }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().map_err(|_| "expected seconds, such as 10 or 0.5".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}
