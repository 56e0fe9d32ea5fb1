//! Whether a load balancer has cross-zone load balancing on. Read only for target groups that inherit the setting, and once
//! for each load balancer.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>

use std::collections::BTreeMap;

use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{PacedClient, RateLimit};
use super::unknown;

/// Returns the load balancer's setting. On an Application Load Balancer it is always on.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/disable-cross-zone.html>
pub(crate) async fn cross_zone(
    client: &PacedClient<'_>,
    arn: &str,
    known: &mut BTreeMap<String, Setting<bool>>,
) -> Setting<bool> {
    if arn.contains(":loadbalancer/app/") {
        return Setting::Set(true);
    }
    if let Some(setting) = known.get(arn) {
        return setting.clone();
    }
    let setting = describe(client, arn).await;
    known.insert(arn.to_owned(), setting.clone());
    setting
}

async fn describe(client: &PacedClient<'_>, arn: &str) -> Setting<bool> {
    let request = client.aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn);
    match client.call("DescribeLoadBalancerAttributes", RateLimit::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let attribute =
                answer.attributes().iter().find(|one| one.key() == Some("load_balancing.cross_zone.enabled"));
            attribute.and_then(|one| one.value()).map(|value| value == "true").into()
        }
        Err(failure) => unknown(&failure.message),
    }
}
