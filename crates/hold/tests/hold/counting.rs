//! The count of new connections, with connections that arrive between the reads of two files.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use proptest::prelude::*;
use spotdrain_hold::connections::counter::{ConnectionCounter, KernelReading, Pair};

/// What arrives between two samples, and what arrives during the second one, after its read of the counter.
#[derive(Debug, Clone)]
struct Span {
    traffic: u64,
    own: u64,
    excluded: u16,
    late_own: u64,
    late_apart: u16,
    forgotten: usize,
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    let few = || prop_oneof![3 => Just(0_u64), 1 => 0..4_u64];
    let span = (few(), few(), few(), few(), few(), 0..4_usize).prop_map(
        |(traffic, own, excluded, late_own, late_apart, forgotten)| Span {
            traffic,
            own,
            excluded: u16::try_from(excluded).unwrap_or_default(),
            late_own,
            late_apart: u16::try_from(late_apart).unwrap_or_default(),
            forgotten,
        },
    );
    proptest::collection::vec(span, 1..30)
}

/// The kernel: its counter, the endpoint's, and the connections in its tables.
#[derive(Default)]
struct World {
    passive_opens: u64,
    own: u64,
    excluded: BTreeMap<Pair, u32>,
    ports: u16,
}

impl World {
    fn open_apart(&mut self, count: u16) {
        for _ in 0..count {
            self.ports += 1;
            let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
            self.excluded.insert((end(self.ports), end(6379)), u32::MAX);
            self.passive_opens += 1;
        }
    }

    fn open_own(&mut self, count: u64) {
        self.own += count;
        self.passive_opens += count;
    }

    /// The counter is read first; later arrivals are already in the other numbers.
    fn sample(&mut self, span: &Span) -> KernelReading {
        self.passive_opens += span.traffic;
        self.open_own(span.own);
        self.open_apart(span.excluded);
        let passive_opens = self.passive_opens;
        self.open_own(span.late_own);
        self.open_apart(span.late_apart);
        KernelReading { passive_opens, own: self.own, excluded: self.excluded.clone(), ..KernelReading::default() }
    }

    /// Removes the oldest from the tables.
    fn forget(&mut self, count: usize) {
        for _ in 0..count {
            self.excluded.pop_first();
        }
    }
}

proptest! {
    #[test]
    fn it_is_never_too_high_and_the_next_sample_corrects_it(spans in spans()) {
        let (mut world, mut traffic, mut before) = (World::default(), 0, 0);
        let mut counter = ConnectionCounter::start(KernelReading::default());
        for span in &spans {
            traffic += span.traffic;
            let new = counter.sample(world.sample(span)).new;
            prop_assert!(new <= traffic, "{} of {}", new, traffic);
            prop_assert!(new >= before, "it never decreases");
            let was_disturbed = span.late_own > 0 || span.late_apart > 0;
            prop_assert!(was_disturbed || new == traffic, "{} of {}", new, traffic);
            before = new;
            world.forget(span.forgotten);
        }
    }
}
