//! Reads a single task.

use std::time::Duration;

use aws_sdk_ecs::types::Task;

use super::paced_client::{CallBudget, PacedClient};

/// How long DescribeTasks may take, with its retries.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Reads the task with this id or ARN.
pub(crate) async fn read_task(client: &PacedClient<'_>, cluster: &str, id: &str) -> Result<Task, String> {
    let request = client.aws.ecs.describe_tasks().cluster(cluster).tasks(id);
    let call = client.call("DescribeTasks", CallBudget::Other, || request.clone().send());
    let answer = tokio::time::timeout(TIMEOUT, call).await;
    let answer = answer.map_err(|_| format!("DescribeTasks: no answer within {} s", TIMEOUT.as_secs()))?;
    let answer = answer.map_err(|failure| failure.message)?;
    let missing =
        || format!("there is no task {id} in cluster {cluster}: aws ecs list-tasks --cluster {cluster} shows them");
    answer.tasks().first().cloned().ok_or_else(missing)
}
