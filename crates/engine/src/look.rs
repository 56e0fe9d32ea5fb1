//! Reads a target group, and asks ECS about the tasks of its notices.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use spotdrain_core::model::arn::{ClusterArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::limits::MAX_TASKS_PER_CALL;
use spotdrain_core::model::notice::Notice;
use spotdrain_core::model::observed::{GroupObservation, TaskObservation};
use spotdrain_core::model::outcome::Failure;
use spotdrain_core::plan::Look;
use spotdrain_core::plan::last_healthy::StoppingTasks;
use spotdrain_core::plan::rate_limit::CallKind;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::shares;

/// The maximum number of pages of ListTasks that are read, each with a hundred tasks.
const MAX_PAGES: usize = 3;

/// The tasks to describe, by cluster.
pub(crate) type TasksToAsk = BTreeMap<ClusterArn, BTreeSet<TaskArn>>;

/// A service, or a whole cluster.
pub(crate) type Scope = (ClusterArn, Option<ServiceName>);

/// Reads a group whose token was taken, and at the same time asks ECS about the tasks of notices.
pub(crate) async fn look<C: Cloud>(
    invocation: &Invocation<'_, C>,
    group: &TargetGroupArn,
    notices: Vec<Notice>,
) -> Look {
    let owners = ask_owners(invocation, &notices, looking(invocation));
    let (group, tasks) = join(read_group(invocation, group), owners).await;
    Look { group, tasks, stopping: StoppingTasks::NotAsked }
}

fn looking<C: Cloud>(invocation: &Invocation<'_, C>) -> Deadline {
    let now = invocation.now();
    invocation.deadline.reserving(now, shares::ACTING).within(now, shares::OBSERVING)
}

/// Reads all targets of a group whose token was taken, not only those of the task: whether one must be kept as the last healthy
/// one depends on the others.
pub(crate) async fn read_group<C: Cloud>(invocation: &Invocation<'_, C>, group: &TargetGroupArn) -> GroupObservation {
    let request = invocation.request("DescribeTargetHealth", CallKind::Read, looking(invocation));
    let answer = request.send_now(async || invocation.cloud().describe_target_health(group).await).await;
    answer.map_or_else(|error| error.observation(), GroupObservation::Found)
}

/// Describes the tasks whose ownership the plan may need. If an answer contradicts its notice, the task is described once more,
/// because ECS's reads may be behind its events.
async fn ask_owners<C: Cloud>(
    invocation: &Invocation<'_, C>,
    notices: &[Notice],
    deadline: Deadline,
) -> BTreeMap<TaskArn, TaskObservation> {
    let mut tasks = describe_tasks(invocation, by_cluster(notices.iter()), deadline).await;
    let now = invocation.now();
    let is_doubtful = |notice: &&Notice| tasks.get(&notice.task.arn).is_some_and(|task| task.may_lag(notice, now));
    let doubtful = by_cluster(notices.iter().filter(is_doubtful));
    tasks.extend(describe_tasks(invocation, doubtful, deadline).await);
    tasks
}

fn by_cluster<'a>(notices: impl Iterator<Item = &'a Notice>) -> TasksToAsk {
    let mut tasks = TasksToAsk::new();
    for Notice { task, .. } in notices {
        tasks.entry(task.cluster.clone()).or_default().insert(task.arn.clone());
    }
    tasks
}

/// Describes the tasks of each cluster.
async fn describe_tasks<C: Cloud>(
    invocation: &Invocation<'_, C>,
    tasks: TasksToAsk,
    deadline: Deadline,
) -> BTreeMap<TaskArn, TaskObservation> {
    let tasks = tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect::<Vec<_>>()));
    let chunks = tasks.flat_map(|(cluster, tasks)| {
        tasks.chunks(MAX_TASKS_PER_CALL).map(|chunk| (cluster.clone(), chunk.to_vec())).collect::<Vec<_>>()
    });
    let calls = chunks.map(|(cluster, tasks)| describe(invocation, cluster, tasks, deadline));
    join_all(calls).await.into_iter().flatten().collect()
}

async fn describe<C: Cloud>(
    invocation: &Invocation<'_, C>,
    cluster: ClusterArn,
    tasks: Vec<TaskArn>,
    deadline: Deadline,
) -> Vec<(TaskArn, TaskObservation)> {
    let request = invocation.request("DescribeTasks", CallKind::Tasks, deadline);
    let answer = request.send(async || invocation.cloud().describe_tasks(&cluster, &tasks).await).await;
    let of = |task: &TaskArn| match &answer {
        Ok(found) => found.get(task).cloned(),
        Err(error) => Some(error.observation()),
    };
    tasks.iter().filter_map(|task| Some((task.clone(), of(task)?))).collect()
}

/// Returns the stopping tasks of services or clusters.
pub(crate) async fn stopping_tasks<C: Cloud>(invocation: &Invocation<'_, C>, scopes: BTreeSet<Scope>) -> StoppingTasks {
    let deadline = looking(invocation);
    let mut tasks = TasksToAsk::new();
    for listed in join_all(scopes.iter().map(|scope| list(invocation, scope, deadline))).await {
        match listed {
            Ok((cluster, listed)) => tasks.entry(cluster).or_default().extend(listed),
            Err(failure) => return StoppingTasks::Unknown(failure),
        }
    }
    let mut known = BTreeMap::new();
    for (task, answer) in describe_tasks(invocation, tasks, deadline).await {
        match answer {
            TaskObservation::Found(described) => _ = known.insert(task, described),
            TaskObservation::Missing => {}
            TaskObservation::Unknown(failure) => return StoppingTasks::Unknown(failure),
        }
    }
    StoppingTasks::Known(known)
}

/// Lists the stopping tasks of a service or cluster. More tasks than [`MAX_PAGES`] hold are a failure.
async fn list<C: Cloud>(
    invocation: &Invocation<'_, C>,
    (cluster, service): &Scope,
    deadline: Deadline,
) -> Result<(ClusterArn, Vec<TaskArn>), Failure> {
    let request = invocation.request("ListTasks", CallKind::Tasks, deadline);
    let (mut tasks, mut next) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let page: Option<String> = next;
        let call = async || invocation.cloud().list_stopping_tasks(cluster, service.as_ref(), page.as_deref()).await;
        let listed = request.send(call).await.map_err(|error| error.failure)?;
        tasks.extend(listed.tasks);
        next = listed.next;
        if next.is_none() {
            return Ok((cluster.clone(), tasks));
        }
    }
    let problem = format!("more than {} tasks are stopping", tasks.len());
    Err(Failure { call: "ListTasks", problem, retryable: true })
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use jiff::Timestamp;
    use spotdrain_core::settings::Settings;

    use super::*;
    use crate::engine::Engine;
    use crate::test_cloud::TestCloud;

    #[test]
    fn more_pages_than_are_read_are_a_failure_and_not_the_end_of_the_list() {
        let now = Timestamp::UNIX_EPOCH;
        let cluster = ClusterArn::parse("arn:aws:ecs:eu-central-1:123456789012:cluster/demo").unwrap();
        for (pages, is_whole) in [(1, true), (MAX_PAGES, true), (MAX_PAGES + 1, false)] {
            let cloud = TestCloud { pages, ..TestCloud::at(now, "10.0.0.1") };
            let engine = Engine::new(cloud, Settings::default());
            let deadline = Deadline::after(now, std::time::Duration::from_secs(20));
            let invocation = Invocation::begin(&engine, None, deadline);
            let listed = list(&invocation, &(cluster.clone(), None), deadline).now_or_never().unwrap();
            assert_eq!(listed.is_ok(), is_whole, "{pages} pages");
        }
    }
}
