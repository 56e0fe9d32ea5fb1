//! From notices to what AWS says of them, with as few calls as can be, those that do not need each other side by side.
//!
//! First the services of all notices ([`discover`]), which tell how many groups there are; then, of one wave after the
//! other, the groups and the tasks ([`look`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ClusterArn, TargetGroupArn, TaskArn};
use spotdrain_core::candidates::{candidates, is_missed, service_key};
use spotdrain_core::finding::{Findings, ServiceTag};
use spotdrain_core::notice::Notice;
use spotdrain_core::reading::Incoming;
use spotdrain_core::settings::Settings;

use crate::caller::Caller;
use crate::clock::Deadline;
use crate::services::{Found, ServiceCache};
use crate::{groups, services, tasks};

/// What is left for the deregistration whatever the questions take.
const FOR_ACTING: Duration = Duration::from_secs(3);

/// How long asking for services may take: one notice of a batch must not hold the others up for ever.
const FOR_ASKING: Duration = Duration::from_secs(4);

/// How long looking at the groups and the tasks may take: after it the groups are acted on unread.
const FOR_LOOKING: Duration = Duration::from_millis(2500);

/// The services of all notices.
pub(crate) async fn discover(
    caller: Caller<'_>,
    cache: &ServiceCache,
    notices: &[Incoming],
    settings: &Settings,
    deadline: Deadline,
) -> Found {
    let keys = notices.iter().filter_map(|incoming| service_key(&incoming.notice, settings)).collect();
    services::find(caller, cache, keys, deadline.keeping(FOR_ACTING).within(FOR_ASKING)).await
}

/// Everything that the plan for a wave needs, into the findings: of the services, what was found before.
pub(crate) async fn look(
    caller: Caller<'_>,
    cache: &ServiceCache,
    wave: &[Incoming],
    found: &mut Found,
    settings: &Settings,
    deadline: Deadline,
) -> Findings {
    let deadline = deadline.keeping(FOR_ACTING);
    let looking = deadline.within(FOR_LOOKING);
    let notices: Vec<&Notice> = wave.iter().map(|incoming| &incoming.notice).collect();
    let mut findings = Findings { services: found.of(&notices, settings), ..Findings::default() };
    findings.asked_at = Some(Timestamp::now());
    let groups = groups_to_read(&notices, settings, &findings);
    (findings.groups, findings.tasks) = tokio::join!(
        groups::find(caller, groups, looking),
        tasks::find(caller, tasks_to_ask(&notices, settings), looking),
    );
    let is_missed = |key: &&_| is_missed(key, notices.iter().copied(), settings, &findings);
    let missed: BTreeSet<_> = found.cached.iter().filter(is_missed).cloned().collect();
    if !missed.is_empty() {
        let asked = services::ask(caller, cache, missed, deadline.within(FOR_ASKING)).await;
        found.replace(&asked);
        findings.services.extend(asked);
        let groups = groups_to_read(&notices, settings, &findings);
        findings.groups.extend(groups::find(caller, groups, deadline.within(FOR_LOOKING)).await);
    }
    findings
}

/// The groups that have not been read.
fn groups_to_read(notices: &[&Notice], settings: &Settings, findings: &Findings) -> BTreeSet<TargetGroupArn> {
    let all = notices.iter().map(|notice| candidates(notice, settings, &findings.services));
    let in_scope = all.filter(|candidates| candidates.tag != Some(ServiceTag::Off));
    let is_new = |group: &TargetGroupArn| !findings.groups.contains_key(group);
    in_scope.flat_map(|candidates| candidates.groups.into_keys()).filter(is_new).collect()
}

/// The tasks of which the plan may want to know whether the address is still theirs. A notice that is fresh now may be old
/// when everything is found, so the time that this may take counts as passed; the question costs no time beside the others.
fn tasks_to_ask(notices: &[&Notice], settings: &Settings) -> BTreeMap<ClusterArn, Vec<TaskArn>> {
    let longest = SignedDuration::try_from(FOR_LOOKING).unwrap_or_default();
    let now = Timestamp::now();
    let planned = now.saturating_add(longest).unwrap_or(now);
    let may_need = |notice: &&&Notice| [now, planned].iter().any(|at| notice.needs_ownership(*at, settings.fresh));
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(may_need) {
        tasks.entry(notice.cluster().clone()).or_default().insert(notice.task().clone());
    }
    tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect())).collect()
}
