//! The drill's function: the code that AWS Lambda runs, called in this process with an event as EventBridge sends it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use spotdrain_core::report::Verdict;
use spotdrain_core::settings::Settings;
use spotdrain_drill::Notice;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, function};

use crate::cli::output::style::now;

const SAMPLE: &str = include_str!("../../../../../events/spot-interruption.json");
const REGION: &str = "eu-central-1";
/// The function's own timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Handles a notice as an execution environment that has just started does.
pub(crate) async fn handle(notice: Notice) -> Result<(), String> {
    let aws = Aws::local(&notice.endpoint, REGION).map_err(|error| error.to_string())?;
    let function = function(aws, Settings::default());
    let payload = event(&notice, now()).map_err(|error| error.to_string())?;
    let handled = function.handle(payload.to_string().as_bytes(), Deadline::after(now(), TIMEOUT)).await;
    let report = handled.map_err(|error| error.to_string())?.report;
    match report.verdict {
        // ECS may have been first.
        Verdict::Done | Verdict::Nothing => Ok(()),
        Verdict::Retry | Verdict::Failed => Err(format!("the function could not deregister {}", notice.address)),
    }
}

/// Returns the sample event, with this task and the current time.
fn event(notice: &Notice, now: Timestamp) -> Result<Value, serde_json::Error> {
    let mut event: Value = serde_json::from_str(SAMPLE)?;
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now).to_string();
    let (cluster, address) = (cluster(&notice.task_arn), notice.address.to_string());
    let interface = json!([{ "attachmentId": "eni", "privateIpv4Address": address }]);
    let attachment = json!([{ "id": "eni", "type": "eni", "status": "ATTACHED",
        "details": [{ "name": "privateIPv4Address", "value": address }] }]);
    for (pointer, value) in [
        ("/time", json!(whole)),
        ("/resources", json!([notice.task_arn])),
        ("/detail/stoppingAt", json!(now.to_string())),
        ("/detail/updatedAt", json!(now.to_string())),
        ("/detail/taskArn", json!(notice.task_arn)),
        ("/detail/clusterArn", json!(cluster)),
        ("/detail/group", json!(format!("service:{}", notice.service))),
        ("/detail/attachments", attachment),
        ("/detail/containers/0/networkInterfaces", interface),
    ] {
        if let Some(place) = event.pointer_mut(pointer) {
            *place = value;
        }
    }
    Ok(event)
}

/// Returns the cluster's ARN: `…:cluster/CLUSTER` for `…:task/CLUSTER/ID`.
fn cluster(task: &str) -> String {
    let without_id = task.rsplit_once('/').map_or(task, |(rest, _)| rest);
    without_id.replace(":task/", ":cluster/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_describes_the_task_of_the_notice() {
        let arn = "arn:aws:ecs:eu-central-1:123456789012:task/drill/00000000000000000000000000000001";
        let notice = Notice {
            task_arn: arn.to_owned(),
            service: "app".to_owned(),
            address: "127.0.1.1".parse().unwrap(),
            endpoint: String::new(),
        };
        let event = event(&notice, "2026-01-31T12:00:00.5Z".parse().unwrap()).unwrap();
        assert_eq!(event["time"], "2026-01-31T12:00:00Z");
        assert_eq!(event["detail"]["taskArn"], arn);
        assert_eq!(event["detail"]["clusterArn"], "arn:aws:ecs:eu-central-1:123456789012:cluster/drill");
        assert!(!event.to_string().contains("10.0.2.21"), "the sample's own address is gone");
    }
}
