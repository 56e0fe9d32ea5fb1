//! The load balancers of the groups, each asked for once: in how many zones each is, and whether it sends across them.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>

use std::collections::BTreeMap;

use spotdrain_core::doctor::fact::Fact;

use super::asker::{Asker, Budget};
use super::unknown;

/// What is set of a load balancer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Balancer {
    pub(crate) zones: Fact<u32>,
    pub(crate) cross_zone: Fact<bool>,
}

/// The load balancer of this ARN.
pub(crate) async fn balancer(asker: &Asker<'_>, arn: &str, known: &mut BTreeMap<String, Balancer>) -> Balancer {
    if let Some(balancer) = known.get(arn) {
        return balancer.clone();
    }
    let balancer = Balancer { zones: zones(asker, arn).await, cross_zone: cross_zone(asker, arn).await };
    known.insert(arn.to_owned(), balancer.clone());
    balancer
}

async fn zones(asker: &Asker<'_>, arn: &str) -> Fact<u32> {
    let request = asker.aws.elb.describe_load_balancers().load_balancer_arns(arn);
    match asker.ask("DescribeLoadBalancers", Budget::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let count = answer.load_balancers().first().map(|one| one.availability_zones().len());
            count.and_then(|count| u32::try_from(count).ok()).into()
        }
        Err(refusal) => unknown(&refusal.told),
    }
}

async fn cross_zone(asker: &Asker<'_>, arn: &str) -> Fact<bool> {
    let request = asker.aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
    match asker.ask("DescribeLoadBalancerAttributes", Budget::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let attribute =
                answer.attributes().iter().find(|one| one.key() == Some("load_balancing.cross_zone.enabled"));
            attribute.and_then(|one| one.value()).map(|value| value == "true").into()
        }
        Err(refusal) => unknown(&refusal.told),
    }
}
