//! DescribeTasks: is the task still up, and are the addresses still its own?
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use spotdrain_core::arn::{ClusterArn, TaskArn};
use spotdrain_core::finding::TaskFinding;
use spotdrain_core::limits::MAX_TASKS_PER_CALL;
use spotdrain_core::pace::Kind;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;

const CALL: &str = "DescribeTasks";

/// Describes the tasks of each cluster.
pub(crate) async fn describe_all<C: Cloud>(
    invocation: &Invocation<'_, C>,
    tasks: BTreeMap<ClusterArn, BTreeSet<TaskArn>>,
    deadline: Deadline,
) -> BTreeMap<TaskArn, TaskFinding> {
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
) -> Vec<(TaskArn, TaskFinding)> {
    let request = invocation.request(CALL, Kind::Tasks, deadline);
    let answer = request.send(async || invocation.cloud().describe_tasks(&cluster, &tasks).await).await;
    let of = |task: &TaskArn| match &answer {
        Ok(found) => found.get(task).cloned(),
        Err(error) => Some(error.finding()),
    };
    tasks.iter().filter_map(|task| Some((task.clone(), of(task)?))).collect()
}
