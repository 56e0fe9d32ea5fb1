//! DescribeTasks: is the task still up, and are the addresses still its own?
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::net::IpAddr;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Container, Failure as EcsFailure, Task};
use spotdrain_core::address::{is_address_detail, is_detached, is_network_interface};
use spotdrain_core::arn::{ClusterArn, TaskArn};
use spotdrain_core::finding::TaskFinding;
use spotdrain_core::outcome::Failure;
use spotdrain_core::stop::TaskStatus;
use spotdrain_engine::{Answer, Tasks};

use super::error::{call_error, not_described};

const CALL: &str = "DescribeTasks";

pub(super) async fn describe(client: &Client, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
    let request = client.describe_tasks().cluster(cluster.as_str());
    let request = request.set_tasks(Some(tasks.iter().map(ToString::to_string).collect()));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let finding = |task| read_one(task, answer.tasks(), answer.failures());
    Ok(tasks.iter().map(|task| (task.clone(), finding(task))).collect())
}

/// ECS answers with the long form of an ARN where the event had the old one, so the ids are compared.
fn is_this(task: &TaskArn, arn: Option<&str>) -> bool {
    arn.and_then(|arn| arn.rsplit('/').next()) == Some(task.id())
}

fn read_one(task: &TaskArn, tasks: &[Task], failures: &[EcsFailure]) -> TaskFinding {
    if let Some(found) = tasks.iter().find(|found| is_this(task, found.task_arn())) {
        return read(found);
    }
    let failure = failures.iter().find(|failure| is_this(task, failure.arn()));
    not_described(CALL, &format!("task {}", task.id()), failure)
}

fn read(task: &Task) -> TaskFinding {
    let Some(status) = task.last_status().map(TaskStatus::from_text) else {
        let problem = "the task has no lastStatus".to_owned();
        return TaskFinding::Unknown(Failure { call: CALL, problem, retryable: true });
    };
    if status.is_down() { TaskFinding::Missing } else { TaskFinding::Found(addresses(task)) }
}

/// The addresses of the interfaces that are attached. One that is not an address is left out.
fn addresses(task: &Task) -> Vec<IpAddr> {
    let (gone, attached): (Vec<_>, Vec<_>) =
        task.attachments().iter().partition(|attachment| attachment.status().is_some_and(is_detached));
    let gone: Vec<_> = gone.iter().filter_map(|attachment| attachment.id()).collect();
    let interfaces = attached.iter().filter(|attachment| attachment.r#type().is_some_and(is_network_interface));
    let details = interfaces.flat_map(|attachment| attachment.details());
    let of_attachments = details.filter(|detail| detail.name().is_some_and(is_address_detail));
    let of_containers = task.containers().iter().flat_map(Container::network_interfaces);
    let of_containers = of_containers.filter(|one| one.attachment_id().is_none_or(|id| !gone.contains(&id)));
    let texts = of_attachments.filter_map(|detail| detail.value());
    let texts = texts.chain(of_containers.flat_map(|one| [one.private_ipv4_address(), one.ipv6_address()]).flatten());
    let mut addresses: Vec<_> = texts.filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}
