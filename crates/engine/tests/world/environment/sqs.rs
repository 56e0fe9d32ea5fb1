//! The calls of SQS: receiving, deleting and returning messages.

use std::future::{pending, poll_fn};
use std::task::Poll;
use std::time::Duration;

use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::model::limits::MAX_MESSAGES_PER_CALL;
use spotdrain_core::read::batch::Receipt;
use spotdrain_engine::{Answer, ReceivedMessage};

use super::{Call, Environment, Fault};
use crate::world::bounds::LONG_POLL;
use crate::world::delivery::queue::{Message, Queue, read_handle};
use crate::world::laws;
use crate::world::time::{Ms, ms};
use crate::world::world::World;

/// Receives messages beside Lambda. At a frozen moment there are no messages.
pub async fn receive(environment: &Environment<'_>, queue: &QueueArn) -> Answer<Vec<ReceivedMessage>> {
    assert_eq!(*queue, Queue::arn());
    if environment.sim.world.borrow().is_frozen {
        return Ok(Vec::new());
    }
    let fault = environment.send(Call::ReceiveMessage, queue.name());
    let is_handed_out = fault == Some(Fault::LostAnswer);
    environment.answer(fault.filter(|_| !is_handed_out), |_, _| Ok(())).await?;
    let messages = poll(environment).await;
    if is_handed_out {
        return pending().await;
    }
    environment.travel().await;
    environment.sim.world.borrow_mut().tally.own += messages.len() as u64;
    environment.invocation.borrow_mut().received(&messages, environment.sim.clock.now());
    Ok(messages.iter().map(read).collect())
}

/// Waits for messages, at most as long as a long poll does.
async fn poll(environment: &Environment<'_>) -> Vec<Message> {
    let sim = environment.sim;
    let end = sim.clock.now() + LONG_POLL;
    poll_fn(|context| {
        let now = sim.clock.now();
        let mut world = sim.world.borrow_mut();
        let most = world.draw_batch_size();
        let messages = world.queue.receive(most, now);
        if messages.is_empty() && now < end {
            sim.clock.watch(world.queue.next_visible().unwrap_or(end).min(end), context);
            return Poll::Pending;
        }
        Poll::Ready(messages)
    })
    .await
}

fn read(message: &Message) -> ReceivedMessage {
    let body = serde_json::from_str(&message.body).unwrap();
    ReceivedMessage { id: message.id.to_string(), receipt: message.receipt(true), body }
}

/// Deletes messages. What the engine decided counts for the laws, also if the call does not get through.
pub async fn delete(environment: &Environment<'_>, queue: &QueueArn, receipts: &[Receipt]) -> Answer<Vec<String>> {
    for receipt in receipts {
        check(environment, receipt);
    }
    let delete = |world: &mut World, id, _| {
        world.tally.deleted += 1;
        world.queue.delete(id);
    };
    let entries = receipts.iter().map(|receipt| (receipt, Duration::ZERO));
    settle(environment, Call::DeleteMessageBatch, queue, entries, delete).await
}

/// Checks the laws of a deletion, once for each message.
fn check(environment: &Environment<'_>, receipt: &Receipt) {
    let (id, _) = read_handle(&receipt.handle);
    let mut invocation = environment.invocation.borrow_mut();
    if invocation.deleted.insert(id) {
        let now = environment.sim.clock.now();
        laws::deleted(&mut environment.sim.world.borrow_mut(), now, id, &invocation);
    }
}

/// Makes messages visible again after a time.
pub async fn change_visibility(
    environment: &Environment<'_>,
    queue: &QueueArn,
    hidden: &[(Receipt, Duration)],
) -> Answer<Vec<String>> {
    let show = |world: &mut World, id, at| {
        world.tally.returned += 1;
        world.queue.show(id, at);
    };
    let entries = hidden.iter().map(|(receipt, hidden)| (receipt, *hidden));
    settle(environment, Call::ChangeMessageVisibilityBatch, queue, entries, show).await
}

/// Settles each entry with the queue, as far as the call's fault allows.
async fn settle(
    environment: &Environment<'_>,
    call: Call,
    queue: &QueueArn,
    entries: impl ExactSizeIterator<Item = (&Receipt, Duration)>,
    settle: impl Fn(&mut World, u64, Ms),
) -> Answer<Vec<String>> {
    assert_eq!(*queue, Queue::arn());
    assert!(entries.len() <= MAX_MESSAGES_PER_CALL, "{call:?} of {} messages", entries.len());
    let fault = environment.send(call, queue.name());
    if fault == Some(Fault::RefuseEntries) {
        environment.travel().await;
        return Ok(entries.map(|_| "InternalError".to_owned()).collect());
    }
    let work = |world: &mut World, now| {
        entries
            .filter_map(|(receipt, hidden)| refused(world, receipt, |w, id| settle(w, id, now + ms(hidden))))
            .collect()
    };
    if fault == Some(Fault::LostAnswer) {
        let _: Vec<String> = work(&mut environment.sim.world.borrow_mut(), environment.sim.clock.now());
        return pending().await;
    }
    environment.answer(fault, |world, now| Ok(work(world, now))).await
}

/// Settles one entry, or returns its error code.
fn refused(world: &mut World, receipt: &Receipt, settle: impl FnOnce(&mut World, u64)) -> Option<String> {
    let (id, receives) = read_handle(&receipt.handle);
    if world.queue.is_stale(id, receives) {
        world.tally.stale_receipts += 1;
        return Some("ReceiptHandleIsInvalid".to_owned());
    }
    settle(world, id);
    None
}
