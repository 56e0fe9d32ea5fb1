//! Simulated time, in milliseconds since the start, and the loop that runs the futures that wait for it. No thread sleeps: when
//! every future waits, the clock jumps to the next moment at which something happens.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::{Either, LocalBoxFuture, select};
use jiff::{SignedDuration, Timestamp};

pub type Ms = u64;

pub const SECOND: Ms = 1000;

/// The wall clock's reading at the start, in seconds since 1970.
const START: i64 = 1_773_480_413;

pub const fn ms(duration: Duration) -> Ms {
    duration.as_millis() as Ms
}

pub fn timestamp(at: Ms) -> Timestamp {
    Timestamp::from_second(START).unwrap() + SignedDuration::from_millis(i64::try_from(at).unwrap())
}

/// The first millisecond that is not before `at`.
pub fn since_start(at: Timestamp) -> Ms {
    let start = i128::from(START) * 1_000_000_000;
    u64::try_from((at.as_nanosecond() - start).max(0)).unwrap_or(Ms::MAX).div_ceil(1_000_000)
}

#[derive(Debug, Default)]
pub struct Clock {
    now: Cell<Ms>,
    /// The wakers of the sleeping futures, by the moment and then in the order in which they began to sleep.
    sleepers: RefCell<BTreeMap<(Ms, u64), Waker>>,
    /// The wakers of the futures that watch the world, each with the moment at which it looks again at the latest.
    watchers: RefCell<Vec<(Ms, Waker)>>,
    number: Cell<u64>,
}

impl Clock {
    pub fn at(now: Ms) -> Self {
        Self { now: Cell::new(now), ..Self::default() }
    }

    pub fn now(&self) -> Ms {
        self.now.get()
    }

    /// Sets the clock, also back.
    pub fn set(&self, now: Ms) {
        self.now.set(now);
    }

    pub fn sleep_until(&self, at: Ms) -> Sleep<'_> {
        self.number.set(self.number.get() + 1);
        Sleep { clock: self, key: (at, self.number.get()) }
    }

    pub fn sleep(&self, duration: Ms) -> Sleep<'_> {
        self.sleep_until(self.now() + duration)
    }

    /// Wakes a future after the next step of the clock, which goes no further than `at`.
    pub fn watch(&self, at: Ms, context: &Context<'_>) {
        self.watchers.borrow_mut().push((at, context.waker().clone()));
    }

    /// Returns the future's result, or `None` if the moment comes first.
    pub async fn before<T>(&self, at: Ms, future: impl Future<Output = T>) -> Option<T> {
        match select(self.sleep_until(at), pin!(future)).await {
            Either::Left(((), _)) => None,
            Either::Right((result, _)) => Some(result),
        }
    }

    /// The next moment for which a future waits.
    fn next(&self) -> Option<Ms> {
        let asleep = self.sleepers.borrow().keys().next().map(|(at, _)| *at);
        let watching = self.watchers.borrow().iter().map(|(at, _)| *at).min();
        asleep.into_iter().chain(watching).min()
    }

    fn wake(&self) {
        self.watchers.take().into_iter().for_each(|(_, waker)| waker.wake());
        while let Some(waker) = self.next_due() {
            waker.wake();
        }
    }

    fn next_due(&self) -> Option<Waker> {
        let mut sleepers = self.sleepers.borrow_mut();
        let first = sleepers.first_entry()?;
        (first.key().0 <= self.now()).then(|| first.remove())
    }
}

/// A future that ends at a moment. Dropped before, it is forgotten: the clock does not stop for it.
#[derive(Debug)]
pub struct Sleep<'a> {
    clock: &'a Clock,
    key: (Ms, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.key.0 <= self.clock.now() {
            return Poll::Ready(());
        }
        self.clock.sleepers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.borrow_mut().remove(&self.key);
    }
}

/// Whether a future was woken since its last poll.
#[derive(Debug)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Running<'a> {
    future: LocalBoxFuture<'a, ()>,
    woken: Arc<Woken>,
}

impl<'a> Running<'a> {
    fn new(future: LocalBoxFuture<'a, ()>) -> Self {
        Self { future, woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    /// Polls the future if it was woken; whether it goes on.
    fn run(&mut self) -> bool {
        let is_woken = self.woken.0.swap(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        !is_woken || self.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
    }
}

/// Runs the futures to their end. `happens` returns when the world's next happening is, and `advance` lets it happen.
pub fn run(
    clock: &Clock,
    futures: Vec<LocalBoxFuture<'_, ()>>,
    happens: impl Fn() -> Option<Ms>,
    advance: impl Fn(Ms),
) {
    let mut all: Vec<_> = futures.into_iter().map(Running::new).collect();
    loop {
        while all.iter().any(|one| one.woken.0.load(Ordering::Relaxed)) {
            all.retain_mut(Running::run);
        }
        if all.is_empty() {
            return;
        }
        let next = clock.next().into_iter().chain(happens()).min().unwrap_or(Ms::MAX);
        assert!(next < Ms::MAX, "every future waits, and nothing happens");
        clock.set(next.max(clock.now()));
        advance(clock.now());
        clock.wake();
    }
}
