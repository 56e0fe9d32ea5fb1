//! From a change of a task to messages in the queue: twice, out of order, late, and among garbage.

use std::rc::Rc;

use super::events::{Told, body};
use super::fleet::TaskId;
use super::queue::{Message, Truth};
use super::time::{Ms, SECOND};
use super::world::{Happening, World};

const SPOT_REASON: &str = "Your Spot Task was interrupted.";

/// One event, and its messages.
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
    let told = Told {
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
    (body(&told), Truth { task, version: of.version, is_notice, is_down })
}

/// Most come at once, some late, a few by minutes.
fn post(world: &mut World, now: Ms, body: Rc<str>, truth: Option<Truth>) {
    let late = world.dice.between(0, 99);
    let delay = match late {
        0..75 => world.dice.between(30, 1500),
        75..93 => world.dice.between(2, 25) * SECOND,
        _ => world.dice.between(30, 240) * SECOND,
    };
    let id = world.next_number();
    let visible_at = now + delay;
    world.tally.messages += 1;
    world.tell(now, |_| match truth {
        Some(truth) => format!("message {id} (task-{} v{}) will come at {visible_at} ms", truth.task, truth.version),
        None => format!("message {id} (garbage) will come at {visible_at} ms"),
    });
    world.plan(visible_at, Happening::Arrive(Message { id, body, truth, visible_at, receives: 0 }));
}

/// A message that is no event, or half of one, or another's.
pub fn garbage(world: &mut World, now: Ms) {
    let task = world.dice.index(world.fleet.tasks.len());
    let (whole, _) = write(world, now, task, "RUNNING", "STOPPED", 0);
    let whole: String = serde_json::from_str(&whole).unwrap();
    let cut = world.dice.index(whole.len());
    let text = match world.dice.index(4) {
        0 => whole[..cut].to_owned(),
        1 => "{}".to_owned(),
        2 => r#"{"id":"1","source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning"}"#.to_owned(),
        _ => whole.replace("\"region\":\"eu-central-1\"", "\"region\":\"us-east-1\""),
    };
    let body: Rc<str> = serde_json::to_string(&text).unwrap().into();
    world.tally.garbage += 1;
    post(world, now, body, None);
}
