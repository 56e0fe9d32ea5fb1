//! DescribeTargetHealth: which targets a group has, with the ports that are registered.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::pace::Kind;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;

/// Reads the groups.
pub(crate) async fn read_all<C: Cloud>(
    invocation: &Invocation<'_, C>,
    groups: BTreeSet<TargetGroupArn>,
    deadline: Deadline,
) -> BTreeMap<TargetGroupArn, GroupFinding> {
    let reads = groups.into_iter().map(async |group| {
        let finding = read(invocation, &group, deadline).await;
        (group, finding)
    });
    join_all(reads).await.into_iter().collect()
}

/// Reads one group, all of it: its other targets decide whether it can spare one.
pub(crate) async fn read<C: Cloud>(
    invocation: &Invocation<'_, C>,
    group: &TargetGroupArn,
    deadline: Deadline,
) -> GroupFinding {
    let request = invocation.request("DescribeTargetHealth", Kind::Read, deadline);
    let answer = request.send(async || invocation.cloud().describe_target_health(group).await).await;
    answer.map_or_else(|error| error.finding(), GroupFinding::Found)
}
