//! Wakes calls that wait for a message when one may have become visible.
//!
//! Only the server waits; the model just calls [`Waker::wake`].

use std::sync::Arc;

use tokio::sync::Notify;

/// A clone has no waiters in common with the original, because a cloned world has a server of its own.
#[derive(Debug, Default)]
pub(crate) struct Waker {
    notify: Arc<Notify>,
}

impl Clone for Waker {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Waker {
    pub(crate) fn wake(&self) {
        self.notify.notify_waiters();
    }

    /// Create the `notified` future before checking the condition: only futures that exist already are woken.
    pub(crate) fn handle(&self) -> Arc<Notify> {
        Arc::clone(&self.notify)
    }
}
