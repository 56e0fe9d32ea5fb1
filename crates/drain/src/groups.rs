//! DescribeTargetHealth: which targets a group has, with the ports that are registered.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use futures_util::future::join_all;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::pace::Kind;
use spotdrain_core::target::{RegisteredTarget, TargetState};

use crate::call::call;
use crate::caller::Caller;
use crate::clock::Deadline;

const CALL: &str = "DescribeTargetHealth";

/// Reads the groups.
pub(crate) async fn find(
    caller: Caller<'_>,
    groups: BTreeSet<TargetGroupArn>,
    deadline: Deadline,
) -> BTreeMap<TargetGroupArn, GroupFinding> {
    let reads = groups.into_iter().map(|group| async move {
        let finding = read(caller, &group, deadline).await;
        (group, finding)
    });
    join_all(reads).await.into_iter().collect()
}

/// Reads one group, all of it: its other targets say whether it can spare one.
pub(crate) async fn read(caller: Caller<'_>, group: &TargetGroupArn, deadline: Deadline) -> GroupFinding {
    let request = caller.aws.elb.describe_target_health().target_group_arn(group.as_str());
    match call(CALL, caller.turns(Kind::Read, deadline), || request.clone().send()).await {
        Ok(answer) => GroupFinding::Read(answer.target_health_descriptions().iter().filter_map(read_target).collect()),
        Err(error) if error.code.as_deref() == Some("TargetGroupNotFound") => GroupFinding::Missing,
        Err(error) => GroupFinding::Unknown(error.failure),
    }
}

/// Targets that are no addresses (instances, other load balancers) are none of a Fargate task.
fn read_target(description: &TargetHealthDescription) -> Option<RegisteredTarget> {
    let target = description.target()?;
    let address = target.id()?.parse().ok()?;
    let port = u16::try_from(target.port()?).ok()?;
    let state = description.target_health().and_then(|health| health.state()).map(TargetHealthStateEnum::as_str);
    let check_port = description.health_check_port().and_then(|port| port.parse().ok());
    Some(RegisteredTarget { address, port, check_port, state: TargetState::from_text(state.unwrap_or("(none)")) })
}
