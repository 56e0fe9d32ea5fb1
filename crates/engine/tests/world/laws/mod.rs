//! The laws. Each is a function that looks at one moment of a history. What a lagging read excuses is stated where it is
//! excused, and counted.

mod count;
mod deleted;
mod written;

pub use count::{count_outcomes, count_wrong_addresses};
pub use deleted::{answer_names_delivered, deleted, recorded, tried_before_dead};
pub use written::{after_write, before_write};

use std::fmt;

use super::time::Ms;
use super::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    NeverTheWrongTarget,
    DownOutweighsAll,
    NeverALostNotice,
    NeverTheLastHealthy,
    NeverAHeldTarget,
    TwiceIsOnce,
    OrderDoesNotMatter,
    EveryMessageEnds,
    TriedBeforeDead,
    RecordedBeforeDeleted,
    AnswerNamesDelivered,
    EveryInvocationAnswers,
    WithinItsShare,
}

impl Law {
    pub const ALL: [Self; 13] = [
        Self::NeverTheWrongTarget,
        Self::DownOutweighsAll,
        Self::NeverALostNotice,
        Self::NeverTheLastHealthy,
        Self::NeverAHeldTarget,
        Self::TwiceIsOnce,
        Self::OrderDoesNotMatter,
        Self::EveryMessageEnds,
        Self::TriedBeforeDead,
        Self::RecordedBeforeDeleted,
        Self::AnswerNamesDelivered,
        Self::EveryInvocationAnswers,
        Self::WithinItsShare,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverTheWrongTarget => "a target of a task that is not interrupted is never deregistered",
            Self::DownOutweighsAll => "after an event that a task is down, its environment writes nothing for it",
            Self::NeverALostNotice => "a notice whose message is deleted is done, or needs nothing",
            Self::NeverTheLastHealthy => {
                "the last healthy target of a group is never removed by environments whose reads are not behind"
            }
            Self::NeverAHeldTarget => "a target that its hold takes care of is never deregistered",
            Self::TwiceIsOnce => "handling a history twice ends in the same state as handling it once",
            Self::OrderDoesNotMatter => "the order of a batch does not matter to the final state",
            Self::EveryMessageEnds => "when the API answers again, every message is deleted or becomes a dead letter",
            Self::TriedBeforeDead => "a message whose groups never got a turn does not become a dead letter",
            Self::RecordedBeforeDeleted => "a record is written before its message is deleted",
            Self::AnswerNamesDelivered => "the answer names no message that Lambda did not deliver",
            Self::EveryInvocationAnswers => "every invocation answers before the function's timeout",
            Self::WithinItsShare => "an environment writes no faster than its share of AWS's rate limit",
        })
    }
}

#[derive(Debug, Clone)]
pub struct Violation {
    pub law: Law,
    pub at: Ms,
    pub what: String,
}

impl World {
    pub fn break_law(&mut self, law: Law, at: Ms, what: String) {
        self.log(at, |_| format!("VIOLATION of \"{law}\": {what}"));
        self.violations.push(Violation { law, at, what });
    }
}
