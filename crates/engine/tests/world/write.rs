//! One DeregisterTargets, with what it rests on, and its effect.

use std::net::IpAddr;

use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::{Target, TargetState};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_engine::{Answer, CallError, CallErrorKind};

use super::environment::Basis;
use super::fleet::{Entry, GroupId};
use super::laws;
use super::life;
use super::time::Ms;
use super::world::World;

#[derive(Debug)]
pub struct Write {
    pub group: TargetGroupArn,
    pub targets: Vec<OwnedTarget>,
    pub basis: Basis,
}

impl Write {
    /// Deregisters the targets, and checks the laws before and after.
    pub fn take_effect(&self, world: &mut World, now: Ms) -> Answer<()> {
        let group = world.group(&self.group)?;
        let own_port = world.fleet.groups[group].ports[0];
        let named = |entry: &Entry| self.names(entry, own_port);
        let known = world.fleet.groups[group].entries.iter().filter(|entry| named(entry)).count();
        if world.faults.refuses_unknown && known < self.targets.len() {
            world.tally.invalid += 1;
            return Err(error(CallErrorKind::Invalid, "InvalidTarget"));
        }
        laws::before_write(world, now, group, self);
        let healthy = world.fleet.groups[group].healthy();
        life::drain(world, now, group, |entry| named(entry) && entry.state != TargetState::Draining);
        laws::after_write(world, now, group, self, healthy);
        Ok(())
    }

    /// Whether the call names this registration. A target without a port has the group's own.
    pub fn names(&self, entry: &Entry, own_port: u16) -> bool {
        let is_named = |owned: &OwnedTarget| {
            owned.target.address == entry.address && owned.target.port.unwrap_or(own_port) == entry.port
        };
        self.targets.iter().any(is_named)
    }
}

impl Write {
    /// Whether the call names a target.
    pub fn names_target(&self, address: IpAddr, port: u16) -> bool {
        self.targets.iter().any(|owned| owned.target == Target { address, port: Some(port) })
    }
}

impl World {
    /// Finds a group that exists.
    pub fn group(&self, arn: &TargetGroupArn) -> Answer<GroupId> {
        let exists = |group: &GroupId| self.fleet.groups[*group].gone_at.is_none();
        self.fleet.group(arn).filter(exists).ok_or_else(|| error(CallErrorKind::NotFound, "TargetGroupNotFound"))
    }
}

fn error(kind: CallErrorKind, problem: &str) -> CallError {
    CallError { kind, problem: problem.to_owned() }
}
