//! Are the kept connections still alive?
//!
//! Lambda freezes a sandbox after its answer and wakes it for the next invocation, which for this function is usually hours
//! later. By then the other side, or something on the way, has closed or forgotten the connections, and a request on one of
//! those gets no answer until a timeout. So connections from before a longer rest are not used again. A batch that follows
//! another at once keeps them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::aws::Aws;

/// After a rest that is longer, connections are opened anew. A storm's invocations follow each other faster; otherwise a new
/// connection costs some milliseconds.
const REST: SignedDuration = SignedDuration::from_secs(2);

/// The clients, and when they were last used, by the clock on the wall: a frozen sandbox's other clock may stand still.
#[derive(Debug)]
pub(crate) struct Connections(Mutex<(Aws, Timestamp)>);

impl Connections {
    /// The first connections are opened now, while there is nothing else to do.
    pub(crate) fn new(aws: Aws) -> Self {
        aws.dial();
        Self(Mutex::new((aws, Timestamp::now())))
    }

    /// The clients, with connections that can be trusted or with none.
    pub(crate) fn awake(&self) -> Aws {
        let mut kept = self.lock();
        let rested = Timestamp::now().duration_since(kept.1);
        if rested.is_negative() || rested > REST {
            kept.0 = kept.0.reconnected();
            kept.0.dial();
        }
        kept.0.clone()
    }

    /// The clients have just been used.
    pub(crate) fn used(&self) {
        self.lock().1 = Timestamp::now();
    }

    fn lock(&self) -> MutexGuard<'_, (Aws, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
