//! The application's health: checks find it, and the health endpoint shows it to the load balancer.

pub mod check;
pub mod checker;
pub mod endpoint;
pub mod request;

use std::fmt;

/// The result of the last check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplicationHealth {
    /// The application answered with this HTTP status; a successful TCP check counts as 200.
    Answers(u16),
    NoAnswer(Cause),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The first check has not ended.
    NotChecked,
    Refused,
    TimedOut,
    /// Any other connection error.
    Broken,
    /// The answer is not HTTP.
    NotHttp,
    /// The file of the setting `fail-health-file` exists.
    FailFile,
    /// The stop signal came: no new traffic, whatever the application answers.
    Stopping,
}

impl ApplicationHealth {
    /// Whether a load balancer considers this healthy. By default an ALB expects 200, an NLB 200-399.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html>
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Answers(200..=399))
    }

    /// The HTTP status with which the endpoint answers.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Answers(status) => status,
            Self::NoAnswer(_) => 503,
        }
    }
}

impl fmt::Display for ApplicationHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answers(status) => write!(f, "answers {status}"),
            Self::NoAnswer(why) => f.write_str(why.text()),
        }
    }
}

impl Cause {
    fn text(self) -> &'static str {
        match self {
            Self::NotChecked => "not checked yet",
            Self::Refused => "connection refused",
            Self::TimedOut => "no answer in time",
            Self::Broken => "connection failed",
            Self::NotHttp => "no HTTP answer",
            Self::FailFile => "the file of fail-health-file exists",
            Self::Stopping => "stopping",
        }
    }
}
