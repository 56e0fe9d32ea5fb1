//! Where a service's tasks run: its own strategy, its launch type, and what its cluster has.

use crate::model::service::{Capacity, StrategyItem};
use crate::model::setting::Setting;

use crate::template::evaluate::value::{Value, all};
use crate::template::resources::{Resource, Resources};

const CLUSTER: &[&str] = &["AWS::ECS::Cluster"];
const ASSOCIATIONS: &[&str] = &["AWS::ECS::ClusterCapacityProviderAssociations"];

/// The capacity of a service.
pub(crate) fn capacity(resources: &Resources, service: &Value) -> Capacity {
    let of_cluster = |key: &str| cluster_property(resources, service, key);
    // A cluster of the template that names none has none: one that is not in the template is unknown.
    let providers = match of_cluster("CapacityProviders") {
        Setting::Default if cluster(resources, service).known().is_some() => Setting::Set(Vec::new()),
        other => other.and_then(|value| all(value.as_items().into_iter().map(Value::as_text))),
    };
    Capacity {
        launch_type: service.text("LaunchType"),
        strategy: service.get("CapacityProviderStrategy").and_then(strategy),
        cluster_strategy: of_cluster("DefaultCapacityProviderStrategy").and_then(|value| strategy(&value)),
        providers,
    }
}

fn strategy(value: &Value) -> Setting<Vec<StrategyItem>> {
    all(value.as_items().into_iter().map(|item| {
        item.text("CapacityProvider").and_then(|provider| {
            let base = or_zero(item.number("Base"));
            let weight = or_zero(item.number("Weight"));
            base.and_then(|base| weight.map(|weight| StrategyItem { provider, base, weight }))
        })
    }))
}

fn or_zero(fact: Setting<u32>) -> Setting<u32> {
    if fact == Setting::Default { Setting::Set(0) } else { fact }
}

/// The cluster of a service, if the template has it.
pub(crate) fn cluster<'a>(resources: &'a Resources, service: &Value) -> Setting<&'a Resource> {
    service.text("Cluster").and_then(|text| {
        let elsewhere = || Setting::Unknown(resources.not_here("cluster", &text));
        resources.named(CLUSTER, &text).map_or_else(elsewhere, Setting::Set)
    })
}

/// A property of the cluster, or of the resource that associates capacity providers with it.
fn cluster_property(resources: &Resources, service: &Value, key: &str) -> Setting<Value> {
    cluster(resources, service).and_then(|cluster| {
        let own = cluster.properties.get(key).map(Clone::clone);
        let is_its = |resource: &&Resource| {
            let named = resource.properties.text("Cluster");
            named.known().is_some_and(|name| [&cluster.reference, &cluster.arn, &cluster.name].contains(&name))
        };
        let beside = resources.of(ASSOCIATIONS).find(is_its);
        let unknown = resources.of(ASSOCIATIONS).find_map(|resource| match resource.properties.text("Cluster") {
            Setting::Unknown(why) => Some(why),
            _ => None,
        });
        match (own, beside) {
            (Setting::Default, None) if unknown.is_some() => Setting::Unknown(unknown.unwrap_or_default()),
            (Setting::Default, Some(resource)) => resource.properties.get(key).map(Clone::clone),
            (own, _) => own,
        }
    })
}
