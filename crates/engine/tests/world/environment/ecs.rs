//! The calls of ECS: what was true of services and tasks at this moment or shortly before.

use spotdrain_core::model::arn::{ClusterArn, ServiceName, TaskArn};
use spotdrain_core::model::observed::{Service as Described, ServiceKey, ServiceObservation, TaskObservation};
use spotdrain_engine::{Answer, ListedTasks, Services, Tasks};

use super::{Call, Environment};
use crate::world::bounds::CACHE_VALID;
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
                ServiceObservation::Found(Described { tag: described.tag.filter(|_| tags), ..described })
            };
            found.map_or(ServiceObservation::Missing, described)
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
    let is_early = last.is_some_and(|last| now < last + CACHE_VALID);
    environment.sim.world.borrow_mut().tally.described_again += u64::from(is_early);
}

pub async fn describe_tasks(environment: &Environment<'_>, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
    let fault = environment.send(Call::DescribeTasks, cluster.name());
    let work = |world: &mut World, now| {
        let moment = world.draw_read_moment(now);
        let finding = |arn: &TaskArn| match world.fleet.task(arn).map(|id| &world.fleet.tasks[id]) {
            Some(task) => TaskObservation::Found(task.described(moment)),
            None => TaskObservation::Missing,
        };
        Ok((tasks.iter().map(|arn| (arn.clone(), finding(arn))).collect(), moment < now))
    };
    let (tasks, is_behind) = environment.answer(fault, work).await?;
    environment.note_behind(is_behind);
    Ok(tasks)
}

/// Lists the tasks of a service, or of a cluster, that are stopping or have stopped, on pages of three.
pub async fn list_stopping_tasks(
    environment: &Environment<'_>,
    cluster: &ClusterArn,
    service: Option<&ServiceName>,
    page: Option<&str>,
) -> Answer<ListedTasks> {
    const OF_A_PAGE: usize = 3;
    let fault = environment.send(Call::ListTasks, cluster.name());
    let first: usize = page.map_or(0, |page| page.parse().unwrap());
    let answer = environment.answer(fault, |world, now| {
        let moment = world.draw_read_moment(now);
        let is_of = |key: &ServiceKey| key.cluster == *cluster && service.is_none_or(|service| key.service == *service);
        let stopping = world.fleet.tasks.iter().filter(|task| task.stop.is_some_and(|stop| stop.at <= moment));
        let of_scope = stopping.filter(|task| is_of(&world.fleet.services[task.service].key));
        let all: Vec<_> = of_scope.map(|task| task.arn.clone()).collect();
        let next = (all.len() > first + OF_A_PAGE).then(|| (first + OF_A_PAGE).to_string());
        Ok((ListedTasks { tasks: all.into_iter().skip(first).take(OF_A_PAGE).collect(), next }, moment < now))
    });
    let (listed, is_behind) = answer.await?;
    environment.note_behind(is_behind);
    Ok(listed)
}

impl Environment<'_> {
    fn note_behind(&self, is_behind: bool) {
        if is_behind {
            self.invocation.borrow_mut().ecs_was_behind(self.sim.clock.now());
        }
    }
}
