//! How the function's time is spent. Each share bounds one part of an invocation; the test shows that they add up.

use std::time::Duration;

/// The function's timeout in the deployment.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Reserved at the end of an invocation for the records and the answer.
pub const ANSWER: Duration = Duration::from_millis(500);

/// Receiving more messages, after a full batch, takes at most this long, and at most a quarter of what is left.
pub const RECEIVING: Duration = Duration::from_secs(3);

/// DescribeServices may take this long: one service must not hold up the others. A second attempt has twice the time of the
/// first, so that an answer which takes 2 to 4 s is waited for.
pub const LOCATING: Duration = Duration::from_secs(6);

/// Reading a wave's groups and tasks may take this long. Groups that were not read by then are written unread.
pub const OBSERVING: Duration = Duration::from_millis(2500);

/// Reserved for deregistering, whatever the reads take.
pub const ACTING: Duration = Duration::from_secs(3);

/// With less time than this left, no further wave is started.
pub const A_WAVE: Duration = Duration::from_secs(1);

/// The first attempt of a call may take this long; after each one without an answer, the next gets as much more.
pub const ATTEMPT: Duration = Duration::from_secs(2);

/// With less time than this left, no attempt is started.
pub const MIN_ATTEMPT: Duration = Duration::from_millis(50);

/// A receive may take this long. It is not retried: what it handed out in vain stays hidden for a while.
pub const RECEIVE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use spotdrain_core::limits::VISIBILITY_TIMEOUT;

    use super::*;

    #[test]
    fn the_shares_add_up_to_less_than_the_functions_timeout() {
        let once = [ANSWER, RECEIVING, LOCATING, OBSERVING, ACTING].iter().sum::<Duration>();
        // A cache entry that may be stale is asked for again, and what it then names is read.
        let again = LOCATING + OBSERVING;
        assert!(once + again < FUNCTION_TIMEOUT, "{once:?} and {again:?}");
        assert!(FUNCTION_TIMEOUT <= VISIBILITY_TIMEOUT, "a message would come again while it is handled");
        assert!(MIN_ATTEMPT < A_WAVE && ATTEMPT < ACTING, "a first attempt that hangs leaves time for a second");
        assert!(RECEIVING + RECEIVE + ANSWER < FUNCTION_TIMEOUT, "the last poll ends before the function does");
    }
}
