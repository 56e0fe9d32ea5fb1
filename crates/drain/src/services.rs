//! DescribeServices: which target groups a service has, and what its tag asks for.
//!
//! Ten services of one cluster a call; what was found is kept for a minute, by the clock on the wall, because a sandbox
//! may be frozen for hours between two invocations.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use aws_sdk_ecs::types::{Failure as EcsFailure, LoadBalancer, Service as EcsService, ServiceField, TaskSet};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ArnError, ClusterArn, ServiceName, TargetGroupArn};
use spotdrain_core::candidates::service_key;
use spotdrain_core::finding::{Service, ServiceFinding, ServiceGroup, ServiceKey, ServiceTag};
use spotdrain_core::notice::Notice;
use spotdrain_core::outcome::Failure;
use spotdrain_core::pace::Kind;
use spotdrain_core::settings::Settings;

use crate::call::call;
use crate::caller::Caller;
use crate::clock::Deadline;

const CALL: &str = "DescribeServices";

/// AWS's limit of one call.
const MOST_SERVICES_A_CALL: usize = 10;

/// How long a service's target groups and tag are believed.
const BELIEVED: SignedDuration = SignedDuration::from_secs(60);

/// The services that were looked up a short time ago.
#[derive(Debug, Default)]
pub(crate) struct ServiceCache(Mutex<BTreeMap<ServiceKey, (Timestamp, Service)>>);

impl ServiceCache {
    fn get(&self, key: &ServiceKey, now: Timestamp) -> Option<ServiceFinding> {
        let services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, service) = services.get(key)?;
        is_believed(*at, now).then(|| ServiceFinding::Found(service.clone()))
    }

    fn put(&self, findings: &BTreeMap<ServiceKey, ServiceFinding>, now: Timestamp) {
        let mut services = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        services.retain(|_, (at, _)| is_believed(*at, now));
        for (key, finding) in findings {
            if let ServiceFinding::Found(service) = finding {
                services.insert(key.clone(), (now, service.clone()));
            }
        }
    }
}

fn is_believed(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < BELIEVED
}

/// What was found, and which of it is from the cache: the world may have changed since.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) findings: BTreeMap<ServiceKey, ServiceFinding>,
    pub(crate) cached: BTreeSet<ServiceKey>,
}

impl Found {
    /// Those of these notices.
    pub(crate) fn of(&self, notices: &[&Notice], settings: &Settings) -> BTreeMap<ServiceKey, ServiceFinding> {
        let keys: BTreeSet<_> = notices.iter().filter_map(|notice| service_key(notice, settings)).collect();
        keys.into_iter()
            .filter_map(|key| self.findings.get_key_value(&key))
            .map(|(k, f)| (k.clone(), f.clone()))
            .collect()
    }

    /// These were asked for again.
    pub(crate) fn replace(&mut self, asked: &BTreeMap<ServiceKey, ServiceFinding>) {
        self.cached.retain(|key| !asked.contains_key(key));
        self.findings.extend(asked.iter().map(|(key, finding)| (key.clone(), finding.clone())));
    }
}

/// Finds the services: in the cache, and the others with as few calls as can be.
pub(crate) async fn find(
    caller: Caller<'_>,
    cache: &ServiceCache,
    keys: BTreeSet<ServiceKey>,
    deadline: Deadline,
) -> Found {
    let now = Timestamp::now();
    let mut findings = BTreeMap::new();
    let mut wanted = BTreeSet::new();
    for key in keys {
        match cache.get(&key, now) {
            Some(finding) => _ = findings.insert(key, finding),
            None => _ = wanted.insert(key),
        }
    }
    let cached = findings.keys().cloned().collect();
    findings.extend(ask(caller, cache, wanted, deadline).await);
    Found { findings, cached }
}

/// Asks ECS, whatever the cache holds.
pub(crate) async fn ask(
    caller: Caller<'_>,
    cache: &ServiceCache,
    keys: BTreeSet<ServiceKey>,
    deadline: Deadline,
) -> BTreeMap<ServiceKey, ServiceFinding> {
    let mut wanted: BTreeMap<ClusterArn, Vec<ServiceName>> = BTreeMap::new();
    for key in keys {
        wanted.entry(key.cluster).or_default().push(key.service);
    }
    let chunks =
        wanted.iter().flat_map(|(cluster, names)| names.chunks(MOST_SERVICES_A_CALL).map(move |c| (cluster, c)));
    let calls = chunks.map(|(cluster, names)| describe(caller, cluster, names, deadline));
    let found: BTreeMap<_, _> = join_all(calls).await.into_iter().flatten().collect();
    cache.put(&found, Timestamp::now());
    found
}

async fn describe(
    caller: Caller<'_>,
    cluster: &ClusterArn,
    names: &[ServiceName],
    deadline: Deadline,
) -> Vec<(ServiceKey, ServiceFinding)> {
    let request = caller.aws.ecs.describe_services().cluster(cluster.as_str()).include(ServiceField::Tags);
    let request = request.set_services(Some(names.iter().map(ToString::to_string).collect()));
    let answer = call(CALL, caller.turns(Kind::Services, deadline), || request.clone().send()).await;
    let finding = |name: &ServiceName| match &answer {
        Ok(answer) => read_one(name, answer.services(), answer.failures()),
        Err(error) if error.code.as_deref() == Some("ClusterNotFoundException") => ServiceFinding::Missing,
        Err(error) => ServiceFinding::Unknown(error.failure.clone()),
    };
    let key = |name: &ServiceName| ServiceKey { cluster: cluster.clone(), service: name.clone() };
    names.iter().map(|name| (key(name), finding(name))).collect()
}

fn read_one(name: &ServiceName, services: &[EcsService], failures: &[EcsFailure]) -> ServiceFinding {
    if let Some(service) = services.iter().find(|service| service.service_name() == Some(name.as_str())) {
        return read(service).map_or_else(ServiceFinding::Unknown, ServiceFinding::Found);
    }
    let is_this = |failure: &&EcsFailure| failure.arn().and_then(|arn| arn.rsplit('/').next()) == Some(name.as_str());
    match failures.iter().find(is_this).and_then(EcsFailure::reason) {
        Some("MISSING") => ServiceFinding::Missing,
        reason => {
            let problem = format!("said nothing of service {name} ({})", reason.unwrap_or("no reason given"));
            ServiceFinding::Unknown(Failure { call: CALL, problem, retryable: true })
        }
    }
}

/// Every target group that a task of the service may be in. One that cannot be read fails the whole: left out in silence,
/// its targets would be lost.
fn read(service: &EcsService) -> Result<Service, Failure> {
    let of_task_sets = service.task_sets().iter().flat_map(TaskSet::load_balancers);
    let balancers = service.load_balancers().iter().chain(of_task_sets);
    let groups = balancers.flat_map(groups_of).collect::<Result<BTreeSet<_>, _>>()?;
    let tag = service.tags().iter().find(|tag| tag.key() == Some(ServiceTag::KEY));
    let tag = tag.map(|tag| ServiceTag::from_value(tag.value().unwrap_or_default()));
    Ok(Service { groups: groups.into_iter().collect(), tag })
}

/// A Classic Load Balancer has no target group; a blue/green service has two, and between them its tasks change.
fn groups_of(balancer: &LoadBalancer) -> Vec<Result<ServiceGroup, Failure>> {
    let alternate = balancer.advanced_configuration().and_then(|advanced| advanced.alternate_target_group_arn());
    let port = balancer.container_port().and_then(|port| u16::try_from(port).ok());
    let arns = balancer.target_group_arn().into_iter().chain(alternate);
    arns.map(|arn| Ok(ServiceGroup { arn: read_arn(arn)?, port })).collect()
}

fn read_arn(text: &str) -> Result<TargetGroupArn, Failure> {
    let failure = |error: ArnError| Failure { call: CALL, problem: error.to_string(), retryable: false };
    TargetGroupArn::parse(text).map_err(failure)
}
