//! An experiment: one step on one target, and the calls that undo it.

use std::cell::Cell;
use std::process::Stdio;

use spotdrain_drill::LoadBalancerType;
use spotdrain_drill::probe::estimate::{Interval, NoEstimate, delay};
use spotdrain_drill::probe::measured::Measured;
use spotdrain_drill::probe::record::{ExperimentRecord, ProbeRecord};
use spotdrain_drill::probe::run::{RunningProbe, ServedConnections};
use spotdrain_function::Aws;
use tokio::process::Command;

use super::args::{ExperimentArgs, ExperimentKind};
use super::sampler::name;
use super::target::{self, ProbeTarget};
use super::{Keys, note};
use crate::cli::connect::AwsConnection;
use crate::read_account::{CallBudget, PacedClient};

/// In the printed commands, the file that makes the hold fail its health check.
const FAIL_FILE: &str = "/tmp/spotdrain-fail-health";

/// An experiment on a target that was checked.
pub(crate) struct Experiment<'a> {
    pub(crate) kind: ExperimentKind,
    args: &'a ExperimentArgs,
    aws: &'a Aws,
    pub(crate) target: ProbeTarget,
    /// Set before the first call that changes something.
    deregistered: Cell<bool>,
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
            "target {target} of {}\n  task {task}\n  {others} other healthy targets\n  will {what}{undo}",
            self.target.group
        )
    }

    /// The commands that undo the experiment by hand.
    pub(crate) fn undo_commands(&self) -> Vec<String> {
        let (group, target) = (&self.target.group, &self.target.target);
        let port = target.port().map(|port| format!(",Port={port}")).unwrap_or_default();
        let id = target.id().unwrap_or_default();
        let register = format!("aws elbv2 register-targets --target-group-arn {group} --targets Id={id}{port}");
        let recover = self.args.recover_command.clone().unwrap_or_else(|| self.exec(&format!("rm {FAIL_FILE}")));
        let commands = [(self.kind.deregisters(), register), (self.kind.fails_health(), recover)];
        commands.into_iter().filter(|(applies, _)| *applies).map(|(_, command)| command).collect()
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

    /// Undoes the step. If that fails, the error says what the user has to do.
    pub(crate) async fn undo(&self) -> Vec<String> {
        let mut left = Vec::new();
        if self.fails_health.get() {
            match &self.args.recover_command {
                Some(command) => left.extend(shell(command).await.err()),
                None => note(&format!(
                    "let the target pass its health checks again:\n  {}",
                    self.exec(&format!("rm {FAIL_FILE}"))
                )),
            }
        }
        if self.deregistered.get() {
            match self.register().await {
                Ok(()) => note(&format!("the target {} is registered again", name(&self.target.target))),
                Err(problem) => {
                    left.push(format!("the target {} is not registered: {problem}", name(&self.target.target)));
                }
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

    /// Adds the experiment and what it measured to the result.
    pub(crate) fn conclude(&self, record: &mut ProbeRecord, connections: &ServedConnections) {
        let server = self.server.take();
        let measured = self.measure(record, server.as_deref(), connections);
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

/// Whether a server's name contains the target's address, also as in `ip-10-0-2-21`, or the task's id.
fn is_name_of(name: &str, target: &ProbeTarget) -> bool {
    let address = target.target.id().unwrap_or_default();
    let id = target.task.rsplit('/').next().unwrap_or_default();
    is_named(name, address, id)
}

fn is_named(name: &str, address: &str, id: &str) -> bool {
    let host = format!("ip-{}", address.replace('.', "-"));
    // An address contains dots or colons, so that only the other two are looked for in the parts between them.
    let words = name.split([' ', ',', ';', '/', '=']);
    words.flat_map(|word| [Some(word), word.rsplit_once(':').map(|(before_port, _)| before_port)]).flatten().any(
        |word| {
            word == address && !word.is_empty()
                || word.split(['.', ':']).any(|part| part == host || part == id && !id.is_empty())
        },
    )
}

/// Runs a command of the user with a shell, without input.
async fn shell(command: &str) -> Result<(), String> {
    let output = Command::new("sh").arg("-c").arg(command).stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("the command {command:?} failed ({}): {text}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_recognised_by_its_address_its_host_name_or_its_task() {
        let id = "0123456789abcdef0123456789abcdef";
        let is = |name: &str| is_named(name, "10.0.2.21", id);
        for name in [
            "10.0.2.21",
            "10.0.2.21:80",
            "web 10.0.2.21",
            "ip-10-0-2-21.eu-central-1.compute.internal",
            id,
            "demo/0123456789abcdef0123456789abcdef",
        ] {
            assert!(is(name), "{name}");
        }
        for name in ["", "10.0.2.2", "10.0.2.211", "110.0.2.21", "ip-10-0-2-211", "web"] {
            assert!(!is(name), "{name}");
        }
        assert!(!is_named("", "", ""));
    }
}
