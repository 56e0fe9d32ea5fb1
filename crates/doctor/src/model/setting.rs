//! What is known of a setting. "Not checked" must never look like "fine", so a value that could not be read is a case of
//! its own, with the reason, and a check that needs it ends there.

use std::fmt;

/// A setting's value, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Fact<T> {
    /// It is set to this.
    Known(T),
    /// It is not set: AWS's default holds.
    #[default]
    Absent,
    /// It could not be read or resolved, and why.
    NotKnown(String),
}

/// Why a check could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown(pub String);

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<T> Fact<T> {
    /// What is set, or an [`Unknown`] where that is not known.
    pub fn need(&self) -> Result<Option<&T>, Unknown> {
        match self {
            Self::Known(value) => Ok(Some(value)),
            Self::Absent => Ok(None),
            Self::NotKnown(why) => Err(Unknown(why.clone())),
        }
    }

    /// What is set, if it is known.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Absent | Self::NotKnown(_) => None,
        }
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        self.and_then(|value| Fact::Known(change(value)))
    }

    /// What follows from the value.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Known(value) => next(value),
            Self::Absent => Fact::Absent,
            Self::NotKnown(why) => Fact::NotKnown(why),
        }
    }
}

impl<T: Clone> Fact<T> {
    /// What is in force: what is set, else AWS's default.
    pub fn or(&self, default: T) -> Result<T, Unknown> {
        Ok(self.need()?.cloned().unwrap_or(default))
    }
}

impl<T> From<Option<T>> for Fact<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_neither_a_value_nor_the_default() {
        let unknown: Fact<u32> = Fact::NotKnown("a parameter".to_owned());
        assert_eq!(unknown.or(30), Err(Unknown("a parameter".to_owned())));
        assert_eq!((Fact::Absent.or(30), Fact::Known(120).or(30)), (Ok(30), Ok(120)));
        assert_eq!(unknown.map(|value| value + 1).known(), None);
    }
}
