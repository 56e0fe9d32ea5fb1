//! How the function's time is spent. Each share bounds one part of an invocation; the test shows that they add up.

use std::time::Duration;

/// The function's timeout in the deployment.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Reserved at the end of an invocation for the records and the answer.
pub const ANSWER: Duration = Duration::from_millis(500);

/// DescribeServices may take this long: one service must not hold up the others. A second attempt has twice the time of the
/// first, so that an answer which takes 2 to 4 s is waited for.
pub const LOCATING: Duration = Duration::from_secs(6);

/// A look at a group may take this long. A group that was not read by then is written unread.
pub const OBSERVING: Duration = Duration::from_millis(2500);

/// Reserved for deregistering, whatever the reads take.
pub const ACTING: Duration = Duration::from_secs(3);

/// With less time than this left, no further turn is taken, and nothing more is received.
pub const A_TURN: Duration = Duration::from_secs(1);

/// Reserved at the end for each message that may have to return: its record, and its part of a call.
pub const RETURNING_ONE: Duration = Duration::from_micros(200);

/// A message that has waited for this long stays hidden until the invocation's deadline.
pub const HIDDEN: Duration = Duration::from_secs(20);

/// The first attempt of a call may take this long; after each one without an answer, the next gets as much more.
pub const ATTEMPT: Duration = Duration::from_secs(2);

/// With less time than this left, no attempt is started.
pub const MIN_ATTEMPT: Duration = Duration::from_millis(50);

/// A receive waits this long for messages, by its own parameter.
pub const LONG_POLL: Duration = Duration::from_secs(1);

/// A receive may take this long. It is not retried: what it handed out in vain stays hidden for a while.
pub const RECEIVE: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use spotdrain_core::model::limits::VISIBILITY_TIMEOUT;

    use super::*;

    #[test]
    fn the_shares_add_up_to_less_than_the_functions_timeout() {
        // A cache entry that may be stale is asked for again, and the groups that it then names get turns of their own.
        let a_turn = OBSERVING + OBSERVING + ACTING;
        let all = ANSWER + LOCATING + a_turn + LOCATING + a_turn;
        assert!(all < FUNCTION_TIMEOUT, "{all:?}");
        assert!(FUNCTION_TIMEOUT <= VISIBILITY_TIMEOUT, "a message would be received again while it is handled");
        assert!(MIN_ATTEMPT < A_TURN && ATTEMPT < ACTING, "a first attempt that hangs leaves time for a second");
        assert!(HIDDEN < VISIBILITY_TIMEOUT, "a message is extended before it is visible again");
    }
}
