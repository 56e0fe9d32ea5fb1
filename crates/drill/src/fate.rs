//! What became of a connection: decided from what the client saw and what the load balancer's log says of it.
//!
//! Through a proxy a client cannot see why nothing came: `HAProxy` takes its connection first, and closes it when the task
//! refuses. Its log tells the two apart. Source: <https://docs.haproxy.org/2.6/configuration.html#8.5>

use serde::Serialize;

use crate::routed::Routed;

/// What the client saw until the connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It ended before a byte came.
    Nothing,
    /// It ended after the first byte, and too early.
    Part,
    /// All that was expected.
    Whole,
}

/// What became of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// Served to its end.
    Served,
    /// No task took it: nothing listened any more where the load balancer sent it.
    Refused,
    /// A task's system took it, and it ended before the first byte of an answer.
    Reset,
    /// It ended in the middle of the answer, or while it was held.
    Cut,
}

impl Fate {
    /// Whether the client lost something.
    #[must_use]
    pub fn is_loss(self) -> bool {
        self != Self::Served
    }
}

/// Decides.
#[must_use]
pub fn fate(seen: Seen, routed: Option<&Routed>) -> Fate {
    match seen {
        Seen::Whole => Fate::Served,
        Seen::Part => Fate::Cut,
        Seen::Nothing if routed.is_some_and(Routed::was_connected) => Fate::Reset,
        Seen::Nothing => Fate::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(termination: &str) -> Routed {
        Routed { port: 1, target: "task-1".to_owned(), termination: termination.to_owned(), at: 0.0 }
    }

    #[test]
    fn the_log_tells_a_refusal_from_a_reset() {
        let table = [
            (Seen::Whole, "--", Fate::Served),
            (Seen::Whole, "CD", Fate::Served),
            (Seen::Nothing, "SC", Fate::Refused),
            (Seen::Nothing, "sC", Fate::Refused),
            (Seen::Nothing, "SD", Fate::Reset),
            (Seen::Nothing, "--", Fate::Reset),
            (Seen::Part, "SD", Fate::Cut),
            (Seen::Part, "--", Fate::Cut),
            (Seen::Part, "KD", Fate::Cut),
        ];
        for (seen, termination, expected) in table {
            assert_eq!(fate(seen, Some(&routed(termination))), expected, "{seen:?} {termination}");
        }
    }

    #[test]
    fn what_the_load_balancer_did_not_take_was_refused() {
        assert_eq!(fate(Seen::Nothing, None), Fate::Refused);
    }
}
