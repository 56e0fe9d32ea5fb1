//! What do the server and its owner share, and how does one of them wait for the other?

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time;

use crate::api::sqs::long_poll::Look;
use crate::model::world::World;

/// The world and its clock, and how callers come to it.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    start: Instant,
    ahead: Mutex<Duration>,
    pub(crate) counters: Counters,
    pub(crate) transport: Transport,
}

/// What is spoken below HTTP.
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

    /// A world whose holder panicked is still the world.
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Duration {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        self.start.elapsed().saturating_add(ahead)
    }

    /// Those who wait look again.
    pub(crate) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        *ahead = ahead.saturating_add(by);
        drop(ahead);
        self.world().queues.waker.wake();
    }

    /// Looks until something is found, whenever a message may have come; others are answered meanwhile.
    pub(crate) async fn wait_for<T>(&self, mut look: impl FnMut(&mut World, Duration) -> Look<T>) -> T {
        let bell = self.world().queues.waker.handle();
        loop {
            // It listens before it looks: what comes in between wakes it.
            let rung = bell.notified();
            let again_in = match self.look(&mut look) {
                ControlFlow::Break(found) => return found,
                ControlFlow::Continue(again_in) => again_in,
            };
            tokio::select! {
                () = rung => {}
                () = time::sleep(again_in) => {}
            }
        }
    }

    /// What is found, or in how long to look again.
    fn look<T>(&self, look: &mut impl FnMut(&mut World, Duration) -> Look<T>) -> ControlFlow<T, Duration> {
        let (mut world, now) = (self.world(), self.now());
        look(&mut world, now).map_continue(|again_at| again_at.saturating_sub(now))
    }
}

/// Counted since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that were accepted.
    pub connections: u64,
    /// TLS handshakes that were completed, those that resumed an earlier session among them.
    pub handshakes: u64,
    /// TLS handshakes that resumed an earlier session.
    pub resumed: u64,
}

/// The counters behind it.
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
