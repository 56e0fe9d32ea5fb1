//! Simulated time: seconds since the notice. One real second is [`scale`](Clock) simulated seconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of one run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    notice: Instant,
    notice_since_1970: f64,
    scale: f64,
}

impl Clock {
    /// The notice comes `before_notice` simulated seconds from now.
    pub(crate) fn start(before_notice: f64, scale: f64) -> Self {
        let wait = wall(before_notice, scale);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started = Instant::now();
        Self { started, notice: started + wait, notice_since_1970: (since_1970 + wait).as_secs_f64(), scale }
    }

    /// When the clock was started.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The present simulated time; negative before the notice.
    pub(crate) fn now(&self) -> f64 {
        let now = Instant::now();
        let ahead = self.notice.saturating_duration_since(now).as_secs_f64();
        (now.saturating_duration_since(self.notice).as_secs_f64() - ahead) * self.scale
    }

    /// The simulated time of a real time in seconds since 1970.
    pub(crate) fn of_epoch(&self, seconds: f64) -> f64 {
        (seconds - self.notice_since_1970) * self.scale
    }

    /// Waits for a simulated time; returns at once if it has passed.
    pub(crate) async fn until(&self, time: f64) {
        tokio::time::sleep(self.wall(time - self.now())).await;
    }

    /// The real duration of this many simulated seconds.
    pub(crate) fn wall(&self, seconds: f64) -> Duration {
        wall(seconds, self.scale)
    }
}

/// Rounds a time to hundredths of a second; more digits are noise.
pub(crate) fn rounded(time: f64) -> f64 {
    (time * 100.0).round() / 100.0
}

/// The real duration of this many simulated seconds; zero if negative.
pub(crate) fn wall(seconds: f64, scale: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0) / scale).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_second_is_a_fraction_of_a_real_one() {
        assert_eq!(wall(120.0, 10.0), Duration::from_secs(12));
        assert_eq!(wall(-1.0, 10.0), Duration::ZERO);
    }

    #[test]
    fn both_clocks_agree() {
        let clock = Clock::start(0.0, 10.0);
        assert!((clock.of_epoch(clock.notice_since_1970 + 2.0) - 20.0).abs() < 1e-3);
        assert!(Clock::start(1000.0, 10.0).now() < 0.0);
    }
}
