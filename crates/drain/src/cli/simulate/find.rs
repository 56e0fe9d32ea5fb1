//! The running task.

use std::time::Duration;

use aws_sdk_ecs::types::Task;

use crate::aws::Aws;
use crate::call::call;
use crate::clock::Deadline;
use crate::turn::Turns;

/// How long AWS is asked.
const PATIENCE: Duration = Duration::from_secs(15);

/// The task of this id, which must run. The error is for a person.
pub(crate) async fn task(aws: &Aws, cluster: &str, id: &str) -> Result<Task, String> {
    let request = aws.ecs.describe_tasks().cluster(cluster).tasks(id);
    let turns = Turns::free(Deadline::after(PATIENCE));
    let answer = call("DescribeTasks", turns, || request.clone().send()).await;
    let answer = answer.map_err(|error| format!("DescribeTasks: {}", error.failure.problem))?;
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
