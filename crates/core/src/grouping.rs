//! From the rows of all notices to calls: one a target group, the earliest deadline first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::arn::TargetGroupArn;
use crate::finding::{Findings, GroupFinding, Registration};
use crate::limits::MAX_TARGETS_PER_CALL;
use crate::memory::Going;
use crate::plan::{Call, OwnedTarget, PlannedNotice, PlannedRegistration};
use crate::settings::Mode;

/// A target that is to be deregistered, with the times of the notices that ask for it: the earliest of each.
struct Due {
    deadline: Timestamp,
    trusted_until: Timestamp,
    target: OwnedTarget,
}

/// What a group that is read only after the call is to keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unread<'a> {
    pub(crate) keep_last: bool,
    pub(crate) going: &'a Going,
    pub(crate) now: Timestamp,
}

/// Gathers the targets of all notices into calls.
pub(crate) fn calls(notices: &[PlannedNotice], findings: &Findings, unread: &Unread<'_>) -> Vec<Call> {
    let mut groups: BTreeMap<&TargetGroupArn, Vec<Due>> = BTreeMap::new();
    for (registration, due) in due(notices) {
        groups.entry(&registration.target_group).or_default().push(due);
    }
    let mut calls: Vec<_> =
        groups.into_iter().flat_map(|(group, due)| calls_of_group(group, due, findings, unread)).collect();
    calls.sort_by_key(|call| call.deadline);
    calls
}

/// Every registration that is to be deregistered, once.
fn due(notices: &[PlannedNotice]) -> BTreeMap<&Registration, Due> {
    let mut due: BTreeMap<&Registration, Due> = BTreeMap::new();
    for notice in notices.iter().filter(|notice| notice.mode == Mode::Enforce) {
        let (deadline, trusted_until) = (notice.incoming.notice.deadline(), notice.trusted_until);
        for row in notice.registrations.iter().filter(|row| row.settled.is_none()) {
            let target = owned(row, notice);
            let earliest = due.entry(&row.registration).or_insert(Due { deadline, trusted_until, target });
            earliest.deadline = deadline.min(earliest.deadline);
            earliest.trusted_until = trusted_until.min(earliest.trusted_until);
        }
    }
    due
}

fn owned(row: &PlannedRegistration, planned: &PlannedNotice) -> OwnedTarget {
    let (notice, as_read) = (&planned.incoming.notice, row.as_read.clone());
    OwnedTarget {
        target: row.registration.target,
        as_read,
        cluster: notice.task.cluster.clone(),
        task: notice.task.arn.clone(),
    }
}

fn calls_of_group(group: &TargetGroupArn, mut due: Vec<Due>, findings: &Findings, unread: &Unread<'_>) -> Vec<Call> {
    due.sort_by_key(|due| (due.deadline, due.target.target));
    let confirm = !matches!(findings.groups.get(group), Some(GroupFinding::Found(_)));
    // A group has targets of one family only. Where it was not read, one address of the other would refuse them all.
    let (six, four): (Vec<_>, Vec<_>) = due.into_iter().partition(|due| confirm && due.target.target.address.is_ipv6());
    let chunks = four.chunks(MAX_TARGETS_PER_CALL).chain(six.chunks(MAX_TARGETS_PER_CALL));
    chunks.map(|chunk| call(group, chunk, unread, confirm)).collect()
}

fn call(group: &TargetGroupArn, chunk: &[Due], unread: &Unread<'_>, confirm: bool) -> Call {
    let earliest = |time: fn(&Due) -> Timestamp| chunk.iter().map(time).min().unwrap_or(Timestamp::MAX);
    Call {
        target_group: group.clone(),
        targets: chunk.iter().map(|due| due.target.clone()).collect(),
        deadline: earliest(|due| due.deadline),
        latest_deadline: chunk.iter().map(|due| due.deadline).max().unwrap_or(Timestamp::MAX),
        trusted_until: earliest(|due| due.trusted_until),
        keep_last: unread.keep_last,
        going: if confirm { unread.going.all(unread.now).collect() } else { BTreeSet::new() },
        confirm,
    }
}
