//! What every call needs: the clients, and the pace that this sandbox keeps.

use spotdrain_core::pace::Kind;

use crate::aws::Aws;
use crate::clock::Deadline;
use crate::turn::{Pace, Turns};

/// Calls AWS at this sandbox's pace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) pace: &'a Pace,
}

impl<'a> Caller<'a> {
    /// The turns of a call of this kind.
    pub(crate) fn turns(&self, kind: Kind, deadline: Deadline) -> Turns<'a> {
        Turns::of(self.pace, kind, deadline)
    }
}
