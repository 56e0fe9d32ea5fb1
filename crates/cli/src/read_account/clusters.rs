//! The clusters and their capacity providers.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{CapacityProviderStrategyItem, Cluster as EcsCluster};
use spotdrain_doctor::model::service::StrategyItem;

use super::paced_client::{PacedClient, RateLimit};

/// The most clusters in one call.
const MAX_PER_CALL: usize = 100;

/// The capacity of a cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) providers: Vec<String>,
    pub(crate) strategy: Vec<StrategyItem>,
}

/// Returns the cluster of this name, or all clusters, by ARN.
pub(crate) async fn find(client: &PacedClient<'_>, wanted: Option<&str>) -> Result<BTreeMap<String, Cluster>, String> {
    let names = match wanted {
        Some(name) => vec![name.to_owned()],
        None => list(client).await?,
    };
    let mut clusters = BTreeMap::new();
    for names in names.chunks(MAX_PER_CALL) {
        let request = client.aws.ecs.describe_clusters().set_clusters(Some(names.to_vec()));
        let answer = client.call("DescribeClusters", RateLimit::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        clusters.extend(answer.clusters().iter().filter(|one| one.status() != Some("INACTIVE")).filter_map(read));
    }
    match wanted {
        Some(name) if clusters.is_empty() => {
            let region = client.aws.region().unwrap_or_else(|| "the Region".to_owned());
            Err(format!(
                "there is no cluster {name} in {region}: aws ecs list-clusters shows them; AWS_REGION sets the Region"
            ))
        }
        _ => Ok(clusters),
    }
}

async fn list(client: &PacedClient<'_>) -> Result<Vec<String>, String> {
    let (mut arns, mut token) = (Vec::new(), None);
    loop {
        let request = client.aws.ecs.list_clusters().set_next_token(token);
        let answer = client.call("ListClusters", RateLimit::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        arns.extend(answer.cluster_arns().iter().cloned());
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(arns);
        }
    }
}

fn read(cluster: &EcsCluster) -> Option<(String, Cluster)> {
    let providers = cluster.capacity_providers().to_vec();
    let strategy = cluster.default_capacity_provider_strategy().iter().map(strategy_item).collect();
    Some((cluster.cluster_arn()?.to_owned(), Cluster { providers, strategy }))
}

/// Reads one item of a capacity provider strategy.
pub(crate) fn strategy_item(item: &CapacityProviderStrategyItem) -> StrategyItem {
    let number = |value: i32| u32::try_from(value).unwrap_or_default();
    StrategyItem {
        provider: item.capacity_provider().to_owned(),
        base: number(item.base()),
        weight: number(item.weight()),
    }
}
