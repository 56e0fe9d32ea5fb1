//! The five scenarios in which the same interruption is run.

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use crate::setup::plan::{DEFAULT_STOP_TIMEOUT, Plan};

/// Which measures against loss are in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Scenario {
    Nothing,
    /// The function deregisters the targets at the notice.
    Function,
    /// The hold keeps the task serving after SIGTERM.
    Hold,
    Both,
    /// A shell waits before it passes SIGTERM on: `trap 'sleep 110' TERM`.
    Sleep,
}

impl Scenario {
    /// All scenarios, in the order in which they run.
    pub const ALL: &[Self] = Self::VARIANTS;

    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The heading of the scenario in the HTML page.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing",
            Self::Function => "The function alone",
            Self::Hold => "The hold alone",
            Self::Both => "The function and the hold",
            Self::Sleep => "A shell that sleeps before it passes SIGTERM on",
        }
    }

    /// Whether the function receives the notice.
    #[must_use]
    pub fn has_function(self) -> bool {
        matches!(self, Self::Function | Self::Both)
    }

    /// Whether the hold is the first process of each task.
    #[must_use]
    pub fn has_hold(self) -> bool {
        matches!(self, Self::Hold | Self::Both)
    }

    /// When the tasks are killed: tasks that keep serving after SIGTERM have the longest `stopTimeout`, others the default.
    pub(crate) fn stop_timeout(self, plan: &Plan) -> f64 {
        if self.has_hold() || self == Self::Sleep { plan.stop_timeout } else { DEFAULT_STOP_TIMEOUT }
    }
}
