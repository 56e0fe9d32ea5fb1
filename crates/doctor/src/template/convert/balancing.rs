//! Which load balancer sends to a target group: by the listeners and their rules.

use crate::model::setting::Setting;

use crate::template::evaluate::value::Value;
use crate::template::resources::{Resource, Resources};

const LISTENER: &[&str] = &["AWS::ElasticLoadBalancingV2::Listener"];
/// Listeners first: a group of both has the listener's load balancer.
const FORWARDING: &[&str] = &["AWS::ElasticLoadBalancingV2::Listener", "AWS::ElasticLoadBalancingV2::ListenerRule"];
const LOAD_BALANCER: &[&str] = &["AWS::ElasticLoadBalancingV2::LoadBalancer"];

/// The load balancer of a target group.
pub(crate) fn load_balancer<'a>(resources: &'a Resources, group: &Resource) -> Setting<&'a Resource> {
    let forwarding = resources.forwarding_to(&group.reference, FORWARDING, forwards);
    let listener = forwarding.and_then(|found| match found.properties.text("ListenerArn") {
        Setting::Set(arn) => resources.named(LISTENER, &arn),
        _ => Some(found),
    });
    let Some(listener) = listener else {
        return Setting::Unknown(format!(
            "no listener in {} forwards to {}",
            resources.origin.document(),
            group.place.name
        ));
    };
    listener.properties.text("LoadBalancerArn").and_then(|arn| {
        let elsewhere = || Setting::Unknown(resources.not_here("load balancer", &arn));
        resources.named(LOAD_BALANCER, &arn).map_or_else(elsewhere, Setting::Set)
    })
}

/// What the actions of a listener or of a rule forward to.
fn forwards(resource: &Resource) -> Vec<String> {
    let mut groups = Vec::new();
    for key in ["DefaultActions", "Actions"] {
        for action in resource.properties.items(key).known().into_iter().flatten() {
            groups.extend(action.text("TargetGroupArn").known().cloned());
            let listed = action.path(&["ForwardConfig", "TargetGroups"]);
            for holder in listed.known().map_or(Vec::new(), |listed| listed.as_items()) {
                groups.extend(holder.text("TargetGroupArn").known().cloned());
            }
        }
    }
    groups
}

/// An attribute of a load balancer or a target group, from its list of keys and values.
pub(crate) fn attribute(properties: &Value, list: &str, key: &str) -> Setting<String> {
    properties.items(list).and_then(|items| {
        for item in items {
            match item.text("Key") {
                Setting::Set(known) if known == key => return item.text("Value"),
                Setting::Unknown(why) => return Setting::Unknown(why),
                _ => {}
            }
        }
        Setting::Default
    })
}
