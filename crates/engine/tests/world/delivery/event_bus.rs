//! From a change of a task to messages in the queue: copied, out of order, late, and among other events and garbage.

use std::rc::Rc;

use crate::world::delivery::events::{Values, body};
use crate::world::delivery::queue::{Message, Truth};
use crate::world::fleet::TaskId;
use crate::world::time::{Ms, SECOND};
use crate::world::world::{Happening, World};

const SPOT_REASON: &str = "Your Spot Task was interrupted.";

const OTHER_EVENT: &str = r#"{"id":"1","source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning"}"#;

/// Sends one event of a task, in one or more messages.
pub fn send(world: &mut World, now: Ms, task: TaskId, last_status: &str, desired_status: &str) {
    world.fleet.tasks[task].version += 1;
    let id = world.next_number();
    let (body, truth) = write(world, now, task, last_status, desired_status, id);
    let copies = 1 + u64::from(world.dice.chance(15)) + u64::from(world.dice.chance(5));
    world.tally.duplicates += copies - 1;
    for _ in 0..copies {
        post(world, now, Rc::clone(&body), Some(truth));
    }
}

fn write(world: &World, now: Ms, task: TaskId, last: &str, desired: &str, id: u64) -> (Rc<str>, Truth) {
    let of = &world.fleet.tasks[task];
    let service = &world.fleet.services[of.service].key;
    let is_down = matches!(last, "DEPROVISIONING" | "STOPPED");
    let is_spot = of.stop.is_some_and(|stop| stop.is_spot);
    let values = Values {
        id,
        at: now,
        stopping_at: of.stop.filter(|stop| stop.is_dated).map(|stop| stop.at),
        task: of.arn.as_str(),
        cluster: service.cluster.as_str(),
        group: &format!("service:{}", service.service),
        address: &of.address.to_string(),
        interface: if last == "STOPPED" { "DELETED" } else { "ATTACHED" },
        last_status: last,
        desired_status: desired,
        stop_code: of.stop.and_then(|stop| stop.code),
        reason: if is_spot { SPOT_REASON } else { "Scaling activity initiated by (deployment ecs-svc/1)" },
        version: of.version,
    };
    let is_notice = is_spot && desired == "STOPPED" && !is_down;
    (body(&values), Truth { task, version: of.version, is_notice, is_down })
}

/// Puts a message on its way. Most arrive at once, some late, a few by minutes.
fn post(world: &mut World, now: Ms, body: Rc<str>, truth: Option<Truth>) {
    let late = world.dice.between(0, 99);
    let delay = match late {
        0..75 => world.dice.between(30, 1500),
        75..93 => world.dice.between(2, 25) * SECOND,
        _ => world.dice.between(30, 240) * SECOND,
    };
    arrive(world, now, now + delay, body, truth);
}

fn arrive(world: &mut World, now: Ms, visible_at: Ms, body: Rc<str>, truth: Option<Truth>) {
    let id = world.next_number();
    world.tally.messages += 1;
    world.log(now, |_| match truth {
        Some(truth) => format!("message {id} (task-{} v{}) arrives at {visible_at} ms", truth.task, truth.version),
        None => format!("message {id} (of no task) arrives at {visible_at} ms"),
    });
    world.plan(visible_at, Happening::Arrive(Message { id, body, truth, visible_at, receives: 0, postponed: 0 }));
}

/// Sends a message that is no event, half an event, or an event of another source or Region.
pub fn garbage(world: &mut World, now: Ms) {
    let task = world.dice.index(world.fleet.tasks.len());
    let (whole, _) = write(world, now, task, "RUNNING", "STOPPED", 0);
    let whole: String = serde_json::from_str(&whole).unwrap();
    let cut = world.dice.index(whole.len());
    let text = match world.dice.index(4) {
        0 => whole[..cut].to_owned(),
        1 => "{}".to_owned(),
        2 => OTHER_EVENT.to_owned(),
        _ => whole.replace("\"region\":\"eu-central-1\"", "\"region\":\"us-east-1\""),
    };
    world.tally.garbage += 1;
    post(world, now, json(&text), None);
}

/// Sends an event of another source, which arrives at once.
pub fn other(world: &mut World, now: Ms) {
    world.tally.others += 1;
    arrive(world, now, now, json(OTHER_EVENT), None);
}

fn json(text: &str) -> Rc<str> {
    serde_json::to_string(text).unwrap().into()
}
