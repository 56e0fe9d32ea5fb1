//! A task: the application as a process, optionally started by the hold, and in its own network if possible.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::error::DrillError;
use crate::load_balancer::config::Backend;
use crate::service::task_output::{Forwarded, TaskOutput};
use crate::setup::isolation::Isolation;
use crate::setup::plan::{MIN_HOLD, Plan, QUIET};
use crate::setup::programs::{Application, Programs};
use crate::setup::scenario::Scenario;

/// The path of the health checks of the drill's own application.
pub(crate) const HEALTH: &str = "/health";
/// Starts an application that gets SIGTERM later than this shell. The first argument is the delay in seconds.
const SLEEP_BEFORE_SIGTERM: &str = r#"delay=$1; shift; exec 3<&0; "$@" <&3 & app=$!
trap 'sleep "$delay"; kill -TERM "$app"' TERM
while kill -0 "$app" 2>/dev/null; do wait "$app"; done"#;
/// Time limit for a start.
const TIMEOUT: Duration = Duration::from_secs(15);
const INTERVAL: Duration = Duration::from_millis(20);
/// Time limit for a hold to exit after its application.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// The ports of every task. They are equal because each task has its own address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) traffic: u16,
    pub(crate) health: u16,
}

/// The settings that all tasks of a run share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskTemplate<'a> {
    pub(crate) isolation: Isolation,
    pub(crate) programs: &'a Programs,
    pub(crate) plan: &'a Plan,
    pub(crate) ports: Ports,
    pub(crate) scenario: Scenario,
    pub(crate) fail_health_in: Option<&'a Path>,
}

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    process: Child,
    output: TaskOutput,
    isolation: Isolation,
    /// The port to connect to until the application listens; `None` if the application says so itself.
    waits_for: Option<u16>,
    has_hold: bool,
}

impl Task {
    /// Starts a task. Numbers begin at 1.
    pub(crate) fn start(number: u8, template: &TaskTemplate<'_>) -> Result<Self, DrillError> {
        let (name, address) = (name(number), address(number));
        let broken = |error: io::Error| DrillError::start(name.as_str(), &error);
        template.isolation.prepare(&name).map_err(broken)?;
        let mut command = template.command(&name, address);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(broken)?;
        let output = TaskOutput::default();
        let pipes = [process.stdout.take().map(Into::into), process.stderr.take().map(Into::into)];
        pipes.into_iter().flatten().try_for_each(|pipe| output.collect(pipe)).map_err(broken)?;
        let has_hold = template.scenario.has_hold();
        let waits_for = template.programs.application.port();
        Ok(Self { name, address, process, output, isolation: template.isolation, waits_for, has_hold })
    }

    /// Waits until the task serves requests.
    pub(crate) async fn ready(&mut self) -> Result<(), DrillError> {
        let until = Instant::now() + TIMEOUT;
        while !self.is_ready() {
            if self.has_ended() || Instant::now() > until {
                sleep(INTERVAL).await;
                return Err(DrillError::start(self.name.as_str(), &self.output.text()));
            }
            sleep(INTERVAL).await;
        }
        Ok(())
    }

    /// With a hold, its check of the application decides.
    fn is_ready(&self) -> bool {
        if self.has_hold {
            return self.output.is_healthy();
        }
        match self.waits_for {
            Some(port) => self.isolation.listens(&self.name, SocketAddr::from((self.address, port))),
            None => self.output.is_ready(),
        }
    }

    /// Sends SIGTERM to the first process of the task.
    pub(crate) fn terminate(&self) {
        if let Some(process) = self.pid() {
            // The process may be gone.
            kill_process(process, Signal::TERM).ok();
        }
    }

    /// Sends SIGKILL to all processes of the task, as Fargate does. Returns false if the first one has ended already.
    pub(crate) fn kill(&mut self) -> bool {
        let has_ended = self.has_ended();
        if let Some(group) = self.pid() {
            // The group may be gone.
            kill_process_group(group, Signal::KILL).ok();
        }
        !has_ended
    }

    /// The first process of the task, and its process group.
    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
    }

    /// When and why the hold forwarded SIGTERM to the application.
    pub(crate) fn forwarded(&self) -> Option<Forwarded> {
        self.output.forwarded()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().map_or(true, |status| status.is_some())
    }

    /// The addresses for the load balancer. With the hold, health checks go to the hold.
    pub(crate) fn backend(&self, template: &TaskTemplate<'_>) -> Backend {
        let ports = template.ports;
        let health = if self.has_hold { ports.health } else { ports.traffic };
        let at = |port| SocketAddr::from((self.address, port));
        let namespace = template.isolation.namespace(&self.name);
        Backend { name: self.name.clone(), traffic: at(ports.traffic), health: at(health), namespace }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        // A hold that outlives its application for a moment has waited for its end. Killed together, the application could still
        // be ending when this returns.
        if let Some(child) = self.output.child().and_then(Pid::from_raw).filter(|_| !self.has_ended()) {
            kill_process(child, Signal::KILL).ok();
            let until = std::time::Instant::now() + EXIT_TIMEOUT;
            while !self.has_ended() && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        self.kill();
        self.process.wait().ok();
    }
}

pub(crate) fn name(number: u8) -> String {
    format!("task-{number}")
}

/// All of 127.0.0.0/8 belongs to the loopback interface.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, number)
}

impl TaskTemplate<'_> {
    /// The command of a task, without the `SPOTDRAIN_HOLD_` settings of the drill's own environment.
    fn command(&self, name: &str, address: Ipv4Addr) -> Command {
        let mut words = self.application(name, address);
        match self.scenario {
            Scenario::Hold | Scenario::Both => {
                let options = self.hold_options(name, address).into_iter().map(OsString::from);
                words = [self.programs.hold.clone().into()]
                    .into_iter()
                    .chain(options)
                    .chain(["--".into()])
                    .chain(words)
                    .collect();
            }
            Scenario::Sleep => {
                let delay = self.seconds(self.plan.sleeps());
                words = ["sh", "-c", SLEEP_BEFORE_SIGTERM, "sh", &delay]
                    .map(OsString::from)
                    .into_iter()
                    .chain(words)
                    .collect();
            }
            Scenario::Nothing | Scenario::Function => {}
        }
        let mut words = words.into_iter();
        let mut command = self.isolation.command(name, words.next().unwrap_or_default());
        command.args(words);
        let settings = std::env::vars_os().map(|(name, _)| name);
        settings.filter(|name| name.to_string_lossy().starts_with("SPOTDRAIN_HOLD_")).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// The command of the application.
    fn application(&self, name: &str, address: Ipv4Addr) -> Vec<OsString> {
        match &self.programs.application {
            Application::Command { command, .. } => ["sh", "-c", &format!("exec {command}")].map(OsString::from).into(),
            Application::Own(program) => {
                let traffic = SocketAddr::from((address, self.ports.traffic)).to_string();
                let grace = self.seconds(self.plan.grace);
                let options = ["--name", name, "--address", &traffic, "--grace", &grace].map(OsString::from);
                [program.into()].into_iter().chain(options).collect()
            }
        }
    }

    /// The path of the health checks; `None` if they only connect.
    pub(crate) fn health_path(&self) -> Option<&'static str> {
        matches!(self.programs.application, Application::Own(_)).then_some(HEALTH)
    }

    /// The hold's defaults, except `stopTimeout`, in real time.
    fn hold_options(&self, name: &str, address: Ipv4Addr) -> Vec<String> {
        let at = |port| SocketAddr::from((address, port));
        let check = match self.health_path() {
            Some(path) => format!("http://{}{path}", at(self.ports.traffic)),
            None => format!("tcp://{}", at(self.ports.traffic)),
        };
        let options = [
            ("--check", check),
            ("--health", at(self.ports.health).to_string()),
            ("--check-interval", "0.5".to_owned()),
            ("--quiet", self.seconds(QUIET)),
            ("--min-hold", self.seconds(MIN_HOLD)),
            ("--stop-timeout", self.seconds(self.plan.stop_timeout)),
            ("--grace", self.seconds(self.plan.grace)),
        ];
        let file =
            self.fail_health_in.map(|folder| ("--fail-health-file", folder.join(name).to_string_lossy().into_owned()));
        options.into_iter().chain(file).flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    fn seconds(&self, simulated: f64) -> String {
        clock::wall(simulated, self.plan.scale).as_secs_f64().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::plan::tests::plan;

    #[test]
    fn the_hold_gets_its_times_in_real_seconds() {
        let application = Application::Own("app".into());
        let programs = &Programs { haproxy: "haproxy".into(), hold: "hold".into(), application };
        let (plan, ports) = (&plan(), Ports { traffic: 5044, health: 8081 });
        let template = TaskTemplate {
            isolation: Isolation::Shared,
            programs,
            plan,
            ports,
            scenario: Scenario::Hold,
            fail_health_in: None,
        };
        assert_eq!(
            template.hold_options("task-1", address(1)).join(" "),
            "--check http://127.0.1.1:5044/health --health 127.0.1.1:8081 --check-interval 0.5 --quiet 1 --min-hold 0.5 \
             --stop-timeout 12 --grace 1"
        );
    }
}
