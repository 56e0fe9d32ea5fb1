//! A target group as all notices of a batch see it: looked over once, however many notices there are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::target::{RegisteredTarget, TargetState};

/// The addresses of the tasks of a batch that may be in a group.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// All that the notices name.
    pub(crate) all: BTreeSet<IpAddr>,
    /// Those of them that go away: the others belong to other tasks by now.
    pub(crate) doomed: BTreeSet<IpAddr>,
}

/// A group that was read.
#[derive(Debug)]
pub(crate) struct GroupView<'a> {
    by_address: BTreeMap<IpAddr, Vec<&'a RegisteredTarget>>,
    /// A healthy target stays, whatever is taken out for this batch.
    pub(crate) has_healthy_left: bool,
}

impl<'a> GroupView<'a> {
    /// Looks a group over for the tasks of a batch.
    pub(crate) fn new(targets: &'a [RegisteredTarget], of: &Addresses) -> Self {
        let mut by_address: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for target in targets.iter().filter(|target| of.all.contains(&target.address)) {
            by_address.entry(target.address).or_default().push(target);
        }
        let stays = |target: &RegisteredTarget| !of.doomed.contains(&target.address);
        let has_healthy_left = targets.iter().any(|target| target.state == TargetState::Healthy && stays(target));
        Self { by_address, has_healthy_left }
    }

    /// The targets that have one of these addresses.
    pub(crate) fn of(&self, addresses: &[IpAddr]) -> impl Iterator<Item = &'a RegisteredTarget> {
        addresses.iter().filter_map(|address| self.by_address.get(address)).flatten().copied()
    }
}
