//! Reads what is deployed into the model that the doctor examines. Nothing is decided here, and nothing is changed.
//!
//! What a call cannot read is unknown, with AWS's own text, which names the missing permission; only a failure that leaves
//! nothing to examine is an error. The order is that of the dependencies: `clusters` and `services` with their `scaling`,
//! `delivery` with its `queue` and `role`, then side by side `definitions`, and `groups` with their `tags`, `balancers` and `health`.

mod asker;
mod balancers;
mod clusters;
mod definitions;
mod delivery;
mod groups;
mod health;
mod listeners;
mod progress;
mod queue;
mod role;
mod scaling;
mod services;
mod tags;

use std::collections::BTreeSet;

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::model::subject::ServiceSubject;

pub(crate) use asker::{Asker, Budget, attempt_once};
use spotdrain_function::Aws;

/// What to read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The cluster; without it all.
    pub(crate) cluster: Option<String>,
    /// Services of the cluster; without them all.
    pub(crate) services: Vec<String>,
    /// The function.
    pub(crate) function: FunctionSelector,
}

/// Selects spotdrain's function.
#[derive(Debug, Clone, Default)]
pub(crate) enum FunctionSelector {
    /// The one that has `SPOTDRAIN_` variables.
    #[default]
    ByVariables,
    /// The one of this name or ARN.
    Named(String),
    /// The one with `SPOTDRAIN_` variables that this stack has made, by the tag that CloudFormation gives it.
    OfStack(String),
    /// The one with `SPOTDRAIN_` variables that has this tag: its key and its value.
    Tagged(String, String),
}

/// Reads the deployment.
pub(crate) async fn look(aws: &Aws, wanted: &Wanted) -> Result<Deployment, String> {
    let asker = Asker::new(aws);
    let clusters = clusters::find(&asker, wanted.cluster.as_deref()).await?;
    let mut found = services::find(&asker, &clusters, &wanted.services).await?;
    scaling::fill(&asker, &mut found).await;
    let delivery = delivery::find(&asker, &wanted.function).await?;
    // They have separate rate limits: neither waits for the other.
    let groups = groups::find(&asker, spot_groups(&found), tags::are_asked_for(&delivery));
    let (groups, ()) = tokio::join!(groups, definitions::fill(&asker, &mut found));
    services::put_groups(&mut found, &groups);
    services::fill_families(&asker, &mut found).await;
    asker.progress.done();
    let services = found.services.into_iter().map(|seen| seen.service).collect();
    Ok(Deployment { services, delivery, unread: found.unread })
}

/// Returns the log group of spotdrain's function.
pub(crate) async fn log_group(aws: &Aws, wanted: &FunctionSelector) -> Result<String, String> {
    let asker = Asker::new(aws);
    let group = delivery::log_group(&asker, wanted).await;
    asker.progress.done();
    group
}

/// The target groups of services that may be on Spot. Others are not examined, and each costs calls.
fn spot_groups(found: &services::Found) -> BTreeSet<String> {
    let deployment = Deployment::default();
    let on_spot = found
        .services
        .iter()
        .filter(|seen| ServiceSubject { deployment: &deployment, service: &seen.service }.may_be_on_spot());
    on_spot.flat_map(|seen| seen.groups.iter().flatten()).cloned().collect()
}

/// A setting that could not be read.
fn unknown<T>(why: &str) -> Setting<T> {
    Setting::Unknown(why.to_owned())
}
