//! Which load balancers are there? Those that the target groups name: they have no state of their own.
//!
//! The shape is that of the API's `LoadBalancer` (botocore, `elbv2`, 2015-12-01), without the fields that nothing here needs.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::model::world::World;
use crate::protocol::query::{self, Members};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BalancersResult<'a> {
    load_balancers: Members<BalancerShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BalancerShape<'a> {
    load_balancer_arn: &'a str,
    load_balancer_name: &'a str,
    scheme: &'static str,
    r#type: &'static str,
    availability_zones: Members<ZoneShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneShape {
    zone_name: String,
}

/// All of them, or those of these ARNs.
pub(crate) fn describe(world: &World, arns: &[String]) -> Result<String, ApiError> {
    let all: BTreeSet<&String> = world.groups.values().flat_map(|group| &group.load_balancers).collect();
    if arns.iter().any(|arn| !all.contains(arn)) {
        return Err(ApiError::bad("LoadBalancerNotFound", "One or more load balancers not found"));
    }
    let wanted = all.into_iter().filter(|arn| arns.is_empty() || arns.contains(arn));
    let load_balancers = wanted.map(|arn| shape(arn, &world.location.region)).collect();
    query::result(Action::DescribeLoadBalancers, &BalancersResult { load_balancers })
}

/// `arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID`
fn shape<'a>(arn: &'a str, region: &str) -> BalancerShape<'a> {
    let mut parts = arn.rsplit('/').skip(1);
    let load_balancer_name = parts.next().unwrap_or(arn);
    let r#type = if parts.next().is_some_and(|kind| kind.ends_with("net")) { "network" } else { "application" };
    BalancerShape {
        load_balancer_arn: arn,
        load_balancer_name,
        scheme: "internal",
        r#type,
        availability_zones: zones(region),
    }
}

/// Every load balancer is in two zones.
fn zones(region: &str) -> Members<ZoneShape> {
    ["a", "b"].into_iter().map(|zone| ZoneShape { zone_name: format!("{region}{zone}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scene::Scene;

    #[test]
    fn those_that_the_groups_name_are_there() {
        let scene = Scene::demo();
        for arns in [vec![], vec![scene.load_balancer.clone()]] {
            let answer = describe(&scene.world, &arns).unwrap();
            assert!(answer.contains("<LoadBalancerName>demo</LoadBalancerName>"), "{answer}");
            assert!(answer.contains("<Type>network</Type>"), "{answer}");
        }
        assert_eq!(describe(&scene.world, &["other".to_owned()]).unwrap_err().code, "LoadBalancerNotFound");
    }
}
