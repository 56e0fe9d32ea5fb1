//! The tags of target groups, read only if the role's policies depend on them, because that costs calls.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>

use std::collections::BTreeMap;

use spotdrain_doctor::model::delivery::Delivery;
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{PacedClient, RateLimit};
use super::unknown;

/// Returns whether a permission of the role depends on a tag.
pub(crate) fn are_needed(delivery: &Setting<Delivery>) -> bool {
    let role = delivery.known().and_then(|delivery| delivery.role.known());
    let mut conditions = role.into_iter().flatten().flat_map(|statement| &statement.conditions);
    conditions.any(|condition| condition.resource_tag().is_some())
}

/// Returns the tags of existing groups, by ARN: at most 20, AWS's limit for one call.
pub(crate) async fn find(
    client: &PacedClient<'_>,
    arns: &[String],
) -> BTreeMap<String, Setting<Vec<(String, String)>>> {
    if arns.is_empty() {
        return BTreeMap::new();
    }
    let request = client.aws.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
    match client.call("DescribeTags", RateLimit::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let pair = |tag: &aws_sdk_elasticloadbalancingv2::types::Tag| {
                Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
            };
            let descriptions = answer.tag_descriptions().iter();
            descriptions
                .filter_map(|one| {
                    Some((one.resource_arn()?.to_owned(), Setting::Set(one.tags().iter().filter_map(pair).collect())))
                })
                .collect()
        }
        Err(failure) => arns.iter().map(|arn| (arn.clone(), unknown(&failure.message))).collect(),
    }
}
