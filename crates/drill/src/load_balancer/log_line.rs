//! A line of the load balancer's log: the target of a connection, its time, and how it ended.

/// The `log-format`: client port, server, termination state, and the seconds and milliseconds since 1970 at which the
/// connection was accepted. The first word distinguishes it from `HAProxy`'s own messages.
pub(crate) const FORMAT: &str = "connection %cp %s %ts %Ts %ms";

/// A connection as the load balancer logged it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogLine {
    /// The client's port.
    pub(crate) port: u16,
    pub(crate) target: String,
    /// Two letters: who ended the connection, and in which phase.
    pub(crate) termination: String,
    /// When it was accepted, in seconds since 1970.
    pub(crate) at: f64,
}

impl LogLine {
    /// Parses a line; `None` if it is not about a connection.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut next = || words.next();
        if next()? != "connection" {
            return None;
        }
        let (port, target, termination) = (next()?.parse().ok()?, next()?.to_owned(), next()?.to_owned());
        let (seconds, milliseconds): (f64, f64) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some(Self { port, target, termination, at: seconds + milliseconds / 1000.0 })
    }

    /// Whether the target accepted the connection: it ended neither in phase `C` (connecting) nor `Q` (queued).
    pub(crate) fn was_connected(&self) -> bool {
        !self.termination.ends_with(['C', 'Q'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_parsed() {
        let line = LogLine::parse("connection 41704 task-1 SC 1795627143 055\n").unwrap();
        assert_eq!((line.port, line.target.as_str(), line.was_connected()), (41704, "task-1", false));
        assert!((line.at - 1_795_627_143.055).abs() < 1e-6);
    }

    #[test]
    fn other_lines_are_ignored() {
        for line in ["", "Server health/task-1 is DOWN", "connection", "connection x task-1 -- 1 2"] {
            assert_eq!(LogLine::parse(line), None, "{line}");
        }
    }
}
