//! The plan of a turn: what to do about each registration in one target group, for every notice that waits for the group.
//!
//! The plan is made from answers that were just read. It decides everything, so that the call that follows only carries it out.

pub mod decide;
pub mod last_healthy;
pub mod progress;
pub mod rate_limit;
pub mod target_groups;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::arn::{TargetGroupArn, TaskArn};
use crate::model::observed::{
    GroupObservation, RegisteredTarget, Registration, Target, TargetId, TargetState, TaskObservation,
};
use crate::model::outcome::{Failure, Outcome};
use crate::plan::decide::{Ownership, decide, held_unread};
use crate::plan::last_healthy::{Keep, StoppingTasks, keep};
use crate::plan::target_groups::{Candidate, LocatedNotice};
use crate::read::memory::Memory;
use crate::settings::Settings;

/// What was read for a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The targets of the group.
    pub group: GroupObservation,
    /// The tasks of the notices whose ownership had to be asked.
    pub tasks: BTreeMap<TaskArn, TaskObservation>,
    /// The stopping tasks of the group's services.
    pub stopping: StoppingTasks,
}

/// Everything that a plan is made from, except the notices.
#[derive(Debug, Clone, Copy)]
pub struct PlanInput<'a> {
    pub group: &'a TargetGroupArn,
    pub look: &'a Look,
    pub memory: &'a Memory,
    pub settings: &'a Settings,
    pub now: Timestamp,
}

/// The plan for one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupPlan {
    /// The plan for each notice, in the order of the notices.
    pub notices: Vec<NoticePlan>,
    /// Ask ECS which tasks are stopping, and make the plan again.
    pub asks_ecs: bool,
}

/// The plan for one notice in one group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticePlan {
    pub registrations: Vec<PlannedRegistration>,
    /// Why nothing can be planned for the notice in any group.
    pub failure: Option<Failure>,
    /// ECS says that the task is not stopping. Its answer may be older than the event, so ask again after a few seconds.
    pub is_contradicted: bool,
}

/// The plan for one registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRegistration {
    pub registration: Registration,
    /// The state that was read; `None` if the target is not in the group or the group could not be read.
    pub state: Option<TargetState>,
    /// `None` if the group could not be read.
    pub as_read: Option<TargetId>,
    /// The port of the health check, if the group was read and the task is held.
    pub check_port: Option<u16>,
    /// The outcome of a registration that needs no call; `None` if it is to be deregistered.
    pub settled: Option<Outcome>,
}

/// A target to deregister, and its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedTarget {
    pub target: Target,
    /// `None` if the group could not be read.
    pub as_read: Option<TargetId>,
    pub task: TaskArn,
}

/// A notice, the addresses of its task, and whether they still belong to the task.
struct Prepared<'a> {
    located: &'a LocatedNotice,
    addresses: &'a [IpAddr],
    ownership: Ownership,
    is_contradicted: bool,
}

impl<'a> Prepared<'a> {
    fn new(located: &'a LocatedNotice, situation: &PlanInput<'a>) -> Self {
        let (notice, look) = (located.notice(), situation.look);
        let stopping = look.stopping.get(&notice.task.arn).cloned().map(TaskObservation::Found);
        let task = look.tasks.get(&notice.task.arn);
        let needed = notice.needs_ownership(situation.now, situation.settings.fresh);
        let ownership = if situation.memory.is_down(&notice.task.arn) {
            Ownership::Lost
        } else {
            Ownership::of(needed, stopping.as_ref().or(task), notice, situation.now)
        };
        let addresses = match task {
            Some(TaskObservation::Found(task)) if notice.needs_address() => &task.addresses,
            _ => &notice.task.addresses,
        };
        let is_contradicted = task.is_some_and(|task| task.may_lag(notice, situation.now));
        Self { located, addresses, ownership, is_contradicted }
    }
}

/// Makes the plan for the notices that wait for a group.
#[must_use]
pub fn plan(notices: &[&LocatedNotice], situation: &PlanInput<'_>) -> GroupPlan {
    let prepared: Vec<_> = notices.iter().map(|notice| Prepared::new(notice, situation)).collect();
    let mut plan = GroupPlan::default();
    let by_address = match &situation.look.group {
        GroupObservation::Found(targets) => by_address(targets, &prepared),
        GroupObservation::Missing | GroupObservation::Unknown(_) => BTreeMap::new(),
    };
    plan.notices.extend(prepared.iter().map(|notice| plan_notice(notice, situation, &by_address)));
    if let (GroupObservation::Found(targets), true) = (&situation.look.group, situation.settings.keep_last) {
        keep_last_healthy(&mut plan, targets, &prepared, situation);
    }
    plan
}

type ByAddress<'a> = BTreeMap<IpAddr, Vec<&'a RegisteredTarget>>;

/// The targets that have an address of one of the notices.
fn by_address<'a>(targets: &'a [RegisteredTarget], prepared: &[Prepared<'_>]) -> ByAddress<'a> {
    let addresses: BTreeSet<_> = prepared.iter().flat_map(|notice| notice.addresses).collect();
    let mut by_address = ByAddress::new();
    for target in targets.iter().filter(|target| addresses.contains(&target.address)) {
        by_address.entry(target.address).or_default().push(target);
    }
    by_address
}

fn plan_notice(prepared: &Prepared<'_>, situation: &PlanInput<'_>, by_address: &ByAddress<'_>) -> NoticePlan {
    let group = situation.group;
    if prepared.addresses.is_empty() {
        return NoticePlan { failure: prepared.ownership.missing_address(), ..NoticePlan::default() };
    }
    let registrations = match &situation.look.group {
        GroupObservation::Found(_) => read_rows(group, prepared, by_address),
        GroupObservation::Missing => absent_row(group, prepared, Outcome::AlreadyGone),
        unread @ GroupObservation::Unknown(_) if prepared.located.is_held() => held_rows(group, prepared, unread),
        GroupObservation::Unknown(_) => unread_rows(group, prepared),
    };
    NoticePlan { registrations, failure: None, is_contradicted: prepared.is_contradicted }
}

/// The rows of a group that was read: every target with an address of the task.
fn read_rows(group: &TargetGroupArn, prepared: &Prepared<'_>, by_address: &ByAddress<'_>) -> Vec<PlannedRegistration> {
    let own = prepared.addresses.iter().filter_map(|address| by_address.get(address)).flatten();
    let rows: Vec<_> = own.map(|target| read_row(group, target, prepared)).collect();
    if rows.is_empty() { absent_row(group, prepared, Outcome::NotRegistered) } else { rows }
}

fn read_row(group: &TargetGroupArn, target: &RegisteredTarget, prepared: &Prepared<'_>) -> PlannedRegistration {
    let (named, is_held) = (Target { address: target.address, port: Some(target.port) }, prepared.located.is_held());
    PlannedRegistration {
        state: Some(target.state.clone()),
        as_read: Some(target.as_read.clone()),
        check_port: target.check_port.filter(|_| is_held),
        ..row(group, named, decide(target, &prepared.ownership, is_held))
    }
}

/// The rows of a group that could not be read: every address with every known port, or without a port.
fn unread_rows(group: &TargetGroupArn, prepared: &Prepared<'_>) -> Vec<PlannedRegistration> {
    let ports = prepared.located.candidates.groups.get(group).map(|Candidate { ports, .. }| ports);
    let known: Vec<_> = ports.into_iter().flatten().copied().map(Some).collect();
    let ports = if known.is_empty() { vec![None] } else { known };
    let targets = prepared.addresses.iter().flat_map(|address| ports.iter().map(|port| (*address, *port)));
    let row = |(address, port)| row(group, Target { address, port }, prepared.ownership.objection(address));
    targets.map(row).collect()
}

/// The rows of a held task in a group that could not be read: such a target is not deregistered.
fn held_rows(group: &TargetGroupArn, prepared: &Prepared<'_>, unread: &GroupObservation) -> Vec<PlannedRegistration> {
    let outcome = |address| prepared.ownership.objection(address).unwrap_or_else(|| held_unread(unread));
    let row = |address: &IpAddr| row(group, Target { address: *address, port: None }, Some(outcome(*address)));
    prepared.addresses.iter().map(row).collect()
}

/// The only row of a group that has no target of the task, or that no longer exists.
fn absent_row(group: &TargetGroupArn, prepared: &Prepared<'_>, outcome: Outcome) -> Vec<PlannedRegistration> {
    let target = |address: &IpAddr| Target { address: *address, port: None };
    prepared.addresses.first().map(|address| row(group, target(address), Some(outcome))).into_iter().collect()
}

fn row(group: &TargetGroupArn, target: Target, settled: Option<Outcome>) -> PlannedRegistration {
    let registration = Registration { target_group: group.clone(), target };
    PlannedRegistration { registration, state: None, as_read: None, check_port: None, settled }
}

/// Applies the rule of [`last_healthy`] to a plan.
fn keep_last_healthy(
    plan: &mut GroupPlan,
    targets: &[RegisteredTarget],
    prepared: &[Prepared<'_>],
    situation: &PlanInput<'_>,
) {
    let mut removed = BTreeMap::new();
    for (notice, of_notice) in prepared.iter().zip(&plan.notices) {
        let due = of_notice.registrations.iter().filter(|row| row.settled.is_none());
        removed.extend(due.map(|row| (row.registration.target.address, &notice.located.notice().task.arn)));
    }
    let departing = Departing::new(prepared);
    let departs = |address| departing.has(address, situation);
    match keep(targets, &removed, departs, (&situation.look.stopping, situation.now)) {
        Keep::Nothing => {}
        Keep::AskEcs => plan.asks_ecs = true,
        Keep::One(kept) => {
            let rows = plan.notices.iter_mut().flat_map(|notice| &mut notice.registrations);
            let is_kept = |row: &&mut PlannedRegistration| {
                row.settled.is_none()
                    && row.state == Some(TargetState::Healthy)
                    && row.registration.target.address == kept
            };
            rows.filter(is_kept).for_each(|row| row.settled = Some(Outcome::KeptLastHealthy));
        }
    }
}

/// The departing addresses of the notices of a plan.
#[derive(Default)]
struct Departing {
    named: BTreeSet<IpAddr>,
    /// Those that belong to another task according to ECS.
    anothers: BTreeSet<IpAddr>,
}

impl Departing {
    fn new(prepared: &[Prepared<'_>]) -> Self {
        let mut departing = Self::default();
        for Prepared { addresses, ownership, .. } in prepared {
            let addresses = addresses.iter().copied();
            departing.named.extend(addresses.clone().filter(|address| ownership.departs(*address)));
            departing.anothers.extend(addresses.filter(|address| ownership.is_anothers(*address)));
        }
        departing
    }

    /// Returns whether these notices or an earlier one say that the task of an address departs.
    fn has(&self, address: IpAddr, situation: &PlanInput<'_>) -> bool {
        let is_earlier = !self.anothers.contains(&address) && situation.memory.departing().has(address, situation.now);
        self.named.contains(&address) || is_earlier
    }
}
