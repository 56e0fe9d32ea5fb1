//! The state of the local AWS, with the methods by which a test arranges and inspects it.
//!
//! It has no clock: every method that depends on the time takes `now`, the time since the world's start. Tests of the rules
//! therefore need not wait; [`LocalAws`](crate::LocalAws) supplies the real time, and can advance it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::call::action::Action;
use crate::call::error::WorldError;
use crate::call::fault::{FaultRule, Faults};
use crate::call::log::Call;
use crate::call::throttle::{Limiter, Throttles};
use crate::location::Location;
use crate::model::canned::Canned;
use crate::model::ecs::described::Described;
use crate::model::ecs::foreign::{Foreign, ForeignError};
use crate::model::ecs::service::Service;
use crate::model::ecs::task::{Task, TaskStatus};
use crate::model::elb::group::Group;
use crate::model::elb::health::State;
use crate::model::elb::target::{Registered, Target};
use crate::model::sqs::queues::{Queues, Uneven};

/// One account in one Region: target groups, clusters, services, tasks and queues; throttles and faults; the log of calls.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) location: Location,
    pub(crate) foreign: Foreign,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) clusters: BTreeSet<String>,
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) tasks: BTreeMap<String, Task>,
    pub(crate) described: Described,
    pub(crate) queues: Queues,
    pub(crate) canned: Canned,
    pub(crate) limiter: Limiter,
    pub(crate) faults: Faults,
    pub(crate) calls: Vec<Call>,
    pub(crate) latency: Duration,
    pub(crate) zone_required: bool,
    epoch: Option<Duration>,
    requests: u64,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// An empty account `123456789012` in `eu-central-1`, with AWS's published throttles.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Location::default())
    }

    /// An empty account at this location, with AWS's published throttles. Queues, functions and roles are always in the account
    /// and Region of [`World::new`].
    #[must_use]
    pub fn at(location: Location) -> Self {
        Self {
            location,
            foreign: Foreign::default(),
            groups: BTreeMap::new(),
            clusters: BTreeSet::new(),
            services: BTreeMap::new(),
            tasks: BTreeMap::new(),
            described: Described::default(),
            queues: Queues::default(),
            canned: Canned::default(),
            limiter: Limiter::new(Throttles::Published),
            faults: Faults::default(),
            calls: Vec::new(),
            latency: Duration::ZERO,
            zone_required: false,
            epoch: None,
            requests: 0,
        }
    }

    /// Adds a target group, and returns its ARN.
    pub fn add_group(&mut self, group: Group) -> String {
        let arn = self.location.group_arn(&group.name, &group.id);
        self.groups.insert(arn.clone(), group);
        arn
    }

    /// Removes a target group with its targets.
    pub fn remove_group(&mut self, arn: &str) -> Result<(), WorldError> {
        self.groups.remove(arn).map(drop).ok_or_else(|| WorldError::NoGroup(arn.to_owned()))
    }

    /// Adds a cluster, and returns its ARN. Adding a service or task also adds its cluster.
    pub fn add_cluster(&mut self, name: &str) -> String {
        self.clusters.insert(name.to_owned());
        self.location.cluster_arn(name)
    }

    /// Adds or replaces a service, and returns its ARN.
    pub fn add_service(&mut self, service: Service) -> String {
        self.add_cluster(&service.cluster);
        let arn = self.location.service_arn(&service.cluster, &service.service_name);
        self.services.insert(arn.clone(), service);
        arn
    }

    pub fn service_mut(&mut self, arn: &str) -> Option<&mut Service> {
        self.services.get_mut(arn)
    }

    /// Adds or replaces a task, and returns its ARN.
    pub fn add_task(&mut self, task: Task) -> String {
        self.add_cluster(&task.cluster);
        let arn = self.location.task_arn(&task.cluster, &task.id);
        self.tasks.insert(arn.clone(), task);
        arn
    }

    /// Adds a task, and registers its addresses in a target group at the group's port with this state.
    pub fn add_task_in(&mut self, task: Task, group: &str, state: State, now: Duration) -> Result<String, WorldError> {
        let interface = task.interface.iter();
        let addresses =
            interface.flat_map(|known| known.ipv4.iter().chain(&known.ipv6).map(|id| Target::from(id.as_str())));
        let zone = Some(task.zone.clone());
        let all: Vec<Target> = addresses.map(|target| Target { zone: zone.clone(), ..target }).collect();
        let task_arn = self.location.task_arn(&task.cluster, &task.id);
        let known = self.group_mut(group)?;
        let taken: Vec<_> =
            all.into_iter().filter(|target| known.check(std::slice::from_ref(target)).is_ok()).collect();
        if taken.is_empty() {
            return Err(WorldError::NoAddress(task_arn));
        }
        for target in taken {
            known.register(&target, now);
            known.set_state(&target, state, now);
        }
        Ok(self.add_task(task))
    }

    #[must_use]
    pub fn task(&self, arn: &str) -> Option<&Task> {
        self.tasks.get(arn)
    }

    pub fn task_mut(&mut self, arn: &str) -> Option<&mut Task> {
        self.tasks.get_mut(arn)
    }

    /// Removes a task, as ECS does some time after it has stopped.
    pub fn remove_task(&mut self, arn: &str) -> Result<(), WorldError> {
        let described = self.described.tasks.remove(arn).map(drop);
        self.tasks.remove(arn).map(drop).or(described).ok_or_else(|| WorldError::NoTask(arn.to_owned()))
    }

    /// Interrupts a running task, as ECS shows it at a Spot interruption. Its targets stay registered: ECS's own deregistration
    /// is not simulated.
    pub fn interrupt(&mut self, task: &str, now: Duration) -> Result<(), WorldError> {
        self.known_task(task)?.interrupt(now);
        Ok(())
    }

    /// Stops a task as `StopTask` does: its desired status changes at once.
    pub fn stop_task(&mut self, task: &str, reason: &str, now: Duration) -> Result<(), WorldError> {
        self.known_task(task)?.stop("UserInitiated", reason, now);
        Ok(())
    }

    /// Whether the task's desired status is `STOPPED`.
    #[must_use]
    pub fn is_stopping(&self, task: &str) -> bool {
        self.tasks.get(task).is_some_and(|task| task.desired_status >= TaskStatus::Stopped)
    }

    pub fn set_last_status(&mut self, task: &str, status: TaskStatus, now: Duration) -> Result<(), WorldError> {
        self.known_task(task)?.set_last_status(status, now);
        Ok(())
    }

    /// Registers a target with this state, like `RegisterTargets` but without checking its id.
    pub fn register(
        &mut self,
        group: &str,
        target: impl Into<Target>,
        state: State,
        now: Duration,
    ) -> Result<(), WorldError> {
        let target = target.into();
        let group = self.group_mut(group)?;
        group.register(&target, now);
        group.set_state(&target, state, now);
        Ok(())
    }

    /// Sets the state of a registered target. `draining` deregisters it, with the delay starting now; `initial` restarts the
    /// group's warm-up.
    pub fn set_state(
        &mut self,
        group: &str,
        target: impl Into<Target>,
        state: State,
        now: Duration,
    ) -> Result<(), WorldError> {
        let target = target.into();
        let found = self.group_mut(group)?.set_state(&target, state, now);
        let missing = || WorldError::NoTarget { group: group.to_owned(), target: target.to_string() };
        if found { Ok(()) } else { Err(missing()) }
    }

    /// The registered and draining targets of a group, ordered by id and port; empty if the group does not exist.
    #[must_use]
    pub fn targets(&self, group: &str, now: Duration) -> Vec<Registered> {
        self.groups.get(group).map(|group| group.list(now)).unwrap_or_default()
    }

    /// The state of a target, or `None` if it is neither registered nor draining.
    #[must_use]
    pub fn state(&self, group: &str, target: impl Into<Target>, now: Duration) -> Option<State> {
        self.groups.get(group).and_then(|group| group.health(&target.into(), now)).map(|health| health.state)
    }

    /// Makes every call that names this id in this group fail with `InvalidTarget`.
    pub fn reject_target(&mut self, group: &str, id: &str) -> Result<(), WorldError> {
        self.group_mut(group)?.reject(id);
        Ok(())
    }

    /// Switches the throttles on or off, with full buckets.
    pub fn set_throttles(&mut self, throttles: Throttles) {
        self.limiter = Limiter::new(throttles);
    }

    /// Sets the error and message of ECS for an ARN of another Region or account. By default another Region is
    /// `InvalidParameterException: Invalid Region in ARN`, and another account `AccessDeniedException`.
    pub fn set_foreign_error(&mut self, error: ForeignError, message: Option<&str>) {
        self.foreign = Foreign { error: Some(error), message: message.map(str::to_owned) };
    }

    #[must_use]
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Sets whether `DeregisterTargets` rejects a target outside the VPC without the zone `all`. AWS does not document it.
    pub fn set_zone_required(&mut self, required: bool) {
        self.zone_required = required;
    }

    /// Makes calls fail.
    pub fn add_fault(&mut self, rule: impl Into<FaultRule>) {
        self.faults.add(rule.into());
    }

    /// Removes the faults of one action, or all faults.
    pub fn clear_faults(&mut self, action: Option<Action>) {
        self.faults.clear(action);
    }

    /// Delays every answer, except those of the controls under `/_local`.
    pub fn set_latency(&mut self, latency: Duration) {
        self.latency = latency;
    }

    /// Adds a latency from `min` to `max` to each receive, and limits it to a varying number of messages from one to ten.
    pub fn set_uneven_receives(&mut self, min: Duration, max: Duration) {
        self.queues.uneven = Some(Uneven::new(min, max));
    }

    /// Sets the world's start as the time since 1970. By default [`LocalAws`](crate::LocalAws) uses the present time.
    pub fn set_epoch(&mut self, since_1970: Duration) {
        self.epoch = Some(since_1970);
    }

    /// Every call so far; the log is unbounded.
    #[must_use]
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub fn clear_calls(&mut self) {
        self.calls.clear();
    }

    pub(crate) fn begin_at(&mut self, since_1970: Duration) {
        self.epoch.get_or_insert(since_1970);
    }

    pub(crate) fn since_1970(&self) -> Duration {
        self.epoch.unwrap_or_default()
    }

    /// A request id in AWS's format, the same in every run.
    pub(crate) fn next_request_id(&mut self) -> String {
        self.requests = self.requests.wrapping_add(1);
        format!("00000000-0000-4000-8000-{:012x}", self.requests)
    }

    fn group_mut(&mut self, arn: &str) -> Result<&mut Group, WorldError> {
        self.groups.get_mut(arn).ok_or_else(|| WorldError::NoGroup(arn.to_owned()))
    }

    fn known_task(&mut self, arn: &str) -> Result<&mut Task, WorldError> {
        self.tasks.get_mut(arn).ok_or_else(|| WorldError::NoTask(arn.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_task_can_be_added_with_its_target() {
        let mut world = World::new();
        let group = world.add_group(Group::new("demo", 5044));
        let task = Task::new("demo", "c13b4cb40f1f4fe4a2971f76ae5a47ad").address("10.0.2.21").ipv6("fd00::21");
        let arn = world.add_task_in(task, &group, State::Healthy, NOW).unwrap();
        assert_eq!(arn, "arn:aws:ecs:eu-central-1:123456789012:task/demo/c13b4cb40f1f4fe4a2971f76ae5a47ad");
        assert_eq!(world.state(&group, "10.0.2.21", NOW), Some(State::Healthy));
        assert_eq!(world.targets(&group, NOW).len(), 1, "a group of IPv4 takes no IPv6 address");
    }

    #[test]
    fn missing_objects_are_named() {
        let mut world = World::new();
        let group = world.add_group(Group::new("demo", 5044));
        let error = world.set_state(&group, ("10.0.0.1", 80), State::Healthy, NOW).unwrap_err();
        assert_eq!(error.to_string(), format!("target not found: 10.0.0.1:80 in {group}"));
        assert_eq!(world.interrupt("x", NOW).unwrap_err(), WorldError::NoTask("x".to_owned()));
        assert_eq!(world.register("x", "y", State::Healthy, NOW).unwrap_err(), WorldError::NoGroup("x".to_owned()));
        let bare = Task::new("demo", "0123456789abcdef0123456789abcdef");
        assert!(matches!(world.add_task_in(bare, &group, State::Healthy, NOW), Err(WorldError::NoAddress(_))));
    }
}
