//! The plan of a batch: what is to be done about every registration of every notice, and by which calls.
//!
//! It is made once, from what was found, and holds no choice that is left for the execution. It can be printed, compared
//! and dry-run: `spotdrain plan` is this and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::arn::{ClusterArn, TargetGroupArn, TaskArn};
use crate::candidates::{Candidates, candidates};
use crate::decide::{Addresses, GroupView, Ownership, Standing, decide, held_unread};
use crate::finding::{Findings, GroupFinding, RegisteredTarget, Registration, ServiceTag, Target, TargetState};
use crate::grouping::{Unread, calls};
use crate::memory::Going;
use crate::notice::{Ignored, IgnoredEvent, Incoming, Malformed, Reading};
use crate::outcome::{Failure, Outcome};
use crate::settings::{Mode, Settings};

/// The plan of one batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// A row for each notice, in the order in which they came.
    pub notices: Vec<PlannedNotice>,
    /// The events that need nothing, with those whose service is tagged `off`.
    pub ignored: Vec<IgnoredEvent>,
    /// The messages that could not be read.
    pub malformed: Vec<Malformed>,
    /// The calls to make, the earliest deadline first.
    pub calls: Vec<Call>,
}

/// One notice and what is planned for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedNotice {
    /// The notice and its message.
    pub incoming: Incoming,
    /// How old the interruption was when the plan was made.
    pub age: Option<SignedDuration>,
    /// Until when it is sure whose its addresses are.
    pub trusted_until: Timestamp,
    /// `observe` by the setting or by the service's tag.
    pub mode: Mode,
    /// A tag's value that is none of those that are known.
    pub unknown_tag: Option<String>,
    /// The service's tag says that its tasks have a hold.
    pub held: bool,
    /// There is no time for its calls: nothing is planned this time.
    pub postponed: bool,
    /// Why nothing could be planned.
    pub failure: Option<Failure>,
    /// What is planned for each registration.
    pub registrations: Vec<PlannedRegistration>,
}

/// One registration and what is planned for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRegistration {
    /// The target group, the address and the port.
    pub registration: Registration,
    /// Its state when it was read; `None` where it is not there or could not be read.
    pub state: Option<TargetState>,
    /// The port that its health check asks, where it was read and the task is held.
    pub check_port: Option<u16>,
    /// The outcome of a registration that needs nothing; `None` if it is to be deregistered, which one of the calls does.
    pub settled: Option<Outcome>,
}

/// A target, and the task that it is believed to belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedTarget {
    /// The target.
    pub target: Target,
    /// The cluster of the task.
    pub cluster: ClusterArn,
    /// The interrupted task.
    pub task: TaskArn,
}

/// One DeregisterTargets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The group.
    pub target_group: TargetGroupArn,
    /// The targets, each once, the earliest deadline first, at most [`MAX_TARGETS_PER_CALL`](crate::limits::MAX_TARGETS_PER_CALL).
    pub targets: Vec<OwnedTarget>,
    /// When the first of their tasks is gone.
    pub deadline: Timestamp,
    /// Until when it is sure whose the addresses are. After that ECS must be asked again before they are written.
    pub trusted_until: Timestamp,
    /// `SPOTDRAIN_KEEP_LAST`, for a group that is read only afterwards.
    pub keep_last: bool,
    /// The addresses that go away, for such a group.
    pub going: BTreeSet<IpAddr>,
    /// The group could not be read: AWS answers success for a target that is not there, so a read must confirm it.
    pub confirm: bool,
}

/// A notice with what holds for all its registrations.
struct Prepared {
    incoming: Incoming,
    age: Option<SignedDuration>,
    trusted_until: Timestamp,
    candidates: Candidates,
    ownership: Ownership,
}

impl Prepared {
    fn is_held(&self) -> bool {
        self.candidates.tag == Some(ServiceTag::Hold)
    }
}

/// Makes the plan. `going`: the addresses that go away, as far as this sandbox has heard of them.
#[must_use]
pub fn plan(reading: Reading, findings: &Findings, going: &Going, settings: &Settings, now: Timestamp) -> Plan {
    let Reading { notices, ignored, malformed } = reading;
    let prepared: Vec<_> = notices.into_iter().map(|incoming| prepare(incoming, findings, settings, now)).collect();
    let views = views(&prepared, findings, going, now);
    let mut plan = Plan { ignored, malformed, ..Plan::default() };
    for notice in prepared {
        if notice.candidates.tag == Some(ServiceTag::Off) {
            plan.ignored.push(notice.incoming.ignored(Ignored::OutOfScope));
        } else {
            plan.notices.push(plan_notice(notice, findings, &views, settings));
        }
    }
    plan.calls = calls(&plan.notices, findings, &Unread { going, keep_last: settings.keep_last, now });
    plan
}

fn prepare(incoming: Incoming, findings: &Findings, settings: &Settings, now: Timestamp) -> Prepared {
    let notice = &incoming.notice;
    let mut candidates = candidates(notice, settings, &findings.services);
    if notice.needs_address() {
        candidates.failure.get_or_insert_with(no_address);
    }
    let needed = notice.needs_ownership(now, settings.fresh);
    let ownership = Ownership::of(needed, findings.tasks.get(&notice.task.arn));
    let asked_at = findings.asked_at.unwrap_or(now);
    let trusted_until = ownership.trusted_until(notice, (now, asked_at), settings.fresh);
    let age = notice.age(now);
    Prepared { incoming, age, trusted_until, candidates, ownership }
}

/// A notice without an address has no registration to look for, which must not count as handled.
fn no_address() -> Failure {
    let problem = "the event has no address: DescribeTasks was not asked".to_owned();
    Failure { call: "DescribeTasks", problem, retryable: true }
}

/// The plan for notices for whose calls there is no time: none.
#[must_use]
pub fn postpone(notices: Vec<Incoming>, settings: &Settings, now: Timestamp) -> Plan {
    let failure = Failure {
        call: "DeregisterTargets",
        problem: "not started: the pace leaves no turn for it before the deadline".to_owned(),
        retryable: true,
    };
    let planned = |incoming: Incoming| PlannedNotice {
        age: incoming.notice.age(now),
        incoming,
        trusted_until: now,
        mode: settings.mode,
        unknown_tag: None,
        held: false,
        postponed: true,
        failure: Some(failure.clone()),
        registrations: Vec::new(),
    };
    Plan { notices: notices.into_iter().map(planned).collect(), ..Plan::default() }
}

type Views<'a> = BTreeMap<TargetGroupArn, GroupView<'a>>;

/// Every group that was read, as the tasks of this batch see it.
fn views<'a>(prepared: &[Prepared], findings: &'a Findings, going: &Going, now: Timestamp) -> Views<'a> {
    let mut addresses: BTreeMap<&TargetGroupArn, Addresses> = BTreeMap::new();
    for notice in prepared {
        for group in notice.candidates.groups.keys() {
            addresses.entry(group).or_default().add(&notice.incoming.notice, &notice.ownership);
        }
    }
    let view = |(group, of): (&TargetGroupArn, Addresses)| match findings.groups.get(group) {
        Some(GroupFinding::Found(targets)) => Some((group.clone(), GroupView::new(targets, &of, going, now))),
        _ => None,
    };
    addresses.into_iter().filter_map(view).collect()
}

fn plan_notice(prepared: Prepared, findings: &Findings, views: &Views<'_>, settings: &Settings) -> PlannedNotice {
    let (mode, unknown_tag) = restrict(settings.mode, prepared.candidates.tag.as_ref());
    let held = prepared.is_held();
    let mut registrations = Vec::new();
    for (group, ports) in &prepared.candidates.groups {
        registrations.extend(match (views.get(group), findings.groups.get(group)) {
            (Some(view), _) => read_rows(group, &prepared, view, settings.keep_last),
            (None, Some(GroupFinding::Missing)) => absent_row(group, &prepared, &Outcome::AlreadyGone),
            (None, finding) if prepared.is_held() => held_rows(group, &prepared, &held_unread(finding)),
            (None, _) => unread_rows(group, ports, &prepared),
        });
    }
    let Prepared { incoming, age, trusted_until, candidates, .. } = prepared;
    PlannedNotice {
        incoming,
        age,
        trusted_until,
        mode,
        unknown_tag,
        held,
        postponed: false,
        failure: candidates.failure,
        registrations,
    }
}

fn restrict(mode: Mode, tag: Option<&ServiceTag>) -> (Mode, Option<String>) {
    match tag {
        Some(ServiceTag::Observe) => (Mode::Observe, None),
        Some(ServiceTag::Unknown(value)) => (Mode::Observe, Some(value.clone())),
        Some(ServiceTag::On | ServiceTag::Off | ServiceTag::Hold) | None => (mode, None),
    }
}

/// The rows of a group that was read: every target that has an address of the task, with the port that is registered.
fn read_rows(
    group: &TargetGroupArn,
    prepared: &Prepared,
    view: &GroupView<'_>,
    keep_last: bool,
) -> Vec<PlannedRegistration> {
    let spare = !keep_last || view.has_healthy_left;
    let standing = Standing { ownership: &prepared.ownership, held: prepared.is_held(), spare };
    let own = view.of(&prepared.incoming.notice.task.addresses);
    let rows: Vec<_> = own.map(|target| read_row(group, target, standing)).collect();
    if rows.is_empty() { absent_row(group, prepared, &Outcome::NotRegistered) } else { rows }
}

fn read_row(group: &TargetGroupArn, target: &RegisteredTarget, standing: Standing<'_>) -> PlannedRegistration {
    let named = Target { address: target.address, port: Some(target.port) };
    let check_port = target.check_port.filter(|_| standing.held);
    let row = row(group, named, decide(target, standing));
    PlannedRegistration { state: Some(target.state.clone()), check_port, ..row }
}

/// The rows of a group that could not be read: every address, with every port that is known, else with none.
fn unread_rows(group: &TargetGroupArn, ports: &BTreeSet<u16>, prepared: &Prepared) -> Vec<PlannedRegistration> {
    let ports: Vec<_> = if ports.is_empty() { vec![None] } else { ports.iter().copied().map(Some).collect() };
    let addresses = prepared.incoming.notice.task.addresses.iter().copied();
    let targets = addresses.flat_map(|address| ports.iter().map(move |port| Target { address, port: *port }));
    targets.map(|target| row(group, target, prepared.ownership.objection(target.address))).collect()
}

/// The rows of a held task in a group that could not be read: nothing is done unread.
fn held_rows(group: &TargetGroupArn, prepared: &Prepared, unread: &Outcome) -> Vec<PlannedRegistration> {
    let outcome = |address| prepared.ownership.objection(address).unwrap_or_else(|| unread.clone());
    let addresses = prepared.incoming.notice.task.addresses.iter().copied();
    addresses.map(|address| row(group, Target { address, port: None }, Some(outcome(address)))).collect()
}

/// The row of a group that has none of the task's addresses, or that is gone itself: one, whatever addresses there are.
fn absent_row(group: &TargetGroupArn, prepared: &Prepared, outcome: &Outcome) -> Vec<PlannedRegistration> {
    let first = prepared.incoming.notice.task.addresses.iter().take(1);
    let target = |address: &IpAddr| Target { address: *address, port: None };
    first.map(|address| row(group, target(address), Some(outcome.clone()))).collect()
}

fn row(group: &TargetGroupArn, target: Target, settled: Option<Outcome>) -> PlannedRegistration {
    let registration = Registration { target_group: group.clone(), target };
    PlannedRegistration { registration, state: None, check_port: None, settled }
}
