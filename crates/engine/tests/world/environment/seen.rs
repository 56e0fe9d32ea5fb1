//! What an execution environment is seen to do within one invocation. The laws judge its calls by this, and by nothing that the
//! engine says of itself except its records.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::rc::Rc;

use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::RegisteredTarget;
use spotdrain_core::outcome::Outcome;
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::report::{NoticeRecord, Report};

use crate::world::fleet::TaskId;
use crate::world::queue::{Message, Truth};
use crate::world::time::Ms;

/// What a write rests on.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// The last read of the group, if there was one.
    pub read: Option<Read>,
    /// The tasks that are down by events that the engine knew when it judged their notices.
    pub down: BTreeSet<TaskId>,
    /// A second write to targets that were written before the group was read.
    pub is_second: bool,
    /// What the invocation records, also after the write.
    pub drained: Drained,
}

/// The registrations that an invocation deregistered, or tried to, after a read of their group: by its records.
pub type Drained = Rc<RefCell<BTreeSet<(TargetGroupArn, IpAddr)>>>;

/// A read of a group.
#[derive(Debug, Clone)]
pub struct Read {
    pub targets: Rc<[RegisteredTarget]>,
    /// The tasks that depart by the notices that the engine knew when the read began.
    pub departing: Rc<BTreeSet<TaskId>>,
}

/// A message that the environment has, with the moment at which it got it.
#[derive(Debug, Clone)]
pub struct Received {
    pub message: Message,
    pub at: Ms,
}

/// What the engine recorded of a message.
#[derive(Debug, Clone)]
pub enum Record {
    Notice(Box<NoticeRecord>),
    Ignored,
}

/// The first attempt to write to some targets.
#[derive(Debug)]
struct Attempt {
    addresses: BTreeSet<IpAddr>,
    basis: Basis,
    /// AWS answered success.
    is_accepted: bool,
}

/// One invocation.
#[derive(Debug, Default)]
pub struct Invocation {
    pub started_at: Ms,
    messages: BTreeMap<u64, Received>,
    /// What is true of the messages that the engine has judged: those that it began with, then those that came late.
    known: Vec<Truth>,
    /// The number of those that it began with; `None` before its first call of ECS or ELB.
    begun_with: Option<usize>,
    /// What is true of the messages that it has received and not judged yet.
    unknown: Vec<Truth>,
    receives_in_flight: usize,
    reads: BTreeMap<TargetGroupArn, Read>,
    /// The moments at which the reads of each group began.
    read_at: BTreeMap<TargetGroupArn, Vec<Ms>>,
    /// The attempts to write to each group.
    attempts: BTreeMap<TargetGroupArn, Vec<Attempt>>,
    records: BTreeMap<String, Record>,
    drained: Drained,
    /// The messages that were to be deleted.
    pub deleted: BTreeSet<u64>,
}

impl Invocation {
    pub fn new(messages: &[Message], now: Ms) -> Self {
        let mut invocation = Self { started_at: now, ..Self::default() };
        invocation.keep(messages, now);
        invocation.learn();
        invocation
    }

    fn keep(&mut self, messages: &[Message], at: Ms) {
        self.unknown.extend(messages.iter().filter_map(|message| message.truth));
        self.messages.extend(messages.iter().map(|message| (message.id, Received { message: message.clone(), at })));
    }

    fn learn(&mut self) {
        self.known.append(&mut self.unknown);
    }

    /// Notes a call of ECS or ELB. With the first, the engine begins with all messages that it has by then.
    pub fn called(&mut self) {
        if self.begun_with.is_none() {
            self.learn();
            self.begun_with = Some(self.known.len());
        }
    }

    pub fn receive_began(&mut self) {
        self.receives_in_flight += 1;
    }

    /// Notes the messages of a receive. Those that come late are judged together when no receive is in flight any more.
    pub fn receive_ended(&mut self, messages: &[Message], now: Ms) {
        self.receives_in_flight -= 1;
        self.keep(messages, now);
        if self.receives_in_flight == 0 {
            self.learn();
        }
    }

    /// The tasks of the notices that the engine knows.
    pub fn notices(&self) -> impl Iterator<Item = TaskId> {
        self.known.iter().filter(|truth| truth.is_notice).map(|truth| truth.task)
    }

    /// Notes a read that was answered.
    pub fn read(&mut self, group: &TargetGroupArn, began_at: Ms, read: Read) {
        self.reads.insert(group.clone(), read);
        self.read_at.entry(group.clone()).or_default().push(began_at);
    }

    /// Returns the moment at which the first read of a group after `at` began.
    pub fn first_read(&self, group: &TargetGroupArn, at: Ms) -> Option<Ms> {
        self.read_at.get(group)?.iter().copied().find(|read_at| *read_at >= at)
    }

    /// Returns what a write rests on. A write to targets of an earlier one is another attempt, or a part of it, and rests on the
    /// same plan; unless the earlier one was planned without a read and accepted, and the group was read since.
    pub fn basis(&mut self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Basis {
        let addresses = addresses(targets);
        let read = self.reads.get(group).cloned();
        let attempts = self.attempts.get(group).into_iter().flatten();
        let earlier = attempts.into_iter().find(|attempt| addresses.is_subset(&attempt.addresses));
        let is_second = read.is_some() && earlier.is_some_and(|it| it.is_accepted && it.basis.read.is_none());
        if let Some(earlier) = earlier.filter(|_| !is_second) {
            return earlier.basis.clone();
        }
        let basis = Basis { read, down: self.judged_down(), is_second, drained: Rc::clone(&self.drained) };
        let attempt = Attempt { addresses, basis: basis.clone(), is_accepted: false };
        self.attempts.entry(group.clone()).or_default().push(attempt);
        basis
    }

    /// Notes that AWS answered success to a write.
    pub fn accepted(&mut self, group: &TargetGroupArn, targets: &[OwnedTarget]) {
        let addresses = addresses(targets);
        let attempts = self.attempts.get_mut(group).into_iter().flatten();
        attempts
            .filter(|attempt| addresses.is_subset(&attempt.addresses))
            .for_each(|attempt| attempt.is_accepted = true);
    }

    /// The tasks that are down by an event that came with their first notice or before it.
    fn judged_down(&self) -> BTreeSet<TaskId> {
        let is_late = |index: usize| self.begun_with.is_some_and(|begun_with| index >= begun_with);
        let known = || self.known.iter().enumerate();
        let first_notice = |task| known().find(|(_, truth)| truth.is_notice && truth.task == task);
        let was_known = |(index, truth): &(usize, &Truth)| {
            first_notice(truth.task).is_none_or(|(notice, _)| is_late(*index) <= is_late(notice))
        };
        known().filter(|(_, truth)| truth.is_down).filter(was_known).map(|(_, truth)| truth.task).collect()
    }

    /// The tasks of which the engine knows that they are down.
    pub fn down(&self) -> impl Iterator<Item = TaskId> {
        self.known.iter().filter(|truth| truth.is_down).map(|truth| truth.task)
    }

    pub fn record(&mut self, report: &Report) {
        let ignored = report.ignored.iter().filter_map(|event| Some((event.message_id.clone()?, Record::Ignored)));
        let notice =
            |notice: &NoticeRecord| Some((notice.message_id.clone()?, Record::Notice(Box::new(notice.clone()))));
        self.records.extend(report.notices.iter().filter_map(notice).chain(ignored));
        let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
        let drained = rows.filter(|row| row.state.is_some() && is_written(&row.outcome));
        self.drained.borrow_mut().extend(drained.map(|row| (row.target_group.clone(), row.target)));
    }

    pub fn record_of(&self, message: u64) -> Option<&Record> {
        self.records.get(&message.to_string())
    }

    pub fn message(&self, id: u64) -> Option<&Received> {
        self.messages.get(&id)
    }
}

fn addresses(targets: &[OwnedTarget]) -> BTreeSet<IpAddr> {
    targets.iter().map(|owned| owned.target.address).collect()
}

/// Whether a registration that was read was to be deregistered.
fn is_written(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Deregistered | Outcome::Failed(_))
}
