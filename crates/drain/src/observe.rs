//! From notices to what AWS says of them, with as few calls as can be, those that do not need each other side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::arn::{ClusterArn, TaskArn};
use spotdrain_core::candidates::{candidates, service_key};
use spotdrain_core::finding::{Findings, ServiceTag};
use spotdrain_core::notice::Notice;
use spotdrain_core::reading::Reading;
use spotdrain_core::settings::Settings;

use crate::aws::Aws;
use crate::clock::Deadline;
use crate::services::ServiceCache;
use crate::{groups, services, tasks};

/// What is left for the deregistration whatever the questions take.
const FOR_ACTING: Duration = Duration::from_secs(3);

/// How long reading the groups may take: after it they are acted on unread.
const FOR_READING: Duration = Duration::from_millis(2500);

/// Asks for everything that the plan needs.
pub(crate) async fn observe(
    aws: &Aws,
    cache: &ServiceCache,
    reading: &Reading,
    settings: &Settings,
    deadline: Deadline,
) -> Findings {
    let deadline = deadline.less(FOR_ACTING);
    let notices: Vec<&Notice> = reading.notices.iter().map(|incoming| &incoming.notice).collect();
    let keys = notices.iter().filter_map(|notice| service_key(notice, settings)).collect();
    let (services, tasks) = tokio::join!(
        services::find(aws, cache, keys, deadline),
        tasks::find(aws, tasks_to_ask(&notices, settings), deadline),
    );
    let groups: BTreeSet<_> = notices
        .iter()
        .map(|notice| candidates(notice, settings, &services))
        .filter(|candidates| candidates.tag != Some(ServiceTag::Off))
        .flat_map(|candidates| candidates.groups.into_keys())
        .collect();
    let groups = groups::find(aws, groups, deadline.within(FOR_READING)).await;
    Findings { services, groups, tasks }
}

fn tasks_to_ask(notices: &[&Notice], settings: &Settings) -> BTreeMap<ClusterArn, Vec<TaskArn>> {
    let now = Timestamp::now();
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| notice.needs_ownership(now, settings.fresh)) {
        tasks.entry(notice.cluster().clone()).or_default().insert(notice.task().clone());
    }
    tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect())).collect()
}
