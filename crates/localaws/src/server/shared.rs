//! The state that the server and its owner share: the world, its clock, and traffic counters.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time;

use crate::api::sqs::long_poll::ReceiveAttempt;
use crate::model::world::World;

#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    start: Instant,
    ahead: Mutex<Duration>,
    pub(crate) counters: Counters,
    pub(crate) transport: Transport,
}

/// The layer below HTTP.
#[derive(Debug)]
pub(crate) enum Transport {
    Plain,
    #[cfg(feature = "tls")]
    Tls(crate::server::tls::Tls),
}

impl Transport {
    pub(crate) fn scheme(&self) -> &'static str {
        match self {
            Self::Plain => "http",
            #[cfg(feature = "tls")]
            Self::Tls(_) => "https",
        }
    }
}

impl Shared {
    pub(crate) fn new(world: World, transport: Transport) -> Self {
        let (start, ahead) = (Instant::now(), Mutex::new(Duration::ZERO));
        Self { world: Mutex::new(world), start, ahead, counters: Counters::default(), transport }
    }

    /// Ignores poisoning: a panic elsewhere does not invalidate the world.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.start.elapsed().saturating_add(ahead)
    }

    /// Advances the clock, and wakes the waiting calls.
    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
        drop(ahead);
        self.world().queues.waker.wake();
    }

    /// Repeats `attempt` until it has a result, whenever a message may have become visible. Other calls are answered in the
    /// meantime.
    pub(crate) async fn wait_for<T>(&self, mut attempt: impl FnMut(&mut World, Duration) -> ReceiveAttempt<T>) -> T {
        let waker = self.world().queues.waker.handle();
        loop {
            // Created before the attempt, so that a message that arrives in between wakes it.
            let woken = waker.notified();
            let retry_in = match self.attempt(&mut attempt) {
                ControlFlow::Break(found) => return found,
                ControlFlow::Continue(retry_in) => retry_in,
            };
            tokio::select! {
                () = woken => {}
                () = time::sleep(retry_in) => {}
            }
        }
    }

    /// Returns the result, or the time until the next attempt.
    fn attempt<T>(
        &self,
        attempt: &mut impl FnMut(&mut World, Duration) -> ReceiveAttempt<T>,
    ) -> ControlFlow<T, Duration> {
        let (mut world, now) = (self.world(), self.now());
        attempt(&mut world, now).map_continue(|retry_at| retry_at.saturating_sub(now))
    }
}

/// Connections and TLS handshakes since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Accepted connections.
    pub connections: u64,
    /// Completed TLS handshakes, including resumed ones.
    pub handshakes: u64,
    /// Handshakes that resumed an earlier session.
    pub resumed: u64,
}

/// The counters behind [`Traffic`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections: AtomicU64,
    handshakes: AtomicU64,
    resumed: AtomicU64,
}

impl Counters {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(feature = "tls")]
    pub(crate) fn handshake(&self, resumed: bool) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
        self.resumed.fetch_add(resumed.into(), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Traffic {
        Traffic {
            connections: self.connections.load(Ordering::Relaxed),
            handshakes: self.handshakes.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
        }
    }
}
