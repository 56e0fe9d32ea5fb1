//! Where a service's tasks run: its own strategy, its launch type, and what its cluster has.

use crate::model::service::{Capacity, StrategyItem};
use crate::model::setting::Fact;

use crate::template::resources::{Resource, Resources};
use crate::template::value::{Value, all};

const CLUSTER: &[&str] = &["AWS::ECS::Cluster"];
const ASSOCIATIONS: &[&str] = &["AWS::ECS::ClusterCapacityProviderAssociations"];

/// The capacity of a service.
pub(crate) fn capacity(resources: &Resources, service: &Value) -> Capacity {
    let of_cluster = |key: &str| cluster_property(resources, service, key);
    Capacity {
        launch_type: service.text("LaunchType"),
        strategy: service.get("CapacityProviderStrategy").and_then(strategy),
        cluster_strategy: of_cluster("DefaultCapacityProviderStrategy").and_then(|value| strategy(&value)),
        providers: of_cluster("CapacityProviders")
            .and_then(|value| all(value.as_items().into_iter().map(Value::as_text))),
    }
}

fn strategy(value: &Value) -> Fact<Vec<StrategyItem>> {
    all(value.as_items().into_iter().map(|item| {
        item.text("CapacityProvider").and_then(|provider| {
            let base = or_zero(item.number("Base"));
            let weight = or_zero(item.number("Weight"));
            base.and_then(|base| weight.map(|weight| StrategyItem { provider, base, weight }))
        })
    }))
}

fn or_zero(fact: Fact<u32>) -> Fact<u32> {
    if fact == Fact::Absent { Fact::Known(0) } else { fact }
}

/// The cluster of a service, if the template has it.
pub(crate) fn cluster<'a>(resources: &'a Resources, service: &Value) -> Fact<&'a Resource> {
    service.text("Cluster").and_then(|text| {
        let elsewhere = || Fact::NotKnown(format!("cluster {text} is not in this template"));
        resources.named(CLUSTER, &text).map_or_else(elsewhere, Fact::Known)
    })
}

/// A property of the cluster, or of the resource that associates capacity providers with it.
fn cluster_property(resources: &Resources, service: &Value, key: &str) -> Fact<Value> {
    cluster(resources, service).and_then(|cluster| {
        let own = cluster.properties.get(key).map(Clone::clone);
        let is_its = |resource: &&Resource| {
            let named = resource.properties.text("Cluster");
            named.known().is_some_and(|name| [&cluster.reference, &cluster.arn, &cluster.name].contains(&name))
        };
        let beside = resources.of(ASSOCIATIONS).find(is_its);
        match (own, beside) {
            (Fact::Absent, Some(resource)) => resource.properties.get(key).map(Clone::clone),
            (own, _) => own,
        }
    })
}
