//! The outcome of a connection, decided from the client's view and the load balancer's log.
//!
//! Behind a proxy a client cannot distinguish a refusal from a reset: `HAProxy` accepts the connection first, and closes it if the
//! task refuses. The log's termination state distinguishes them. Source: <https://docs.haproxy.org/2.6/configuration.html#8.5>

use serde::Serialize;

use crate::load_balancer::log_line::LogLine;

/// How much of the expected answer the client received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientView {
    /// The connection could not be opened, or a load balancer answered that no target takes it.
    Refused,
    /// The connection ended before the head of an answer.
    Nothing,
    /// At least one byte of the answer, but not the whole answer.
    Part,
    Whole,
}

/// The outcome of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionOutcome {
    Served,
    /// No task accepted the connection: nothing listened at the chosen target any more.
    Refused,
    /// The target accepted the connection, but it ended before the head of an answer.
    Reset,
    /// The connection ended in the middle of an answer, or while it was held open.
    Cut,
}

impl ConnectionOutcome {
    /// Whether the client lost an answer or a held connection.
    #[must_use]
    pub fn is_loss(self) -> bool {
        self != Self::Served
    }
}

pub(crate) fn outcome_of(view: ClientView, line: Option<&LogLine>) -> ConnectionOutcome {
    let is_refused = view == ClientView::Nothing && !line.is_some_and(LogLine::was_connected);
    if is_refused { ConnectionOutcome::Refused } else { outcome_seen_by_client(view) }
}

/// The outcome according to the client's view alone: a connection that was accepted and got no answer was reset.
pub(crate) fn outcome_seen_by_client(view: ClientView) -> ConnectionOutcome {
    match view {
        ClientView::Whole => ConnectionOutcome::Served,
        ClientView::Part => ConnectionOutcome::Cut,
        ClientView::Nothing => ConnectionOutcome::Reset,
        ClientView::Refused => ConnectionOutcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(termination: &str) -> LogLine {
        LogLine { port: 1, target: "task-1".to_owned(), termination: termination.to_owned(), at: 0.0 }
    }

    #[test]
    fn the_log_distinguishes_a_refusal_from_a_reset() {
        let table = [
            (ClientView::Whole, "--", ConnectionOutcome::Served),
            (ClientView::Whole, "CD", ConnectionOutcome::Served),
            (ClientView::Nothing, "SC", ConnectionOutcome::Refused),
            (ClientView::Nothing, "sC", ConnectionOutcome::Refused),
            (ClientView::Nothing, "SD", ConnectionOutcome::Reset),
            (ClientView::Nothing, "--", ConnectionOutcome::Reset),
            (ClientView::Part, "SD", ConnectionOutcome::Cut),
            (ClientView::Part, "--", ConnectionOutcome::Cut),
            (ClientView::Part, "KD", ConnectionOutcome::Cut),
        ];
        for (view, termination, expected) in table {
            assert_eq!(outcome_of(view, Some(&line(termination))), expected, "{view:?} {termination}");
        }
    }

    #[test]
    fn a_connection_that_is_not_in_the_log_was_refused() {
        assert_eq!(outcome_of(ClientView::Nothing, None), ConnectionOutcome::Refused);
    }
}
