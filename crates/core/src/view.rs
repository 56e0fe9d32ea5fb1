//! A target group as all notices of a batch see it: looked over once, however many notices there are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::decide::Ownership;
use crate::going::Going;
use crate::notice::Notice;
use crate::target::{RegisteredTarget, TargetState};

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
