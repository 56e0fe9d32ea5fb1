//! Where a check is made: a service, one of its target groups, or what delivers the notices; and what several checks ask.

use crate::hold_config::{Hold, hold};
use crate::model::delivery::Delivery;
use crate::model::group::Group;
use crate::model::root::Estate;
use crate::model::service::{Balancer, Container, Service, StrategyItem};
use crate::model::setting::Unknown;
use spotdrain_core::finding::ServiceTag;
use spotdrain_core::limits::DEFAULT_STOP_TIMEOUT_SECONDS;
use spotdrain_core::settings::Settings;

/// The capacity provider that is interrupted.
pub(crate) const SPOT: &str = "FARGATE_SPOT";

/// A service among the others.
#[derive(Debug, Clone, Copy)]
pub struct ServiceSite<'a> {
    /// All.
    pub estate: &'a Estate,
    /// This service.
    pub service: &'a Service,
}

/// A target group of a service.
#[derive(Debug, Clone, Copy)]
pub struct GroupSite<'a> {
    /// The service.
    pub of: ServiceSite<'a>,
    /// How the service uses the group.
    pub balancer: &'a Balancer,
    /// The group.
    pub group: &'a Group,
    /// The other group of a blue/green service, seen from the first.
    pub alternate: Option<&'a Group>,
}

/// What delivers the notices.
#[derive(Debug, Clone, Copy)]
pub struct DeliverySite<'a> {
    /// All.
    pub estate: &'a Estate,
    /// The rule, the queue, the function, the role.
    pub delivery: &'a Delivery,
}

/// Where a service's tasks run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placement {
    /// By a strategy: the service's own, or its cluster's.
    Strategy(Vec<StrategyItem>),
    /// By a launch type, which never is Spot.
    LaunchType(String),
    /// By nothing that is set.
    Nothing,
}

impl<'a> ServiceSite<'a> {
    /// Where the tasks run. A strategy excludes a launch type; without either the cluster's default strategy holds.
    /// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
    pub(crate) fn placement(&self) -> Result<Placement, Unknown> {
        let capacity = &self.service.capacity;
        if let Some(own) = capacity.strategy.need()?.filter(|items| !items.is_empty()) {
            return Ok(Placement::Strategy(own.clone()));
        }
        if let Some(launch_type) = capacity.launch_type.need()? {
            return Ok(Placement::LaunchType(launch_type.clone()));
        }
        let default = capacity.cluster_strategy.need()?.filter(|items| !items.is_empty());
        Ok(default.map_or(Placement::Nothing, |items| Placement::Strategy(items.clone())))
    }

    /// Whether a task can be on Spot; where that is not known, it can.
    #[must_use]
    pub fn may_be_on_spot(&self) -> bool {
        match self.placement() {
            Ok(Placement::Strategy(items)) => {
                items.iter().any(|item| item.provider == SPOT && item.weight.max(item.base) > 0)
            }
            Ok(Placement::LaunchType(_) | Placement::Nothing) => false,
            Err(_) => true,
        }
    }

    /// The containers.
    pub(crate) fn containers(&self) -> Result<&'a [Container], Unknown> {
        let Some(definition) = self.service.task_definition.need()? else { return Ok(&[]) };
        Ok(definition.containers.need()?.map_or(&[], Vec::as_slice))
    }

    /// The containers that a load balancer sends to.
    pub(crate) fn serving(&self) -> Result<Vec<&'a Container>, Unknown> {
        let containers = self.containers()?;
        let mut names = Vec::new();
        for balancer in self.service.balancers.need()?.into_iter().flatten() {
            names.extend(balancer.container.need()?);
        }
        Ok(containers.iter().filter(|container| names.contains(&&container.name)).collect())
    }

    /// Whether the function reads the service's tag: with `SPOTDRAIN_DISCOVER=false` it does not.
    pub(crate) fn is_tag_read(&self) -> bool {
        let delivery = self.estate.delivery.known();
        let settings = delivery.map(|delivery| delivery.function.settings());
        !matches!(settings, Some(Ok(Ok(Settings { discover: false, .. }))))
    }

    /// Whether the service's tag tells the function that its tasks begin with the hold.
    pub(crate) fn is_tagged_hold(&self) -> Result<bool, Unknown> {
        let tag = self.service.tag.need()?.map(|value| ServiceTag::from_value(value));
        Ok(tag == Some(ServiceTag::Hold) && self.is_tag_read())
    }

    /// How the service is named in a command.
    pub(crate) fn command_names(&self) -> String {
        let cluster = self.service.cluster.known().map_or("CLUSTER", |arn| arn.rsplit('/').next().unwrap_or(arn));
        format!("--cluster {cluster} --service {}", self.service.name)
    }
}

impl<'a> GroupSite<'a> {
    /// The container behind the group, if its task definition has it.
    pub(crate) fn container(&self) -> Result<Option<&'a Container>, Unknown> {
        let containers = self.of.containers()?;
        let name = self.balancer.container.need()?;
        Ok(containers.iter().find(|container| Some(&container.name) == name))
    }

    /// When SIGKILL comes to the container behind the group.
    pub(crate) fn stop_timeout(&self) -> Result<u32, Unknown> {
        self.container()?.map_or(Ok(DEFAULT_STOP_TIMEOUT_SECONDS), |container| {
            container.stop_timeout.or(DEFAULT_STOP_TIMEOUT_SECONDS)
        })
    }

    /// The hold in the container behind the group.
    pub(crate) fn hold(&self) -> Result<Option<Hold>, Unknown> {
        self.container()?.map_or(Ok(None), hold)
    }

    /// Whether the hold fails the health check that this group makes.
    pub(crate) fn hold_fails_check(&self) -> Result<bool, Unknown> {
        match self.hold()? {
            Some(Hold { health_port: Some(port), .. }) => Ok(self.asked_port()? == Some(port.to_string())),
            Some(_) => Ok(false),
            None => Ok(self.has_hidden_hold()? && !self.asks_traffic()?),
        }
    }

    /// Whether the health check asks the port of the traffic.
    pub(crate) fn asks_traffic(&self) -> Result<bool, Unknown> {
        Ok(self.asked_port()? == self.balancer.port.need()?.map(u16::to_string))
    }

    fn asked_port(&self) -> Result<Option<String>, Unknown> {
        let named = self.group.health_check.port.need()?.filter(|port| *port != "traffic-port");
        named.map_or_else(|| Ok(self.balancer.port.need()?.map(u16::to_string)), |port| Ok(Some(port.clone())))
    }

    /// An image's own entry point shows nowhere. Then the tag is the sign of it, unless the hold that it tells of is seen in
    /// another container. A tag that is not known is told where it is judged.
    fn has_hidden_hold(&self) -> Result<bool, Unknown> {
        if !self.of.is_tagged_hold().unwrap_or(false) {
            return Ok(false);
        }
        let seen: Result<Vec<_>, _> = self.of.containers()?.iter().map(hold).collect();
        Ok(seen?.iter().all(Option::is_none))
    }
}
