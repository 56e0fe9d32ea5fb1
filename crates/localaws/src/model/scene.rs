//! A world that is ready to use: one service on FARGATE and `FARGATE_SPOT` behind one target group.
//!
//! Every id and address of the scene is a constant of this file, and other files rely on them.

use std::time::Duration;

use serde_json::json;

use crate::model::ecs::service::{LoadBalancer, Service};
use crate::model::ecs::task::Task;
use crate::model::elb::group::Group;
use crate::model::elb::health::State;
use crate::model::elb::target::Target;
use crate::model::world::World;

const CLUSTER: &str = "demo";
const SERVICE: &str = "logstash";
const PORT: u16 = 5044;
const DEREGISTRATION_DELAY: Duration = Duration::from_mins(1);
const GROUP: (&str, &str) = ("demo-5044", "6d0ecf831eec9f09");
const LOAD_BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/demo/50dc6c495c0c9188";

/// Task id, address, Availability Zone, capacity provider.
const TASKS: [(&str, &str, &str, &str); 4] = [
    ("1f0b7c9d2e4a4b6c8d0e1f2a3b4c5d6e", "10.0.1.11", "eu-central-1a", "FARGATE"),
    ("2a1c8d0e3f5b4c7d9e1f2a3b4c5d6e7f", "10.0.1.12", "eu-central-1a", "FARGATE"),
    ("c13b4cb40f1f4fe4a2971f76ae5a47ad", "10.0.2.21", "eu-central-1b", "FARGATE_SPOT"),
    ("d24c5dc51a2a4af5b3a82a87bf6b58be", "10.0.2.22", "eu-central-1b", "FARGATE_SPOT"),
];

/// A world, and the ARNs of what is in it.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The world.
    pub world: World,
    /// The cluster `demo`.
    pub cluster: String,
    /// The service `logstash`.
    pub service: String,
    /// The target group `demo-5044`, port 5044, deregistration delay 60 s.
    pub group: String,
    /// The load balancer of the target group.
    pub load_balancer: String,
    /// The two tasks on FARGATE, at 10.0.1.11 and 10.0.1.12.
    pub on_demand: [String; 2],
    /// The two tasks on `FARGATE_SPOT`, at 10.0.2.21 and 10.0.2.22. The first has the id
    /// `c13b4cb40f1f4fe4a2971f76ae5a47ad`.
    pub spot: [String; 2],
}

impl Scene {
    /// Cluster `demo`, service `logstash`, four running tasks, all registered and healthy.
    #[must_use]
    pub fn demo() -> Self {
        let mut world = World::new();
        let cluster = world.add_cluster(CLUSTER);
        let group = world.add_group(group());
        let service = world.add_service(service(&group));
        set_up(&mut world);
        let [first, second, third, fourth] = TASKS.map(|entry| world.add_task(task(entry)));
        Self {
            world,
            cluster,
            service,
            group,
            load_balancer: LOAD_BALANCER.to_owned(),
            on_demand: [first, second],
            spot: [third, fourth],
        }
    }
}

/// What is only read: the cluster's capacity providers, and the task definition with its container.
fn set_up(world: &mut World) {
    world.set_cluster(
        CLUSTER,
        json!({
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [
                {"capacityProvider": "FARGATE", "base": 2, "weight": 1},
                {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1},
            ],
        }),
    );
    let container = json!({
        "name": SERVICE,
        "image": "logstash:8.17.0",
        "essential": true,
        "portMappings": [{"containerPort": PORT, "protocol": "tcp"}],
    });
    world.set_task_definition(SERVICE, json!({"containerDefinitions": [container], "networkMode": "awsvpc"}));
}

fn group() -> Group {
    let (name, id) = GROUP;
    let empty = Group::new(name, PORT).id(id).load_balancer(LOAD_BALANCER).deregistration_delay(DEREGISTRATION_DELAY);
    TASKS.into_iter().fold(empty, |group, (_, address, zone, _)| {
        let target = Target { zone: Some(zone.to_owned()), ..(address, PORT).into() };
        group.target(target, State::Healthy)
    })
}

fn service(group: &str) -> Service {
    Service::new(CLUSTER, SERVICE)
        .load_balancer(LoadBalancer::new(group, SERVICE, PORT))
        .desired_count(4)
        .capacity_provider("FARGATE", 1, 2)
        .capacity_provider("FARGATE_SPOT", 1, 0)
}

fn task((id, address, zone, provider): (&str, &str, &str, &str)) -> Task {
    Task::new(CLUSTER, id).service(SERVICE).address(address).zone(zone).capacity_provider(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arns_are_those_that_others_rely_on() {
        let scene = Scene::demo();
        let prefix = "arn:aws:ecs:eu-central-1:123456789012";
        assert_eq!(scene.cluster, format!("{prefix}:cluster/demo"));
        assert_eq!(scene.service, format!("{prefix}:service/demo/logstash"));
        assert_eq!(scene.spot[0], format!("{prefix}:task/demo/c13b4cb40f1f4fe4a2971f76ae5a47ad"));
        assert_eq!(
            scene.group,
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo-5044/6d0ecf831eec9f09"
        );
    }

    #[test]
    fn all_four_are_healthy() {
        let scene = Scene::demo();
        let targets = scene.world.targets(&scene.group, Duration::ZERO);
        let addresses: Vec<&str> = targets.iter().map(|target| target.id.as_str()).collect();
        assert_eq!(addresses, ["10.0.1.11", "10.0.1.12", "10.0.2.21", "10.0.2.22"]);
        assert!(targets.iter().all(|target| target.state() == State::Healthy && target.port == 5044));
    }
}
