//! The four ways in which the same interruption is run.

use serde::Serialize;

/// What is there against the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Neither.
    Nothing,
    /// The function takes the targets out at the notice.
    Function,
    /// The hold keeps the task serving after SIGTERM.
    Hold,
    /// Both.
    Both,
}

impl Way {
    /// All of them, in the order in which they are run.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Function, Self::Hold, Self::Both];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Function => "function",
            Self::Hold => "hold",
            Self::Both => "both",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// What it is, in words.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Nothing => "Nothing",
            Self::Function => "The function alone",
            Self::Hold => "The hold alone",
            Self::Both => "The function and the hold",
        }
    }

    /// Whether the function hears the notice.
    #[must_use]
    pub fn has_function(self) -> bool {
        matches!(self, Self::Function | Self::Both)
    }

    /// Whether the tasks begin with the hold.
    #[must_use]
    pub fn has_hold(self) -> bool {
        matches!(self, Self::Hold | Self::Both)
    }
}
