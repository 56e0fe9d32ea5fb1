//! The loop of an invocation: whenever an activity ends, the activities that have become possible are started.
//!
//! A turn is one write token with its share of the common ELB tokens. It belongs to no group until it is granted. The next group
//! then takes the turn: the engine reads the group, plans it with every notice that has arrived for it by then, and deregisters
//! the targets. In this way a write never relies on an outdated answer of AWS.

mod close;
mod locating;
mod settling;
mod turns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem::take;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, FutureExt as _, LocalBoxFuture, ready, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::{GroupObservation, ServiceKey, ServiceObservation};
use spotdrain_core::plan::Look;
use spotdrain_core::plan::progress::DeregisterAnswer;
use spotdrain_core::plan::target_groups::Configured;
use spotdrain_core::read::batch::{Message, Receipt, receipts};
use spotdrain_core::read::classify::{ClassifiedBatch, IgnoredEvent, Malformed, ReceivedNotice, classify_batch};
use spotdrain_core::report::{NoticeRecord, Report};
use tracing::info;

use crate::acknowledge::{acknowledge, extend, record};
use crate::cloud::Cloud;
use crate::deadline::later;
use crate::invocation::Invocation;
use crate::locate::Located;
use crate::receive::{Receiving, receive};
use crate::shares;
use crate::work::{NoticeId, Work};
use turns::{PlannedTurn, Turn};

/// Handles the messages of an invocation, and those that it receives itself.
pub(crate) async fn run<C: Cloud>(invocation: &Invocation<'_, C>, messages: Vec<Message>) -> Report {
    let mut run = Run::begin(invocation, messages);
    loop {
        run.report_ended();
        let wake_at = run.start();
        match run.next(wake_at).await {
            Next::Ended(event) => run.on(event),
            Next::Woken => {}
            Next::Idle => break,
        }
    }
    let is_overloaded = run.close_all();
    run.report_ended();
    if !is_overloaded {
        run.start_read_backs();
    }
    while let Some(event) = run.activities.next().await {
        run.on(event);
    }
    info!(messages = run.messages, "handled");
    Report::join(run.reports)
}

/// How an activity ended.
enum Completion {
    Received(Vec<Message>),
    Located(BTreeSet<ServiceKey>, Configured, Vec<Located>),
    Refreshed(ServiceKey, Option<ServiceObservation>),
    Looked(Turn, Look),
    Written(PlannedTurn, DeregisterAnswer),
    /// A group was read again after a deregistration that left few healthy targets.
    ReadBack(TargetGroupArn, GroupObservation),
    /// Messages were deleted, returned or hidden.
    Acknowledged,
}

/// What ended the loop's wait.
enum Next {
    Ended(Completion),
    Woken,
    /// No activity is running, and no later time to wake up is set.
    Idle,
}

/// The state of an invocation.
struct Run<'a, C> {
    invocation: &'a Invocation<'a, C>,
    activities: FuturesUnordered<LocalBoxFuture<'a, Completion>>,
    receiving: Receiving,
    /// The messages whose visibility must be extended, in parts, each with the time at which this is due.
    hidden: VecDeque<(Timestamp, Vec<String>)>,
    unlocated: Vec<ReceivedNotice>,
    locating: BTreeSet<ServiceKey>,
    configured: Option<Configured>,
    /// The services that are being described again, with the notices that wait for the answer.
    refreshing: BTreeMap<ServiceKey, Vec<NoticeId>>,
    refreshed: BTreeMap<ServiceKey, Option<ServiceObservation>>,
    work: Work,
    /// The notices that ended since the last report, like `ignored` and `malformed`.
    ended: Vec<NoticeRecord>,
    ignored: Vec<IgnoredEvent>,
    malformed: Vec<Malformed>,
    reports: Vec<Report>,
    /// The number of messages received.
    messages: usize,
}

impl<'a, C: Cloud> Run<'a, C> {
    fn begin(invocation: &'a Invocation<'a, C>, messages: Vec<Message>) -> Self {
        let receiving = Receiving::begin(messages.len(), invocation.queue.is_some(), invocation.started_at);
        let mut run = Self {
            invocation,
            activities: FuturesUnordered::new(),
            receiving,
            hidden: VecDeque::new(),
            unlocated: Vec::new(),
            locating: BTreeSet::new(),
            configured: None,
            refreshing: BTreeMap::new(),
            refreshed: BTreeMap::new(),
            work: Work::default(),
            ended: Vec::new(),
            ignored: Vec::new(),
            malformed: Vec::new(),
            reports: Vec::new(),
            messages: 0,
        };
        run.admit(messages);
        run
    }

    fn now(&self) -> Timestamp {
        self.invocation.now()
    }

    /// Returns whether there is time for another turn.
    fn has_time(&self) -> bool {
        self.left(self.now()) >= shares::A_TURN
    }

    /// Returns the time that is left for turns at `at`: the time to the deadline, less the time that it takes to return all
    /// waiting messages.
    fn left(&self, at: Timestamp) -> Duration {
        let waiting = u32::try_from(self.work.notices.len() + self.unlocated.len()).unwrap_or(u32::MAX);
        self.invocation.deadline.left(at).saturating_sub(shares::RETURNING_ONE.saturating_mul(waiting))
    }

    fn spawn(&mut self, activity: impl Future<Output = Completion> + 'a) {
        self.activities.push(Box::pin(activity));
    }

    /// Like [`Self::spawn`], but the activity starts now. Without this, another event that is due at the same time could be
    /// handled before the activity starts.
    fn spawn_now(&mut self, activity: impl Future<Output = Completion> + 'a) {
        let mut activity: LocalBoxFuture<'a, Completion> = Box::pin(activity);
        match (&mut activity).now_or_never() {
            Some(ended) => self.activities.push(Box::pin(ready(ended))),
            None => self.activities.push(activity),
        }
    }

    /// Classifies messages, and remembers the tasks' states that they report.
    fn admit(&mut self, messages: Vec<Message>) {
        let (engine, now) = (self.invocation.engine, self.now());
        let receipts = receipts(&messages);
        self.messages += messages.len();
        if self.invocation.queue.is_some() {
            engine.arrivals.borrow_mut().note(messages.len(), now);
        }
        self.hidden.push_back((later(now, shares::HIDDEN), receipts.keys().cloned().collect()));
        self.invocation.receipts.borrow_mut().extend(receipts);
        let ClassifiedBatch { notices, ignored, malformed } =
            classify_batch(messages, &engine.settings, &mut engine.memory.borrow_mut(), now);
        self.unlocated.extend(notices);
        self.ignored.extend(ignored);
        self.malformed.extend(malformed);
    }

    /// Starts the activities that are possible, and returns when to try again.
    fn start(&mut self) -> Option<Timestamp> {
        self.start_locating();
        let wakes = [self.grant_turns(), self.grant_looks(), self.extend_hidden(), self.start_receiving()];
        let has_time = |at: &Timestamp| self.left(*at) >= shares::A_TURN;
        wakes.into_iter().flatten().min().filter(has_time)
    }

    /// Waits for the end of an activity, or until `wake_at`.
    async fn next(&mut self, wake_at: Option<Timestamp>) -> Next {
        let cloud = self.invocation.cloud();
        match (wake_at, self.activities.is_empty()) {
            (None, _) => self.activities.next().await.map_or(Next::Idle, Next::Ended),
            (Some(at), true) => {
                cloud.sleep_until(at).await;
                Next::Woken
            }
            (Some(at), false) => match select(self.activities.next(), pin!(cloud.sleep_until(at))).await {
                Either::Left((event, _)) => event.map_or(Next::Idle, Next::Ended),
                Either::Right(((), _)) => Next::Woken,
            },
        }
    }

    fn on(&mut self, event: Completion) {
        match event {
            Completion::Received(messages) => {
                self.receiving.ended(messages.len(), self.now());
                self.admit(messages);
            }
            Completion::Located(keys, configured, located) => self.located(&keys, configured, located),
            Completion::Refreshed(key, answer) => self.refreshed(key, answer),
            Completion::Looked(turn, look) => self.looked(turn, look),
            Completion::Written(planned, answer) => self.written(&planned, answer),
            Completion::ReadBack(group, read) => self.read_back(&group, &read),
            Completion::Acknowledged => {}
        }
    }

    /// Receives more messages while notices are open and messages are expected, or while a turn waits. Returns when to try again.
    fn start_receiving(&mut self) -> Option<Timestamp> {
        let (invocation, now) = (self.invocation, self.now());
        let queue = invocation.queue.as_ref()?;
        let has_work = !(self.work.notices.is_empty() && self.unlocated.is_empty());
        let is_wanted = has_work && self.receiving.is_flowing() || self.work.has_turns();
        let has_time = self.left(now) >= shares::A_TURN + shares::LONG_POLL;
        while is_wanted && has_time && self.receiving.wants_more() {
            let not_before = self.receiving.not_before();
            if not_before > now {
                return Some(not_before);
            }
            self.receiving.started();
            self.spawn(async move { Completion::Received(receive(invocation, queue).await) });
        }
        None
    }

    /// Extends the visibility of messages whose notices still wait, and returns when to do so again.
    fn extend_hidden(&mut self) -> Option<Timestamp> {
        let (invocation, now) = (self.invocation, self.now());
        if self.hidden.front().is_some_and(|(at, _)| *at <= now) {
            let mut due = Vec::new();
            while let Some((_, messages)) =
                self.hidden.pop_front_if(|(at, _)| *at <= later(now, shares::HIDDEN_TOGETHER))
            {
                due.extend(messages);
            }
            let receipts = self.receipts_of_open(&due);
            self.spawn(async move {
                extend(invocation, receipts).await;
                Completion::Acknowledged
            });
        }
        self.hidden.front().map(|(at, _)| *at).filter(|_| !self.work.notices.is_empty() && invocation.queue.is_some())
    }

    fn receipts_of_open(&self, messages: &[String]) -> Vec<Receipt> {
        let located = self.work.notices.values().map(|open| &open.located.received);
        let open: BTreeSet<_> =
            located.chain(&self.unlocated).filter_map(|received| received.message_id.as_ref()).collect();
        let receipts = self.invocation.receipts.borrow();
        messages.iter().filter(|id| open.contains(id)).filter_map(|id| receipts.get(id).cloned()).collect()
    }

    /// Records the notices that ended since the last report, and acknowledges their messages.
    fn report_ended(&mut self) {
        if self.ended.is_empty() && self.ignored.is_empty() && self.malformed.is_empty() {
            return;
        }
        let report = Report::new(take(&mut self.ended), take(&mut self.ignored), take(&mut self.malformed));
        self.report(report);
    }

    fn report(&mut self, report: Report) {
        let invocation = self.invocation;
        let dispositions = record(invocation, &report);
        self.reports.push(report);
        if !dispositions.is_empty() && invocation.queue.is_some() {
            self.spawn(async move {
                acknowledge(invocation, dispositions).await;
                Completion::Acknowledged
            });
        }
    }
}
