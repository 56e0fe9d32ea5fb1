//! DescribeTargetHealth: which targets a group has, with the ports that are registered.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{TargetHealthDescription, TargetHealthStateEnum};
use futures_util::stream::{self, StreamExt};
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::target::{RegisteredTarget, TargetState};

use crate::aws::Aws;
use crate::call::call;
use crate::clock::Deadline;

const CALL: &str = "DescribeTargetHealth";

/// How many groups are read at the same time.
const SIDE_BY_SIDE: usize = 20;

/// Reads the groups.
pub(crate) async fn find(
    aws: &Aws,
    groups: BTreeSet<TargetGroupArn>,
    deadline: Deadline,
) -> BTreeMap<TargetGroupArn, GroupFinding> {
    let reads = groups.into_iter().map(|group| async move {
        let finding = read(aws, &group, deadline).await;
        (group, finding)
    });
    stream::iter(reads).buffer_unordered(SIDE_BY_SIDE).collect().await
}

/// Reads one group, all of it: its other targets say whether it can spare one.
pub(crate) async fn read(aws: &Aws, group: &TargetGroupArn, deadline: Deadline) -> GroupFinding {
    let request = aws.elb.describe_target_health().target_group_arn(group.as_str());
    match call(CALL, deadline, || request.clone().send()).await {
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
    Some(RegisteredTarget { address, port, state: TargetState::from_text(state.unwrap_or("(none)")) })
}
