//! What to do about one registration, and which rules decide it: whose the address is, whether its hold does better, and whether
//! the group has another healthy target.
//!
//! The order matters. A draining target needs nothing, whoever asks. Then whose address it is: nothing outweighs that. Then
//! whether it is left to its hold, and only then whether the group can spare it.
//!
//! The hold: `spotdrain-hold` goes on serving after SIGTERM and fails its health check. A Network Load Balancer sent new
//! connections to a target that was marked unhealthy for 30 to 40 s, by a user's measurement, and to one that was deregistered
//! for 120 s, as long as an interrupted task lives; nobody has measured whether it still checks a draining target. So behind a
//! hold that the load balancer checks, a deregistration can only cost connections (docs/adr/0007). The service's tag says that
//! there is a hold; that the load balancer checks it shows in the health check, which uses another port than the traffic.
//! Sources: <https://github.com/aws/containers-roadmap/issues/470>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366>
//!
//! AWS answers success for a target that is not there, or that is registered under another port: only a read after the write
//! shows what became of it ([`seen`]).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::finding::{AsRead, GroupFinding, RegisteredTarget, Target, TargetState, TaskFinding};
use crate::limits::NOTICE;
use crate::memory::Going;
use crate::notice::Notice;
use crate::outcome::{Failure, Outcome};
use crate::plan::OwnedTarget;

/// How long an answer of ECS is acted on: an address is not another task's before the first's interface is deleted.
pub const ANSWER_HOLDS: SignedDuration = SignedDuration::from_secs(10);

/// How long a notice that is fresh when it is planned may be acted on at least.
const FRESH_HOLDS: SignedDuration = SignedDuration::from_secs(5);

/// For this long after a notice, ECS may still describe the task as it was before.
pub const ECS_LAGS: SignedDuration = SignedDuration::from_secs(30);

fn still_running() -> Failure {
    let problem = "ECS says that the task is not stopping: it may lag behind its own event".to_owned();
    Failure { call: "DescribeTasks", problem, retryable: true }
}

fn unknown_task(notice: &Notice) -> Failure {
    let (cluster, account, region) = (notice.task.cluster.name(), notice.task.arn.account(), notice.task.arn.region());
    let problem = format!(
        "ECS does not know the task in cluster {cluster}, although it was interrupted less than two minutes ago: check that the \
         credentials are those of account {account}, and the Region {region}"
    );
    Failure { call: "DescribeTasks", problem, retryable: true }
}

impl TaskFinding {
    /// Whether the answer contradicts the notice, but ECS may only lag behind its own event.
    #[must_use]
    pub fn may_lag(&self, notice: &Notice, now: Timestamp) -> bool {
        match self {
            Self::Found(task) => {
                !task.last_status.is_down()
                    && notice.is_contradicted_by(task)
                    && notice.age(now).is_none_or(|age| age <= ECS_LAGS)
            }
            Self::Missing => notice.age(now).is_none_or(|age| age < ECS_LAGS),
            Self::Unknown(_) => false,
        }
    }
}

/// Whether the addresses of a notice are still its task's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The notice is fresh: no other task can have the address yet.
    Fresh,
    /// ECS says that the task has these addresses.
    Confirmed(Vec<IpAddr>),
    /// ECS says that the task is down.
    Lost,
    /// ECS could not be asked.
    Unknown(Failure),
}

impl Ownership {
    /// `needed`: the notice is old, or its task is past RUNNING, or the event has no address.
    pub(crate) fn of(needed: bool, finding: Option<&TaskFinding>, notice: &Notice, now: Timestamp) -> Self {
        match (needed, finding) {
            (_, Some(TaskFinding::Found(task))) if task.last_status.is_down() => Self::Lost,
            (_, Some(TaskFinding::Found(task))) if notice.is_contradicted_by(task) => match notice.age(now) {
                Some(age) if age > ECS_LAGS => Self::Lost,
                _ => Self::Unknown(still_running()),
            },
            (_, Some(TaskFinding::Found(task))) => Self::Confirmed(task.addresses.clone()),
            (_, Some(TaskFinding::Missing)) => match notice.age(now) {
                Some(age) if age >= NOTICE => Self::Lost,
                _ => Self::Unknown(unknown_task(notice)),
            },
            (true, Some(TaskFinding::Unknown(failure))) => Self::Unknown(failure.clone()),
            (true, None) => Self::Unknown(Failure::not_asked("DescribeTasks")),
            (false, _) => Self::Fresh,
        }
    }

    /// Why the address may not be acted on; `None` if it may.
    pub(crate) fn objection(&self, address: IpAddr) -> Option<Outcome> {
        match self {
            Self::Fresh => None,
            Self::Confirmed(addresses) => (!addresses.contains(&address)).then_some(Outcome::Stale),
            Self::Lost => Some(Outcome::Stale),
            Self::Unknown(failure) => Some(Outcome::Failed(failure.clone())),
        }
    }

    /// Why a notice without an address fails; `None` if its task is down.
    pub(crate) fn missing_address(&self) -> Option<Failure> {
        let problem = "neither the event nor DescribeTasks has an address of the task".to_owned();
        match self {
            Self::Lost => None,
            Self::Unknown(failure) => Some(failure.clone()),
            Self::Fresh | Self::Confirmed(_) => Some(Failure { call: "DescribeTasks", problem, retryable: true }),
        }
    }

    /// How long it may be acted on without asking again. An answer of ECS holds for [`ANSWER_HOLDS`]; a fresh notice
    /// stays fresh to the end of its time, and a little longer where that has nearly come.
    pub(crate) fn trusted_until(
        &self,
        notice: &Notice,
        (now, asked_at): (Timestamp, Timestamp),
        fresh: SignedDuration,
    ) -> Timestamp {
        let after = |time: Timestamp, duration| time.saturating_add(duration).unwrap_or(Timestamp::MAX);
        match self {
            Self::Fresh => after(notice.interrupted_at(), fresh).max(after(now, FRESH_HOLDS)),
            Self::Confirmed(_) | Self::Lost | Self::Unknown(_) => after(asked_at, ANSWER_HOLDS),
        }
    }

    /// Whether the address goes away with its task. Where ECS could not be asked it does: what is not known to stay must
    /// not be what a group rests on.
    pub(crate) fn goes(&self, address: IpAddr) -> bool {
        self.objection(address) != Some(Outcome::Stale)
    }

    /// Whether ECS says outright that the address is another's: its task is up, and has others.
    pub(crate) fn is_anothers(&self, address: IpAddr) -> bool {
        matches!(self, Self::Confirmed(addresses) if !addresses.contains(&address))
    }
}

/// Decides again on a target whose turn came late: `None` if ECS says that it is still its task's.
#[must_use]
pub fn decide_again(target: &OwnedTarget, finding: Option<&TaskFinding>) -> Option<Outcome> {
    match finding {
        Some(TaskFinding::Found(task)) if task.last_status.is_down() => Some(Outcome::Stale),
        Some(TaskFinding::Found(task)) => (!task.addresses.contains(&target.target.address)).then_some(Outcome::Stale),
        Some(TaskFinding::Missing) => Some(Outcome::Stale),
        Some(TaskFinding::Unknown(failure)) => Some(Outcome::Failed(failure.clone())),
        None => Some(Outcome::Failed(Failure::not_asked("DescribeTasks"))),
    }
}

/// What a target's decision depends on beside the target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// Whose the address is.
    pub(crate) ownership: &'a Ownership,
    /// The service is tagged `hold`.
    pub(crate) held: bool,
    /// The group has another healthy target that stays, or need not keep one.
    pub(crate) spare: bool,
}

/// Decides on a registration that was read; `None` means: deregister it.
pub(crate) fn decide(target: &RegisteredTarget, standing: Standing<'_>) -> Option<Outcome> {
    if target.state == TargetState::Draining {
        return Some(Outcome::AlreadyDraining);
    }
    if let Some(objection) = standing.ownership.objection(target.address) {
        return Some(objection);
    }
    if standing.held && is_left_to_hold(target) {
        return Some(Outcome::LeftToHold);
    }
    (target.state == TargetState::Healthy && !standing.spare).then_some(Outcome::KeptLastHealthy)
}

/// The addresses of the tasks of a batch that may be in a group.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// All that the notices name.
    all: BTreeSet<IpAddr>,
    /// Those of them that go away.
    doomed: BTreeSet<IpAddr>,
    /// Those that ECS says are another's.
    anothers: BTreeSet<IpAddr>,
}

impl Addresses {
    pub(crate) fn add(&mut self, notice: &Notice, ownership: &Ownership) {
        let addresses = notice.task.addresses.iter().copied();
        self.all.extend(addresses.clone());
        self.doomed.extend(addresses.clone().filter(|address| ownership.goes(*address)));
        self.anothers.extend(addresses.filter(|address| ownership.is_anothers(*address)));
    }

    /// Whether nothing may rest on a target of this address: it goes away for this batch, or for a notice before it.
    fn goes(&self, address: IpAddr, going: &Going, now: Timestamp) -> bool {
        self.doomed.contains(&address) || (!self.anothers.contains(&address) && going.has(address, now))
    }
}

/// A group that was read.
#[derive(Debug)]
pub(crate) struct GroupView<'a> {
    by_address: BTreeMap<IpAddr, Vec<&'a RegisteredTarget>>,
    /// A healthy target stays, whatever goes away.
    pub(crate) has_healthy_left: bool,
}

impl<'a> GroupView<'a> {
    /// Looks a group over for the tasks of a batch.
    pub(crate) fn new(targets: &'a [RegisteredTarget], of: &Addresses, going: &Going, now: Timestamp) -> Self {
        let mut by_address: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for target in targets.iter().filter(|target| of.all.contains(&target.address)) {
            by_address.entry(target.address).or_default().push(target);
        }
        let stays = |target: &RegisteredTarget| !of.goes(target.address, going, now);
        let has_healthy_left = targets.iter().any(|target| target.state == TargetState::Healthy && stays(target));
        Self { by_address, has_healthy_left }
    }

    /// The targets that have one of these addresses.
    pub(crate) fn of(&self, addresses: &[IpAddr]) -> impl Iterator<Item = &'a RegisteredTarget> {
        addresses.iter().filter_map(|address| self.by_address.get(address)).flatten().copied()
    }
}

/// Whether the load balancer turns away from a held target by itself: its health is checked, and on the hold's port.
fn is_left_to_hold(target: &RegisteredTarget) -> bool {
    use TargetState::{Healthy, Initial, Unhealthy, UnhealthyDraining};
    let is_checked = matches!(target.state, Initial | Healthy | Unhealthy | UnhealthyDraining);
    is_checked && target.check_port.is_some_and(|port| port != target.port)
}

/// What becomes of a held registration whose group could not be read. It comes again: the hold gives it the time, and to
/// deregister unread could be the wrong thing.
pub(crate) fn held_unread(finding: Option<&GroupFinding>) -> Outcome {
    Outcome::Failed(match finding {
        Some(GroupFinding::Unknown(failure)) => failure.clone(),
        _ => Failure::not_asked("DescribeTargetHealth"),
    })
}

/// What a read shows of a target that was to be deregistered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is gone, or on its way.
    Settled(Outcome),
    /// It is still registered, under these ports, and not draining.
    Stays(Vec<(Target, AsRead)>),
    /// The same, and it is a healthy one without which the group would have none.
    LastHealthy,
}

/// What a group is to keep, when it is read only after a write.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// `SPOTDRAIN_KEEP_LAST`
    pub keep_last: bool,
    /// The targets of the call: they go away.
    pub doomed: &'a [OwnedTarget],
    /// What else goes away.
    pub going: &'a BTreeSet<IpAddr>,
}

impl Guard<'_> {
    fn forbids(&self, registered: &[RegisteredTarget]) -> bool {
        let goes = |address: IpAddr| {
            self.going.contains(&address) || self.doomed.iter().any(|owned| owned.target.address == address)
        };
        let stays = |found: &RegisteredTarget| found.state == TargetState::Healthy && !goes(found.address);
        self.keep_last && !registered.iter().any(stays)
    }
}

/// Looks a target up among those of its group.
#[must_use]
pub fn seen(target: Target, registered: &[RegisteredTarget], guard: Guard<'_>) -> Seen {
    let own: Vec<_> = registered.iter().filter(|found| found.address == target.address).collect();
    let stays = own.iter().filter(|found| found.state != TargetState::Draining);
    if stays.clone().any(|found| found.state == TargetState::Healthy) && guard.forbids(registered) {
        return Seen::LastHealthy;
    }
    let named = |found: &RegisteredTarget| Target { address: found.address, port: Some(found.port) };
    let stays: Vec<_> = stays.map(|found| (named(found), found.as_read.clone())).collect();
    match (own.is_empty(), stays.is_empty()) {
        (true, _) => Seen::Settled(Outcome::NotRegistered),
        (false, true) => Seen::Settled(Outcome::Deregistered),
        (false, false) => Seen::Stays(stays),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_target_that_is_checked_on_another_port_is_left() {
        let table = [
            (TargetState::Healthy, Some(8081), true),
            (TargetState::Unhealthy, Some(8081), true),
            (TargetState::UnhealthyDraining, Some(8081), true),
            (TargetState::Initial, Some(8081), true),
            (TargetState::Healthy, Some(5044), false),
            (TargetState::Healthy, None, false),
            (TargetState::Unavailable, Some(8081), false),
            (TargetState::Unused, Some(8081), false),
            (TargetState::from_text("new"), Some(8081), false),
        ];
        for (state, check_port, expected) in table {
            let target = RegisteredTarget {
                as_read: AsRead { id: "10.0.2.21".to_owned(), zone: None },
                address: "10.0.2.21".parse().unwrap(),
                port: 5044,
                check_port,
                state: state.clone(),
            };
            assert_eq!(is_left_to_hold(&target), expected, "{state:?} {check_port:?}");
        }
    }
}
