//! What is known about a setting. "Not checked" must never look like "correct", so a value that could not be read is
//! a separate case with its reason. A check that needs the value then ends as not checked.

use std::fmt;

/// The value of a setting, which may be unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Setting<T> {
    /// The value that is set.
    Set(T),
    /// Not set: AWS's default applies.
    #[default]
    Default,
    /// Could not be read or resolved, with the reason.
    Unknown(String),
}

/// Why a check could not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T> Setting<T> {
    /// Returns the value that is set, `None` for the default, or an [`Unknown`] error.
    pub fn known_or_err(&self) -> Result<Option<&T>, Unknown> {
        match self {
            Self::Set(value) => Ok(Some(value)),
            Self::Default => Ok(None),
            Self::Unknown(why) => Err(Unknown(why.clone())),
        }
    }

    /// Returns the value that is set, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Default | Self::Unknown(_) => None,
        }
    }

    /// Maps the value that is set.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        self.and_then(|value| Setting::Set(change(value)))
    }

    /// Chains a lookup that depends on the value.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Setting<U>) -> Setting<U> {
        match self {
            Self::Set(value) => next(value),
            Self::Default => Setting::Default,
            Self::Unknown(why) => Setting::Unknown(why),
        }
    }
}

impl<T: Clone> Setting<T> {
    /// Returns the value in force: the one that is set, or else AWS's default.
    pub fn value_or(&self, default: T) -> Result<T, Unknown> {
        Ok(self.known_or_err()?.cloned().unwrap_or(default))
    }
}

impl<T> From<Option<T>> for Setting<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Default, Self::Set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_neither_a_value_nor_the_default() {
        let unknown: Setting<u32> = Setting::Unknown("a parameter".to_owned());
        assert_eq!(unknown.value_or(30), Err(Unknown("a parameter".to_owned())));
        assert_eq!((Setting::Default.value_or(30), Setting::Set(120).value_or(30)), (Ok(30), Ok(120)));
        assert_eq!(unknown.map(|value| value + 1).known(), None);
    }
}
