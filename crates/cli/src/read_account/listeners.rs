//! The listeners that forward to a target group. Read only if its targets are unused, to explain why, and once for each load
//! balancer. A group without a load balancer has no listener.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Action, ForwardActionConfig, Listener, TargetGroup};
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{PacedClient, RateLimit};
use super::unknown;

/// The listeners of each load balancer, or why they are unknown.
pub(crate) type ListenersByLoadBalancer = BTreeMap<String, Result<Vec<Listener>, String>>;

/// Returns the listeners that forward to the group, as `TCP:5044 of load balancer demo`.
pub(crate) async fn find(
    client: &PacedClient<'_>,
    arn: &str,
    group: &TargetGroup,
    known: &mut ListenersByLoadBalancer,
) -> Setting<Vec<String>> {
    let mut found = Vec::new();
    for balancer in group.load_balancer_arns() {
        if !known.contains_key(balancer) {
            known.insert(balancer.clone(), read(client, balancer).await);
        }
        match known.get(balancer) {
            Some(Ok(listeners)) => found.push(describe(balancer, listeners, arn)),
            Some(Err(why)) => return unknown(why),
            None => {}
        }
    }
    Setting::Set(found)
}

async fn read(client: &PacedClient<'_>, balancer: &str) -> Result<Vec<Listener>, String> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let request = client.aws.elb.describe_listeners().load_balancer_arn(balancer).set_marker(marker);
        let answer = client.call("DescribeListeners", RateLimit::Elb, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        found.extend_from_slice(answer.listeners());
        marker = answer.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return Ok(found);
        }
    }
}

/// Names the listeners that forward to the group. On an Application Load Balancer a rule may forward instead, and the listener
/// does not show its rules.
fn describe(balancer: &str, listeners: &[Listener], group: &str) -> String {
    let name = balancer.rsplit('/').nth(1).unwrap_or(balancer);
    let forwards = |listener: &&Listener| listener.default_actions().iter().any(|action| forwards_to(action, group));
    let names: Vec<_> = listeners.iter().filter(forwards).map(label).collect();
    let names = if names.is_empty() { "a rule of a listener".to_owned() } else { names.join(", ") };
    format!("{names} of load balancer {name}")
}

fn forwards_to(action: &Action, group: &str) -> bool {
    let weighted = action.forward_config().map(ForwardActionConfig::target_groups).unwrap_or_default();
    let mut all = weighted.iter().map(|one| one.target_group_arn()).chain([action.target_group_arn()]);
    all.any(|arn| arn == Some(group))
}

fn label(listener: &Listener) -> String {
    let protocol = listener.protocol().map_or("listener", |protocol| protocol.as_str());
    listener.port().map_or_else(|| protocol.to_owned(), |port| format!("{protocol}:{port}"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{ProtocolEnum, TargetGroupTuple};

    use super::*;

    fn listener(port: i32, action: Action) -> Listener {
        Listener::builder().protocol(ProtocolEnum::Tcp).port(port).default_actions(action).build()
    }

    #[test]
    fn listeners_that_forward_to_the_group_are_named_also_with_weighted_groups() {
        let to = |group: &str| Action::builder().target_group_arn(group).build();
        let weighted = ForwardActionConfig::builder()
            .target_groups(TargetGroupTuple::builder().target_group_arn("b").weight(1).build())
            .target_groups(TargetGroupTuple::builder().target_group_arn("a").weight(9).build())
            .build();
        let among = Action::builder().forward_config(weighted).build();
        let balancer = "arn:aws:elasticloadbalancing:r:1:loadbalancer/net/demo/0123";
        let listeners = [listener(80, to("a")), listener(81, to("c")), listener(82, among)];
        let table = [
            ("a", "TCP:80, TCP:82 of load balancer demo"),
            ("b", "TCP:82 of load balancer demo"),
            ("d", "a rule of a listener of load balancer demo"),
        ];
        for (group, expected) in table {
            assert_eq!(describe(balancer, &listeners, group), expected);
        }
    }
}
