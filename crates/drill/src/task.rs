//! A task: the application as a process, with the hold before it or without, in a network of its own where that may be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::config::Backend;
use crate::error::DrillError;
use crate::place::Place;
use crate::plan::{MIN_HOLD, Plan, QUIET};
use crate::server::HEALTH;
use crate::tools::Tools;
use crate::witness::{Told, Witness};

/// How long a request takes, in real time.
const TAKES: &str = "0.02";
/// The time to start in.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(20);
/// What a hold needs to end once its application has.
const TO_END: Duration = Duration::from_secs(1);

/// What a task listens on, the same for all: each has an address of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) traffic: u16,
    pub(crate) health: u16,
}

/// What all tasks of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recipe<'a> {
    pub(crate) place: Place,
    pub(crate) tools: &'a Tools,
    pub(crate) plan: &'a Plan,
    pub(crate) ports: Ports,
    pub(crate) has_hold: bool,
}

/// A task that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    process: Child,
    witness: Witness,
    has_hold: bool,
}

impl Task {
    /// Starts the task of this number, from 1.
    pub(crate) fn start(number: u8, recipe: &Recipe<'_>) -> Result<Self, DrillError> {
        let (name, address) = (name(number), address(number));
        let broken = |error: io::Error| DrillError::start(name.as_str(), &error);
        recipe.place.prepare(&name).map_err(broken)?;
        let mut command = recipe.command(&name, address);
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(broken)?;
        let witness = Witness::default();
        let pipes = [process.stdout.take().map(Into::into), process.stderr.take().map(Into::into)];
        pipes.into_iter().flatten().try_for_each(|pipe| witness.listen(pipe)).map_err(broken)?;
        Ok(Self { name, address, process, witness, has_hold: recipe.has_hold })
    }

    /// Waits until it serves.
    pub(crate) async fn ready(&mut self) -> Result<(), DrillError> {
        let until = Instant::now() + PATIENCE;
        while !self.witness.is_ready(self.has_hold) {
            if self.has_ended() || Instant::now() > until {
                sleep(LOOK).await;
                return Err(DrillError::start(self.name.as_str(), &self.witness.text()));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// SIGTERM, to what is first in the container.
    pub(crate) fn terminate(&self) {
        send(i32::try_from(self.process.id()).ok(), Signal::TERM);
    }

    /// SIGKILL, to the application: its hold, where it has one, reaps it and ends as it ends. False: it has ended already.
    pub(crate) fn kill(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        match self.witness.child().filter(|_| self.has_hold) {
            Some(child) => send(Some(child), Signal::KILL),
            None => send(i32::try_from(self.process.id()).ok(), Signal::KILL),
        }
        true
    }

    /// When and why the hold told the application.
    pub(crate) fn told(&self) -> Option<Told> {
        self.witness.told()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().map_or(true, |status| status.is_some())
    }

    /// How the load balancer reaches it. With the hold, health is asked of the hold.
    pub(crate) fn backend(&self, recipe: &Recipe<'_>) -> Backend {
        let ports = recipe.ports;
        let health = if self.has_hold { ports.health } else { ports.traffic };
        let at = |port| SocketAddr::from((self.address, port));
        let namespace = recipe.place.namespace(&self.name);
        Backend { name: self.name.clone(), traffic: at(ports.traffic), health: at(health), namespace }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.kill();
        let until = std::time::Instant::now() + TO_END;
        while !self.has_ended() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A process that is gone does not hear it.
fn send(pid: Option<i32>, signal: Signal) {
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        kill_process(pid, signal).ok();
    }
}

pub(crate) fn name(number: u8) -> String {
    format!("task-{number}")
}

/// All of 127.0.0.0/8 is the loopback interface's.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, number)
}

impl Recipe<'_> {
    /// In a process group of its own, Ctrl-C is the drill's; and no setting of a hold comes from outside.
    fn command(&self, name: &str, address: Ipv4Addr) -> Command {
        let (server, words) = &self.tools.server;
        let traffic = SocketAddr::from((address, self.ports.traffic));
        let mut command = self.place.command(name, if self.has_hold { &self.tools.hold } else { server });
        if self.has_hold {
            command.args(self.hold_options(address)).arg("--").arg(server);
        }
        let grace = self.seconds(self.plan.grace);
        command.args(words).args(["--name", name, "--address", &traffic.to_string(), "--grace", &grace]);
        command.args(["--takes", TAKES]);
        let settings = std::env::vars_os().map(|(name, _)| name);
        settings.filter(|name| name.to_string_lossy().starts_with("SPOTDRAIN_HOLD_")).for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// The hold's own defaults, but for `stopTimeout`, and the time in which it is played.
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

    fn seconds(&self, played: f64) -> String {
        clock::wall(played, self.plan.scale).as_secs_f64().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn the_hold_gets_its_times_in_the_time_that_is_played() {
        let tools = Tools { haproxy: "haproxy".into(), hold: "hold".into(), server: ("app".into(), Vec::new()) };
        let (plan, ports) = (plan(), Ports { traffic: 5044, health: 8081 });
        let recipe = Recipe { place: Place::Shared, tools: &tools, plan: &plan, ports, has_hold: true };
        assert_eq!(
            recipe.hold_options(address(1)).join(" "),
            "--check http://127.0.1.1:5044/health --health 127.0.1.1:8081 --check-interval 0.5 --quiet 1 --min-hold 0.5 \
             --stop-timeout 12 --grace 1"
        );
    }
}
