//! Which calls are to go wrong, how, and how often?
//!
//! Rules are asked in the order in which they were added; the first that concerns a call and has turns left decides. Several
//! counted rules thus make a sequence: two refusals, then a reset. A fault comes before the throttles and the request's own
//! checks; one that prevents the work also takes no token.

use std::time::Duration;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::call::log::Subject;

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
    /// Refused as a bad request, in the API's own code (`InvalidParameterException`, `ValidationError`), with nothing done.
    InvalidParameter,
    /// The call succeeds, and every service, task or revision that it names is a failure `MISSING`, as for a read that does
    /// not see a fresh write yet. Only for the calls of ECS that have failures; others do their work.
    Missing,
    /// Answered with status 200 and a proxy's page of HTML, with nothing done.
    Html,
    /// Answered with status 200 and the body of an error, with nothing done.
    ErrorWithStatus200,
}

/// What reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Answer,
    Html,
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

    /// This fault for the calls that name this service, task, revision or target, until it is cleared.
    #[must_use]
    pub fn naming(self, name: &str) -> FaultRule {
        FaultRule::from(self).naming(name)
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
            ("invalid-parameter", None) => Self::InvalidParameter,
            ("missing", None) => Self::Missing,
            ("html", None) => Self::Html,
            ("error-with-status-200", None) => Self::ErrorWithStatus200,
            ("slow", Some(time)) => Self::Slow(time),
            _ => return None,
        })
    }

    pub(crate) fn delivery(self) -> Delivery {
        match self {
            Self::Reset | Self::ResetAfterWork => Delivery::Reset,
            Self::Hang | Self::HangAfterWork => Delivery::Nothing,
            Self::Html => Delivery::Html,
            Self::Refuse
            | Self::AccessDenied
            | Self::InvalidParameter
            | Self::ServerError
            | Self::Unavailable
            | Self::ErrorWithStatus200
            | Self::Missing
            | Self::Slow(_) => Delivery::Answer,
        }
    }

    /// How much later the answer comes.
    pub(crate) fn lateness(self) -> Duration {
        if let Self::Slow(time) = self { time } else { Duration::ZERO }
    }

    /// The error that takes the place of the work, or none if the work is done.
    pub(crate) fn instead_of_work(self, caller: &str, action: Action, resource: &str) -> Option<ApiError> {
        match self {
            Self::Refuse => Some(ApiError::throttled(action.api())),
            Self::AccessDenied => Some(ApiError::access_denied(caller, action, resource)),
            Self::Unavailable => Some(ApiError::unavailable()),
            Self::InvalidParameter => {
                Some(ApiError::invalid(action.api(), format!("Invalid parameter on resource: {resource}")))
            }
            Self::ErrorWithStatus200 => Some(ApiError { status: 200, ..ApiError::internal(action.api()) }),
            // The log names the fault; the caller sees the page.
            Self::Html => Some(ApiError { status: 200, code: "Html", message: String::new() }),
            // Of a reset and a hang nobody hears the text.
            Self::ServerError | Self::Reset | Self::Hang => Some(ApiError::internal(action.api())),
            Self::ResetAfterWork | Self::HangAfterWork | Self::Missing | Self::Slow(_) => None,
        }
    }
}

/// A fault, the calls that it concerns, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    action: Option<Action>,
    naming: Option<String>,
    with_tags: bool,
    left: Option<u32>,
    delay: Duration,
}

impl From<Fault> for FaultRule {
    /// For every call, until it is cleared.
    fn from(fault: Fault) -> Self {
        Self { fault, action: None, naming: None, with_tags: false, left: None, delay: Duration::ZERO }
    }
}

impl FaultRule {
    fn concerns(&self, action: Action, subject: &Subject) -> bool {
        self.action.is_none_or(|of| of == action)
            && (subject.with_tags || !self.with_tags)
            && self.naming.as_deref().is_none_or(|name| subject.named(name).is_some())
    }

    /// Only for the next calls that it concerns.
    #[must_use]
    pub fn times(self, calls: u32) -> Self {
        Self { left: Some(calls), ..self }
    }

    /// Only for calls that name this service, task, revision or target. The whole call goes wrong, whatever else it names,
    /// as IAM refuses a call for one of its resources. A name also stands for the ARN that ends with it.
    #[must_use]
    pub fn naming(self, name: &str) -> Self {
        Self { naming: Some(name.to_owned()), ..self }
    }

    /// Only for calls of ECS that ask for tags: `include=TAGS`.
    #[must_use]
    pub fn with_tags(self) -> Self {
        Self { with_tags: true, ..self }
    }

    /// The answer, or the reset, comes this much later.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// What a rule decided for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) fault: Fault,
    /// What the call had to name.
    pub(crate) naming: Option<String>,
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
    pub(crate) fn take(&mut self, action: Action, subject: &Subject) -> Option<Fired> {
        self.rules.retain(|rule| rule.left != Some(0));
        let rule = self.rules.iter_mut().find(|rule| rule.concerns(action, subject))?;
        rule.left = rule.left.map(|left| left.saturating_sub(1));
        Some(Fired { fault: rule.fault, naming: rule.naming.clone(), delay: rule.delay })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(faults: &mut Faults, action: Action, calls: usize) -> Vec<Option<Fault>> {
        (0..calls).map(|_| faults.take(action, &Subject::default()).map(|fired| fired.fault)).collect()
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
    fn a_rule_can_be_for_calls_that_name_one_thing() {
        let mut faults = Faults::default();
        faults.add(Fault::AccessDenied.on(Action::DescribeServices).naming("web").times(2));
        let naming = |names: &[&str]| Subject {
            targets: names.iter().map(|&name| name.to_owned()).collect(),
            ..Subject::default()
        };
        let arn = "arn:aws:ecs:eu-central-1:123456789012:service/demo/web";
        let table =
            [(vec!["api", "worker-web"], false), (vec!["api", "web"], true), (vec![arn], true), (vec![arn], false)];
        for (names, fires) in table {
            let fired = faults.take(Action::DescribeServices, &naming(&names));
            assert_eq!(fired.is_some(), fires, "{names:?}");
        }
    }

    #[test]
    fn a_rule_can_be_for_calls_that_ask_for_tags() {
        let mut faults = Faults::default();
        faults.add(Fault::AccessDenied.on(Action::DescribeServices).with_tags());
        assert_eq!(taken(&mut faults, Action::DescribeServices, 1), [None]);
        let subject = Subject { with_tags: true, ..Subject::default() };
        assert!(faults.take(Action::DescribeServices, &subject).is_some());
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
        let done = [Fault::ResetAfterWork, Fault::HangAfterWork, Fault::Missing, Fault::Slow(Duration::ZERO)];
        let prevented = [
            Fault::Refuse,
            Fault::AccessDenied,
            Fault::InvalidParameter,
            Fault::ServerError,
            Fault::Unavailable,
            Fault::Reset,
            Fault::Hang,
            Fault::Html,
            Fault::ErrorWithStatus200,
        ];
        let works = |fault: Fault| fault.instead_of_work("someone", Action::DeregisterTargets, "*").is_none();
        assert!(done.into_iter().all(works));
        assert!(!prevented.into_iter().any(works));
    }
}
