//! The queue between EventBridge and the function: at least once, in no order, and a message that is not acknowledged
//! comes again after the visibility timeout until the dead-letter queue has it.

use std::rc::Rc;

use spotdrain_core::batch::Receipt;

use super::bounds::{MOST_RECEIVES, VISIBILITY_TIMEOUT};
use super::fleet::TaskId;
use super::time::Ms;

/// What is true of a message, whatever its text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    pub task: TaskId,
    pub version: u64,
    /// It tells of a Spot interruption whose task was not down yet.
    pub is_notice: bool,
    /// It tells that the task is down.
    pub is_down: bool,
}

#[derive(Debug, Clone)]
pub struct Message {
    pub id: u64,
    /// A JSON string, with its quotes.
    pub body: Rc<str>,
    /// `None` for garbage.
    pub truth: Option<Truth>,
    pub visible_at: Ms,
    pub receives: u32,
}

impl Message {
    /// Whether the function received it itself, and must delete it itself.
    pub fn is_own(&self) -> bool {
        self.id.is_multiple_of(3)
    }

    pub fn receipt(&self) -> Receipt {
        Receipt { handle: self.id.to_string(), receives: self.receives, is_own: self.is_own() }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Queue {
    pub waiting: Vec<Message>,
    pub acknowledged: Vec<Message>,
    pub dead: Vec<Message>,
}

impl Queue {
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

    /// Gives what was received too often to the dead-letter queue.
    pub fn bury(&mut self, now: Ms) -> usize {
        let is_dead = |message: &mut Message| message.receives >= MOST_RECEIVES && message.visible_at <= now;
        let dead: Vec<_> = self.waiting.extract_if(.., is_dead).collect();
        let count = dead.len();
        self.dead.extend(dead);
        count
    }

    pub fn acknowledge(&mut self, id: u64) {
        if let Some(index) = self.waiting.iter().position(|message| message.id == id) {
            let message = self.waiting.swap_remove(index);
            self.acknowledged.push(message);
        }
    }

    /// Makes a message visible at this time.
    pub fn show(&mut self, id: u64, at: Ms) {
        if let Some(message) = self.waiting.iter_mut().find(|message| message.id == id) {
            message.visible_at = at;
        }
    }

    pub fn everything(&self) -> impl Iterator<Item = &Message> {
        self.waiting.iter().chain(&self.acknowledged).chain(&self.dead)
    }
}
