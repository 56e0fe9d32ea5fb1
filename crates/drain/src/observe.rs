//! From notices to what AWS says of them, with as few calls as can be, those that do not need each other side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ClusterArn, TaskArn};
use spotdrain_core::candidates::{candidates, is_missed, service_key};
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

/// How long asking for services and tasks may take: one notice of a batch must not hold the others up for ever.
const FOR_ASKING: Duration = Duration::from_secs(4);

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
    let deadline = deadline.keeping(FOR_ACTING);
    let asking = deadline.within(FOR_ASKING);
    let notices: Vec<&Notice> = reading.notices.iter().map(|incoming| &incoming.notice).collect();
    let keys = notices.iter().filter_map(|notice| service_key(notice, settings)).collect();
    let asked_at = Some(Timestamp::now());
    let (found, tasks) = tokio::join!(
        services::find(aws, cache, keys, asking),
        tasks::find(aws, tasks_to_ask(&notices, settings), asking),
    );
    let services::Found { findings: services, cached } = found;
    let mut findings = Findings { services, groups: BTreeMap::new(), tasks, asked_at };
    read_groups(aws, &notices, settings, &mut findings, deadline).await;
    let missed: BTreeSet<_> =
        cached.into_iter().filter(|key| is_missed(key, notices.iter().copied(), settings, &findings)).collect();
    if !missed.is_empty() {
        findings.services.extend(services::ask(aws, cache, missed, deadline.within(FOR_ASKING)).await);
        read_groups(aws, &notices, settings, &mut findings, deadline).await;
    }
    findings
}

/// Reads the groups that have not been read.
async fn read_groups(aws: &Aws, notices: &[&Notice], settings: &Settings, findings: &mut Findings, deadline: Deadline) {
    let all = notices.iter().map(|notice| candidates(notice, settings, &findings.services));
    let in_scope = all.filter(|candidates| candidates.tag != Some(ServiceTag::Off));
    let mut groups: BTreeSet<_> = in_scope.flat_map(|candidates| candidates.groups.into_keys()).collect();
    groups.retain(|group| !findings.groups.contains_key(group));
    findings.groups.extend(groups::find(aws, groups, deadline.within(FOR_READING)).await);
}

/// The tasks of which the plan may want to know whether the address is still theirs. A notice that is fresh now may be old
/// when everything is found, so the time that this may take counts as passed; the question costs no time beside the others.
fn tasks_to_ask(notices: &[&Notice], settings: &Settings) -> BTreeMap<ClusterArn, Vec<TaskArn>> {
    let longest = SignedDuration::try_from(FOR_ASKING + FOR_READING).unwrap_or_default();
    let now = Timestamp::now();
    let planned = now.saturating_add(longest).unwrap_or(now);
    let may_need = |notice: &&&Notice| [now, planned].iter().any(|at| notice.needs_ownership(*at, settings.fresh));
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(may_need) {
        tasks.entry(notice.cluster().clone()).or_default().insert(notice.task().clone());
    }
    tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect())).collect()
}
