//! The calls of Elastic Load Balancing: reading a group, and deregistering from it.

use std::rc::Rc;

use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::RegisteredTarget;
use spotdrain_core::plan::OwnedTarget;
use spotdrain_engine::Answer;

use super::{Call, Environment, Fault, Read};
use crate::world::bounds::IN_FLIGHT;
use crate::world::time::Ms;
use crate::world::world::{Happening, World};
use crate::world::write::Write;

pub async fn describe_target_health(
    environment: &Environment<'_>,
    arn: &TargetGroupArn,
) -> Answer<Vec<RegisteredTarget>> {
    let began_at = environment.sim.clock.now();
    environment.invocation.borrow_mut().read_begins(arn);
    let fault = environment.send(Call::DescribeTargetHealth, arn.name());
    let answer = environment.answer(fault, |world, now| {
        let moment = world.draw_read_moment(now);
        let group = world.group(arn)?;
        Ok((world.fleet.groups[group].described(moment), moment < now))
    });
    let (targets, is_behind) = answer.await?;
    let read = Read { targets: targets.as_slice().into(), began_at, is_behind };
    environment.invocation.borrow_mut().read(arn, read);
    Ok(targets)
}

pub async fn deregister_targets(
    environment: &Environment<'_>,
    group: &TargetGroupArn,
    targets: &[OwnedTarget],
) -> Answer<()> {
    let fault = environment.send(Call::DeregisterTargets, group.name());
    environment.spend_write(fault);
    let mut basis = environment.invocation.borrow_mut().basis(group, targets);
    basis.down.extend(environment.down.borrow().iter().copied());
    let write = Rc::new(Write { group: group.clone(), targets: targets.to_vec(), basis });
    {
        let mut world = environment.sim.world.borrow_mut();
        world.tally.unread += u64::from(write.basis.read.is_none());
        if fault == Some(Fault::LostAnswer) {
            lose_answer(&mut world, environment.sim.clock.now(), &write);
        }
    }
    environment.answer(fault, |world, now| write.take_effect(world, now)).await
}

/// The call takes effect some time after it was sent, whoever waits for it.
fn lose_answer(world: &mut World, now: Ms, write: &Rc<Write>) {
    if world.is_frozen {
        _ = write.take_effect(world, now);
    } else {
        let at = now + world.dice.between(1, IN_FLIGHT);
        world.plan(at, Happening::LateWrite(Rc::clone(write)));
    }
}
