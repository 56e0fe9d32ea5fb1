//! Which calls are to go wrong, how, and how often?
//!
//! Rules are asked in the order in which they were added; the first that concerns a call and has turns left decides. Several
//! counted rules thus make a sequence: two refusals, then a reset. A fault comes before the throttles and the request's own
//! checks; one that prevents the work also takes no token.

use std::time::Duration;

use crate::action::Action;
use crate::error::ApiError;

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused as throttled, with nothing done.
    Refuse,
    /// Refused for want of permission, with nothing done.
    AccessDenied,
    /// Answered with status 500, with nothing done.
    ServerError,
    /// Answered with status 503, with nothing done.
    Unavailable,
    /// The connection is reset without an answer, with nothing done.
    Reset,
    /// The work is done, and then the connection is reset without an answer.
    ResetAfterWork,
    /// Never answered, with nothing done.
    Hang,
    /// The work is done, and the call is never answered.
    HangAfterWork,
    /// The work is done at once, and the answer comes this much later.
    Slow(Duration),
}

/// What reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Answer,
    Reset,
    Nothing,
}

impl Fault {
    /// This fault for one action, until it is cleared.
    #[must_use]
    pub fn on(self, action: Action) -> FaultRule {
        FaultRule { action: Some(action), ..self.into() }
    }

    /// This fault for the next calls, whatever they are.
    #[must_use]
    pub fn times(self, calls: u32) -> FaultRule {
        FaultRule::from(self).times(calls)
    }

    /// The fault of this name, in kebab case; `slow` takes the time.
    pub(crate) fn named(name: &str, time: Option<Duration>) -> Option<Self> {
        Some(match (name, time) {
            ("refuse", None) => Self::Refuse,
            ("access-denied", None) => Self::AccessDenied,
            ("server-error", None) => Self::ServerError,
            ("unavailable", None) => Self::Unavailable,
            ("reset", None) => Self::Reset,
            ("reset-after-work", None) => Self::ResetAfterWork,
            ("hang", None) => Self::Hang,
            ("hang-after-work", None) => Self::HangAfterWork,
            ("slow", Some(time)) => Self::Slow(time),
            _ => return None,
        })
    }

    pub(crate) fn delivery(self) -> Delivery {
        match self {
            Self::Reset | Self::ResetAfterWork => Delivery::Reset,
            Self::Hang | Self::HangAfterWork => Delivery::Nothing,
            Self::Refuse | Self::AccessDenied | Self::ServerError | Self::Unavailable | Self::Slow(_) => {
                Delivery::Answer
            }
        }
    }

    /// How much later the answer comes.
    pub(crate) fn lateness(self) -> Duration {
        if let Self::Slow(time) = self { time } else { Duration::ZERO }
    }

    /// The error that takes the place of the work, or none if the work is done.
    pub(crate) fn instead_of_work(self, action: Action, resource: &str) -> Option<ApiError> {
        match self {
            Self::Refuse => Some(ApiError::throttled(action.api())),
            Self::AccessDenied => Some(ApiError::access_denied(action, resource)),
            Self::Unavailable => Some(ApiError::unavailable()),
            // Of a reset and a hang nobody hears the text.
            Self::ServerError | Self::Reset | Self::Hang => Some(ApiError::internal(action.api())),
            Self::ResetAfterWork | Self::HangAfterWork | Self::Slow(_) => None,
        }
    }
}

/// A fault, the calls that it concerns, and how many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    action: Option<Action>,
    left: Option<u32>,
    delay: Duration,
}

impl From<Fault> for FaultRule {
    /// For every call, until it is cleared.
    fn from(fault: Fault) -> Self {
        Self { fault, action: None, left: None, delay: Duration::ZERO }
    }
}

impl FaultRule {
    /// Only for the next calls that it concerns.
    #[must_use]
    pub fn times(self, calls: u32) -> Self {
        Self { left: Some(calls), ..self }
    }

    /// The answer, or the reset, comes this much later.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// What a rule decided for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) fault: Fault,
    pub(crate) delay: Duration,
}

/// The rules in force.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    /// Takes back the rules of one action, or with none all rules.
    pub(crate) fn clear(&mut self, action: Option<Action>) {
        self.rules.retain(|rule| action.is_some() && rule.action != action);
    }

    /// The fault of this call, which uses up one of the rule's turns.
    pub(crate) fn take(&mut self, action: Action) -> Option<Fired> {
        self.rules.retain(|rule| rule.left != Some(0));
        let concerns = |rule: &&mut FaultRule| rule.action.is_none_or(|of| of == action);
        let rule = self.rules.iter_mut().find(concerns)?;
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        Some(Fired { fault: rule.fault, delay: rule.delay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(faults: &mut Faults, action: Action, calls: usize) -> Vec<Option<Fault>> {
        (0..calls).map(|_| faults.take(action).map(|fired| fired.fault)).collect()
    }

    #[test]
    fn counts_only_the_calls_that_it_concerns() {
        let mut faults = Faults::default();
        faults.add(Fault::Hang.on(Action::DeregisterTargets).times(2));
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 1), [None]);
        assert_eq!(taken(&mut faults, Action::DeregisterTargets, 3), [Some(Fault::Hang), Some(Fault::Hang), None]);
    }

    #[test]
    fn counted_rules_make_a_sequence() {
        let mut faults = Faults::default();
        faults.add(Fault::Refuse.times(2));
        faults.add(Fault::Reset.times(1));
        let expected = [Some(Fault::Refuse), Some(Fault::Refuse), Some(Fault::Reset), None];
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 4), expected);
    }

    #[test]
    fn an_uncounted_rule_lasts_until_it_is_cleared() {
        let mut faults = Faults::default();
        faults.add(Fault::Refuse.on(Action::DescribeTasks));
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 100), [Some(Fault::Refuse); 100]);
        faults.clear(Some(Action::DescribeServices));
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 1), [Some(Fault::Refuse)]);
        faults.clear(Some(Action::DescribeTasks));
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 1), [None]);
    }

    #[test]
    fn no_turns_are_no_fault() {
        let mut faults = Faults::default();
        faults.add(Fault::Refuse.times(0));
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 1), [None]);
    }

    #[test]
    fn clearing_all_clears_all() {
        let mut faults = Faults::default();
        faults.add(Fault::Refuse.into());
        faults.add(Fault::Hang.on(Action::DescribeTasks));
        faults.clear(None);
        assert_eq!(taken(&mut faults, Action::DescribeTasks, 1), [None]);
    }

    #[test]
    fn the_work_is_done_or_not_as_the_name_says() {
        let done = [Fault::ResetAfterWork, Fault::HangAfterWork, Fault::Slow(Duration::ZERO)];
        let prevented =
            [Fault::Refuse, Fault::AccessDenied, Fault::ServerError, Fault::Unavailable, Fault::Reset, Fault::Hang];
        let works = |fault: Fault| fault.instead_of_work(Action::DeregisterTargets, "*").is_none();
        assert!(done.into_iter().all(works));
        assert!(!prevented.into_iter().any(works));
    }
}
