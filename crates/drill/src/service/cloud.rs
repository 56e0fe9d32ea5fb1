//! The service on the local AWS: one target group, with the tasks' addresses as targets.

use std::time::Duration;

use spotdrain_localaws::{Group, LoadBalancer, LocalAws, Service, State, Task as EcsTask, World};

use crate::clock;
use crate::error::DrillError;
use crate::service::interruption::TaskInterruption;
use crate::service::task::{Ports, Task, TaskTemplate, address};
use crate::setup::plan::{GONE, Plan};

const CLUSTER: &str = "drill";
const SERVICE: &str = "app";
const ZONE: &str = "eu-central-1a";

/// The local AWS with the drill's service.
#[derive(Debug)]
pub(crate) struct DrillCloud {
    local: LocalAws,
    group: String,
    port: u16,
}

impl DrillCloud {
    /// Starts the local AWS; every task of the plan is a healthy target.
    pub(crate) async fn start(template: &TaskTemplate<'_>) -> Result<Self, DrillError> {
        let ports = template.ports;
        let (world, group) = world(template.plan, ports, template.scenario.has_hold());
        let local = LocalAws::start(world).await.map_err(|error| DrillError::start("the local AWS", &error))?;
        Ok(Self { local, group, port: ports.traffic })
    }

    /// Marks a task as interrupted, and returns the notice that EventBridge would deliver.
    pub(crate) fn interrupt(&self, task: &Task) -> TaskInterruption {
        let now = self.local.now();
        let arn = task_arn(task);
        // The task exists: it was added in `world`.
        self.local.world().interrupt(&arn, now).ok();
        TaskInterruption {
            task_arn: arn,
            service: SERVICE.to_owned(),
            address: task.address,
            endpoint: self.endpoint(),
        }
    }

    /// Whether anyone has deregistered the target.
    pub(crate) fn is_deregistered(&self, task: &Task) -> bool {
        matches!(self.state(task), None | Some(State::Draining))
    }

    /// Whether ECS stops the task.
    pub(crate) fn is_stopping(&self, task: &Task) -> bool {
        self.local.world().is_stopping(&task_arn(task))
    }

    /// Deregisters the target on behalf of ECS.
    pub(crate) fn deregister(&self, task: &Task) {
        self.set(task, State::Draining);
    }

    /// Sets the result of the health checks. A draining target stays draining.
    pub(crate) fn set_healthy(&self, task: &Task, is_healthy: bool) {
        if !self.is_deregistered(task) {
            self.set(task, if is_healthy { State::Healthy } else { State::Unhealthy });
        }
    }

    /// The URL of the local AWS.
    pub(crate) fn endpoint(&self) -> String {
        self.local.endpoint()
    }

    /// The ARN of the target group.
    pub(crate) fn target_group(&self) -> &str {
        &self.group
    }

    fn state(&self, task: &Task) -> Option<State> {
        let now = self.local.now();
        self.local.world().state(&self.group, (task.address.to_string().as_str(), self.port), now)
    }

    fn set(&self, task: &Task, state: State) {
        let now = self.local.now();
        let target = task.address.to_string();
        // A target that is gone has no state to set.
        self.local.world().set_state(&self.group, (target.as_str(), self.port), state, now).ok();
    }
}

fn world(plan: &Plan, ports: Ports, has_hold: bool) -> (World, String) {
    let port = ports.traffic;
    let mut world = World::new();
    let group = Group::new("drill", port).deregistration_delay(clock::wall(GONE, plan.scale));
    let group = if has_hold { group.health_check_port(ports.health) } else { group };
    let group = world.add_group(group);
    let service = Service::new(CLUSTER, SERVICE).load_balancer(LoadBalancer::new(&group, SERVICE, port));
    let service = if has_hold && plan.tagged { service.tag("spotdrain", "hold") } else { service };
    world.add_service(service.capacity_provider("FARGATE_SPOT", 1, 0));
    for number in (1..=u8::MAX).take(plan.tasks) {
        let address = address(number).to_string();
        let task = EcsTask::new(CLUSTER, &id(number)).service(SERVICE).zone(ZONE).capacity_provider("FARGATE_SPOT");
        // The group exists: it was added above.
        world.add_task_in(task.address(&address), &group, State::Healthy, Duration::ZERO).ok();
    }
    (world, group)
}

/// The ARN of a task on the local AWS.
pub(crate) fn task_arn(task: &Task) -> String {
    let [_, _, _, number] = task.address.octets();
    format!("arn:aws:ecs:eu-central-1:123456789012:task/{CLUSTER}/{}", id(number))
}

fn id(number: u8) -> String {
    format!("{number:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::plan::tests::plan;

    #[test]
    fn every_task_is_a_healthy_target() {
        let (world, group) = world(&plan(), Ports { traffic: 5044, health: 8081 }, true);
        let targets = world.targets(&group, Duration::ZERO);
        assert_eq!(targets.len(), 6);
        assert!(targets.iter().all(|target| target.state() == State::Healthy && target.port == 5044));
        assert_eq!(targets.first().map(|target| target.id.as_str()), Some("127.0.1.1"));
    }
}
