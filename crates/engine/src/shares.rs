//! The shares of an invocation's time. Each one limits a part of the work, and a test checks that they add up.

use std::time::Duration;

/// The function's timeout in the deployment.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(30);

/// Reserved at the end of an invocation for the records and the answer.
pub const ANSWER: Duration = Duration::from_millis(500);

/// The longest time for DescribeServices, so that one service does not delay the others. It is enough for a second attempt with
/// twice the limit of the first, which gets an answer that takes 2 to 4 s.
pub const LOCATING: Duration = Duration::from_secs(6);

/// The longest time for a look at a group. After that, targets are deregistered from the group although it was not read.
pub const OBSERVING: Duration = Duration::from_millis(2500);

/// Reserved for deregistering, however long the reads take.
pub const ACTING: Duration = Duration::from_secs(3);

/// With less time left than this, no turn is granted.
pub const A_TURN: Duration = Duration::from_secs(1);

/// Reserved at the end for each notice that may have to return. It covers the record and a part of the call that returns
/// messages.
pub const RETURNING_ONE: Duration = Duration::from_micros(200);

/// A message that has waited for this long stays hidden until the invocation's deadline.
pub const HIDDEN: Duration = Duration::from_secs(20);

/// The messages that are due within this time are extended together.
pub const HIDDEN_TOGETHER: Duration = Duration::from_secs(1);

/// The time limit of the first attempt of a call. After each attempt without an answer, the limit grows by as much.
pub const ATTEMPT: Duration = Duration::from_secs(2);

/// With less time left than this, no attempt is started.
pub const MIN_ATTEMPT: Duration = Duration::from_millis(50);

/// How long a receive waits for messages (`WaitTimeSeconds`).
pub const LONG_POLL: Duration = Duration::from_secs(1);

/// The time limit of a receive. It is not retried: messages that it delivered in vain stay hidden until their visibility timeout.
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
