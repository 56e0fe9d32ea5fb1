//! What AWS says of a wave's target groups and tasks, asked side by side: which targets a group has, with the ports that are
//! registered, and whether a task is still up and its addresses are its own.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::SignedDuration;
use spotdrain_core::arn::{ClusterArn, TargetGroupArn, TaskArn};
use spotdrain_core::candidates::{candidates, is_missed};
use spotdrain_core::finding::{Findings, GroupFinding, ServiceTag, TaskFinding};
use spotdrain_core::limits::MAX_TASKS_PER_CALL;
use spotdrain_core::notice::{Incoming, Notice};
use spotdrain_core::pace::Kind;
use spotdrain_core::settings::Settings;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::{Invocation, pause};
use crate::locate::{Located, refresh};
use crate::shares;

/// The time between two questions about a task that ECS may not have caught up with.
const LAG_POLL: Duration = Duration::from_secs(5);

/// Reads everything that the plan of a wave needs. A task that is in none of its service's groups is reason to describe the
/// service again, if the answer came from the cache.
pub(crate) async fn observe<C: Cloud>(
    invocation: &Invocation<'_, C>,
    wave: &[Incoming],
    located: &mut Located,
) -> Findings {
    let (engine, asked_at) = (invocation.engine, invocation.now());
    let deadline = invocation.deadline.reserving(asked_at, shares::ACTING);
    let notices: Vec<&Notice> = wave.iter().map(|incoming| &incoming.notice).collect();
    let services = located.services.clone();
    let configured = located.configured.clone();
    let mut findings = Findings { services, configured, asked_at: Some(asked_at), ..Findings::default() };
    let groups = groups_to_read(&notices, &engine.settings, &findings);
    let observing = deadline.within(asked_at, shares::OBSERVING);
    (findings.groups, findings.tasks) = join(
        read_groups(invocation, groups, observing),
        describe_tasks(invocation, tasks_to_ask(invocation, &notices), observing),
    )
    .await;
    ask_doubtful(invocation, &notices, &mut findings.tasks).await;
    let is_missed = |key: &&_| {
        !located.refreshed.contains(*key) && is_missed(key, notices.iter().copied(), &engine.settings, &findings)
    };
    let missed: BTreeSet<_> = located.services.keys().filter(is_missed).cloned().collect();
    if !missed.is_empty() {
        let answers = refresh(invocation, located, missed, deadline.within(invocation.now(), shares::LOCATING)).await;
        findings.services.extend(answers);
        let groups = groups_to_read(&notices, &engine.settings, &findings);
        let observing = deadline.within(invocation.now(), shares::OBSERVING);
        findings.groups.extend(read_groups(invocation, groups, observing).await);
    }
    findings
}

/// The groups that have not been read.
fn groups_to_read(notices: &[&Notice], settings: &Settings, findings: &Findings) -> BTreeSet<TargetGroupArn> {
    let all = notices.iter().map(|notice| candidates(notice, settings, &findings.services, &findings.configured));
    let in_scope = all.filter(|candidates| candidates.tag != Some(ServiceTag::Off));
    let is_new = |group: &TargetGroupArn| !findings.groups.contains_key(group);
    in_scope.flat_map(|candidates| candidates.groups.into_keys()).filter(is_new).collect()
}

/// The tasks whose ownership the plan may need. A notice that is fresh now may be old once everything was read, so the time
/// that this may take counts as passed; the question takes no time beside the others.
fn tasks_to_ask<C: Cloud>(
    invocation: &Invocation<'_, C>,
    notices: &[&Notice],
) -> BTreeMap<ClusterArn, BTreeSet<TaskArn>> {
    let now = invocation.now();
    let planned = now.saturating_add(shares::OBSERVING).unwrap_or(now);
    let fresh: SignedDuration = invocation.engine.settings.fresh;
    let may_need = |notice: &&&Notice| [now, planned].iter().any(|at| notice.needs_ownership(*at, fresh));
    let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for notice in notices.iter().filter(may_need) {
        tasks.entry(notice.task.cluster.clone()).or_default().insert(notice.task.arn.clone());
    }
    tasks
}

/// Asks again about tasks whose answer contradicts their notice, because ECS may lag behind its own event: once at once, and for
/// messages that are not in a queue, which would bring them back, every five seconds while that may be so.
async fn ask_doubtful<C: Cloud>(
    invocation: &Invocation<'_, C>,
    notices: &[&Notice],
    tasks: &mut BTreeMap<TaskArn, TaskFinding>,
) {
    for tries in 0.. {
        let now = invocation.now();
        let deadline = invocation.deadline.reserving(now, shares::ACTING);
        let is_doubtful = |notice: &&&Notice| tasks.get(&notice.task.arn).is_some_and(|task| task.may_lag(notice, now));
        let mut doubtful: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for notice in notices.iter().filter(is_doubtful) {
            doubtful.entry(notice.task.cluster.clone()).or_default().insert(notice.task.arn.clone());
        }
        let may_wait = invocation.queue.is_none() && deadline.left(now) > LAG_POLL;
        if doubtful.is_empty() || tries > 0 && !may_wait {
            return;
        }
        if tries > 0 {
            pause(invocation.cloud(), LAG_POLL).await;
        }
        let observing = deadline.within(invocation.now(), shares::OBSERVING);
        tasks.extend(describe_tasks(invocation, doubtful, observing).await);
    }
}

/// Reads the groups.
async fn read_groups<C: Cloud>(
    invocation: &Invocation<'_, C>,
    groups: BTreeSet<TargetGroupArn>,
    deadline: Deadline,
) -> BTreeMap<TargetGroupArn, GroupFinding> {
    let reads = groups.into_iter().map(async |group| {
        let finding = read_group(invocation, &group, deadline).await;
        (group, finding)
    });
    join_all(reads).await.into_iter().collect()
}

/// Reads one group, all of it: its other targets decide whether it can spare one.
pub(crate) async fn read_group<C: Cloud>(
    invocation: &Invocation<'_, C>,
    group: &TargetGroupArn,
    deadline: Deadline,
) -> GroupFinding {
    let request = invocation.request("DescribeTargetHealth", Kind::Read, deadline);
    let answer = request.send(async || invocation.cloud().describe_target_health(group).await).await;
    answer.map_or_else(|error| error.finding(), GroupFinding::Found)
}

const CALL: &str = "DescribeTasks";

/// Describes the tasks of each cluster.
pub(crate) async fn describe_tasks<C: Cloud>(
    invocation: &Invocation<'_, C>,
    tasks: BTreeMap<ClusterArn, BTreeSet<TaskArn>>,
    deadline: Deadline,
) -> BTreeMap<TaskArn, TaskFinding> {
    let tasks = tasks.into_iter().map(|(cluster, tasks)| (cluster, tasks.into_iter().collect::<Vec<_>>()));
    let chunks = tasks.flat_map(|(cluster, tasks)| {
        tasks.chunks(MAX_TASKS_PER_CALL).map(|chunk| (cluster.clone(), chunk.to_vec())).collect::<Vec<_>>()
    });
    let calls = chunks.map(|(cluster, tasks)| describe(invocation, cluster, tasks, deadline));
    join_all(calls).await.into_iter().flatten().collect()
}

async fn describe<C: Cloud>(
    invocation: &Invocation<'_, C>,
    cluster: ClusterArn,
    tasks: Vec<TaskArn>,
    deadline: Deadline,
) -> Vec<(TaskArn, TaskFinding)> {
    let request = invocation.request(CALL, Kind::Tasks, deadline);
    let answer = request.send(async || invocation.cloud().describe_tasks(&cluster, &tasks).await).await;
    let of = |task: &TaskArn| match &answer {
        Ok(found) => found.get(task).cloned(),
        Err(error) => Some(error.finding()),
    };
    tasks.iter().filter_map(|task| Some((task.clone(), of(task)?))).collect()
}
