//! A check, and the problem that it reports.

use std::fmt;

use serde::Serialize;

use crate::forecast::Forecast;
use crate::model::root::{Deployment, Origin, Place};
use crate::model::setting::Unknown;
use crate::model::subject::{DeliverySubject, GroupSubject, ServiceSubject};

/// The severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Connections are lost at every interruption, the function does nothing, or AWS refuses the setting.
    Error,
    /// Connections are lost in some interruptions.
    Warning,
    /// Worth a look: no connection need be lost.
    Note,
}

impl Severity {
    /// The name, as in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A check.
#[derive(Debug)]
pub struct Check {
    /// Its id, which never changes.
    pub id: &'static str,
    /// The severity of its problems, unless a problem has its own.
    pub severity: Severity,
    /// The problem that it finds, in a few words.
    pub title: &'static str,
    /// Why it matters.
    pub explanation: &'static str,
    /// The pages of AWS, or of the people who measured it.
    pub sources: &'static [&'static str],
    /// The check's function, and its subjects.
    pub run: CheckScope,
}

/// A check's function, by its subjects.
#[derive(Debug, Clone, Copy)]
pub enum CheckScope {
    /// Once for each service.
    EveryService(fn(&ServiceSubject<'_>) -> CheckResult),
    /// Once for each service that runs on Fargate Spot, or may.
    SpotService(fn(&ServiceSubject<'_>) -> CheckResult),
    /// Once for each target group of each such service.
    Group(fn(&GroupSubject<'_>) -> CheckResult),
    /// Once for each target group of each such service, with its forecast.
    Forecast(fn(&Deployment, Result<&Forecast, Unknown>) -> CheckResult),
    /// Once, if there is a function.
    Delivery(fn(&DeliverySubject<'_>) -> CheckResult),
}

impl CheckScope {
    /// Whether the check is for services on Fargate Spot.
    #[must_use]
    pub fn is_for_spot(self) -> bool {
        !matches!(self, Self::EveryService(_) | Self::Delivery(_))
    }
}

/// The result of a check: no problem, a problem, or why the check could not run.
pub type CheckResult = Result<Option<Problem>, Unknown>;

/// A problem that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The resource to change.
    pub place: Place,
    /// What is set there, and why it is wrong.
    pub description: String,
    /// The connections that an interruption loses because of it.
    pub impact: Impact,
    /// How to fix it.
    pub fix: Fix,
    /// Its severity, where it is not that of its check.
    pub severity: Option<Severity>,
}

impl Problem {
    pub(crate) fn new(place: Place, description: impl Into<String>, impact: Impact, fix: Fix) -> Self {
        let place = place.of_property(fix.property());
        Self { place, description: description.into(), impact, fix, severity: None }
    }

    /// The same problem with another severity than its check's.
    pub(crate) fn with_severity(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }
}

/// The connections that one interruption loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// Which connections are lost.
    pub connections: Connections,
    /// For how many seconds they are lost, if that can be said.
    pub seconds: Option<u32>,
}

/// Which connections are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// None.
    None,
    /// New ones, while the load balancer still sends them.
    New,
    /// Open ones.
    Open,
    /// Open and new ones.
    All,
}

impl Impact {
    /// No connection is lost.
    pub const NONE: Self = Self { connections: Connections::None, seconds: None };

    /// These connections are lost, for an unknown time.
    #[must_use]
    pub const fn of(connections: Connections) -> Self {
        Self { connections, seconds: None }
    }

    /// These connections are lost for `seconds`.
    #[must_use]
    pub const fn for_seconds(connections: Connections, seconds: u32) -> Self {
        Self { connections, seconds: Some(seconds) }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.connections {
            Connections::None => return f.write_str("loses no connection"),
            Connections::New => "loses new connections",
            Connections::Open => "loses open connections",
            Connections::All => "loses open and new connections",
        };
        match self.seconds {
            Some(seconds) => write!(f, "{which} for {seconds} s"),
            None => f.write_str(which),
        }
    }
}

/// How to fix a problem: by a command of the AWS CLI, in a template, in Terraform. A form that does not exist is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fix {
    /// A command of the AWS CLI.
    pub command: String,
    /// A line of a template.
    pub template: String,
    /// Lines of Terraform's configuration.
    pub terraform: String,
}

impl Fix {
    pub(crate) fn new(command: impl Into<String>, template: impl Into<String>) -> Self {
        Self { command: command.into(), template: template.into(), terraform: String::new() }
    }

    /// The same fix with its form in Terraform.
    pub(crate) fn in_terraform(self, terraform: impl Into<String>) -> Self {
        Self { terraform: terraform.into(), ..self }
    }

    /// Returns the property that the line of a template sets or removes, or the key of the attribute.
    fn property(&self) -> Option<&str> {
        let line = self.template.strip_prefix("remove ").unwrap_or(&self.template);
        let line = line.strip_prefix("{ Key: ").or_else(|| line.strip_prefix("{ Name: ")).unwrap_or(line);
        let end = line.find(|one: char| !one.is_ascii_alphanumeric() && one != '.' && one != '_').unwrap_or(line.len());
        line.get(..end).filter(|name| !name.is_empty())
    }

    /// Returns the form of the fix that suits the source of the deployment, or another form if that does not exist.
    #[must_use]
    pub fn of(&self, origin: Origin) -> &str {
        let forms = match origin {
            Origin::Deployed => [&self.command, &self.template, &self.terraform],
            Origin::Template => [&self.template, &self.command, &self.terraform],
            Origin::Plan => [&self.terraform, &self.command, &self.template],
        };
        forms.into_iter().find(|form| !form.is_empty()).map_or("", String::as_str)
    }
}
