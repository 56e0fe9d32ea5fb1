//! Services with tasks that are interrupted and tasks that are not, and the queue that holds the notices of the first.
//!
//! Each delivery is checked: what does not go back is done, and no target was touched but those of interrupted tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use spotdrain_localaws::{Action, Group, LoadBalancer, LocalAws, Service, State, Task, World};

use super::function::Function;
use super::{CLUSTER, id, notice};

/// How many tasks of each service go on.
const STAY: u32 = 3;

/// One message, and the target that its notice is about.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: String,
    pub body: String,
    pub group: String,
    pub address: String,
}

impl Message {
    /// Whether the target is out of its group, or on its way.
    pub fn is_done(&self, local: &LocalAws) -> bool {
        let now = local.now();
        matches!(local.world().state(&self.group, self.address.as_str(), now), None | Some(State::Draining))
    }
}

/// What is still to be delivered, and what must not be touched.
#[derive(Debug, Clone)]
pub struct Queue {
    pub waiting: Vec<Message>,
    /// All that was in the queue at first.
    pub all: Vec<Message>,
    /// Group and address of the tasks that go on.
    stay: Vec<(String, String)>,
}

/// So many services with a target group each, and of each service so many tasks that are interrupted.
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
    /// The waiting messages as Lambda hands them on.
    pub fn batch(&self) -> Value {
        let record = |message: &Message| json!({"messageId": message.id, "receiptHandle": "r", "body": message.body, "eventSource": "aws:sqs"});
        json!({"Records": self.waiting.iter().map(record).collect::<Vec<_>>()})
    }

    /// Delivers what is waiting, and gives the ids of what goes back, which waits again.
    pub async fn deliver(&mut self, function: &Function, timeout: Duration) -> Vec<String> {
        let answer = function.invoke_within(&self.batch(), timeout).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        let back: Vec<_> = failures.iter().map(|item| item["itemIdentifier"].as_str().unwrap().to_owned()).collect();
        let unique: BTreeSet<_> = back.iter().collect();
        assert_eq!(unique.len(), back.len(), "each goes back once: {back:?}");
        let known = |id: &String| self.waiting.iter().any(|message| message.id == *id);
        assert!(back.iter().all(known), "only what came goes back: {back:?}");
        self.waiting.retain(|message| back.contains(&message.id));
        self.check(&function.local);
        back
    }

    /// Delivers until nothing goes back, at most so often. In between the time goes by that SQS hides a message for.
    pub async fn deliver_until_done(&mut self, function: &Function, timeout: Duration, most: usize) {
        for _ in 0..most {
            if self.deliver(function, timeout).await.is_empty() {
                return;
            }
            function.local.advance(Duration::from_secs(30));
        }
        panic!("still not done after {most} deliveries: {:?}", self.waiting);
    }

    /// Takes a target group away, with all that is in it.
    pub fn remove_group(&mut self, world: &mut World, group: &str) {
        world.remove_group(group).unwrap();
        self.stay.retain(|(of, _)| of != group);
    }

    /// What is not waiting is done, and what is not interrupted is as it was.
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
                assert!(self.all.iter().any(is_its), "{target} is of no interrupted task: {call:?}");
            }
        }
    }
}
