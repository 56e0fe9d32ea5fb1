//! A line of the load balancer's log: to which target it sent a connection, when, and how that ended.

/// The format of a line, for `log-format`: client port, server, state at the end, seconds and milliseconds since 1970 at
/// which the connection came. The first word tells it from `HAProxy`'s own messages.
pub(crate) const FORMAT: &str = "connection %cp %s %ts %Ts %ms";

/// A connection, as the load balancer tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The client's port.
    pub port: u16,
    /// The target's name.
    pub target: String,
    /// Two letters: who ended it, and in which phase.
    pub termination: String,
    /// When it came, in seconds since 1970.
    pub at: f64,
}

impl Routed {
    /// Reads a line; `None`: it tells of something else.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut next = || words.next();
        if next()? != "connection" {
            return None;
        }
        let (port, target, termination) = (next()?.parse().ok()?, next()?.to_owned(), next()?.to_owned());
        let (seconds, milliseconds): (f64, f64) = (next()?.parse().ok()?, next()?.parse().ok()?);
        Some(Self { port, target, termination, at: seconds + milliseconds / 1000.0 })
    }

    /// Whether the target's system took the connection: it did not end in the phase `C`, connecting, nor `Q`, waiting.
    pub(crate) fn was_connected(&self) -> bool {
        !self.termination.ends_with(['C', 'Q'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let routed = Routed::read("connection 41704 task-1 SC 1795627143 055\n").unwrap();
        assert_eq!((routed.port, routed.target.as_str(), routed.was_connected()), (41704, "task-1", false));
        assert!((routed.at - 1_795_627_143.055).abs() < 1e-6);
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in ["", "Server health/task-1 is DOWN", "connection", "connection x task-1 -- 1 2"] {
            assert_eq!(Routed::read(line), None, "{line}");
        }
    }
}
