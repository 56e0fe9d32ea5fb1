//! The subjects of checks: a service, one of its target groups, or the delivery of notices. Their methods answer the questions
//! that several checks have.

use crate::hold_config::{HoldConfig, hold};
use crate::model::delivery::Delivery;
use crate::model::group::Group;
use crate::model::root::Deployment;
use crate::model::service::{Balancer, Container, Service};
use crate::model::setting::Unknown;
use spotdrain_core::model::arn::last_segment;
use spotdrain_core::model::limits::DEFAULT_STOP_TIMEOUT_SECONDS;
use spotdrain_core::model::observed::ServiceTag;
use spotdrain_core::settings::Settings;

/// A service among the others.
#[derive(Debug, Clone, Copy)]
pub struct ServiceSubject<'a> {
    /// Everything that is examined.
    pub deployment: &'a Deployment,
    /// This service.
    pub service: &'a Service,
}

/// A target group of a service.
#[derive(Debug, Clone, Copy)]
pub struct GroupSubject<'a> {
    /// The service.
    pub of: ServiceSubject<'a>,
    /// How the service uses the group.
    pub balancer: &'a Balancer,
    /// The group.
    pub group: &'a Group,
    /// The other group of a blue/green service, seen from the first.
    pub alternate: Option<&'a Group>,
}

/// What delivers the notices.
#[derive(Debug, Clone, Copy)]
pub struct DeliverySubject<'a> {
    /// Everything that is examined.
    pub deployment: &'a Deployment,
    /// The rule, the queue, the function, the role.
    pub delivery: &'a Delivery,
}

impl<'a> ServiceSubject<'a> {
    /// The number of tasks that the service keeps: its desired count, or the minimum of its auto scaling if that is more.
    /// Without a count CloudFormation makes one task.
    pub(crate) fn tasks(&self) -> Result<u32, Unknown> {
        let desired = self.service.desired.value_or(1)?;
        Ok(desired.max(self.least_tasks()?.unwrap_or_default()))
    }

    /// The number of tasks that auto scaling may scale in to.
    pub(crate) fn least_tasks(&self) -> Result<Option<u32>, Unknown> {
        let Some(scaling) = self.service.scaling.known_or_err()? else { return Ok(None) };
        Ok(scaling.min.known_or_err()?.copied())
    }

    /// The containers.
    pub(crate) fn containers(&self) -> Result<&'a [Container], Unknown> {
        let Some(definition) = self.service.task_definition.known_or_err()? else { return Ok(&[]) };
        Ok(definition.containers.known_or_err()?.map_or(&[], Vec::as_slice))
    }

    /// The containers that a load balancer sends to.
    pub(crate) fn serving(&self) -> Result<Vec<&'a Container>, Unknown> {
        let containers = self.containers()?;
        let mut names = Vec::new();
        for balancer in self.service.balancers.known_or_err()?.into_iter().flatten() {
            names.extend(balancer.container.known_or_err()?);
        }
        Ok(containers.iter().filter(|container| names.contains(&&container.name)).collect())
    }

    /// Whether the function reads the service's tag: with `SPOTDRAIN_DISCOVER=false` it does not.
    pub(crate) fn is_tag_read(&self) -> bool {
        let delivery = self.deployment.delivery.known();
        let settings = delivery.map(|delivery| delivery.function.settings());
        !matches!(settings, Some(Ok(Ok(Settings { discover: false, .. }))))
    }

    /// Returns whether the service is tagged `hold` and the function reads the tag.
    pub(crate) fn is_tagged_hold(&self) -> Result<bool, Unknown> {
        let tag = self.service.tag.known_or_err()?.map(|value| ServiceTag::from_value(value));
        Ok(tag == Some(ServiceTag::Hold) && self.is_tag_read())
    }

    /// Returns the options that name the service in a command.
    pub(crate) fn command_names(&self) -> String {
        let cluster = self.service.cluster.known().map_or("CLUSTER", |arn| last_segment(arn));
        format!("--cluster {cluster} --service {}", self.service.name)
    }
}

impl<'a> GroupSubject<'a> {
    /// The container behind the group, if its task definition has it.
    pub(crate) fn container(&self) -> Result<Option<&'a Container>, Unknown> {
        let containers = self.of.containers()?;
        let name = self.balancer.container.known_or_err()?;
        Ok(containers.iter().find(|container| Some(&container.name) == name))
    }

    /// Returns the stopTimeout of the container behind the group, in seconds.
    pub(crate) fn stop_timeout(&self) -> Result<u32, Unknown> {
        self.container()?.map_or(Ok(DEFAULT_STOP_TIMEOUT_SECONDS), |container| {
            container.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)
        })
    }

    /// The hold in the container behind the group.
    pub(crate) fn hold(&self) -> Result<Option<HoldConfig>, Unknown> {
        self.container()?.map_or(Ok(None), hold)
    }

    /// Whether the hold fails the health check that this group makes.
    pub(crate) fn hold_fails_check(&self) -> Result<bool, Unknown> {
        match self.hold()? {
            Some(HoldConfig { health_port: Some(port), .. }) => Ok(self.asked_port()? == Some(port.to_string())),
            Some(_) => Ok(false),
            None => Ok(self.has_hidden_hold()? && !self.asks_traffic()?),
        }
    }

    /// Whether the health check asks the port of the traffic.
    pub(crate) fn asks_traffic(&self) -> Result<bool, Unknown> {
        Ok(self.asked_port()? == self.balancer.port.known_or_err()?.map(u16::to_string))
    }

    fn asked_port(&self) -> Result<Option<String>, Unknown> {
        let named = self.group.health_check.port.known_or_err()?.filter(|port| *port != "traffic-port");
        named.map_or_else(|| Ok(self.balancer.port.known_or_err()?.map(u16::to_string)), |port| Ok(Some(port.clone())))
    }

    /// The hold may be in the image's own entry point, which is not in the task definition. Then the tag shows that there is a
    /// hold, unless the hold is seen in another container. A check reports an unknown tag.
    fn has_hidden_hold(&self) -> Result<bool, Unknown> {
        if !self.of.is_tagged_hold().unwrap_or(false) {
            return Ok(false);
        }
        let seen: Result<Vec<_>, _> = self.of.containers()?.iter().map(hold).collect();
        Ok(seen?.iter().all(Option::is_none))
    }
}
