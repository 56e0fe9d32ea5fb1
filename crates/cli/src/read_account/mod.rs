//! Reads what is deployed in an account and Region into the doctor's model. Decides nothing and changes nothing.
//!
//! A setting that a call cannot read is unknown, with AWS's message, which names the missing permission. A failure is an error
//! only if it leaves nothing to examine. The order follows the dependencies: `clusters`, `services` with their `scaling` and
//! `revisions`; then `delivery` with its `queue`, `rule` and `role`; then, at the same time, `task_definitions`, and
//! `target_groups` with their `tags`, `cross_zone`, `target_health` and `listeners`. `tasks` reads one task for other commands.

mod clusters;
mod cross_zone;
mod delivery;
mod listeners;
mod paced_client;
mod progress_bar;
mod revisions;
mod scaling;
mod services;
mod tags;
mod target_groups;
mod target_health;
mod task_definitions;
mod tasks;

use std::collections::BTreeSet;

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::model::setting::Setting;

pub(crate) use paced_client::{CallBudget, CallFailure, PacedClient, attempt_once};
use spotdrain_function::Aws;
pub(crate) use tasks::read_task;

/// What to read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// One cluster; all if absent.
    pub(crate) cluster: Option<String>,
    /// Services of the cluster; all if empty.
    pub(crate) services: Vec<String>,
    pub(crate) function: FunctionSelector,
}

/// Selects spotdrain's function.
#[derive(Debug, Clone, Default)]
pub(crate) enum FunctionSelector {
    /// The only function that has `SPOTDRAIN_` variables.
    #[default]
    ByVariables,
    /// By name or ARN.
    Named(String),
    /// The function with `SPOTDRAIN_` variables that belongs to this stack, by CloudFormation's tag.
    OfStack(String),
    /// The function with `SPOTDRAIN_` variables that has this tag: key and value.
    Tagged(String, String),
}

/// Reads the deployment.
pub(crate) async fn read_account(aws: &Aws, selection: &Selection) -> Result<Deployment, String> {
    let client = PacedClient::new(aws);
    let clusters = clusters::find(&client, selection.cluster.as_deref()).await?;
    let mut services = services::find(&client, &clusters, &selection.services).await?;
    scaling::fill(&client, &mut services).await;
    revisions::fill(&client, &mut services).await;
    let delivery = delivery::find(&client, &selection.function, &mut services.unread).await?;
    // ELB and ECS have separate rate limits, so both are read at once.
    let groups = target_groups::find(&client, spot_groups(&services), tags::are_needed(&delivery));
    let (groups, ()) = tokio::join!(groups, task_definitions::fill(&client, &mut services));
    services::put_groups(&mut services, &groups);
    revisions::fill_containers(&mut services);
    services::fill_families(&client, &mut services).await;
    client.progress.done();
    let read = services.found.into_iter().map(|found| found.service).collect();
    Ok(Deployment { services: read, delivery, unread: services.unread, ..Deployment::default() })
}

/// Returns the log group of spotdrain's function.
pub(crate) async fn log_group(aws: &Aws, selector: &FunctionSelector) -> Result<String, String> {
    let client = PacedClient::new(aws);
    let group = delivery::log_group(&client, selector).await;
    client.progress.done();
    group
}

/// Returns the target groups of services that may be on Spot.
fn spot_groups(services: &services::FoundServices) -> BTreeSet<String> {
    let on_spot = services.found.iter().filter(|found| services::may_be_on_spot(found));
    on_spot.flat_map(|found| found.groups.iter().flatten()).cloned().collect()
}

/// A setting that could not be read.
fn unknown<T>(why: &str) -> Setting<T> {
    Setting::Unknown(why.to_owned())
}
