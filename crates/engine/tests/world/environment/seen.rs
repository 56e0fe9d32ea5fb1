//! What an execution environment is seen to do within one invocation. The laws judge its calls by this, and by nothing that the
//! engine says of itself except its records.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::RegisteredTarget;
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::report::{NoticeRecord, Report};

use crate::world::delivery::queue::{Message, Truth};
use crate::world::fleet::TaskId;
use crate::world::time::Ms;

/// What a write relies on.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// The read of the group in its turn; `None` if it could not be read.
    pub read: Option<Read>,
    /// ECS's answers since that read may be behind the truth.
    pub ecs_is_behind: bool,
    /// The tasks that are down by events that the engine had when it planned the write.
    pub down: BTreeSet<TaskId>,
}

/// A read of a group.
#[derive(Debug, Clone)]
pub struct Read {
    pub targets: Rc<[RegisteredTarget]>,
    pub began_at: Ms,
    /// It shows an earlier truth.
    pub is_behind: bool,
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

/// One invocation.
#[derive(Debug, Default)]
pub struct Invocation {
    pub started_at: Ms,
    messages: BTreeMap<u64, Received>,
    /// What is true of them.
    known: Vec<Truth>,
    reads: BTreeMap<TargetGroupArn, Read>,
    /// The moments at which the reads of each group began.
    read_at: BTreeMap<TargetGroupArn, Vec<Ms>>,
    /// The last write to each group since the group was read, with its basis.
    writes: BTreeMap<TargetGroupArn, (Vec<OwnedTarget>, Basis)>,
    /// The last moment at which ECS's answer about stopping tasks was behind the truth.
    ecs_behind_at: Option<Ms>,
    records: BTreeMap<String, Record>,
    /// The messages that were to be deleted.
    pub deleted: BTreeSet<u64>,
}

impl Invocation {
    pub fn new(messages: &[Message], now: Ms) -> Self {
        let mut invocation = Self { started_at: now, ..Self::default() };
        invocation.received(messages, now);
        invocation
    }

    pub fn received(&mut self, messages: &[Message], at: Ms) {
        self.known.extend(messages.iter().filter_map(|message| message.truth));
        self.messages.extend(messages.iter().map(|message| (message.id, Received { message: message.clone(), at })));
    }

    /// The tasks of the notices that the engine has.
    pub fn notices(&self) -> impl Iterator<Item = TaskId> {
        self.known.iter().filter(|truth| truth.is_notice).map(|truth| truth.task)
    }

    /// Notes that a read of a group begins, so that an earlier one does not count any more.
    pub fn read_begins(&mut self, group: &TargetGroupArn) {
        self.reads.remove(group);
        self.writes.remove(group);
    }

    /// Notes a read that was answered.
    pub fn read(&mut self, group: &TargetGroupArn, read: Read) {
        self.read_at.entry(group.clone()).or_default().push(read.began_at);
        self.reads.insert(group.clone(), read);
    }

    /// Notes an answer of ECS that is behind the truth.
    pub fn ecs_was_behind(&mut self, now: Ms) {
        self.ecs_behind_at = Some(now);
    }

    /// Returns the moment at which the first read of a group after `at` began.
    pub fn first_read(&self, group: &TargetGroupArn, at: Ms) -> Option<Ms> {
        self.read_at.get(group)?.iter().copied().find(|read_at| *read_at >= at)
    }

    /// Returns what a write relies on. The same write without a read in between is another attempt, and relies on the same.
    pub fn basis(&mut self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Basis {
        if let Some((_, basis)) = self.writes.get(group).filter(|(written, _)| written == targets) {
            return basis.clone();
        }
        let read = self.reads.get(group).filter(|_| targets.iter().all(|owned| owned.as_read.is_some())).cloned();
        let ecs_is_behind =
            read.as_ref().zip(self.ecs_behind_at).is_some_and(|(read, behind_at)| behind_at >= read.began_at);
        let basis = Basis { read, ecs_is_behind, down: self.down().collect() };
        self.writes.insert(group.clone(), (targets.to_vec(), basis.clone()));
        basis
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
    }

    pub fn record_of(&self, message: u64) -> Option<&Record> {
        self.records.get(&message.to_string())
    }

    pub fn message(&self, id: u64) -> Option<&Received> {
        self.messages.get(&id)
    }
}
