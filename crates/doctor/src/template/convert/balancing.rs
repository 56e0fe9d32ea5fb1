//! Which load balancer sends to a target group: by the listeners and their rules.

use crate::model::setting::Setting;

use crate::template::evaluate::value::Value;
use crate::template::resources::{Resource, Resources};

const LISTENER: &[&str] = &["AWS::ElasticLoadBalancingV2::Listener"];
const LISTENER_RULE: &[&str] = &["AWS::ElasticLoadBalancingV2::ListenerRule"];
const LOAD_BALANCER: &[&str] = &["AWS::ElasticLoadBalancingV2::LoadBalancer"];

/// The load balancer of a target group.
pub(crate) fn load_balancer<'a>(resources: &'a Resources, group: &Resource) -> Setting<&'a Resource> {
    let by_listener = resources.of(LISTENER).find(|listener| forwards(listener, "DefaultActions", group));
    let listener = by_listener.or_else(|| {
        let rule = resources.of(LISTENER_RULE).find(|rule| forwards(rule, "Actions", group))?;
        resources.named(LISTENER, rule.properties.text("ListenerArn").known()?)
    });
    let Some(listener) = listener else {
        return Setting::Unknown(format!("no listener in this template forwards to {}", group.place.name));
    };
    listener.properties.text("LoadBalancerArn").and_then(|arn| {
        let elsewhere = || Setting::Unknown(format!("load balancer {arn} is not in this template"));
        resources.named(LOAD_BALANCER, &arn).map_or_else(elsewhere, Setting::Set)
    })
}

fn forwards(resource: &Resource, key: &str, group: &Resource) -> bool {
    let is_it = |holder: &Value| holder.text("TargetGroupArn").known() == Some(&group.reference);
    let in_config = |action: &Value| {
        let groups = action.path(&["ForwardConfig", "TargetGroups"]);
        groups.known().is_some_and(|groups| groups.as_items().into_iter().any(is_it))
    };
    let actions = resource.properties.items(key);
    actions.known().is_some_and(|actions| actions.iter().any(|action| is_it(action) || in_config(action)))
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
