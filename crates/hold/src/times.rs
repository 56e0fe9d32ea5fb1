//! The times of a hold, and whether they fit in each other.

use std::time::Duration;

/// Fargate's default of `stopTimeout`, and the grace, quiet and least times that fit in it.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>
pub const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// What the application gets to stop in, once it is told.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long no connection must have been seen.
pub const QUIET: Duration = Duration::from_secs(10);
/// How long is held in any case.
pub const MIN_HOLD: Duration = Duration::from_secs(5);

/// The times as they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// `--quiet`
    pub quiet: Duration,
    /// `--min-hold`
    pub min_hold: Duration,
    /// `--max-hold`; `None`: what `--stop-timeout` leaves
    pub max_hold: Option<Duration>,
    /// `--stop-timeout`
    pub stop_timeout: Duration,
    /// `--grace`
    pub grace: Duration,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { quiet: QUIET, min_hold: MIN_HOLD, max_hold: None, stop_timeout: STOP_TIMEOUT, grace: GRACE }
    }
}

/// Times that fit: the least hold and the quiet time are not longer than the longest hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// So long no connection must have been seen.
    pub quiet: Duration,
    /// So long is held in any case.
    pub min_hold: Duration,
    /// Longer is never held.
    pub max_hold: Duration,
}

impl Wanted {
    /// Checks that they fit, and names every problem.
    pub fn fit(self) -> Result<Times, Vec<String>> {
        let Some(left) = self.stop_timeout.checked_sub(self.grace).filter(|left| !left.is_zero()) else {
            let (stop, grace) = (seconds(self.stop_timeout), seconds(self.grace));
            return Err(vec![format!("stop-timeout {stop} leaves no time to hold, with a grace of {grace}")]);
        };
        let max_hold = self.max_hold.unwrap_or(left);
        let problems: Vec<_> = self.problems(max_hold, left).into_iter().flatten().collect();
        if problems.is_empty() {
            Ok(Times { quiet: self.quiet, min_hold: self.min_hold, max_hold })
        } else {
            Err(problems)
        }
    }

    fn problems(&self, max_hold: Duration, left: Duration) -> [Option<String>; 3] {
        let (max, stop, grace) = (seconds(max_hold), seconds(self.stop_timeout), seconds(self.grace));
        let over = |name: &str, time: Duration| {
            (time > max_hold).then(|| format!("{name} {} is longer than max-hold {max}", seconds(time)))
        };
        let no_grace = (max_hold > left)
            .then(|| format!("max-hold {max} leaves no grace of {grace} before stop-timeout {stop} is over"));
        [no_grace, over("min-hold", self.min_hold), over("quiet", self.quiet)]
    }
}

/// A time as it is written in the settings.
#[must_use]
pub fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

/// Reads seconds: `10` or `0.5`, up to a day.
pub fn parse(text: &str) -> Result<Duration, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number = text.parse().ok().filter(|number| is_plain && (0.0..=86_400.0).contains(number));
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.ok_or_else(|| format!("expected seconds, such as 10 or 0.5, up to 86400, found {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(change: impl FnOnce(&mut Wanted)) -> Result<Times, Vec<String>> {
        let mut wanted = Wanted::default();
        change(&mut wanted);
        wanted.fit()
    }

    #[test]
    fn the_longest_hold_is_the_stop_timeout_less_the_grace() {
        assert_eq!(fit(|_| ()).unwrap().max_hold, Duration::from_secs(20));
        assert_eq!(fit(|wanted| wanted.stop_timeout = Duration::from_mins(2)).unwrap().max_hold.as_secs(), 110);
    }

    #[test]
    fn a_longest_hold_of_ones_own_may_be_shorter() {
        assert_eq!(fit(|wanted| wanted.max_hold = Some(QUIET)).unwrap().max_hold, QUIET);
    }

    #[test]
    fn times_that_do_not_fit_are_named() {
        let told = |change: fn(&mut Wanted)| fit(change).unwrap_err().join("; ");
        assert_eq!(
            told(|wanted| wanted.grace = STOP_TIMEOUT),
            "stop-timeout 30 leaves no time to hold, with a grace of 30"
        );
        assert_eq!(
            told(|wanted| wanted.max_hold = Some(Duration::from_secs(25))),
            "max-hold 25 leaves no grace of 10 before stop-timeout 30 is over"
        );
        assert_eq!(
            told(|wanted| wanted.max_hold = Some(Duration::from_millis(500))),
            "min-hold 5 is longer than max-hold 0.5; quiet 10 is longer than max-hold 0.5"
        );
    }

    #[test]
    fn seconds_are_read_and_nothing_else() {
        assert_eq!(parse("0.25"), Ok(Duration::from_millis(250)));
        for text in ["", "-1", "10s", "1e3", "inf", "NaN", ".", "86401", "1 "] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
