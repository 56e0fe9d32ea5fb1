//! What goes wrong with calls, and when.

use spotdrain_engine::{CallError, CallErrorKind};

use crate::world::bounds::READ_LAG;
use crate::world::dice::mix;
use crate::world::time::Ms;
use crate::world::world::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    DescribeServices,
    DescribeTargetHealth,
    DescribeTasks,
    ListTasks,
    DeregisterTargets,
    ReceiveMessage,
    DeleteMessageBatch,
    ChangeMessageVisibilityBatch,
}

impl Call {
    pub fn is_of_queue(self) -> bool {
        matches!(self, Self::ReceiveMessage | Self::DeleteMessageBatch | Self::ChangeMessageVisibilityBatch)
    }

    fn is_settlement(self) -> bool {
        matches!(self, Self::DeleteMessageBatch | Self::ChangeMessageVisibilityBatch)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Throttle,
    Error,
    /// The connection breaks, and nothing is done.
    Break,
    /// Nothing is done, and no answer comes.
    Hang,
    /// The work is done, and no answer comes.
    LostAnswer,
    Deny,
    /// The answer has an error code for each entry.
    RefuseEntries,
}

impl Fault {
    /// The error of a call that is answered at once with one.
    pub fn error(self) -> Option<CallError> {
        let (kind, problem) = match self {
            Self::Throttle => (CallErrorKind::Throttled, "Throttling: Rate exceeded"),
            Self::Error => (CallErrorKind::Transient, "ServiceUnavailable"),
            Self::Break => (CallErrorKind::BrokenConnection, "connection reset by peer"),
            Self::Deny => (CallErrorKind::Denied, "AccessDenied"),
            Self::Hang | Self::LostAnswer | Self::RefuseEntries => return None,
        };
        Some(CallError { kind, problem: problem.to_owned() })
    }
}

/// A period in which calls fail.
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
    /// The percentage of calls that fail in some way at any time.
    pub at_any_time: u64,
    /// The percentage of reads that are behind the truth.
    pub lagging: u64,
    /// A call that the permissions never allow.
    pub denied: Option<Call>,
    /// A target that is not registered makes AWS refuse its whole call.
    pub refuses_unknown: bool,
    /// The connections of an environment that rested are dead.
    pub kills_connections: bool,
    /// For frozen moments: a call's fault depends on what it asks for, and not on when and in what order it is made.
    pub keyed: Option<u64>,
}

impl World {
    /// Draws the fault of a call, and counts it.
    pub fn draw_fault(&mut self, call: Call, key: &str, now: Ms) -> Option<Fault> {
        let fault = self.draw(call, key, now);
        match fault {
            Some(Fault::Throttle) => self.tally.throttled += 1,
            Some(Fault::Error) => self.tally.errors += 1,
            Some(Fault::Break) => self.tally.broken += 1,
            Some(Fault::Hang) => self.tally.hung += 1,
            Some(Fault::LostAnswer) => self.tally.lost_answers += u64::from(call == Call::DeregisterTargets),
            Some(Fault::Deny) => self.tally.denied += 1,
            Some(Fault::RefuseEntries) => self.tally.refused_entries += 1,
            None => {}
        }
        fault
    }

    fn draw(&mut self, call: Call, key: &str, now: Ms) -> Option<Fault> {
        const ANY: [Fault; 5] = [Fault::Throttle, Fault::Error, Fault::Break, Fault::Hang, Fault::LostAnswer];
        const OF_ENTRIES: [Fault; 3] = [Fault::Error, Fault::Hang, Fault::RefuseEntries];
        if let Some(salt) = self.faults.keyed {
            return keyed(salt, call, key);
        }
        if self.faults.denied == Some(call) {
            return Some(Fault::Deny);
        }
        let is_on =
            |trouble: &&Trouble| (trouble.from..trouble.to).contains(&now) && trouble.call.is_none_or(|of| of == call);
        if let Some(trouble) = self.faults.troubles.iter().find(is_on).copied() {
            return self.dice.chance(trouble.percent).then_some(trouble.fault);
        }
        if call.is_settlement() && self.dice.chance(10) {
            return Some(self.dice.pick(&OF_ENTRIES));
        }
        self.dice.chance(self.faults.at_any_time).then(|| self.dice.pick(&ANY))
    }

    /// Draws the moment whose truth a read shows.
    pub fn draw_read_moment(&mut self, now: Ms) -> Ms {
        if self.faults.lagging == 0 || !self.dice.chance(self.faults.lagging) {
            return now;
        }
        self.tally.lagging += 1;
        now.saturating_sub(self.dice.between(1, READ_LAG))
    }
}

/// The calls of the queue do not fail at a frozen moment: they change no target.
fn keyed(salt: u64, call: Call, key: &str) -> Option<Fault> {
    const FAULTS: [Fault; 5] = [Fault::Throttle, Fault::Break, Fault::Hang, Fault::LostAnswer, Fault::Deny];
    let key = key.bytes().fold(salt ^ call as u64, |sum, byte| mix(sum ^ u64::from(byte)));
    FAULTS.get((key % 30) as usize).copied().filter(|_| !call.is_of_queue())
}
