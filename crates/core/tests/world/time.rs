//! Simulated time, in milliseconds since the start, and a loop that runs what waits for it. Nothing sleeps: when all wait,
//! the clock jumps to the next moment at which something happens.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use jiff::{SignedDuration, Timestamp};

pub type Ms = u64;

pub const SECOND: Ms = 1000;

/// The wall clock's reading at the start.
const START: i64 = 1_773_480_413;

pub fn timestamp(at: Ms) -> Timestamp {
    Timestamp::from_second(START).unwrap() + SignedDuration::from_millis(i64::try_from(at).unwrap())
}

pub fn since_start(at: Timestamp) -> Ms {
    u64::try_from(at.as_millisecond() - START * 1000).unwrap_or(0)
}

#[derive(Debug, Default)]
pub struct Clock {
    now: Cell<Ms>,
    next: Cell<Ms>,
}

impl Clock {
    pub fn at(now: Ms) -> Self {
        Self { now: Cell::new(now), next: Cell::new(Ms::MAX) }
    }

    pub fn now(&self) -> Ms {
        self.now.get()
    }

    /// Whoever waits is asked again at this moment at the latest.
    pub fn wake_at(&self, at: Ms) {
        self.next.set(self.next.get().min(at));
    }

    pub async fn sleep_until(&self, at: Ms) {
        poll_fn(|_| {
            if self.now() >= at {
                return Poll::Ready(());
            }
            self.wake_at(at);
            Poll::Pending
        })
        .await;
    }

    pub async fn sleep(&self, duration: Ms) {
        self.sleep_until(self.now() + duration).await;
    }

    /// The future's result, or `None` if the moment comes before it.
    pub async fn before<T>(&self, at: Ms, future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if self.now() >= at {
                return Poll::Ready(None);
            }
            self.wake_at(at);
            future.as_mut().poll(context).map(Some)
        })
        .await
    }
}

/// All of them side by side.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, result) in waiting.iter_mut().filter(|(_, result)| result.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *result = Some(value);
            }
        }
        if waiting.iter().all(|(_, result)| result.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, result)| result).collect()
}

/// Runs the futures to their end. `happens` says when the world's next happening is, and `advance` lets it happen.
pub fn run<'a>(
    clock: &Clock,
    mut futures: Vec<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    happens: impl Fn() -> Option<Ms>,
    advance: impl Fn(Ms),
) {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        clock.next.set(happens().unwrap_or(Ms::MAX));
        futures.retain_mut(|future| future.as_mut().poll(&mut context).is_pending());
        if futures.is_empty() {
            return;
        }
        let next = clock.next.get().min(happens().unwrap_or(Ms::MAX)).max(clock.now());
        assert!(next < Ms::MAX, "all wait and nothing happens");
        clock.now.set(next);
        advance(next);
    }
}
