//! The queue between EventBridge and the function: at least once, in no order. A message that is not deleted comes again after
//! the visibility timeout, until it is moved to the dead-letter queue.

use std::rc::Rc;

use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::model::limits::MAX_RECEIVES;
use spotdrain_core::read::batch::Receipt;

use crate::world::bounds::VISIBILITY_TIMEOUT;
use crate::world::fleet::TaskId;
use crate::world::time::Ms;

/// What is true of a message, whatever its text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    pub task: TaskId,
    pub version: u64,
    /// Its event reports a Spot interruption whose task was not down yet.
    pub is_notice: bool,
    /// Its event reports that the task is down.
    pub is_down: bool,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub id: u64,
    /// A JSON string, with its quotes.
    pub body: Rc<str>,
    /// `None` for garbage and for events of other sources.
    pub truth: Option<Truth>,
    pub visible_at: Ms,
    pub receives: u32,
    /// How often the engine recorded that its groups got no turn.
    pub postponed: u32,
}

impl Message {
    /// The receipt of its last receive.
    pub fn receipt(&self, is_own: bool) -> Receipt {
        Receipt { handle: format!("{}-{}", self.id, self.receives), receives: self.receives, is_own }
    }
}

/// Reads the id of the message and the number of the receive from a receipt's handle.
pub fn read_handle(handle: &str) -> (u64, u32) {
    let (id, receives) = handle.split_once('-').unwrap();
    (id.parse().unwrap(), receives.parse().unwrap())
}

#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub waiting: Vec<Message>,
    pub deleted: Vec<Message>,
    pub dead: Vec<Message>,
}

impl Queue {
    pub fn arn() -> QueueArn {
        QueueArn::parse("arn:aws:sqs:eu-central-1:123456789012:spotdrain").unwrap()
    }

    pub fn next_visible(&self) -> Option<Ms> {
        self.waiting.iter().map(|message| message.visible_at).min()
    }

    /// Hands out up to `most` messages that are visible now.
    pub fn receive(&mut self, most: usize, now: Ms) -> Vec<Message> {
        let visible = |message: &&mut Message| message.visible_at <= now;
        let mut received = Vec::new();
        for message in self.waiting.iter_mut().filter(visible).take(most) {
            message.receives += 1;
            message.visible_at = now + VISIBILITY_TIMEOUT;
            received.push(message.clone());
        }
        received
    }

    /// Notes that the groups of a message got no turn.
    pub fn postponed(&mut self, id: u64) {
        if let Some(message) = self.waiting.iter_mut().find(|message| message.id == id) {
            message.postponed += 1;
        }
    }

    /// Moves messages that were received too often to the dead-letter queue, and returns them.
    pub fn redrive(&mut self, now: Ms) -> Vec<Message> {
        let is_dead = |message: &mut Message| message.receives >= MAX_RECEIVES && message.visible_at <= now;
        let dead: Vec<_> = self.waiting.extract_if(.., is_dead).collect();
        self.dead.extend(dead.iter().cloned());
        dead
    }

    pub fn delete(&mut self, id: u64) {
        if let Some(index) = self.waiting.iter().position(|message| message.id == id) {
            let message = self.waiting.swap_remove(index);
            self.deleted.push(message);
        }
    }

    /// Makes a message visible at this moment.
    pub fn show(&mut self, id: u64, at: Ms) {
        if let Some(message) = self.waiting.iter_mut().find(|message| message.id == id) {
            message.visible_at = at;
        }
    }

    /// Whether the message was received again since: a receipt of that receive may not work any more.
    pub fn is_stale(&self, id: u64, receives: u32) -> bool {
        self.waiting.iter().any(|message| message.id == id && message.receives > receives)
    }

    pub fn everything(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter().chain(&self.deleted).chain(&self.dead)
    }
}
