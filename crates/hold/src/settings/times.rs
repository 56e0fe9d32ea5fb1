//! The durations of a hold, and whether they are consistent.

use std::time::Duration;

/// The default of Fargate's `stopTimeout`.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// Default time for the application to stop in once it has its signal.
pub const GRACE: Duration = Duration::from_secs(10);
/// Default time without a connection that counts as quiet.
pub const QUIET: Duration = Duration::from_secs(10);
/// Default minimum hold.
pub const MIN_HOLD: Duration = Duration::from_secs(5);
/// Default time limit of a run of the quiet command.
pub const QUIET_COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// The durations as configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedTimes {
    /// `--quiet`
    pub quiet: Duration,
    /// `--min-hold`
    pub min_hold: Duration,
    /// `--max-hold`; by default the stop timeout without the grace
    pub max_hold: Option<Duration>,
    /// `--stop-timeout`
    pub stop_timeout: Duration,
    /// `--grace`
    pub grace: Duration,
    /// `--on-stop-timeout`; by default the maximum hold
    pub on_stop_timeout: Option<Duration>,
    /// `--quiet-command-timeout`
    pub quiet_command_timeout: Option<Duration>,
}

impl Default for RequestedTimes {
    fn default() -> Self {
        Self {
            quiet: QUIET,
            min_hold: MIN_HOLD,
            max_hold: None,
            stop_timeout: STOP_TIMEOUT,
            grace: GRACE,
            on_stop_timeout: None,
            quiet_command_timeout: None,
        }
    }
}

/// Consistent durations: neither the minimum hold nor the quiet time exceeds the maximum hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Time without a connection that counts as quiet.
    pub quiet: Duration,
    /// Minimum hold.
    pub min_hold: Duration,
    /// Maximum hold.
    pub max_hold: Duration,
    /// Time for the application to stop in once it has its signal.
    pub grace: Duration,
    /// Time limit of what runs at the stop signal; not longer than the maximum hold.
    pub on_stop_timeout: Duration,
    /// Time limit of a run of the quiet command.
    pub quiet_command_timeout: Duration,
}

impl RequestedTimes {
    /// Returns the consistent durations, or every inconsistency.
    pub fn validate(self) -> Result<Times, Vec<String>> {
        let Some(left) = self.stop_timeout.checked_sub(self.grace).filter(|left| !left.is_zero()) else {
            let (stop, grace) = (seconds(self.stop_timeout), seconds(self.grace));
            return Err(vec![format!("stop-timeout {stop} leaves no time to hold, with a grace of {grace}")]);
        };
        let max_hold = self.max_hold.unwrap_or(left);
        let problems: Vec<_> = self.problems(max_hold, left).into_iter().flatten().collect();
        if problems.is_empty() {
            Ok(Times {
                quiet: self.quiet,
                min_hold: self.min_hold,
                max_hold,
                grace: self.grace,
                on_stop_timeout: self.on_stop_timeout.unwrap_or(max_hold),
                quiet_command_timeout: self.quiet_command_timeout.unwrap_or(QUIET_COMMAND_TIMEOUT.min(max_hold)),
            })
        } else {
            Err(problems)
        }
    }

    fn problems(&self, max_hold: Duration, left: Duration) -> [Option<String>; 5] {
        let (max, stop, grace) = (seconds(max_hold), seconds(self.stop_timeout), seconds(self.grace));
        let over = |name: &str, time: Duration| {
            (time > max_hold).then(|| format!("{name} {} is longer than max-hold {max}", seconds(time)))
        };
        let no_grace = (max_hold > left)
            .then(|| format!("max-hold {max} leaves no grace of {grace} before stop-timeout {stop} is over"));
        let on_stop = self.on_stop_timeout.and_then(|time| over("on-stop-timeout", time));
        let quiet_command = self.quiet_command_timeout.and_then(|time| over("quiet-command-timeout", time));
        [no_grace, over("min-hold", self.min_hold), over("quiet", self.quiet), on_stop, quiet_command]
    }
}

/// Formats a duration as the settings write it.
#[must_use]
pub fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

/// Parses seconds such as `10` or `0.5`, up to a day.
pub fn parse(text: &str) -> Result<Duration, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse().ok().filter(|number| is_plain && (0.0..=86_400.0).contains(number));
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.ok_or_else(|| format!("expected seconds, such as 10 or 0.5, up to 86400, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(change: impl FnOnce(&mut RequestedTimes)) -> Result<Times, Vec<String>> {
        let mut requested = RequestedTimes::default();
        change(&mut requested);
        requested.validate()
    }

    #[test]
    fn the_maximum_hold_defaults_to_the_stop_timeout_without_the_grace() {
        assert_eq!(fit(|_| ()).unwrap().max_hold, Duration::from_secs(20));
        assert_eq!(fit(|requested| requested.stop_timeout = Duration::from_mins(2)).unwrap().max_hold.as_secs(), 110);
    }

    #[test]
    fn a_configured_maximum_hold_may_be_shorter() {
        assert_eq!(fit(|requested| requested.max_hold = Some(QUIET)).unwrap().max_hold, QUIET);
    }

    #[test]
    fn every_inconsistency_is_reported() {
        let problems = |change: fn(&mut RequestedTimes)| fit(change).unwrap_err().join("; ");
        assert_eq!(
            problems(|requested| requested.grace = STOP_TIMEOUT),
            "stop-timeout 30 leaves no time to hold, with a grace of 30"
        );
        assert_eq!(
            problems(|requested| requested.max_hold = Some(Duration::from_secs(25))),
            "max-hold 25 leaves no grace of 10 before stop-timeout 30 is over"
        );
        assert_eq!(
            problems(|requested| requested.max_hold = Some(Duration::from_millis(500))),
            "min-hold 5 is longer than max-hold 0.5; quiet 10 is longer than max-hold 0.5"
        );
    }

    #[test]
    fn only_plain_seconds_are_accepted() {
        assert_eq!(parse("0.25"), Ok(Duration::from_millis(250)));
        for text in ["", "-1", "10s", "1e3", "inf", "NaN", ".", "86401", "1 "] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
