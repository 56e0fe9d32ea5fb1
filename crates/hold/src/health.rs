//! The application's health, as the last check found it.

use std::fmt;

/// What the application answered, or why it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answered with this HTTP status; a TCP check that connects counts as 200.
    Answers(u16),
    /// It did not answer.
    Silent(Why),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No check has ended yet.
    NotChecked,
    /// Nothing listens there.
    Refused,
    /// It took too long.
    TimedOut,
    /// The connection failed in another way.
    Broken,
    /// The answer is not one of HTTP.
    NotHttp,
    /// The stop signal came: whatever the application says, nothing new is to be sent to it.
    Stopping,
}

impl Health {
    /// Whether a load balancer would call it healthy: by default an ALB wants 200, an NLB 200-399.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html>
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Answers(200..=399))
    }

    /// The HTTP status that mirrors it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Answers(status) => status,
            Self::Silent(_) => 503,
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(status) => write!(f, "answers {status}"),
            Self::Silent(why) => f.write_str(why.text()),
        }
    }
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::NotChecked => "not checked yet",
            Self::Refused => "connection refused",
            Self::TimedOut => "no answer in time",
            Self::Broken => "connection failed",
            Self::NotHttp => "no HTTP answer",
            Self::Stopping => "stopping",
        }
    }
}
