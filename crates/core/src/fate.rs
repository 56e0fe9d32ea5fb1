//! What becomes of an event: it is a notice, or it is ignored for one of these reasons.

use serde::Serialize;
use strum::IntoStaticStr;

use crate::event::{Event, TaskChange};
use crate::memory::Memory;
use crate::notice::Notice;
use crate::settings::Settings;
use crate::stop::{TaskStatus, spot_interruption};

/// Why an event is none of our business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr)]
pub enum Ignored {
    /// Another source or detail-type.
    OtherEvent,
    /// ECS does not want the task to stop.
    NotStopping,
    /// It stops, and not because its Spot capacity is taken back.
    NotSpot,
    /// Its network interface is gone or going.
    AlreadyDown,
    /// Another cluster than those in scope, or its service's tag `spotdrain` is `off`.
    OutOfScope,
    /// It has no network interface with an address: it never ran, or the interface is gone.
    NoAddress,
    /// This task was handled to the end, at this version or a later one.
    Repeated,
}

impl Ignored {
    /// The name, as it is in reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The fate of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is a task's Spot interruption.
    Notice(Box<Notice>),
    /// It is not, or not ours.
    Ignored(Ignored),
}

/// Judges an event, in the order of the design's table: the first reason that holds is the one that is told.
#[must_use]
pub fn judge(event: &Event, settings: &Settings, memory: &Memory) -> Fate {
    let Some(change) = &event.change else {
        return Fate::Ignored(Ignored::OtherEvent);
    };
    if change.desired_status != TaskStatus::Stopped {
        return Fate::Ignored(Ignored::NotStopping);
    }
    let Some(recognised_by) = spot_interruption(change.stop_code.as_ref(), change.stopped_reason.as_deref()) else {
        return Fate::Ignored(Ignored::NotSpot);
    };
    if let Some(reason) = out_of_reach(change, settings, memory) {
        return Fate::Ignored(reason);
    }
    Fate::Notice(Box::new(Notice { event_id: event.id.clone(), task: change.clone(), recognised_by }))
}

fn out_of_reach(change: &TaskChange, settings: &Settings, memory: &Memory) -> Option<Ignored> {
    if change.last_status.is_down() || memory.is_down(&change.arn) {
        Some(Ignored::AlreadyDown)
    } else if !settings.in_scope(&change.cluster) {
        Some(Ignored::OutOfScope)
    } else if change.addresses.is_empty() {
        Some(Ignored::NoAddress)
    } else if memory.has(&change.arn, change.version) {
        Some(Ignored::Repeated)
    } else {
        None
    }
}
