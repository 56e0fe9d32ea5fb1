//! An experiment: one step on one target, and the calls that undo it.

use std::cell::Cell;
use std::process::Stdio;
use std::time::Duration;

use spotdrain_drill::LoadBalancerType;
use spotdrain_drill::probe::estimate::{Interval, NoEstimate, delay};
use spotdrain_drill::probe::measured::Measured;
use spotdrain_drill::probe::record::{ExperimentRecord, ProbeRecord};
use spotdrain_drill::probe::run::{RunningProbe, ServedConnections};
use spotdrain_function::Aws;
use tokio::process::Command;
use tokio::time::timeout;

use super::args::{ExperimentArgs, ExperimentKind};
use super::sampler::name;
use super::server_name::is_name_of;
use super::target::{self, ProbeTarget};
use super::{Keys, note};
use crate::cli::connect::AwsConnection;
use crate::read_account::{CallBudget, PacedClient};

/// In the printed commands, the file that makes the hold fail its health check.
const FAIL_FILE: &str = "/tmp/spotdrain-fail-health";

/// Time limit for the user's commands.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// An experiment on a target that was checked.
pub(crate) struct Experiment<'a> {
    pub(crate) kind: ExperimentKind,
    args: &'a ExperimentArgs,
    aws: &'a Aws,
    pub(crate) target: ProbeTarget,
    /// Whether DeregisterTargets was called. Set before the call.
    deregistered: Cell<bool>,
    /// Whether the health check was made to fail. Set before that.
    fails_health: Cell<bool>,
    /// When the step happened.
    step: Cell<Option<Interval>>,
    server: std::cell::RefCell<Option<String>>,
}

impl<'a> Experiment<'a> {
    /// Reads what the experiment needs, and refuses one that would leave the group without a healthy target.
    pub(crate) async fn prepare(
        args: &'a ExperimentArgs,
        kind: ExperimentKind,
        connection: &'a AwsConnection,
        group: &str,
    ) -> Result<Self, String> {
        let aws = &connection.aws;
        let target = target::find(&PacedClient::new(aws), args, group).await?;
        if target.others == 0 && !args.allow_last {
            return Err(format!(
                "{} is the only healthy target of its group: without it the service is down. Start another task, or pass \
                 --allow-last",
                name(&target.target)
            ));
        }
        let (deregistered, fails_health) = (Cell::new(false), Cell::new(false));
        Ok(Self { kind, args, aws, target, deregistered, fails_health, step: Cell::default(), server: None.into() })
    }

    /// Describes what will be done, and how it is undone.
    pub(crate) fn description(&self) -> String {
        let (target, task, others) = (name(&self.target.target), &self.target.task, self.target.others);
        let what = match self.kind {
            ExperimentKind::Deregister => "deregister the target, and register it again at the end",
            ExperimentKind::Unhealthy => "wait until the target fails its health checks",
            ExperimentKind::Both => {
                "deregister the target, wait until it fails its health checks too, and register it again at the end"
            }
            ExperimentKind::Stop => {
                "stop the task. This cannot be undone: its service starts another one, if it has a service"
            }
        };
        let undo =
            self.undo_commands().into_iter().map(|command| format!("\n  undo: {command}")).collect::<Vec<_>>().concat();
        format!(
            "target {target} of {}\n  task {task}\n  {others} other healthy target{}\n  will {what}{undo}",
            self.target.group,
            if others == 1 { "" } else { "s" }
        )
    }

    /// The commands that undo the experiment by hand.
    pub(crate) fn undo_commands(&self) -> Vec<String> {
        let commands =
            [(self.kind.deregisters(), self.register_command()), (self.kind.fails_health(), self.recover_command())];
        commands.into_iter().filter(|(applies, _)| *applies).map(|(_, command)| command).collect()
    }

    fn register_command(&self) -> String {
        let (group, target) = (&self.target.group, &self.target.target);
        let port = target.port().map(|port| format!(",Port={port}")).unwrap_or_default();
        let id = target.id().unwrap_or_default();
        format!("aws elbv2 register-targets --target-group-arn {group} --targets Id={id}{port}")
    }

    fn recover_command(&self) -> String {
        self.args.recover_command.clone().unwrap_or_else(|| self.exec(&format!("rm {FAIL_FILE}")))
    }

    fn exec(&self, command: &str) -> String {
        let ProbeTarget { cluster, task, containers, .. } = &self.target;
        let container = containers.first().map_or("CONTAINER", String::as_str);
        format!(
            "aws ecs execute-command --cluster {cluster} --task {task} --container {container} --interactive --command \"{command}\""
        )
    }

    /// Registers the target once more. That changes nothing, because the target is already registered, but it proves the
    /// permission to undo the step.
    pub(crate) async fn prove_undo(&self) -> Result<(), String> {
        if self.kind.deregisters() { self.register().await } else { Ok(()) }
    }

    /// Performs the step when it is due.
    pub(crate) async fn run(&self, probe: &RunningProbe, keys: &Keys) -> Result<(), String> {
        probe.until(f64::from(self.args.before)).await;
        self.recognise(probe)?;
        let from = probe.now();
        match self.kind {
            ExperimentKind::Deregister | ExperimentKind::Both => self.deregister().await?,
            ExperimentKind::Stop => self.stop().await?,
            ExperimentKind::Unhealthy => {}
        }
        self.step.set(Some(Interval { from, to: probe.now() }));
        if self.kind != ExperimentKind::Unhealthy {
            probe.mark(if self.kind == ExperimentKind::Stop { "StopTask" } else { "DeregisterTargets" });
        }
        if self.kind.fails_health() { self.fail_health(probe, keys).await } else { Ok(()) }
    }

    /// Finds the name by which the target's answers are recognised.
    fn recognise(&self, probe: &RunningProbe) -> Result<(), String> {
        if self.kind == ExperimentKind::Stop {
            return Ok(());
        }
        let names = probe.servers();
        let found = match &self.args.server {
            Some(server) => names.iter().find(|name| *name == server),
            None => names.iter().find(|name| is_name_of(name, &self.target)),
        };
        let found = found.cloned().ok_or_else(|| {
            format!(
                "nothing was changed: none of the names in the answers' header is that of the target ({}). Pass its name with \
                 --server",
                if names.is_empty() { "no answer has the header".to_owned() } else { names.join(", ") }
            )
        })?;
        self.server.replace(Some(found));
        Ok(())
    }

    async fn deregister(&self) -> Result<(), String> {
        let ProbeTarget { group, target, .. } = &self.target;
        let request = self.aws.elb.deregister_targets().target_group_arn(group).targets(target.clone());
        self.deregistered.set(true);
        let done =
            PacedClient::new(self.aws).call("DeregisterTargets", CallBudget::Elb, || request.clone().send()).await;
        done.map(drop).map_err(|failure| failure.message)
    }

    async fn stop(&self) -> Result<(), String> {
        let ProbeTarget { cluster, task, .. } = &self.target;
        let request = self.aws.ecs.stop_task().cluster(cluster).task(task).reason("spotdrain probe");
        let done = PacedClient::new(self.aws).call("StopTask", CallBudget::Other, || request.clone().send()).await;
        done.map(drop).map_err(|failure| failure.message)
    }

    /// Makes the target fail its health checks: runs the user's command, or asks the user to do it.
    async fn fail_health(&self, probe: &RunningProbe, keys: &Keys) -> Result<(), String> {
        self.fails_health.set(true);
        if let Some(command) = &self.args.fail_command {
            shell(command).await?;
        } else {
            note(&format!(
                "make the target fail its health checks now, then press Enter. With the hold's --fail-health-file {FAIL_FILE}:\n  {}",
                self.exec(&format!("touch {FAIL_FILE}"))
            ));
            keys.enter().await;
        }
        probe.mark("health checks begin to fail");
        Ok(())
    }

    /// Undoes the step. Returns what could not be undone, with the command that does it.
    pub(crate) async fn undo(&self) -> Vec<String> {
        let mut left = Vec::new();
        let target = name(&self.target.target);
        if self.deregistered.get() {
            match self.register().await {
                Ok(()) => note(&format!("the target {target} is registered again")),
                Err(problem) => left.push(format!(
                    "the target {target} is not registered: {problem}. If its task still runs: {}",
                    self.register_command()
                )),
            }
        }
        if self.fails_health.get() {
            match &self.args.recover_command {
                Some(command) => left.extend(shell(command).await.err()),
                None => note(&format!("let the target pass its health checks again:\n  {}", self.recover_command())),
            }
        }
        left
    }

    /// Registers the target if its task is still running and has the same address.
    async fn register(&self) -> Result<(), String> {
        target::may_be_registered(self.aws, &self.target).await?;
        let ProbeTarget { group, target, .. } = &self.target;
        let request = self.aws.elb.register_targets().target_group_arn(group).targets(target.clone());
        let done = PacedClient::new(self.aws).call("RegisterTargets", CallBudget::Elb, || request.clone().send()).await;
        done.map(drop).map_err(|failure| failure.message)
    }

    /// Adds the experiment and what it measured to the result. `failed`: why the experiment ended early.
    pub(crate) fn conclude(&self, record: &mut ProbeRecord, connections: &ServedConnections, failed: Option<String>) {
        let server = self.server.take();
        let measured = failed.map_or_else(|| self.measure(record, server.as_deref(), connections), Err);
        record.experiment = Some(ExperimentRecord {
            kind: self.kind.name(),
            target_group: self.target.group.clone(),
            task: self.target.task.clone(),
            target: name(&self.target.target),
            server,
            not_measured: measured.as_ref().err().cloned(),
        });
        record.measured = measured.unwrap_or_default();
    }

    fn measure(
        &self,
        record: &ProbeRecord,
        server: Option<&str>,
        connections: &ServedConnections,
    ) -> Result<Measured, String> {
        if self.kind == ExperimentKind::Stop {
            return Ok(Measured::default());
        }
        let step = self.step.get().ok_or("the probe ended before the step")?;
        let times = connections.of(server.unwrap_or_default());
        let bounds = |step| delay(&times, step, record.seconds).map_err(|error: NoEstimate| error.to_string());
        let load_balancer: Option<LoadBalancerType> = Some(self.target.load_balancer);
        let measured = Measured { load_balancer, ..Measured::default() };
        Ok(match self.kind {
            ExperimentKind::Deregister => Measured { after_deregistration: Some(bounds(step)?), ..measured },
            ExperimentKind::Both => Measured { after_deregistration_while_unhealthy: Some(bounds(step)?), ..measured },
            ExperimentKind::Unhealthy | ExperimentKind::Stop => {
                let marked = self.marked_unhealthy(record).ok_or("the target was not seen to be unhealthy")?;
                Measured { after_unhealthy: Some(bounds(marked)?), ..measured }
            }
        })
    }

    /// When the load balancer marked the target unhealthy.
    fn marked_unhealthy(&self, record: &ProbeRecord) -> Option<Interval> {
        let target = name(&self.target.target);
        let is_unhealthy =
            |state: &Option<String>| state.as_deref().is_some_and(|state| state.starts_with("unhealthy"));
        record
            .states
            .iter()
            .find(|change| change.target == target && is_unhealthy(&change.state))
            .map(|change| change.seen)
    }
}

/// Runs a command of the user with a shell, without input. The shell is killed if the command takes too long, or if the probe is
/// stopped.
async fn shell(command: &str) -> Result<(), String> {
    let output = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(COMMAND_TIMEOUT, output).await;
    let output = output.map_err(|_| format!("the command {command:?} did not end within {COMMAND_TIMEOUT:?}"))?;
    let output = output.map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("the command {command:?} failed ({}): {text}", output.status))
}
