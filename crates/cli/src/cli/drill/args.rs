//! The drill's arguments, and the plan that they describe.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spotdrain_drill::{ClientProtocol, LoadBalancerModel, LoadBalancerType, Plan, Scenario, WhileDraining};

use crate::cli::exit::CliError;
use crate::cli::probe::measured;

#[derive(Debug, Args)]
pub(crate) struct DrillArgs {
    /// Simulated seconds in a real second; requests and the connection rate keep real time
    #[arg(long, value_name = "FACTOR", default_value_t = 10.0)]
    pub(crate) scale: f64,
    /// The scenarios to run, comma-separated [default: all five]
    #[arg(long, value_name = "SCENARIOS", value_delimiter = ',')]
    pub(crate) only: Vec<ScenarioArg>,
    /// Number of runs of each scenario
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) repeat: u32,
    /// Write the timelines of all runs to this file, as an HTML page
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
    /// Set when the drill has restarted itself in namespaces of its own
    #[arg(long, hide = true)]
    pub(crate) inside: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The service and its clients")]
struct ServiceArgs {
    /// Connections opened in a real second
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    rate: u32,
    /// Tasks of the service
    #[arg(long, value_name = "NUMBER", default_value_t = 6)]
    tasks: usize,
    /// Tasks that are interrupted at the same time
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    interrupted: usize,
    /// Percentage of long-lived connections; the rest send one request
    #[arg(long, value_name = "PERCENT", default_value_t = 5)]
    held_percent: u32,
    /// Duration of a long-lived connection
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    held_seconds: f64,
    /// stopTimeout of tasks with the hold; tasks without it have Fargate's default of 30
    #[arg(long, value_name = "SECONDS", default_value_t = 120.0)]
    stop_timeout: f64,
    /// The service's tag spotdrain in the scenarios with the hold [default: hold for nlb, none for alb]
    #[arg(long, value_enum)]
    tag: Option<ServiceTagArg>,
    /// How long the application waits for its connections after SIGTERM; the hold leaves it this much time
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    grace: f64,
    /// Run this one command as the application of every task; it must listen on --port of 0.0.0.0
    #[arg(long, value_name = "COMMAND", requires = "port")]
    app: Option<String>,
    /// The port of the application
    #[arg(long, value_name = "NUMBER", requires = "app", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Send no HTTP requests: a connection that the application keeps open counts as served
    #[arg(long, requires = "app")]
    tcp: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "The model of AWS (docs/drill.md has the sources of the defaults)")]
struct ModelArgs {
    /// Which load balancer is simulated
    #[arg(long, value_enum, default_value_t = LoadBalancerArg::Nlb)]
    load_balancer: LoadBalancerArg,
    /// Time from a deregistration to the last new connection [default: 120 for nlb, 1 for alb]
    #[arg(long, value_name = "SECONDS")]
    after_deregistration: Option<f64>,
    /// Time from a target being marked unhealthy to its last new connection [default: 40 for nlb, 1 for alb]
    #[arg(long, value_name = "SECONDS")]
    after_unhealthy: Option<f64>,
    /// Whether new connections to a draining target end sooner when it fails its health check; no measurement is known
    #[arg(long, value_enum, default_value_t = DrainingAssumptionArg::Sooner)]
    draining_unhealthy: DrainingAssumptionArg,
    /// Take the delays from a result of `spotdrain probe --json` instead of the three options above; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with_all = ["after_deregistration", "after_unhealthy", "draining_unhealthy"])]
    measured: Vec<PathBuf>,
    /// The target group's unhealthy connection termination; AWS's default is on, docs/hold.md recommends off
    #[arg(long, value_enum, default_value_t = OnOff::Off)]
    unhealthy_termination: OnOff,
    /// Interval of the health check
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    check_interval: f64,
    /// Failed checks after which a target is marked unhealthy
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    check_threshold: u32,
    /// Time from the interruption to the event's arrival at the function
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    event_delay: f64,
    /// When ECS deregisters the tasks itself [default: never]
    #[arg(long, value_name = "SECONDS")]
    ecs_deregisters: Option<f64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Programs")]
pub(crate) struct ProgramArgs {
    /// The HAProxy program [default: found on the PATH]
    #[arg(long, value_name = "FILE")]
    pub(crate) haproxy: Option<PathBuf>,
    /// The hold [default: spotdrain-hold in this program's folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) hold: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScenarioArg {
    Nothing,
    Function,
    Hold,
    Both,
    Sleep,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LoadBalancerArg {
    Nlb,
    Alb,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServiceTagArg {
    Hold,
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DrainingAssumptionArg {
    Sooner,
    Not,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnOff {
    On,
    Off,
}

impl DrillArgs {
    /// The scenarios to run, in their fixed order, each once.
    pub(crate) fn scenarios(&self) -> Vec<Scenario> {
        let selected: Vec<_> = self.only.iter().map(|argument| argument.scenario()).collect();
        Scenario::ALL.iter().copied().filter(|one| selected.is_empty() || selected.contains(one)).collect()
    }

    /// The plan, checked.
    pub(crate) fn plan(&self) -> Result<Plan, CliError> {
        let ServiceArgs { rate, tasks, interrupted, held_percent, held_seconds, stop_timeout, tag, grace, .. } =
            self.service;
        let measured = measured::read(&self.model.measured)?;
        let balancer = self.model.balancer();
        let balancer = measured.map_or(Ok(balancer), |measured| measured.apply(balancer));
        let balancer = balancer.map_err(|error| CliError::Configuration(format!("--measured: {error}")))?;
        let plan = Plan {
            scale: self.scale,
            balancer,
            is_measured: measured.is_some(),
            rate,
            tasks,
            interrupted,
            held_percent,
            held_seconds,
            event_delay: self.model.event_delay,
            tagged: tag.map_or(balancer.kind == LoadBalancerType::Nlb, |tag| tag == ServiceTagArg::Hold),
            ecs_deregisters: self.model.ecs_deregisters,
            stop_timeout,
            grace,
        };
        plan.check().map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(|problem| format!("\n  --{problem}")).collect();
            CliError::Configuration(format!("invalid drill options:{}", problems.concat()))
        })
    }
}

impl DrillArgs {
    /// The application that replaces the drill's own, with its port.
    pub(crate) fn command(&self) -> Option<(String, u16)> {
        self.service.app.clone().zip(self.service.port)
    }

    pub(crate) fn protocol(&self) -> ClientProtocol {
        if self.service.tcp {
            ClientProtocol::Tcp
        } else {
            ClientProtocol::Http { path: "/".to_owned(), served_by: None }
        }
    }
}

impl ScenarioArg {
    fn scenario(self) -> Scenario {
        match self {
            Self::Nothing => Scenario::Nothing,
            Self::Function => Scenario::Function,
            Self::Hold => Scenario::Hold,
            Self::Both => Scenario::Both,
            Self::Sleep => Scenario::Sleep,
        }
    }
}

impl ModelArgs {
    fn balancer(&self) -> LoadBalancerModel {
        let (kind, deregistration, unhealthy) = match self.load_balancer {
            LoadBalancerArg::Nlb => (LoadBalancerType::Nlb, 120.0, 40.0),
            LoadBalancerArg::Alb => (LoadBalancerType::Alb, 1.0, 1.0),
        };
        LoadBalancerModel {
            kind,
            after_deregistration: self.after_deregistration.unwrap_or(deregistration),
            after_unhealthy: self.after_unhealthy.unwrap_or(unhealthy),
            unhealthy_while_draining: match self.draining_unhealthy {
                DrainingAssumptionArg::Sooner => WhileDraining::Sooner,
                DrainingAssumptionArg::Not => WhileDraining::Not,
            },
            cuts_unhealthy: self.unhealthy_termination == OnOff::On,
            check_interval: self.check_interval,
            check_threshold: self.check_threshold,
        }
    }
}
