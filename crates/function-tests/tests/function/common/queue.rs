//! Services with interrupted and other tasks, and a queue with the notices of the interrupted ones.
//!
//! Each delivery is checked: messages that are not returned are done, and only targets of interrupted tasks were touched.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use spotdrain_localaws::{Action, Group, LoadBalancer, LocalAws, Service, State, Task, World};

use super::process::Function;
use super::{CLUSTER, id, notice};

/// Number of tasks of each service that are not interrupted.
const STAY: u32 = 3;

/// A message, and the target of its notice.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub group: String,
    pub address: String,
}

impl Message {
    /// Whether the target is draining or not registered any more.
    pub fn is_done(&self, local: &LocalAws) -> bool {
        let now = local.now();
        matches!(local.world().state(&self.group, self.address.as_str(), now), None | Some(State::Draining))
    }
}

/// The messages, and the targets that must not be touched.
#[derive(Debug, Clone)]
pub struct Queue {
    pub waiting: Vec<Message>,
    /// All messages, also those that are done.
    pub all: Vec<Message>,
    /// Group and address of the tasks that are not interrupted.
    stay: Vec<(String, String)>,
}

/// Creates `services` services with a target group each, and `interrupted` interrupted tasks in each.
pub fn stage(services: u32, interrupted: u32) -> (World, Queue) {
    let mut world = World::new();
    let (mut all, mut stay) = (Vec::new(), Vec::new());
    for service in 0..services {
        let name = format!("s{service}");
        let group = world.add_group(Group::new(&name, 80));
        world.add_service(Service::new(CLUSTER, &name).load_balancer(LoadBalancer::new(&group, &name, 80)));
        for task in 0..interrupted + STAY {
            let number = service * 1000 + task;
            let address = format!("10.{}.{}.{task}", service / 200, service % 200);
            let made = Task::new(CLUSTER, &id(number)).service(&name).address(&address);
            let arn = world.add_task_in(made, &group, State::Healthy, Duration::ZERO).unwrap();
            if task < interrupted {
                world.interrupt(&arn, Duration::ZERO).unwrap();
                let body = notice(number, &name, &address).to_string();
                all.push(Message { id: format!("{name}-{task}"), body, group: group.clone(), address });
            } else {
                stay.push((group.clone(), address));
            }
        }
    }
    (world, Queue { waiting: all.clone(), all, stay })
}

impl Queue {
    /// The waiting messages, as Lambda delivers them.
    pub fn batch(&self) -> Value {
        let record = |message: &Message| json!({"messageId": message.id, "receiptHandle": "r", "body": message.body, "eventSource": "aws:sqs"});
        json!({"Records": self.waiting.iter().map(record).collect::<Vec<_>>()})
    }

    /// Delivers the waiting messages, and returns the ids of those that return to the queue.
    pub async fn deliver(&mut self, function: &Function, timeout: Duration) -> Vec<String> {
        let answer = function.invoke_within(&self.batch(), timeout).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        let back: Vec<_> = failures.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect();
        let unique: BTreeSet<_> = back.iter().collect();
        assert_eq!(unique.len(), back.len(), "each message is returned once: {back:?}");
        let known = |id: &String| self.waiting.iter().any(|message| message.id == *id);
        assert!(back.iter().all(known), "only delivered messages are returned: {back:?}");
        self.waiting.retain(|message| back.contains(&message.id));
        self.check(&function.local);
        back
    }

    /// Delivers until no message is returned, at most `most` times. In between the visibility timeout passes.
    pub async fn deliver_until_done(&mut self, function: &Function, timeout: Duration, most: usize) {
        for _ in 0..most {
            if self.deliver(function, timeout).await.is_empty() {
                return;
            }
            function.local.advance(Duration::from_secs(30));
        }
        panic!("still not done after {most} deliveries: {:?}", self.waiting);
    }

    /// Removes a target group with its targets.
    pub fn remove_group(&mut self, world: &mut World, group: &str) {
        world.remove_group(group).unwrap();
        self.stay.retain(|(of, _)| of != group);
    }

    /// Checks that messages that are not waiting are done, and that tasks that are not interrupted are unchanged.
    pub fn check(&self, local: &LocalAws) {
        let is_waiting = |message: &&Message| self.waiting.iter().any(|one| one.id == message.id);
        for message in self.all.iter().filter(|message| !is_waiting(message)) {
            assert!(message.is_done(local), "lost: {message:?}");
        }
        let now = local.now();
        for (group, address) in &self.stay {
            let state = local.world().state(group, address.as_str(), now);
            assert_eq!(state, Some(State::Healthy), "{address} in {group}");
        }
        for call in local.calls().iter().filter(|call| call.action == Action::DeregisterTargets.name()) {
            for target in &call.targets {
                let (address, _) = target.split_once(':').unwrap();
                let is_its = |one: &Message| Some(&one.group) == call.resource.as_ref() && one.address == address;
                assert!(self.all.iter().any(is_its), "{target} does not belong to an interrupted task: {call:?}");
            }
        }
    }
}
