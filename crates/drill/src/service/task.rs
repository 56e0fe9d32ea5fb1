//! A task: the application as a process, optionally started by the hold, and in its own network if possible.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::error::DrillError;
use crate::load_balancer::config::Backend;
use crate::service::server::HEALTH;
use crate::service::task_output::{Forwarded, TaskOutput};
use crate::setup::isolation::Isolation;
use crate::setup::plan::{MIN_HOLD, Plan, QUIET};
use crate::setup::programs::Programs;

/// How long a request takes, in real time.
const REQUEST_TIME: &str = "0.02";
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
    pub(crate) has_hold: bool,
}

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    process: Child,
    output: TaskOutput,
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
        Ok(Self { name, address, process, output, has_hold: template.has_hold })
    }

    /// Waits until the task serves requests.
    pub(crate) async fn ready(&mut self) -> Result<(), DrillError> {
        let until = Instant::now() + TIMEOUT;
        while !self.output.is_ready(self.has_hold) {
            if self.has_ended() || Instant::now() > until {
                sleep(INTERVAL).await;
                return Err(DrillError::start(self.name.as_str(), &self.output.text()));
            }
            sleep(INTERVAL).await;
        }
        Ok(())
    }

    /// Sends SIGTERM to the first process of the task.
    pub(crate) fn terminate(&self) {
        send(i32::try_from(self.process.id()).ok(), Signal::TERM);
    }

    /// Sends SIGKILL to the application; the hold, if any, then exits too. Returns false if the task has ended already.
    pub(crate) fn kill(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        match self.output.child().filter(|_| self.has_hold) {
            Some(child) => send(Some(child), Signal::KILL),
            None => send(i32::try_from(self.process.id()).ok(), Signal::KILL),
        }
        true
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
        self.kill();
        let until = std::time::Instant::now() + EXIT_TIMEOUT;
        while !self.has_ended() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Ignores the error of a process that is gone.
fn send(pid: Option<i32>, signal: Signal) {
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        kill_process(pid, signal).ok();
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
        let (server, words) = &self.programs.server;
        let traffic = SocketAddr::from((address, self.ports.traffic));
        let mut command = self.isolation.command(name, if self.has_hold { &self.programs.hold } else { server });
        if self.has_hold {
            command.args(self.hold_options(address)).arg("--").arg(server);
        }
        let grace = self.seconds(self.plan.grace);
        command.args(words).args(["--name", name, "--address", &traffic.to_string(), "--grace", &grace]);
        command.args(["--takes", REQUEST_TIME]);
        let settings = std::env::vars_os().map(|(name, _)| name);
        settings.filter(|name| name.to_string_lossy().starts_with("SPOTDRAIN_HOLD_")).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// The hold's defaults, except `stopTimeout`, in real time.
    fn hold_options(&self, address: Ipv4Addr) -> Vec<String> {
        let at = |port| SocketAddr::from((address, port));
        let options = [
            ("--check", format!("http://{}{HEALTH}", at(self.ports.traffic))),
            ("--health", at(self.ports.health).to_string()),
            ("--check-interval", "0.5".to_owned()),
            ("--quiet", self.seconds(QUIET)),
            ("--min-hold", self.seconds(MIN_HOLD)),
            ("--stop-timeout", self.seconds(self.plan.stop_timeout)),
            ("--grace", self.seconds(self.plan.grace)),
        ];
        options.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
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
        let programs = Programs { haproxy: "haproxy".into(), hold: "hold".into(), server: ("app".into(), Vec::new()) };
        let (plan, ports) = (plan(), Ports { traffic: 5044, health: 8081 });
        let template =
            TaskTemplate { isolation: Isolation::Shared, programs: &programs, plan: &plan, ports, has_hold: true };
        assert_eq!(
            template.hold_options(address(1)).join(" "),
            "--check http://127.0.1.1:5044/health --health 127.0.1.1:8081 --check-interval 0.5 --quiet 1 --min-hold 0.5 \
             --stop-timeout 12 --grace 1"
        );
    }
}
