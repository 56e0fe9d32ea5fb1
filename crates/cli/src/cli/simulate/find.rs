//! The running task.

use std::time::Duration;

use aws_sdk_ecs::types::Task;
use spotdrain_function::Aws;

use crate::look::{Asker, Budget};

/// How long AWS is asked.
const PATIENCE: Duration = Duration::from_secs(15);

/// The task of this id, which must run. The error is for a person.
pub(crate) async fn task(aws: &Aws, cluster: &str, id: &str) -> Result<Task, String> {
    let request = aws.ecs.describe_tasks().cluster(cluster).tasks(id);
    let asker = Asker::new(aws);
    let request = asker.ask("DescribeTasks", Budget::Other, || request.clone().send());
    let answer = tokio::time::timeout(PATIENCE, request).await;
    let answer = answer.map_err(|_| format!("DescribeTasks: no answer within {} s", PATIENCE.as_secs()))?;
    let answer = answer.map_err(|refusal| refusal.message)?;
    let missing =
        || format!("there is no task {id} in cluster {cluster}: aws ecs list-tasks --cluster {cluster} shows them");
    let task = answer.tasks().first().ok_or_else(missing)?;
    match task.last_status() {
        Some("RUNNING") => Ok(task.clone()),
        other => Err(format!(
            "task {id} is {}, and only a running task gets a notice",
            other.unwrap_or("in no known status")
        )),
    }
}
