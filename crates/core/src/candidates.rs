//! In which target groups may an interrupted task be registered?
//!
//! In those that the configuration names, and in all that its service has, has had in a task set or a revision, or may switch
//! to. A group of another account or Region cannot hold it: that is a mistake in the configuration, and a failure. Where the
//! service could not be described its tag is unknown, and the tag may forbid everything: then nothing is decided, and the notice
//! is retried.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{LoadBalancerArn, TargetGroupArn};
use crate::finding::{Findings, GroupFinding, Service, ServiceFinding, ServiceKey, ServiceTag};
use crate::notice::Notice;
use crate::outcome::{Failure, NoTargetGroup};
use crate::settings::{ConfiguredGroup, Settings};

/// The target groups of one notice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidates {
    /// Each group with the ports under which the task would be registered, as far as they are known without reading it.
    pub groups: BTreeMap<TargetGroupArn, BTreeSet<u16>>,
    /// What the service's tag asks for.
    pub tag: Option<ServiceTag>,
    /// Why they are not certain.
    pub failure: Option<Failure>,
    /// Why there are none, if that is certain.
    pub none: Option<NoTargetGroup>,
    /// The tag is the last one that could be read.
    pub tags_unknown: bool,
    /// ECS does not know the service: the failure says so.
    pub is_missing: bool,
}

/// The configured target groups: those that the settings name, and those of the load balancers that the settings name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    pub groups: Vec<ConfiguredGroup>,
    /// What is wrong with the configuration, or why the search failed. The groups are drained all the same.
    pub failure: Option<Failure>,
}

impl Configured {
    /// Without load balancers, the groups of the settings. `found` has the groups of each load balancer, or why they could not be
    /// read.
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

/// The article's function checks this at every event: a group and a load balancer that do not belong together are a mistake.
fn of_no_balancer(group: &ConfiguredGroup, settings: &Settings) -> Failure {
    let balancers: Vec<_> = settings.load_balancers.iter().map(LoadBalancerArn::as_str).collect();
    let problem = format!(
        "{} belongs to none of the named load balancers ({}), and is left alone",
        group.arn,
        balancers.join(", ")
    );
    Failure { call: "SPOTDRAIN_TARGET_GROUPS", problem, retryable: false }
}

/// The service to look up for a notice, if there is one and it is to be looked up.
#[must_use]
pub fn service_key(notice: &Notice, settings: &Settings) -> Option<ServiceKey> {
    let service = notice.task.service.as_ref().filter(|_| settings.discover)?;
    Some(ServiceKey { cluster: notice.task.cluster.clone(), service: service.clone() })
}

/// The target groups in which the task of a notice may be registered.
#[must_use]
pub fn candidates(
    notice: &Notice,
    settings: &Settings,
    services: &BTreeMap<ServiceKey, ServiceFinding>,
    configured: &Configured,
) -> Candidates {
    let key = service_key(notice, settings);
    match key.as_ref().map(|key| services.get(key)) {
        None => with_service(notice, configured, &Service::default()),
        Some(Some(ServiceFinding::Missing)) => {
            Candidates { failure: Some(unknown_service(notice)), is_missing: true, ..Candidates::default() }
        }
        Some(Some(ServiceFinding::Found(service))) => with_service(notice, configured, service),
        Some(Some(ServiceFinding::Unknown(failure))) => {
            Candidates { failure: Some(failure.clone()), ..Candidates::default() }
        }
        Some(None) => Candidates { failure: Some(Failure::not_asked("DescribeServices")), ..Candidates::default() },
    }
}

fn with_service(notice: &Notice, configured: &Configured, service: &Service) -> Candidates {
    let named = configured.groups.iter().map(|group| (&group.arn, group.port));
    let discovered = service.groups.iter().map(|group| (&group.arn, group.port));
    let mut groups: BTreeMap<_, BTreeSet<u16>> = BTreeMap::new();
    let mut failure = configured.failure.clone();
    for (arn, port) in named.chain(discovered) {
        if arn.region() == notice.task.arn.region() && arn.account() == notice.task.arn.account() {
            groups.entry(arn.clone()).or_default().extend(port);
        } else {
            failure = Some(elsewhere(arn));
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

/// A cluster with tasks cannot be deleted, and a task of the service was running a moment ago. So this is a wrong account, a
/// wrong Region or wrong credentials.
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

/// A mistyped Region that was ignored would never be noticed.
fn elsewhere(arn: &TargetGroupArn) -> Failure {
    let problem = format!("{arn} is of another Region or account than the task, and cannot hold it");
    Failure { call: "SPOTDRAIN_TARGET_GROUPS", problem, retryable: false }
}

/// Whether it may be for what is remembered of a service that nothing was found: a task of it is in none of the groups,
/// and all of them could be read. Then the service may have changed since.
#[must_use]
pub fn is_missed<'a>(
    key: &ServiceKey,
    notices: impl IntoIterator<Item = &'a Notice>,
    settings: &Settings,
    findings: &Findings,
) -> bool {
    let is_of_service = |notice: &&Notice| service_key(notice, settings).as_ref() == Some(key);
    let mut of_service = notices.into_iter().filter(|notice| !notice.needs_address()).filter(is_of_service);
    of_service.any(|notice| {
        let groups = candidates(notice, settings, &findings.services, &findings.configured).groups;
        groups.keys().all(|group| match findings.groups.get(group) {
            Some(GroupFinding::Found(targets)) => {
                !targets.iter().any(|target| notice.task.addresses.contains(&target.address))
            }
            Some(GroupFinding::Missing) => true,
            Some(GroupFinding::Unknown(_)) | None => false,
        })
    })
}
