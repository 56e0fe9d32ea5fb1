//! Cross-zone load balancing of load balancers. Each is asked once, and only for groups
//! that leave it to their load balancer. A group names its load balancer.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>

use std::collections::BTreeMap;

use spotdrain_doctor::model::setting::Setting;

use super::asker::{Asker, Budget};
use super::unknown;

/// Returns whether a load balancer has it on. An Application Load Balancer always has.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/disable-cross-zone.html>
pub(crate) async fn cross_zone(
    asker: &Asker<'_>,
    arn: &str,
    known: &mut BTreeMap<String, Setting<bool>>,
) -> Setting<bool> {
    if arn.contains(":loadbalancer/app/") {
        return Setting::Set(true);
    }
    if let Some(fact) = known.get(arn) {
        return fact.clone();
    }
    let fact = ask(asker, arn).await;
    known.insert(arn.to_owned(), fact.clone());
    fact
}

async fn ask(asker: &Asker<'_>, arn: &str) -> Setting<bool> {
    let request = asker.aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
    match asker.ask("DescribeLoadBalancerAttributes", Budget::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let attribute =
                answer.attributes().iter().find(|one| one.key() == Some("load_balancing.cross_zone.enabled"));
            attribute.and_then(|one| one.value()).map(|value| value == "true").into()
        }
        Err(refusal) => unknown(&refusal.message),
    }
}
