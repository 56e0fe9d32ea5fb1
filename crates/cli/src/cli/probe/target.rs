//! Finds the target of an experiment, and checks it before anything is changed.

use std::net::IpAddr;

use aws_sdk_ecs::types::Task;
use aws_sdk_elasticloadbalancingv2::types::{
    ProtocolEnum, TargetDescription, TargetHealthDescription, TargetHealthStateEnum as State,
};
use spotdrain_core::model::arn::TaskArn;
use spotdrain_drill::LoadBalancerType;
use spotdrain_function::{Aws, task_addresses};

use super::args::ExperimentArgs;
use super::sampler::name;
use crate::read_account::{CallBudget, CallFailure, PacedClient, read_task};

/// A registered, healthy target of a running task.
#[derive(Debug, Clone)]
pub(crate) struct ProbeTarget {
    pub(crate) group: String,
    pub(crate) load_balancer: LoadBalancerType,
    pub(crate) target: TargetDescription,
    pub(crate) task: String,
    pub(crate) cluster: String,
    /// The names of the task's containers.
    pub(crate) containers: Vec<String>,
    /// How many other targets of the group are healthy.
    pub(crate) others: usize,
}

/// Reads group and task, and finds the target. The error names the missing permission, or the condition that is not met.
pub(crate) async fn find(client: &PacedClient<'_>, args: &ExperimentArgs, group: &str) -> Result<ProbeTarget, String> {
    let id = args.task.as_deref().unwrap_or_default();
    let cluster = cluster(id)?;
    let load_balancer = load_balancer(client, group).await?;
    let task = running_task(client, &cluster, id).await?;
    let request = client.aws.elb.describe_target_health().target_group_arn(group);
    let health =
        client.call("DescribeTargetHealth", CallBudget::Elb, || request.clone().send()).await.map_err(message)?;
    let targets = health.target_health_descriptions();
    let target = choose(targets, &task_addresses(&task), args.target_port)?;
    let others = targets.iter().filter(|one| is_healthy(one) && one.target() != Some(&target)).count();
    let containers = task.containers().iter().filter_map(|container| container.name()).map(str::to_owned).collect();
    let (group, task) = (group.to_owned(), id.to_owned());
    Ok(ProbeTarget { group, load_balancer, target, task, cluster, containers, others })
}

fn message(failure: CallFailure) -> String {
    failure.message
}

async fn load_balancer(client: &PacedClient<'_>, group: &str) -> Result<LoadBalancerType, String> {
    let request = client.aws.elb.describe_target_groups().target_group_arns(group);
    let answer =
        client.call("DescribeTargetGroups", CallBudget::Elb, || request.clone().send()).await.map_err(message)?;
    match answer.target_groups().first().and_then(|group| group.protocol()) {
        Some(ProtocolEnum::Http | ProtocolEnum::Https) => Ok(LoadBalancerType::Alb),
        Some(ProtocolEnum::Tcp | ProtocolEnum::Tls) => Ok(LoadBalancerType::Nlb),
        Some(other) => Err(format!("{group} is a {} group, and the probe measures TCP connections", other.as_str())),
        None => Err(format!("{group} has no protocol that the probe knows")),
    }
}

/// Returns the task if its status and its desired status are RUNNING.
async fn running_task(client: &PacedClient<'_>, cluster: &str, id: &str) -> Result<Task, String> {
    let task = read_task(client, cluster, id).await?;
    match (task.last_status(), task.desired_status()) {
        (Some("RUNNING"), Some("RUNNING")) => Ok(task),
        (last, desired) => {
            let (last, desired) = (last.unwrap_or("unknown"), desired.unwrap_or("unknown"));
            Err(format!(
                "task {id} has the last status {last} and the desired status {desired}: the probe needs a running task"
            ))
        }
    }
}

/// Whether the target may be registered: the status and desired status of its task are RUNNING, and the task still has the same
/// address.
pub(crate) async fn may_be_registered(aws: &Aws, target: &ProbeTarget) -> Result<(), String> {
    let client = PacedClient::new(aws);
    let task = running_task(&client, &target.cluster, &target.task).await?;
    let id = target.target.id().unwrap_or_default();
    if is_one_of(id, &task_addresses(&task)) {
        Ok(())
    } else {
        Err(format!("task {} no longer has the address {id}", target.task))
    }
}

/// Returns the name of the task's cluster.
fn cluster(task: &str) -> Result<String, String> {
    let arn = TaskArn::parse(task).ok();
    let cluster = arn.as_ref().and_then(TaskArn::cluster).map(str::to_owned);
    cluster.ok_or_else(|| format!("--task {task}: expected a task's ARN with its cluster: …:task/CLUSTER/ID"))
}

/// Whether a target's id is one of these addresses. The text of an IPv6 address may be abbreviated.
fn is_one_of(id: &str, addresses: &[IpAddr]) -> bool {
    id.parse().is_ok_and(|address: IpAddr| addresses.contains(&address))
}

fn is_healthy(target: &TargetHealthDescription) -> bool {
    target.target_health().and_then(|health| health.state()) == Some(&State::Healthy)
}

fn choose(
    targets: &[TargetHealthDescription],
    addresses: &[IpAddr],
    port: Option<i32>,
) -> Result<TargetDescription, String> {
    let of_task = |one: &&TargetHealthDescription| {
        let target = one.target();
        let has_port = port.is_none_or(|port| target.and_then(TargetDescription::port) == Some(port));
        has_port && target.and_then(TargetDescription::id).is_some_and(|id| is_one_of(id, addresses))
    };
    let its: Vec<_> = targets.iter().filter(of_task).collect();
    match its.as_slice() {
        [] => {
            let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
            Err(format!("no target of the group has an address of the task ({})", addresses.join(", ")))
        }
        [one] if !is_healthy(one) => {
            let state =
                one.target_health().and_then(|health| health.state()).map_or("in no known state", State::as_str);
            Err(format!(
                "the target {} is {state}: the probe needs a healthy one",
                one.target().map(name).unwrap_or_default()
            ))
        }
        [one] => one.target().cloned().ok_or_else(|| "the target has no address".to_owned()),
        several => {
            let names: Vec<_> = several.iter().filter_map(|one| one.target()).map(name).collect();
            Err(format!("the task has several targets in the group ({}): pass --target-port", names.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::TargetHealth;

    use super::*;

    fn target(id: &str, port: i32, state: State) -> TargetHealthDescription {
        let target = TargetDescription::builder().id(id).port(port).build();
        TargetHealthDescription::builder()
            .target(target)
            .target_health(TargetHealth::builder().state(state).build())
            .build()
    }

    #[test]
    fn the_target_must_be_the_only_one_of_its_task_and_healthy() {
        let targets = [
            target("10.0.0.1", 80, State::Healthy),
            target("10.0.0.2", 80, State::Draining),
            target("10.0.0.3", 80, State::Healthy),
            target("10.0.0.3", 81, State::Healthy),
            target("2001:db8::4", 80, State::Healthy),
        ];
        let found =
            |address: &str, port| choose(&targets, &[address.parse().unwrap()], port).map(|target| name(&target));
        assert_eq!(found("10.0.0.1", None), Ok("10.0.0.1:80".to_owned()));
        assert_eq!(found("10.0.0.3", Some(81)), Ok("10.0.0.3:81".to_owned()));
        assert!(found("10.0.0.2", None).unwrap_err().contains("10.0.0.2:80 is draining"));
        assert!(found("10.0.0.3", None).unwrap_err().contains("pass --target-port"));
        assert!(
            found("10.0.0.9", None)
                .unwrap_err()
                .contains("no target of the group has an address of the task (10.0.0.9)")
        );
        assert_eq!(found("2001:db8:0:0::4", None), Ok("2001:db8::4:80".to_owned()));
    }

    #[test]
    fn the_cluster_is_part_of_the_arn() {
        assert_eq!(cluster("arn:aws:ecs:eu-central-1:123456789012:task/web/0123").unwrap(), "web");
        for id in [
            "0123",
            "arn:aws:ecs:eu-central-1:123456789012:task/0123",
            "arn:aws:ecs:eu-central-1:123456789012:service/web/app",
        ] {
            assert!(cluster(id).unwrap_err().contains("expected a task's ARN"), "{id}");
        }
    }
}
