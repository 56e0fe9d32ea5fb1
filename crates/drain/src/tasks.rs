//! DescribeTasks: is the task still up, and are the addresses still its own?
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::collections::BTreeMap;
use std::net::IpAddr;

use aws_sdk_ecs::types::{Container, Failure as EcsFailure, Task};
use futures_util::future::join_all;
use spotdrain_core::address::{is_address_detail, is_detached, is_network_interface};
use spotdrain_core::arn::{ClusterArn, TaskArn};
use spotdrain_core::finding::TaskFinding;
use spotdrain_core::outcome::Failure;
use spotdrain_core::pace::Kind;
use spotdrain_core::stop::TaskStatus;

use crate::call::call;
use crate::caller::Caller;
use crate::clock::Deadline;

const CALL: &str = "DescribeTasks";

/// AWS's limit of one call.
const MOST_TASKS_A_CALL: usize = 100;

/// Asks for the tasks, a hundred of a cluster at a time.
pub(crate) async fn find(
    caller: Caller<'_>,
    wanted: BTreeMap<ClusterArn, Vec<TaskArn>>,
    deadline: Deadline,
) -> BTreeMap<TaskArn, TaskFinding> {
    let chunks = wanted.iter().flat_map(|(cluster, tasks)| tasks.chunks(MOST_TASKS_A_CALL).map(move |c| (cluster, c)));
    let calls = chunks.map(|(cluster, tasks)| describe(caller, cluster, tasks, deadline));
    join_all(calls).await.into_iter().flatten().collect()
}

async fn describe(
    caller: Caller<'_>,
    cluster: &ClusterArn,
    tasks: &[TaskArn],
    deadline: Deadline,
) -> Vec<(TaskArn, TaskFinding)> {
    let request = caller.aws.ecs.describe_tasks().cluster(cluster.as_str());
    let request = request.set_tasks(Some(tasks.iter().map(ToString::to_string).collect()));
    let answer = call(CALL, caller.turns(Kind::Tasks, deadline), || request.clone().send()).await;
    let finding = |task: &TaskArn| match &answer {
        Ok(answer) => read_one(task, answer.tasks(), answer.failures()),
        Err(error) if error.code.as_deref() == Some("ClusterNotFoundException") => TaskFinding::Down,
        Err(error) => TaskFinding::Unknown(error.failure.clone()),
    };
    tasks.iter().map(|task| (task.clone(), finding(task))).collect()
}

/// ECS answers with the long form of an ARN where the event had the old one: the id tells.
fn is_this(task: &TaskArn, arn: Option<&str>) -> bool {
    arn.and_then(|arn| arn.rsplit('/').next()) == Some(task.id())
}

fn read_one(task: &TaskArn, tasks: &[Task], failures: &[EcsFailure]) -> TaskFinding {
    if let Some(found) = tasks.iter().find(|found| is_this(task, found.task_arn())) {
        return read(found);
    }
    match failures.iter().find(|failure| is_this(task, failure.arn())).and_then(EcsFailure::reason) {
        Some("MISSING") => TaskFinding::Down,
        reason => {
            let problem = format!("said nothing of task {} ({})", task.id(), reason.unwrap_or("no reason given"));
            TaskFinding::Unknown(Failure { call: CALL, problem, retryable: true })
        }
    }
}

fn read(task: &Task) -> TaskFinding {
    let Some(status) = task.last_status().map(TaskStatus::from_text) else {
        let problem = "the task has no lastStatus".to_owned();
        return TaskFinding::Unknown(Failure { call: CALL, problem, retryable: true });
    };
    if status.is_down() { TaskFinding::Down } else { TaskFinding::Up(addresses(task)) }
}

/// The addresses of the interfaces that are attached. One that cannot be read is not the task's.
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
