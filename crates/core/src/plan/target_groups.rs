//! In which target groups may an interrupted task be registered?
//!
//! In those that the configuration names, and in those of its service, its task sets, its revisions and its blue/green
//! deployments. A group of another account or Region cannot have the task: that is a mistake in the configuration, and a
//! failure. If the service could not be described, its tag is unknown, and the tag may forbid everything: then nothing is
//! decided and the notice is retried.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::arn::{LoadBalancerArn, TargetGroupArn};
use crate::model::limits::ECS_REMEMBERS;
use crate::model::notice::{Ignored, Notice};
use crate::model::observed::{Service, ServiceKey, ServiceObservation, ServiceTag};
use crate::model::outcome::{Failure, NoTargetGroup};
use crate::read::classify::{IgnoredEvent, ReceivedNotice};
use crate::settings::{ConfiguredGroup, Mode, Settings};

/// A notice whose target groups are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedNotice {
    pub received: ReceivedNotice,
    pub candidates: Candidates,
    /// The mode of the settings, or `observe` by the service's tag.
    pub mode: Mode,
    /// The value of the tag, if it is unknown.
    pub unknown_tag: Option<String>,
}

impl LocatedNotice {
    /// Finds the target groups of a notice. If the service's tag is `off`, returns an ignored event.
    pub fn new(
        received: ReceivedNotice,
        settings: &Settings,
        service: Option<&ServiceObservation>,
        configured: &Configured,
        now: Timestamp,
    ) -> Result<Self, Box<IgnoredEvent>> {
        let mut candidates = target_groups_of(&received.notice, settings, service, configured);
        if candidates.tag == Some(ServiceTag::Off) {
            return Err(Box::new(received.ignored(Ignored::OutOfScope)));
        }
        if candidates.is_missing && received.notice.age(now).is_some_and(|age| age > ECS_REMEMBERS) {
            candidates = Candidates { none: Some(NoTargetGroup::Unresolved), ..Candidates::default() };
        }
        let (mode, unknown_tag) = restrict(settings.mode, candidates.tag.as_ref());
        Ok(Self { received, candidates, mode, unknown_tag })
    }

    #[must_use]
    pub fn notice(&self) -> &Notice {
        &self.received.notice
    }

    /// Returns whether the service is tagged `hold`.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.candidates.tag == Some(ServiceTag::Hold)
    }
}

fn restrict(mode: Mode, tag: Option<&ServiceTag>) -> (Mode, Option<String>) {
    match tag {
        Some(ServiceTag::Observe) => (Mode::Observe, None),
        Some(ServiceTag::Unknown(value)) => (Mode::Observe, Some(value.clone())),
        Some(ServiceTag::On | ServiceTag::Off | ServiceTag::Hold) | None => (mode, None),
    }
}

/// A target group in which a task may be registered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidate {
    /// The ports with which the task would be registered, if the service or the configuration names them.
    pub ports: BTreeSet<u16>,
    /// Only the configuration names this group, among others: the task is probably not in it.
    pub is_searched: bool,
}

/// The target groups of one notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidates {
    pub groups: BTreeMap<TargetGroupArn, Candidate>,
    pub tag: Option<ServiceTag>,
    /// Why groups may be missing.
    pub failure: Option<Failure>,
    /// Why there are no groups, if that is certain.
    pub none: Option<NoTargetGroup>,
    /// The tags could not be read: `tag` is the last one that was read.
    pub tags_unknown: bool,
    /// ECS does not know the service; `failure` explains it.
    pub is_missing: bool,
}

/// The configured target groups: those that the settings name, and those of the load balancers that the settings name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    pub groups: Vec<ConfiguredGroup>,
    /// What is wrong with the configuration, or why the load balancers could not be read. The groups are drained nevertheless.
    pub failure: Option<Failure>,
}

impl Configured {
    /// `found`: the groups of each configured load balancer, or why they could not be read.
    #[must_use]
    pub fn new(settings: &Settings, found: Result<&BTreeMap<LoadBalancerArn, Vec<TargetGroupArn>>, Failure>) -> Self {
        let mut configured = Self { groups: settings.target_groups.clone(), failure: None };
        if settings.load_balancers.is_empty() {
            return configured;
        }
        let found = match found {
            Ok(found) => found,
            Err(failure) => return Self { failure: Some(failure), ..configured },
        };
        let all: BTreeSet<_> = found.values().flatten().collect();
        let elsewhere = configured.groups.iter().find(|group| !all.contains(&group.arn));
        configured.failure = elsewhere.map(|group| of_no_balancer(group, settings));
        configured.groups.retain(|group| all.contains(&group.arn));
        let named: BTreeSet<_> = configured.groups.iter().map(|group| group.arn.clone()).collect();
        let searched = all.into_iter().filter(|arn| !named.contains(*arn));
        configured.groups.extend(searched.map(|arn| ConfiguredGroup { arn: arn.clone(), port: None }));
        configured
    }
}

/// A configured group that belongs to none of the configured load balancers is a mistake.
fn of_no_balancer(group: &ConfiguredGroup, settings: &Settings) -> Failure {
    let balancers: Vec<_> = settings.load_balancers.iter().map(LoadBalancerArn::as_str).collect();
    let problem = format!(
        "{} belongs to none of the named load balancers ({}), and is left alone",
        group.arn,
        balancers.join(", ")
    );
    Failure { call: "SPOTDRAIN_TARGET_GROUPS", problem, retryable: false }
}

/// Returns the service to describe for a notice; `None` for a standalone task, or if discovery is off.
#[must_use]
pub fn service_key(notice: &Notice, settings: &Settings) -> Option<ServiceKey> {
    let service = notice.task.service.as_ref().filter(|_| settings.discover)?;
    Some(ServiceKey { cluster: notice.task.cluster.clone(), service: service.clone() })
}

/// Returns the target groups in which the task of a notice may be registered. `service`: the answer for its [`service_key`].
fn target_groups_of(
    notice: &Notice,
    settings: &Settings,
    service: Option<&ServiceObservation>,
    configured: &Configured,
) -> Candidates {
    if service_key(notice, settings).is_none() {
        return with_service(notice, configured, &Service::default());
    }
    let failure = match service {
        Some(ServiceObservation::Found(service)) => return with_service(notice, configured, service),
        Some(ServiceObservation::Missing) => unknown_service(notice),
        Some(ServiceObservation::Unknown(failure)) => failure.clone(),
        None => Failure::not_asked("DescribeServices"),
    };
    let is_missing = matches!(service, Some(ServiceObservation::Missing));
    Candidates { failure: Some(failure), is_missing, ..Candidates::default() }
}

fn with_service(notice: &Notice, configured: &Configured, service: &Service) -> Candidates {
    let named = configured.groups.iter().map(|group| (&group.arn, group.port, true));
    let discovered = service.groups.iter().map(|group| (&group.arn, group.port, false));
    let mut groups: BTreeMap<_, Candidate> = BTreeMap::new();
    let mut failure = configured.failure.clone();
    for (arn, port, is_searched) in named.chain(discovered) {
        if arn.region() == notice.task.arn.region() && arn.account() == notice.task.arn.account() {
            let group = groups.entry(arn.clone()).or_default();
            group.ports.extend(port);
            group.is_searched = is_searched;
        } else {
            failure = Some(elsewhere(arn));
        }
    }
    if groups.len() == 1 {
        for only in groups.values_mut() {
            only.is_searched = false;
        }
    }
    let none = if !groups.is_empty() || failure.is_some() {
        None
    } else if service.revision_failure.is_some() {
        failure.clone_from(&service.revision_failure);
        None
    } else {
        Some(if service.has_balancer { NoTargetGroup::Unresolved } else { NoTargetGroup::NoLoadBalancer })
    };
    let (tag, tags_unknown) = (service.tag.clone(), service.tags_unknown);
    Candidates { groups, tag, tags_unknown, failure, none, is_missing: false }
}

/// A task of the service was running a moment ago, and a cluster with tasks cannot be deleted. So the account, the Region or
/// the credentials are wrong.
fn unknown_service(notice: &Notice) -> Failure {
    let task = &notice.task;
    let service = task.service.as_ref().map_or("of the task", |service| service.as_str());
    let (cluster, account, region) = (task.cluster.name(), task.arn.account(), task.arn.region());
    let problem = format!(
        "ECS does not know service {service} of cluster {cluster}, although a task of it was running: check that the credentials are \
         those of account {account}, and the Region {region}"
    );
    Failure { call: "DescribeServices", problem, retryable: true }
}

/// A failure, because a mistyped Region would otherwise never be noticed.
fn elsewhere(arn: &TargetGroupArn) -> Failure {
    let problem = format!("{arn} is of another Region or account than the task, and cannot hold it");
    Failure { call: "SPOTDRAIN_TARGET_GROUPS", problem, retryable: false }
}
