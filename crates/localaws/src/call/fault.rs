//! Faults: calls that fail on demand.
//!
//! The first rule, in the order of addition, that matches a call and has uses left applies. Rules with counts therefore form a
//! sequence: two throttled calls, then a reset. A fault comes before the throttles and the request's own checks, and if a
//! fault prevents the call, the call takes no token.

use std::str::FromStr as _;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumString, VariantNames};

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::call::log::Subject;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(
    name(FaultKind),
    vis(pub(crate)),
    derive(EnumString, VariantNames),
    strum(serialize_all = "kebab-case")
)]
pub enum Fault {
    /// Throttled; nothing is done.
    Refuse,
    /// Access denied; nothing is done.
    AccessDenied,
    /// Status 500; nothing is done.
    ServerError,
    /// Status 503; nothing is done.
    Unavailable,
    /// The connection is reset without an answer; nothing is done.
    Reset,
    /// The call is done, then the connection is reset without an answer.
    ResetAfterWork,
    /// Never answered; nothing is done.
    Hang,
    /// The call is done, but never answered.
    HangAfterWork,
    /// The call is done at once, and answered after this delay.
    Slow(Duration),
    /// A bad request with the API's own code (`InvalidParameterException`, `ValidationError`); nothing is done.
    InvalidParameter,
    /// The call succeeds, and every service, task or revision in it is a failure `MISSING`, as for a read that does not see
    /// a recent write. Only ECS calls with failures support it; others run normally.
    Missing,
    /// Status 200 with a proxy's HTML page; nothing is done.
    Html,
    /// Status 200 with the body of an error; nothing is done.
    #[strum_discriminants(strum(serialize = "error-with-status-200"))]
    ErrorWithStatus200,
}

/// What reaches the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultReply {
    Answer,
    Html,
    Reset,
    Nothing,
}

impl Fault {
    /// Applies to one action, until it is cleared.
    #[must_use]
    pub fn on(self, action: Action) -> FaultRule {
        FaultRule { action: Some(action), ..self.into() }
    }

    /// Applies to the next calls of any action.
    #[must_use]
    pub fn times(self, calls: u32) -> FaultRule {
        FaultRule::from(self).times(calls)
    }

    /// Applies to calls that name this service, task, revision or target, until it is cleared.
    #[must_use]
    pub fn naming(self, name: &str) -> FaultRule {
        FaultRule::from(self).naming(name)
    }

    /// The fault with this name in kebab case. `slow` needs a delay, and no other fault has one.
    pub(crate) fn named(name: &str, delay: Option<Duration>) -> Option<Self> {
        Some(match (FaultKind::from_str(name).ok()?, delay) {
            (FaultKind::Slow, Some(delay)) => Self::Slow(delay),
            (FaultKind::Slow, None) | (_, Some(_)) => return None,
            (FaultKind::Refuse, None) => Self::Refuse,
            (FaultKind::AccessDenied, None) => Self::AccessDenied,
            (FaultKind::ServerError, None) => Self::ServerError,
            (FaultKind::Unavailable, None) => Self::Unavailable,
            (FaultKind::Reset, None) => Self::Reset,
            (FaultKind::ResetAfterWork, None) => Self::ResetAfterWork,
            (FaultKind::Hang, None) => Self::Hang,
            (FaultKind::HangAfterWork, None) => Self::HangAfterWork,
            (FaultKind::InvalidParameter, None) => Self::InvalidParameter,
            (FaultKind::Missing, None) => Self::Missing,
            (FaultKind::Html, None) => Self::Html,
            (FaultKind::ErrorWithStatus200, None) => Self::ErrorWithStatus200,
        })
    }

    /// The names of all faults.
    pub(crate) fn names() -> &'static [&'static str] {
        FaultKind::VARIANTS
    }

    pub(crate) fn delivery(self) -> FaultReply {
        match self {
            Self::Reset | Self::ResetAfterWork => FaultReply::Reset,
            Self::Hang | Self::HangAfterWork => FaultReply::Nothing,
            Self::Html => FaultReply::Html,
            Self::Refuse
            | Self::AccessDenied
            | Self::InvalidParameter
            | Self::ServerError
            | Self::Unavailable
            | Self::ErrorWithStatus200
            | Self::Missing
            | Self::Slow(_) => FaultReply::Answer,
        }
    }

    /// How long the answer is delayed.
    pub(crate) fn delay(self) -> Duration {
        if let Self::Slow(time) = self { time } else { Duration::ZERO }
    }

    /// The error that replaces the call, or `None` if the call is done.
    pub(crate) fn replacement_error(self, caller: &str, action: Action, resource: &str) -> Option<ApiError> {
        match self {
            Self::Refuse => Some(ApiError::throttled(action.api())),
            Self::AccessDenied => Some(ApiError::access_denied(caller, action, resource)),
            Self::Unavailable => Some(ApiError::unavailable()),
            Self::InvalidParameter => {
                Some(ApiError::invalid(action.api(), format!("Invalid parameter on resource: {resource}")))
            }
            Self::ErrorWithStatus200 => Some(ApiError { status: 200, ..ApiError::internal(action.api()) }),
            // Only the log shows this code; the caller receives the HTML page.
            Self::Html => Some(ApiError { status: 200, code: "Html", message: String::new() }),
            // The caller of a reset or hanging call never receives the message.
            Self::ServerError | Self::Reset | Self::Hang => Some(ApiError::internal(action.api())),
            Self::ResetAfterWork | Self::HangAfterWork | Self::Missing | Self::Slow(_) => None,
        }
    }
}

/// A fault, and the calls that it applies to.
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
    /// Applies to every call, until it is cleared.
    fn from(fault: Fault) -> Self {
        Self { fault, action: None, naming: None, with_tags: false, left: None, delay: Duration::ZERO }
    }
}

impl FaultRule {
    fn matches(&self, action: Action, subject: &Subject) -> bool {
        self.action.is_none_or(|of| of == action)
            && (subject.with_tags || !self.with_tags)
            && self.naming.as_deref().is_none_or(|name| subject.named(name).is_some())
    }

    /// Limits the rule to the next matching calls.
    #[must_use]
    pub fn times(self, calls: u32) -> Self {
        Self { left: Some(calls), ..self }
    }

    /// Limits the rule to calls that name this service, task, revision or target. The whole call fails even if it names
    /// others, as IAM denies a call because of one resource. A name also matches an ARN that ends with it.
    #[must_use]
    pub fn naming(self, name: &str) -> Self {
        Self { naming: Some(name.to_owned()), ..self }
    }

    /// Limits the rule to ECS calls that request tags (`include=TAGS`).
    #[must_use]
    pub fn with_tags(self) -> Self {
        Self { with_tags: true, ..self }
    }

    /// Delays the answer or the reset.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }
}

/// The fault of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) fault: Fault,
    /// The name that the rule required.
    pub(crate) naming: Option<String>,
    pub(crate) delay: Duration,
}

/// The active rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    /// Removes the rules of one action, or all rules.
    pub(crate) fn clear(&mut self, action: Option<Action>) {
        self.rules.retain(|rule| action.is_some() && rule.action != action);
    }

    /// Returns the fault of this call, and uses up one of the rule's count.
    pub(crate) fn take(&mut self, action: Action, subject: &Subject) -> Option<Fired> {
        self.rules.retain(|rule| rule.left != Some(0));
        let rule = self.rules.iter_mut().find(|rule| rule.matches(action, subject))?;
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
    fn counts_only_matching_calls() {
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
        let works = |fault: Fault| fault.replacement_error("someone", Action::DeregisterTargets, "*").is_none();
        assert!(done.into_iter().all(works));
        assert!(!prevented.into_iter().any(works));
    }
}
