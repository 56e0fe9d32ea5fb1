//! The world of a bench: services with a target group each, their tasks, and the notices of the interrupted ones.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use spotdrain_localaws::{Group, LoadBalancer, Queue, Service, State, Task, Throttles, World};

use crate::Result;
use crate::measure::Plan;

const SAMPLE: &str = include_str!("../../../../events/spot-interruption.json");

/// The queue of the notices.
pub const QUEUE: &str = "notices";

/// The latency of AWS's answers.
pub const LATENCY: Duration = Duration::from_millis(10);

/// A load balancer, which the article's function looks up by name.
pub const BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/demo/50dc6c495c0c9188";

/// The number of interrupted tasks, and of the target groups they are in.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    pub tasks: u32,
    pub groups: u32,
}

impl Stage {
    pub fn of(plan: Plan) -> Self {
        Self { tasks: plan.tasks, groups: plan.groups }
    }

    /// The address of a task.
    pub fn address(number: u32) -> String {
        format!("10.{}.{}.{}", 1 + number / 62_500, number / 250 % 250, number % 250 + 1)
    }

    /// The service of a task.
    pub fn service(self, number: u32) -> String {
        format!("service-{}", number % self.groups)
    }

    /// The ARN of the target group of a service.
    pub fn group(service: u32) -> String {
        format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/service-{service}/6d0ecf831eec9f09")
    }

    /// The world before the storm. Each service has one more task that is not interrupted, so that none loses its last target.
    pub fn world(self, throttles: Throttles) -> Result<World> {
        let mut world = World::new();
        world.set_throttles(throttles);
        world.set_latency(LATENCY);
        world.add_cluster("demo");
        world.add_queue(Queue::new("dead"));
        world.add_queue(Queue::new(QUEUE).visibility_timeout(Duration::from_secs(30)).dead_letter_queue("dead", 12));
        for service in 0..self.groups {
            let name = format!("service-{service}");
            let group = Group::new(&name, 80)
                .id("6d0ecf831eec9f09")
                .load_balancer(BALANCER)
                .deregistration_delay(Duration::ZERO);
            let arn = world.add_group(group.target(format!("10.200.0.{service}").as_str(), State::Healthy));
            world.add_service(Service::new("demo", &name).load_balancer(LoadBalancer::new(&arn, "web", 80)));
        }
        for number in 0..self.tasks {
            self.add_task(&mut world, number, Duration::ZERO)?;
        }
        Ok(world)
    }

    /// Adds a task that is registered and healthy.
    pub fn add_task(self, world: &mut World, number: u32, now: Duration) -> Result<()> {
        let task = Task::new("demo", &id(number)).service(&self.service(number)).address(&Self::address(number));
        world.add_task_in(task, &Self::group(number % self.groups), State::Healthy, now)?;
        Ok(())
    }

    /// Returns the notice of a task, with the current time.
    pub fn notice(self, number: u32) -> Result<String> {
        let now = Timestamp::now();
        let mut event: Value = serde_json::from_str(SAMPLE)?;
        event["time"] = Timestamp::from_second(now.as_second())?.to_string().into();
        let detail = &mut event["detail"];
        detail["taskArn"] = arn(number).into();
        detail["group"] = format!("service:{}", self.service(number)).into();
        detail["attachments"][0]["details"][4]["value"] = Self::address(number).into();
        detail["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] = Self::address(number).into();
        detail["stoppingAt"] = now.to_string().into();
        Ok(event.to_string())
    }
}

fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// The ARN of a task.
pub fn arn(number: u32) -> String {
    format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{}", id(number))
}
