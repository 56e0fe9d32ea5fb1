//! The calls of ECS: what was true of services and tasks at this moment or shortly before.

use spotdrain_core::arn::{ClusterArn, ServiceName, TaskArn};
use spotdrain_core::finding::{Service as Described, ServiceFinding, ServiceKey, TaskFinding};
use spotdrain_engine::{Answer, Services, Tasks};

use super::{Call, Environment};
use crate::world::bounds::BELIEVED;
use crate::world::fleet::Service;
use crate::world::world::World;

pub async fn describe_services(
    environment: &Environment<'_>,
    cluster: &ClusterArn,
    names: &[ServiceName],
    tags: bool,
) -> Answer<Services> {
    let fault = environment.send(Call::DescribeServices, cluster.name());
    let key = |name: &ServiceName| ServiceKey { cluster: cluster.clone(), service: name.clone() };
    let answer = environment.answer(fault, |world, now| {
        let moment = world.draw_read_moment(now);
        let finding = |name| {
            let found = world.fleet.services.iter().find(|service| service.key == key(name));
            let described = |service: &Service| {
                let described = service.described(moment, &world.fleet.groups);
                ServiceFinding::Found(Described { tag: described.tag.filter(|_| tags), ..described })
            };
            found.map_or(ServiceFinding::Missing, described)
        };
        Ok(names.iter().map(|name| (name.clone(), finding(name))).collect())
    });
    let answer = answer.await?;
    for name in names {
        count(environment, key(name));
    }
    Ok(answer)
}

/// Counts a service that is described although the last answer would still be believed.
fn count(environment: &Environment<'_>, service: ServiceKey) {
    let now = environment.sim.clock.now();
    let last = environment.described.borrow_mut().insert(service, now);
    let is_early = last.is_some_and(|last| now < last + BELIEVED);
    environment.sim.world.borrow_mut().tally.described_again += u64::from(is_early);
}

pub async fn describe_tasks(environment: &Environment<'_>, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
    let fault = environment.send(Call::DescribeTasks, cluster.name());
    let work = |world: &mut World, now| {
        let moment = world.draw_read_moment(now);
        let finding = |arn: &TaskArn| match world.fleet.task(arn).map(|id| &world.fleet.tasks[id]) {
            Some(task) => TaskFinding::Found(task.described(moment)),
            None => TaskFinding::Missing,
        };
        Ok(tasks.iter().map(|arn| (arn.clone(), finding(arn))).collect())
    };
    environment.answer(fault, work).await
}
