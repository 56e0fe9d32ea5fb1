//! How does a call that waits for a message hear that one may have come?
//!
//! Whoever makes a message visible rings; those who wait then look again. Only the server waits: the rules merely ring.

use std::sync::Arc;

use tokio::sync::Notify;

/// A bell. The copy of a world gets one of its own: its waiters are others.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Arc<Notify>,
}

impl Clone for Bell {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.rung.notify_waiters();
    }

    /// What hears this bell: a future that is made before it rings is woken by it.
    pub(crate) fn listener(&self) -> Arc<Notify> {
        Arc::clone(&self.rung)
    }
}
