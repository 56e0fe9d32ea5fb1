//! The types of the load balancers of held tasks, derived from the protocols of their target groups, because no record has them.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>

use std::collections::BTreeMap;

use spotdrain_core::history::{BalancerKind, History};
use spotdrain_function::Aws;

use crate::read_account::{CallBudget, PacedClient};

/// AWS describes at most 20 named groups in one call.
const MOST: usize = 20;

/// Returns the types by target group. A group that cannot be described stays unknown: it may have been deleted since.
pub(crate) async fn balancers(aws: &Aws, history: &History) -> BTreeMap<String, BalancerKind> {
    let client = PacedClient::new(aws);
    let groups: Vec<_> = history.held_target_groups().into_iter().map(str::to_owned).collect();
    let mut known = BTreeMap::new();
    for chunk in groups.chunks(MOST) {
        let found = describe(&client, chunk).await;
        if found.is_empty() && chunk.len() > 1 {
            // One group that does not exist makes the whole call fail.
            for group in chunk {
                known.extend(describe(&client, std::slice::from_ref(group)).await);
            }
        }
        known.extend(found);
    }
    known
}

async fn describe(client: &PacedClient<'_>, groups: &[String]) -> Vec<(String, BalancerKind)> {
    let elb = aws_sdk_elasticloadbalancingv2::Client::new(client.aws.config());
    let request = elb.describe_target_groups().set_target_group_arns(Some(groups.to_vec()));
    let Ok(answer) = client.call("DescribeTargetGroups", CallBudget::Elb, || request.clone().send()).await else {
        return Vec::new();
    };
    let kind = |group: &aws_sdk_elasticloadbalancingv2::types::TargetGroup| {
        let kind = BalancerKind::of_protocol(group.protocol()?.as_str())?;
        Some((group.target_group_arn()?.to_owned(), kind))
    };
    answer.target_groups().iter().filter_map(kind).collect()
}
