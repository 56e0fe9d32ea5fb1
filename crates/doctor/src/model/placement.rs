//! Where do a service's tasks run: on Fargate Spot, on demand, on EC2?

use crate::model::service::StrategyItem;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::ServiceSubject;

/// The capacity provider whose tasks are interrupted.
pub(crate) const SPOT: &str = "FARGATE_SPOT";

/// What decides where a service's tasks run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placement {
    /// A strategy: the service's own, or its cluster's default.
    Strategy(Vec<StrategyItem>),
    /// A launch type, which is never Spot.
    LaunchType(String),
    /// Nothing is set: ECS then uses the launch type EC2.
    Nothing,
}

/// Whether a service runs on Fargate Spot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnSpot {
    /// Some of its tasks do, or would at a larger count.
    Yes,
    /// None of its tasks ever does, and why.
    No(String),
    /// It is unknown, and why.
    Unknown(String),
}

impl ServiceSubject<'_> {
    /// Returns what decides where the tasks run. A strategy excludes a launch type; without either the cluster's default
    /// strategy applies.
    /// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
    pub(crate) fn placement(&self) -> Result<Placement, Unknown> {
        let capacity = &self.service.capacity;
        if let Some(own) = capacity.strategy.known_or_err()?.filter(|items| !items.is_empty()) {
            return Ok(Placement::Strategy(own.clone()));
        }
        if let Some(launch_type) = capacity.launch_type.known_or_err()? {
            return Ok(Placement::LaunchType(launch_type.clone()));
        }
        let default = capacity.cluster_strategy.known_or_err()?.filter(|items| !items.is_empty());
        Ok(default.map_or(Placement::Nothing, |items| Placement::Strategy(items.clone())))
    }

    /// Returns whether the service runs on Fargate Spot. Where the placement is unknown, settings that only EC2 accepts
    /// decide.
    #[must_use]
    pub fn on_spot(&self) -> OnSpot {
        match self.placement() {
            Ok(Placement::Strategy(items)) => of_strategy(&items),
            Ok(Placement::LaunchType(launch_type)) if launch_type == "FARGATE" => {
                OnSpot::No("on demand: launch type FARGATE".to_owned())
            }
            Ok(Placement::LaunchType(launch_type)) => OnSpot::No(format!("not on Fargate: launch type {launch_type}")),
            Ok(Placement::Nothing) => {
                OnSpot::No("not on Fargate: no strategy and no launch type, so ECS uses EC2".to_owned())
            }
            Err(Unknown(why)) => self.sign_of_ec2().map_or(OnSpot::Unknown(why), OnSpot::No),
        }
    }

    /// Returns whether the service runs on Fargate Spot, as far as that is known.
    #[must_use]
    pub fn may_be_on_spot(&self) -> bool {
        !matches!(self.on_spot(), OnSpot::No(_))
    }

    /// A setting that Fargate does not accept.
    /// Sources: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>,
    /// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
    fn sign_of_ec2(&self) -> Option<String> {
        let service = self.service;
        if service.uses_ec2_placement.known() == Some(&true) {
            return Some("not on Fargate: placement strategies, placement constraints or DAEMON scheduling".to_owned());
        }
        let definition = service.task_definition.known();
        let compatible = definition.and_then(|definition| definition.compatibilities.known());
        if compatible.is_some_and(|all| !all.is_empty() && !all.iter().any(|one| one == "FARGATE")) {
            return Some("not on Fargate: RequiresCompatibilities of its task definition".to_owned());
        }
        let network = definition.map(|definition| &definition.network_mode);
        match network {
            Some(Setting::Set(mode)) if mode != "awsvpc" => Some(format!("not on Fargate: network mode {mode}")),
            Some(Setting::Default) => Some("not on Fargate: its task definition has no network mode awsvpc".to_owned()),
            _ if self.has_instance_group() => Some("not on Fargate: target type instance".to_owned()),
            _ => None,
        }
    }

    fn has_instance_group(&self) -> bool {
        let groups = self.service.balancers.known().into_iter().flatten().filter_map(|one| one.group.known());
        groups.filter_map(|group| group.target_type.known()).any(|target_type| target_type == "instance")
    }
}

fn of_strategy(items: &[StrategyItem]) -> OnSpot {
    let is_used = |item: &&StrategyItem| item.weight.max(item.base) > 0 || items.len() == 1;
    let mut used = items.iter().filter(is_used).map(|item| item.provider.as_str());
    if used.clone().any(|provider| provider == SPOT) {
        return OnSpot::Yes;
    }
    let is_fargate = used.all(|provider| provider == "FARGATE");
    let names = items.iter().map(|item| item.provider.as_str()).collect::<Vec<_>>().join(", ");
    OnSpot::No(if is_fargate {
        format!("on demand: its capacity provider strategy uses no {SPOT}")
    } else {
        format!("not on Fargate Spot: its capacity provider strategy uses {names}")
    })
}
