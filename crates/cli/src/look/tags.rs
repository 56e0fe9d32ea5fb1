//! The tags of target groups, read only where the role's policies depend on them, because they cost calls.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>

use std::collections::BTreeMap;

use spotdrain_doctor::model::delivery::Delivery;
use spotdrain_doctor::model::setting::Setting;

use super::asker::{Asker, Budget};
use super::unknown;

/// Returns whether a permission of the role depends on a tag.
pub(crate) fn are_asked_for(delivery: &Setting<Delivery>) -> bool {
    let role = delivery.known().and_then(|delivery| delivery.role.known());
    let mut conditions = role.into_iter().flatten().flat_map(|statement| &statement.conditions);
    conditions.any(|condition| condition.resource_tag().is_some())
}

/// Returns the tags of groups that exist, by ARN: 20 at most, AWS's limit of one call.
pub(crate) async fn find(asker: &Asker<'_>, arns: &[String]) -> BTreeMap<String, Setting<Vec<(String, String)>>> {
    if arns.is_empty() {
        return BTreeMap::new();
    }
    let request = asker.aws.elb.describe_tags().set_resource_arns(Some(arns.to_vec()));
    match asker.ask("DescribeTags", Budget::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let pair = |tag: &aws_sdk_elasticloadbalancingv2::types::Tag| {
                Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
            };
            let of_one = answer.tag_descriptions().iter();
            of_one
                .filter_map(|one| {
                    Some((one.resource_arn()?.to_owned(), Setting::Set(one.tags().iter().filter_map(pair).collect())))
                })
                .collect()
        }
        Err(refusal) => arns.iter().map(|arn| (arn.clone(), unknown(&refusal.message))).collect(),
    }
}
