//! AWS, as the function sees it: four calls that answer, refuse, hang, fail, or do the work and lose the answer.

use std::collections::BTreeMap;
use std::future::pending;
use std::rc::Rc;

use spotdrain_core::arn::{TargetGroupArn, TaskArn};
use spotdrain_core::finding::{Service, ServiceKey, TaskFinding};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::target::RegisteredTarget;

use super::bounds::{IN_FLIGHT, READ_LAG};
use super::dice::mix;
use super::fleet::Entry;
use super::laws;
use super::life;
use super::sandbox::{Basis, Sim};
use super::time::Ms;
use super::world::{Happening, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    DescribeServices,
    DescribeTargetHealth,
    DescribeTasks,
    DeregisterTargets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Throttle,
    Error,
    Hang,
    LostAnswer,
    Deny,
}

/// Why a call came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Throttled,
    ServerError,
    NoAnswer,
    OutOfTime,
    Denied,
    InvalidTarget,
    GroupNotFound,
}

/// A time in which the API is in trouble.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    pub from: Ms,
    pub to: Ms,
    /// `None` for every call.
    pub call: Option<Call>,
    pub fault: Fault,
    pub percent: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub troubles: Vec<Trouble>,
    /// Of a hundred calls so many fail in some way at any time, and so many reads are behind.
    pub at_any_time: u64,
    pub lagging: u64,
    /// A right that is missing for good.
    pub denied: Option<Call>,
    /// A target that is not registered refuses its whole call.
    pub refuses_unknown: bool,
    /// For frozen moments: what fails depends on the call and on what it asks for alone, not on when and in what order.
    pub keyed: Option<u64>,
}

impl World {
    fn fault(&mut self, call: Call, key: &str, now: Ms) -> Option<Fault> {
        let fault = self.draw(call, key, now);
        match fault {
            Some(Fault::Throttle) => self.tally.throttled += 1,
            Some(Fault::Error) => self.tally.errors += 1,
            Some(Fault::Hang) => self.tally.hung += 1,
            Some(Fault::LostAnswer) => self.tally.lost_answers += u64::from(call == Call::DeregisterTargets),
            Some(Fault::Deny) => self.tally.denied += 1,
            None => {}
        }
        fault
    }

    fn draw(&mut self, call: Call, key: &str, now: Ms) -> Option<Fault> {
        const ANY: [Fault; 4] = [Fault::Throttle, Fault::Error, Fault::Hang, Fault::LostAnswer];
        if let Some(salt) = self.faults.keyed {
            let key = key.bytes().fold(salt ^ call as u64, |sum, byte| mix(sum ^ u64::from(byte)));
            return [Fault::Throttle, Fault::Hang, Fault::LostAnswer, Fault::Deny].get((key % 24) as usize).copied();
        }
        if self.faults.denied == Some(call) {
            return Some(Fault::Deny);
        }
        let is_on =
            |trouble: &&Trouble| (trouble.from..trouble.to).contains(&now) && trouble.call.is_none_or(|of| of == call);
        if let Some(trouble) = self.faults.troubles.iter().find(is_on).copied() {
            return self.dice.chance(trouble.percent).then_some(trouble.fault);
        }
        self.dice.chance(self.faults.at_any_time).then(|| self.dice.pick(&ANY))
    }

    /// The moment of which a read made now tells.
    fn read_moment(&mut self, now: Ms) -> Ms {
        if self.faults.lagging == 0 || !self.dice.chance(self.faults.lagging) {
            return now;
        }
        self.tally.lagging += 1;
        now.saturating_sub(self.dice.between(1, READ_LAG))
    }
}

impl Sim {
    /// One exchange: what AWS does, it does when the call is sent; the answer comes later or not at all.
    async fn exchange<T>(
        &self,
        call: Call,
        key: &str,
        write: Option<&Rc<Write>>,
        work: impl FnOnce(&mut World, Ms) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = self.clock.now();
        let fault = self.world.borrow_mut().fault(call, key, now);
        self.world.borrow_mut().tell(now, |_| format!("  {call:?} {key}: {fault:?}"));
        let latency =
            if self.world.borrow().is_frozen { 20 } else { self.world.borrow_mut().dice.between(5, IN_FLIGHT) };
        let answer = match fault {
            Some(Fault::Hang) => pending().await,
            Some(Fault::LostAnswer) => {
                if let Some(write) = write {
                    self.lose_answer(write);
                }
                pending().await
            }
            Some(Fault::Throttle) => Err(Refusal::Throttled),
            Some(Fault::Error) => Err(Refusal::ServerError),
            Some(Fault::Deny) => Err(Refusal::Denied),
            None => work(&mut self.world.borrow_mut(), now),
        };
        self.clock.sleep(latency).await;
        answer
    }

    pub async fn describe_services(&self, keys: &[ServiceKey]) -> Result<BTreeMap<ServiceKey, Service>, Refusal> {
        let name = keys.first().map_or("", |key| key.cluster.name());
        self.exchange(Call::DescribeServices, name, None, |world, now| {
            let moment = world.read_moment(now);
            let fleet = &world.fleet;
            let found = fleet.services.iter().filter(|service| keys.contains(&service.key));
            Ok(found.map(|service| (service.key.clone(), service.described(moment, &fleet.groups))).collect())
        })
        .await
    }

    pub async fn describe_tasks(&self, tasks: &[TaskArn]) -> Result<BTreeMap<TaskArn, TaskFinding>, Refusal> {
        // `task/CLUSTER/ID`
        let name = tasks.first().and_then(|task| task.as_str().rsplit('/').nth(1)).unwrap_or_default();
        self.exchange(Call::DescribeTasks, name, None, |world, now| {
            let moment = world.read_moment(now);
            let finding = |arn: &TaskArn| match world.fleet.task(arn) {
                Some(task) if !task.is_down_at(moment) => TaskFinding::Up(vec![task.address]),
                _ => TaskFinding::Down,
            };
            Ok(tasks.iter().map(|arn| (arn.clone(), finding(arn))).collect())
        })
        .await
    }

    pub async fn describe_target_health(&self, arn: &TargetGroupArn) -> Result<Vec<RegisteredTarget>, Refusal> {
        self.exchange(Call::DescribeTargetHealth, arn.name(), None, |world, now| {
            let moment = world.read_moment(now);
            let group = &world.fleet.groups[world.fleet.group(arn).ok_or(Refusal::GroupNotFound)?];
            if group.gone_at.is_some() { Err(Refusal::GroupNotFound) } else { Ok(group.described(moment)) }
        })
        .await
    }

    pub async fn deregister_targets(&self, write: Rc<Write>) -> Result<(), Refusal> {
        let arn = write.group.clone();
        let work = |world: &mut World, now| write.take_effect(world, now);
        self.exchange(Call::DeregisterTargets, arn.name(), Some(&write), work).await
    }

    /// The work is done, some time after the call was sent, whoever waits for it.
    fn lose_answer(&self, write: &Rc<Write>) {
        let mut world = self.world.borrow_mut();
        let now = self.clock.now();
        if world.is_frozen {
            _ = write.take_effect(&mut world, now);
        } else {
            let at = now + world.dice.between(1, IN_FLIGHT);
            world.plan(at, Happening::LateWrite(Rc::clone(write)));
        }
    }
}

/// One DeregisterTargets, with what it rests on.
#[derive(Debug)]
pub struct Write {
    pub group: TargetGroupArn,
    pub targets: Vec<OwnedTarget>,
    pub basis: Rc<Basis>,
    /// Planned without a read of the group.
    pub is_unread: bool,
    /// The second, after a read that confirms the first.
    pub is_second: bool,
}

impl Write {
    pub fn take_effect(&self, world: &mut World, now: Ms) -> Result<(), Refusal> {
        let Some(id) = world.fleet.group(&self.group) else { return Err(Refusal::GroupNotFound) };
        if world.fleet.groups[id].gone_at.is_some() {
            return Err(Refusal::GroupNotFound);
        }
        let own = world.fleet.groups[id].ports[0];
        let named = |entry: &Entry| {
            self.targets
                .iter()
                .any(|owned| owned.target.address == entry.address && owned.target.port.unwrap_or(own) == entry.port)
        };
        let known = world.fleet.groups[id].entries.iter().filter(|entry| named(entry)).count();
        if world.faults.refuses_unknown && known < self.targets.len() {
            return Err(Refusal::InvalidTarget);
        }
        laws::before_write(world, now, id, self);
        let healthy = world.fleet.groups[id].healthy();
        life::drain(world, now, id, |entry| {
            named(entry) && entry.state != spotdrain_core::target::TargetState::Draining
        });
        laws::after_write(world, now, id, self, healthy);
        Ok(())
    }
}
