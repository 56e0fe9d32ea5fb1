//! Which target does a plan keep, so that the group has a healthy one left?
//!
//! A target stays unless its task is known to depart. While more than half of the healthy and draining targets stay, the rule
//! asks no further: two execution environments, each with half of the notices, cannot remove all targets then. Otherwise ECS is
//! asked which tasks are stopping, because an environment does not know the notices of another one. If no healthy target
//! stays, the plan keeps one of those that it would remove; each environment keeps one of its own.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::arn::TaskArn;
use crate::model::limits::NOTICE;
use crate::model::observed::{DescribedTask, RegisteredTarget, TargetState};
use crate::model::outcome::Failure;

/// The stopping tasks of a group's services, from ListTasks with `desiredStatus` STOPPED and DescribeTasks. ListTasks also
/// returns the tasks that stopped within the last hour.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html>
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoppingTasks {
    #[default]
    NotAsked,
    /// ECS could not be asked, or has more stopping tasks than are read.
    Unknown(Failure),
    Known(BTreeMap<TaskArn, DescribedTask>),
}

impl StoppingTasks {
    #[must_use]
    pub fn get(&self, task: &TaskArn) -> Option<&DescribedTask> {
        match self {
            Self::Known(tasks) => tasks.get(task),
            Self::NotAsked | Self::Unknown(_) => None,
        }
    }

    /// Returns whether a task with this address departs. The address of a task that stopped more than two minutes ago may
    /// belong to another task.
    fn has(&self, address: IpAddr, now: Timestamp) -> bool {
        let is_recent =
            |task: &DescribedTask| task.stopped_at.is_none_or(|stopped_at| now.duration_since(stopped_at) <= NOTICE);
        match self {
            Self::Known(tasks) => tasks.values().any(|task| is_recent(task) && task.addresses.contains(&address)),
            Self::Unknown(_) => true,
            Self::NotAsked => false,
        }
    }

    fn stopping_at(&self, task: &TaskArn) -> Option<Timestamp> {
        self.get(task).and_then(|task| task.stopping_at)
    }
}

/// The result of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Enough healthy targets stay.
    Nothing,
    /// Ask ECS which tasks are stopping, and apply the rule again.
    AskEcs,
    /// Keep the targets with this address.
    One(IpAddr),
}

/// Applies the rule. `removed`: the addresses that the plan would remove, each with its task. `departs`: whether a notice says
/// that the task of an address departs.
pub(crate) fn keep(
    targets: &[RegisteredTarget],
    removed: &BTreeMap<IpAddr, &TaskArn>,
    departs: impl Fn(IpAddr) -> bool,
    (stopping, now): (&StoppingTasks, Timestamp),
) -> Keep {
    let healthy: Vec<_> = in_state(targets, &TargetState::Healthy).collect();
    if !healthy.iter().any(|address| removed.contains_key(address)) {
        return Keep::Nothing;
    }
    let staying: Vec<_> = healthy.iter().filter(|address| !departs(**address)).collect();
    let in_use = healthy.len() + in_state(targets, &TargetState::Draining).count();
    if staying.len() * 2 > in_use {
        return Keep::Nothing;
    }
    if *stopping == StoppingTasks::NotAsked {
        return Keep::AskEcs;
    }
    if staying.into_iter().any(|address| !stopping.has(*address, now)) {
        return Keep::Nothing;
    }
    let last = |address: &IpAddr| removed.get(address).map(|task| (stopping.stopping_at(task), *task));
    healthy
        .into_iter()
        .filter(|address| removed.contains_key(address))
        .max_by_key(last)
        .map_or(Keep::Nothing, Keep::One)
}

fn in_state<'a>(targets: &'a [RegisteredTarget], state: &'a TargetState) -> impl Iterator<Item = IpAddr> {
    targets.iter().filter(move |target| target.state == *state).map(|target| target.address)
}
