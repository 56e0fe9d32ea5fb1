//! The clusters and their capacity providers.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeClusters.html>

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{CapacityProviderStrategyItem, Cluster as EcsCluster};
use spotdrain_doctor::model::service::StrategyItem;

use super::asker::{Asker, Budget};

/// The most clusters in one call.
const MOST_A_CALL: usize = 100;

/// The capacity of a cluster.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) providers: Vec<String>,
    pub(crate) strategy: Vec<StrategyItem>,
}

/// Returns the cluster of this name, or all, by ARN.
pub(crate) async fn find(asker: &Asker<'_>, wanted: Option<&str>) -> Result<BTreeMap<String, Cluster>, String> {
    let names = match wanted {
        Some(name) => vec![name.to_owned()],
        None => list(asker).await?,
    };
    let mut clusters = BTreeMap::new();
    for names in names.chunks(MOST_A_CALL) {
        let request = asker.aws.ecs.describe_clusters().set_clusters(Some(names.to_vec()));
        let answer = asker.ask("DescribeClusters", Budget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|refusal| refusal.message)?;
        clusters.extend(answer.clusters().iter().filter(|one| one.status() != Some("INACTIVE")).filter_map(read));
    }
    match wanted {
        Some(name) if clusters.is_empty() => {
            let region = asker.aws.region().unwrap_or_else(|| "the Region".to_owned());
            Err(format!(
                "there is no cluster {name} in {region}: aws ecs list-clusters shows them; AWS_REGION sets the Region"
            ))
        }
        _ => Ok(clusters),
    }
}

async fn list(asker: &Asker<'_>) -> Result<Vec<String>, String> {
    let (mut arns, mut token) = (Vec::new(), None);
    loop {
        let request = asker.aws.ecs.list_clusters().set_next_token(token);
        let answer = asker.ask("ListClusters", Budget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|refusal| refusal.message)?;
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

/// One part of a strategy.
pub(crate) fn strategy_item(item: &CapacityProviderStrategyItem) -> StrategyItem {
    let number = |value: i32| u32::try_from(value).unwrap_or_default();
    StrategyItem {
        provider: item.capacity_provider().to_owned(),
        base: number(item.base()),
        weight: number(item.weight()),
    }
}
