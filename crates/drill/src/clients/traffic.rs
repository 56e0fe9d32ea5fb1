//! Opens connections at a fixed rate, some of them held. A slow connection does not delay the others.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::clients::client;
use crate::clients::connection::Attempt;
use crate::clients::outcome::ClientView;
use crate::clients::progress::TrafficCounters;
use crate::clock::Clock;
use crate::setup::plan::Plan;

/// Opens connections until the end of the plan, and waits until all have ended.
pub(crate) async fn traffic(plan: &Plan, clock: Clock, front: SocketAddr, counters: &TrafficCounters) -> Vec<Attempt> {
    let mut ticks = interval(Duration::from_secs(1) / plan.rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut open, mut attempts) = (JoinSet::new(), Vec::new());
    let mut share = Share::new(plan.held_percent);
    while clock.now() < plan.end() {
        tokio::select! {
            _ = ticks.tick() => {
                counters.opened();
                let hold = share.next().then_some(plan.held_seconds.min(plan.end() - clock.now()));
                open.spawn(attempt(clock, front, hold));
            }
            Some(ended) = open.join_next() => attempts.extend(ended.ok().inspect(|ended| counters.ended(ended))),
        }
    }
    while let Some(ended) = open.join_next().await {
        attempts.extend(ended.ok().inspect(|ended| counters.ended(ended)));
    }
    attempts
}

async fn attempt(clock: Clock, front: SocketAddr, hold: Option<f64>) -> Attempt {
    let (opened, is_held) = (clock.now(), hold.is_some());
    let stream = client::connect(front).await.ok();
    let port = stream.as_ref().and_then(|stream| stream.local_addr().ok()).map(|address| address.port());
    let view = match (stream, hold) {
        (None, _) => ClientView::Nothing,
        (Some(stream), None) => client::request(stream).await,
        (Some(stream), Some(seconds)) => client::hold(stream, Instant::now() + clock.wall(seconds)).await,
    };
    Attempt { opened, ended: clock.now(), port, is_held, view }
}

/// Selects a percentage of the connections, evenly spread.
struct Share {
    percent: u32,
    due: u32,
}

impl Share {
    fn new(percent: u32) -> Self {
        Self { percent, due: 0 }
    }

    fn next(&mut self) -> bool {
        self.due += self.percent;
        let is_due = self.due >= 100;
        self.due -= if is_due { 100 } else { 0 };
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_evenly_spread() {
        let mut share = Share::new(25);
        let first: Vec<_> = (0..8).map(|_| share.next()).collect();
        assert_eq!(first, [false, false, false, true, false, false, false, true]);
        assert!(!Share::new(0).next() && Share::new(100).next());
    }
}
