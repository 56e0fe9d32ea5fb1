//! DescribeTargetHealth, and DeregisterTargets, the one call that changes anything.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthDescription, TargetHealthStateEnum};
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::{RegisteredTarget, Target, TargetState};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_engine::Answer;

use super::error::call_error;

pub(super) async fn describe(client: &Client, group: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>> {
    let request = client.describe_target_health().target_group_arn(group.as_str());
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    Ok(answer.target_health_descriptions().iter().filter_map(read_target).collect())
}

/// Targets that are not addresses (instances, other load balancers) do not belong to a Fargate task.
fn read_target(description: &TargetHealthDescription) -> Option<RegisteredTarget> {
    let target = description.target()?;
    let address = target.id()?.parse().ok()?;
    let port = u16::try_from(target.port()?).ok()?;
    let state = description.target_health().and_then(|health| health.state()).map(TargetHealthStateEnum::as_str);
    let check_port = description.health_check_port().and_then(|port| port.parse().ok());
    Some(RegisteredTarget { address, port, check_port, state: TargetState::from_text(state.unwrap_or("(none)")) })
}

pub(super) async fn deregister(client: &Client, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Answer<()> {
    let request = client.deregister_targets().target_group_arn(group.as_str());
    let request = request.set_targets(Some(targets.iter().map(|owned| name_target(owned.target)).collect()));
    request.send().await.map(|_| ()).map_err(|error| call_error(&error))
}

fn name_target(target: Target) -> TargetDescription {
    let Target { address, port } = target;
    TargetDescription::builder().id(address.to_string()).set_port(port.map(i32::from)).build()
}
