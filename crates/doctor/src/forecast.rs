//! Until when does an interrupted task get new connections, and what would change that?
//!
//! All times are seconds from SIGTERM, which is sent with the notice. Every figure has its source. Where AWS gives no figure, it
//! is a user's measurement, so the result is a forecast and not a promise. By default it assumes that a draining target
//! that also fails its health check stops getting new connections sooner. No measurement has been published; a result of
//! `spotdrain probe` replaces the assumption, and SD034 covers the other case. The model is in `docs/doctor.md`.

use serde::Serialize;
use spotdrain_core::model::limits::NOTICE_SECONDS;

use crate::delays::LoadBalancerDelays;
use crate::diagnosis::Finding;
use crate::model::root::Place;
use crate::model::setting::Unknown;
use crate::model::subject::GroupSubject;

/// Seconds from the notice until the function has acted. AWS says of the event only that it is "near real time"
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html>); this is assumed.
pub const FUNCTION_ACTS: u32 = 2;

/// Seconds of the stopTimeout that the hold leaves to the application (its setting `grace`).
pub const HOLD_GRACE: u32 = 10;

/// The checks whose findings mean that the function does nothing.
const FUNCTION_IS_DEAF: [&str; 14] = [
    "SD021", "SD023", "SD027", "SD028", "SD029", "SD030", "SD031", "SD032", "SD051", "SD052", "SD053", "SD054",
    "SD055", "SD056",
];

/// A forecast for one target group of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// The service.
    pub service: String,
    /// The target group.
    pub group: String,
    /// Where the target group is.
    #[serde(skip)]
    pub place: Place,
    /// With the settings as they are.
    #[serde(flatten)]
    pub now: Outlook,
    /// Whether the function acts for it.
    pub function: bool,
    /// Whether the hold fails the group's health check.
    pub hold: bool,
    /// What would improve it: one change at a time, then all of them.
    pub changes: Vec<Change>,
}

/// The outcome with some settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// When the last new connection comes, at the latest: where the application serves until SIGKILL.
    pub last_new_connection_seconds: u32,
    /// For how many seconds new connections are refused if the application closes its port on SIGTERM, as most do. Then the
    /// health check also fails sooner.
    pub refused_seconds: u32,
    /// For how many seconds they are refused if the application serves until SIGKILL.
    pub refused_at_least_seconds: u32,
}

/// A change that would improve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The change, such as `hold`.
    pub what: String,
    /// The outcome then.
    #[serde(flatten)]
    pub then: Outlook,
}

impl Forecast {
    /// Returns the outcome that decides about findings. If the templates have no function, it is assumed to be deployed
    /// elsewhere.
    pub(crate) fn outlook(&self, function_is_elsewhere: bool) -> Outlook {
        let with_function = self.changes.iter().find(|change| change.what == "function");
        with_function.filter(|_| function_is_elsewhere).map_or(self.now, |change| change.then)
    }
}

/// The settings that decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ForecastInput {
    delays: LoadBalancerDelays,
    function: bool,
    hold: bool,
    /// The service is tagged `hold`, and the function leaves the target to it.
    tagged: bool,
    fails_after: u32,
    stop_timeout: u32,
}

/// A situation with one change.
type Improve = fn(ForecastInput) -> ForecastInput;

impl ForecastInput {
    /// An application that closes its port on SIGTERM fails its health check from then on; one that serves until SIGKILL, from
    /// SIGKILL on. The hold fails it from SIGTERM on while the application serves.
    fn outlook(self) -> Outlook {
        let stop = self.stop_timeout.min(NOTICE_SECONDS);
        let closing = self.last_new(0);
        let serving = if self.hold { closing } else { self.last_new(stop) };
        let serves = if self.hold { stop.saturating_sub(HOLD_GRACE) } else { stop };
        let at_least = serving.saturating_sub(serves);
        let refused = if self.hold { at_least } else { closing };
        Outlook { last_new_connection_seconds: serving, refused_seconds: refused, refused_at_least_seconds: at_least }
    }

    /// The time of the last new connection, for a target whose health check fails from `fails_from` on.
    fn last_new(self, fails_from: u32) -> u32 {
        // Without the function ECS deregisters the target when the task is stopped, if not before.
        let acts = self.function && !(self.hold && self.tagged);
        let deregistered = if acts { FUNCTION_ACTS } else { self.stop_timeout.min(NOTICE_SECONDS) };
        let unhealthy = fails_from.saturating_add(self.fails_after);
        let left_as_deregistered = deregistered.saturating_add(self.delays.after_deregistration);
        if deregistered < unhealthy && !self.delays.health_counts_while_draining {
            return left_as_deregistered;
        }
        left_as_deregistered.min(unhealthy.saturating_add(self.delays.after_unhealthy))
    }

    /// Each change that helps alone; then the fewest that together help as much as all of them, if that is more.
    fn changes(self) -> Vec<Change> {
        let now = self.outlook();
        let missing: Vec<_> = Self::possible().into_iter().filter(|(_, change)| change(self) != self).collect();
        let alone =
            missing.iter().map(|(what, change)| Change { what: (*what).to_owned(), then: change(self).outlook() });
        let mut changes: Vec<_> = alone.filter(|change| change.then.is_better(now)).collect();
        let (names, all): (Vec<_>, Vec<_>) = self.fewest(&missing).into_iter().unzip();
        let all = Change { what: names.join(" + "), then: self.with(&all).outlook() };
        let helps_more = changes.iter().all(|alone| all.then.is_better(alone.then)) && all.then.is_better(now);
        changes.extend(helps_more.then_some(all));
        changes
    }

    fn with(self, changes: &[Improve]) -> Self {
        changes.iter().fold(self, |situation, change| change(situation))
    }

    /// Leaves out every change without which the outcome is the same.
    fn fewest(self, all: &[(&'static str, Improve)]) -> Vec<(&'static str, Improve)> {
        let then = |changes: &[(&str, Improve)]| {
            self.with(&changes.iter().map(|(_, change)| *change).collect::<Vec<_>>()).outlook()
        };
        let best = then(all);
        all.iter().fold(all.to_owned(), |kept, (what, _)| {
            let fewer: Vec<_> = kept.iter().filter(|(other, _)| other != what).copied().collect();
            if best.is_better(then(&fewer)) { kept } else { fewer }
        })
    }

    fn possible() -> [(&'static str, Improve); 4] {
        [
            ("function", |situation| Self { function: true, ..situation }),
            ("hold", |situation| Self { hold: true, ..situation }),
            ("stopTimeout 120", |situation| Self {
                stop_timeout: situation.stop_timeout.max(NOTICE_SECONDS),
                ..situation
            }),
            ("health check 20 s", |situation| Self { fails_after: situation.fails_after.min(20), ..situation }),
        ]
    }
}

impl Outlook {
    fn is_better(self, than: Self) -> bool {
        let key = |outlook: Self| {
            (outlook.refused_seconds, outlook.refused_at_least_seconds, outlook.last_new_connection_seconds)
        };
        key(self) < key(than)
    }
}

/// Returns the forecast of a target group. If no function was found, there is assumed to be none.
pub(super) fn forecast(subject: &GroupSubject<'_>, deaf: &[&Finding]) -> Result<Forecast, Unknown> {
    let situation = situation(subject, deaf)?;
    Ok(Forecast {
        service: subject.of.service.place.name.clone(),
        group: subject.group.place.name.clone(),
        place: subject.group.place.clone(),
        now: situation.outlook(),
        function: situation.function,
        hold: situation.hold,
        changes: situation.changes(),
    })
}

fn situation(subject: &GroupSubject<'_>, deaf: &[&Finding]) -> Result<ForecastInput, Unknown> {
    let hold = subject.hold_fails_check()?;
    Ok(ForecastInput {
        delays: subject.of.deployment.delays.of(subject.group.kind()?),
        function: subject.of.deployment.delivery.known().is_some() && !is_deaf(subject, deaf),
        hold,
        tagged: hold && subject.of.is_tagged_hold()?,
        fails_after: subject.group.fails_after()?,
        stop_timeout: subject.stop_timeout()?,
    })
}

/// Whether a finding says that the function does nothing for this group: one about it, its service or the function.
fn is_deaf(subject: &GroupSubject<'_>, deaf: &[&Finding]) -> bool {
    let (service, group) = (&subject.of.service.place.name, &subject.group.place.name);
    let concerns = |name: &String| {
        let is_other =
            (name.starts_with("service ") && name != service) || (name.starts_with("target group ") && name != group);
        !is_other
    };
    deaf.iter().any(|finding| concerns(&finding.problem.place.name))
}

/// Returns whether a finding means that the function does nothing.
pub(super) fn is_of_deaf_function(finding: &Finding) -> bool {
    FUNCTION_IS_DEAF.contains(&finding.check.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delays::Delays;
    use crate::model::group::GroupKind;

    #[test]
    fn the_last_new_connection_and_what_is_refused() {
        use GroupKind::{Application, Network};
        let table = [
            // kind, function, hold, fails after, stopTimeout -> last, refused, refused at least
            (Network, false, false, 60, 30, (130, 100, 100)),
            (Network, true, false, 60, 30, (122, 100, 92)),
            (Network, false, false, 20, 30, (90, 60, 60)),
            (Network, true, false, 20, 120, (122, 60, 2)),
            (Network, false, true, 20, 120, (60, 0, 0)),
            (Network, true, true, 20, 120, (60, 0, 0)),
            (Network, true, true, 120, 120, (122, 12, 12)),
            (Application, false, false, 60, 30, (31, 31, 1)),
            (Application, true, false, 60, 30, (3, 3, 0)),
            (Application, true, true, 60, 120, (3, 0, 0)),
        ];
        for (kind, function, hold, fails_after, stop_timeout, (last, refused, least)) in table {
            let delays = Delays::default().of(kind);
            let situation = ForecastInput { delays, function, hold, tagged: false, fails_after, stop_timeout };
            let expected = Outlook {
                last_new_connection_seconds: last,
                refused_seconds: refused,
                refused_at_least_seconds: least,
            };
            assert_eq!(situation.outlook(), expected, "{situation:?}");
        }
    }

    #[test]
    fn what_is_left_to_the_hold_is_not_deregistered() {
        let delays = Delays::default().of(GroupKind::Network);
        let held =
            ForecastInput { delays, function: true, hold: true, tagged: true, fails_after: 90, stop_timeout: 120 };
        let last = |situation: ForecastInput| situation.outlook().last_new_connection_seconds;
        assert_eq!((last(held), last(ForecastInput { tagged: false, ..held })), (130, 122));
        assert_eq!(last(ForecastInput { fails_after: 20, ..held }), 60);
    }

    #[test]
    fn measured_delays_replace_the_defaults() {
        let network = Delays::default().of(GroupKind::Network);
        let measured = LoadBalancerDelays { after_deregistration: 90, health_counts_while_draining: false, ..network };
        let of = |delays| ForecastInput {
            delays,
            function: true,
            hold: true,
            tagged: false,
            fails_after: 20,
            stop_timeout: 120,
        };
        let last = |delays| of(delays).outlook().last_new_connection_seconds;
        assert_eq!((last(network), last(measured)), (60, 92));
        assert_eq!(last(LoadBalancerDelays { after_unhealthy: 10, ..network }), 30);
    }

    #[test]
    fn what_helps_is_named_and_what_does_not_is_not() {
        let delays = Delays::default().of(GroupKind::Network);
        let situation =
            ForecastInput { delays, function: true, hold: false, tagged: false, fails_after: 20, stop_timeout: 120 };
        let names =
            |situation: ForecastInput| situation.changes().into_iter().map(|change| change.what).collect::<Vec<_>>();
        assert_eq!(names(situation), ["hold"]);
        assert_eq!(
            names(ForecastInput { stop_timeout: 30, ..situation }),
            ["hold", "stopTimeout 120", "hold + stopTimeout 120"]
        );
        let bad = ForecastInput { function: false, stop_timeout: 30, fails_after: 120, ..situation };
        let all = "hold + stopTimeout 120 + health check 20 s";
        assert_eq!(names(bad), ["function", "hold", "health check 20 s", all]);
        assert_eq!(names(ForecastInput { hold: true, ..situation }), [""; 0]);
    }
}
