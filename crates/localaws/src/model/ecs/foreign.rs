//! What does ECS answer when a call names an ARN of another Region, account or partition?
//!
//! For another Region it is `InvalidParameterException: Invalid Region in ARN` (aws-cli issue 3175). For another account AWS
//! documents nothing; IAM refuses what no resource-based policy allows, and both `AccessDeniedException` and
//! `ClusterNotFoundException` have been reported. So the world decides.

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::location::Location;

/// An error of ECS for an ARN of another Region or account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignError {
    /// `AccessDeniedException`
    AccessDenied,
    /// `ClusterNotFoundException`
    ClusterNotFound,
    /// `InvalidParameterException`
    InvalidParameter,
    /// `ClientException`
    Client,
}

impl ForeignError {
    pub(crate) const ALL: [Self; 4] = [Self::AccessDenied, Self::ClusterNotFound, Self::InvalidParameter, Self::Client];

    /// The error's code on the wire.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::ClusterNotFound => "ClusterNotFoundException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::Client => "ClientException",
        }
    }
}

/// What a world answers to ARNs from elsewhere. Without a choice, each case has the error that the module names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Foreign {
    pub(crate) error: Option<ForeignError>,
    pub(crate) message: Option<String>,
}

impl Foreign {
    /// Checks every ARN that a call of ECS names.
    pub(crate) fn check(&self, here: &Location, action: Action, subject: &Subject) -> Result<(), ApiError> {
        let named = subject.resource.iter().chain(&subject.targets);
        named.into_iter().try_for_each(|name| self.check_one(here, action, name))
    }

    fn check_one(&self, here: &Location, action: Action, name: &str) -> Result<(), ApiError> {
        let mut parts = name.splitn(6, ':');
        let (Some("arn"), Some(partition), Some(_), Some(region), Some(account)) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Ok(());
        };
        let default = if region != here.region {
            ForeignError::InvalidParameter
        } else if account != here.account {
            ForeignError::AccessDenied
        } else if partition != here.partition {
            return Err(ApiError::bad("InvalidParameterException", "Invalid identifier: Invalid partition"));
        } else {
            return Ok(());
        };
        Err(self.error(here, action, name, self.error.unwrap_or(default)))
    }

    fn error(&self, here: &Location, action: Action, arn: &str, error: ForeignError) -> ApiError {
        let message = self.message.clone().unwrap_or_else(|| match error {
            ForeignError::AccessDenied => format!(
                "User: {} is not authorized to perform: {} on resource: {arn} because no resource-based policy \
                 allows the {} action",
                here.caller_arn(),
                action.permission(),
                action.permission()
            ),
            ForeignError::ClusterNotFound => "Cluster not found.".to_owned(),
            ForeignError::InvalidParameter => "Invalid Region in ARN".to_owned(),
            ForeignError::Client => "Invalid identifier".to_owned(),
        });
        ApiError::bad(error.code(), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/demo";

    fn answered(foreign: &Foreign, resource: &str, targets: &[&str]) -> Result<(), (&'static str, String)> {
        let subject = Subject {
            resource: Some(resource.to_owned()),
            targets: targets.iter().map(|&target| target.to_owned()).collect(),
            ..Subject::default()
        };
        foreign
            .check(&Location::default(), Action::DescribeServices, &subject)
            .map_err(|error| (error.code, error.message))
    }

    #[test]
    fn names_and_arns_of_this_place_pass() {
        let service = "arn:aws:ecs:eu-central-1:123456789012:service/demo/web";
        for (cluster, services) in [("demo", ["web"]), (HERE, [service]), ("arn:cluster", ["arn"])] {
            assert_eq!(answered(&Foreign::default(), cluster, &services), Ok(()));
        }
    }

    #[test]
    fn each_kind_of_arn_from_elsewhere_has_its_error() {
        let table = [
            (HERE.replace("eu-central-1", "us-east-1"), "InvalidParameterException", "Invalid Region in ARN"),
            (HERE.replace("123456789012", "999988887777"), "AccessDeniedException", "no resource-based policy"),
            (HERE.replace("arn:aws:", "arn:aws-cn:"), "InvalidParameterException", "Invalid partition"),
        ];
        for (arn, code, text) in &table {
            for (cluster, services) in [(arn.as_str(), vec!["web"]), ("demo", vec!["web", arn])] {
                let (found, message) = answered(&Foreign::default(), cluster, &services).unwrap_err();
                assert!(found == *code && message.contains(text), "{arn}: {found} {message}");
            }
        }
    }

    #[test]
    fn a_world_chooses_code_and_message() {
        for error in ForeignError::ALL {
            let foreign = Foreign { error: Some(error), message: Some("elsewhere".to_owned()) };
            for arn in [HERE.replace("eu-central-1", "us-east-1"), HERE.replace("123456789012", "999988887777")] {
                assert_eq!(answered(&foreign, &arn, &[]), Err((error.code(), "elsewhere".to_owned())));
            }
        }
    }
}
