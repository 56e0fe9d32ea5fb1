//! Finds the target groups of notices: DescribeServices, ten services of one cluster per call, behind a cache.
//!
//! A cached answer is valid for a minute of the wall clock, because an environment may be frozen for hours between two
//! invocations.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use spotdrain_core::model::arn::{ClusterArn, ServiceName};
use spotdrain_core::model::limits::{MAX_REVISIONS_PER_CALL, MAX_SERVICES_PER_CALL};
use spotdrain_core::model::observed::{Service, ServiceKey, ServiceObservation, ServiceTag};
use spotdrain_core::plan::rate_limit::CallKind;
use spotdrain_core::plan::target_groups::{Configured, LocatedNotice, service_key};
use spotdrain_core::read::classify::{IgnoredEvent, ReceivedNotice};

use tracing::warn;

use crate::cloud::{CallErrorKind, Cloud, Services};
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::retry::FailedCall;
use crate::shares;

const CALL: &str = "DescribeServices";

/// How long a cached answer about a service is valid.
pub const CACHE_VALID: SignedDuration = SignedDuration::from_secs(60);

type Answers = BTreeMap<ServiceKey, ServiceObservation>;

/// The last answer about each service.
#[derive(Debug, Default)]
pub(crate) struct ServiceCache(BTreeMap<ServiceKey, (Timestamp, Service)>);

impl ServiceCache {
    fn get(&self, key: &ServiceKey, now: Timestamp) -> Option<ServiceObservation> {
        let (at, service) = self.0.get(key)?;
        is_valid(*at, now).then(|| ServiceObservation::Found(service.clone()))
    }

    /// Returns the last answer, and whether it is older than `since`.
    fn last(&self, key: &ServiceKey, since: Timestamp) -> Option<(bool, Service)> {
        let (at, service) = self.0.get(key)?;
        Some((*at < since, service.clone()))
    }

    fn last_tag(&self, key: &ServiceKey) -> Option<ServiceTag> {
        self.0.get(key).and_then(|(_, service)| service.tag.clone())
    }

    fn put(&mut self, answers: &Answers, now: Timestamp) {
        self.0.retain(|_, (at, _)| now.duration_since(*at) < TAG_KEPT);
        for (key, answer) in answers {
            if let ServiceObservation::Found(service) = answer {
                self.0.insert(key.clone(), (now, service.clone()));
            }
        }
    }
}

/// If tags cannot be read any more, the last tag applies for this long.
const TAG_KEPT: SignedDuration = SignedDuration::from_hours(24);

fn is_valid(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < CACHE_VALID
}

/// A notice whose target groups are known, or the ignored event of one that the service's tag excludes.
pub(crate) type Located = Result<LocatedNotice, Box<IgnoredEvent>>;

/// Finds the configured target groups and those of the notices. Services that are not in the cache are described with as few
/// calls as possible.
pub(crate) async fn locate<C: Cloud>(
    invocation: &Invocation<'_, C>,
    notices: Vec<ReceivedNotice>,
) -> (Configured, Vec<Located>) {
    let (engine, now) = (invocation.engine, invocation.now());
    let key = |received: &ReceivedNotice| service_key(&received.notice, &engine.settings);
    let mut services = Answers::new();
    let mut unknown = BTreeSet::new();
    for key in notices.iter().filter_map(key).collect::<BTreeSet<_>>() {
        match engine.services.borrow().get(&key, now) {
            Some(answer) => _ = services.insert(key, answer),
            None => _ = unknown.insert(key),
        }
    }
    let deadline = invocation.deadline.reserving(now, shares::ACTING).within(now, shares::LOCATING);
    let (found, configured) =
        join(describe_all(invocation, unknown, deadline), search_balancers(invocation, deadline)).await;
    services.extend(found);
    let located = |received: ReceivedNotice| {
        let service = key(&received).and_then(|key| services.get(&key));
        LocatedNotice::new(received, &engine.settings, service, &configured, invocation.now())
    };
    let located = notices.into_iter().map(located).collect();
    (configured, located)
}

/// Describes a service again because its task was in none of the known groups. If the answer came from the cache, the service may
/// have changed. An older revision that still has tasks may also have groups that the service no longer has.
pub(crate) async fn refresh<C: Cloud>(invocation: &Invocation<'_, C>, key: &ServiceKey) -> Option<ServiceObservation> {
    let now = invocation.now();
    let deadline = invocation.deadline.reserving(now, shares::ACTING).within(now, shares::LOCATING);
    let (is_stale, answer) = invocation.engine.services.borrow().last(key, invocation.started_at)?;
    let mut answers = if is_stale {
        describe_all(invocation, BTreeSet::from([key.clone()]), deadline).await
    } else {
        Answers::from([(key.clone(), ServiceObservation::Found(answer))])
    };
    describe_revisions(invocation, &mut answers, |service| !service.needs_revisions(), deadline).await;
    invocation.engine.services.borrow_mut().put(&answers, invocation.now());
    answers.remove(key)
}

/// Returns the configured target groups. Those of the configured load balancers are cached like services.
async fn search_balancers<C: Cloud>(invocation: &Invocation<'_, C>, deadline: Deadline) -> Configured {
    let (engine, now) = (invocation.engine, invocation.now());
    let cached = engine.balancers.borrow().clone().filter(|(at, _)| is_valid(*at, now));
    if let Some((_, found)) = cached {
        return Configured::new(&engine.settings, Ok(&found));
    }
    let calls = engine.settings.load_balancers.iter().map(async |balancer| {
        let request = invocation.request("DescribeTargetGroups", CallKind::Read, deadline);
        let answer = request.send(async || invocation.cloud().describe_target_groups(balancer).await).await;
        answer.map(|groups| (balancer.clone(), groups))
    });
    match join_all(calls).await.into_iter().collect::<Result<BTreeMap<_, _>, _>>() {
        Ok(found) => {
            let configured = Configured::new(&engine.settings, Ok(&found));
            engine.balancers.replace(Some((now, found)));
            configured
        }
        Err(error) => {
            let problem = error.failure.problem.as_str();
            warn!(problem, "the load balancers could not be read: only the configured target groups are drained");
            Configured::new(&engine.settings, Err(error.failure))
        }
    }
}

/// Describes services without the cache, and then the revisions of services whose groups may be only in a revision. A service
/// that ECS does not know is described once more, because ECS's reads may be behind.
async fn describe_all<C: Cloud>(
    invocation: &Invocation<'_, C>,
    keys: BTreeSet<ServiceKey>,
    deadline: Deadline,
) -> Answers {
    let mut answers = describe_clusters(invocation, keys, deadline).await;
    let missing = answers.iter().filter(|(_, answer)| matches!(answer, ServiceObservation::Missing));
    let missing: BTreeSet<_> = missing.map(|(key, _)| key.clone()).collect();
    answers.extend(describe_clusters(invocation, missing, deadline).await);
    describe_revisions(invocation, &mut answers, Service::needs_revisions, deadline).await;
    invocation.engine.services.borrow_mut().put(&answers, invocation.now());
    answers
}

async fn describe_clusters<C: Cloud>(
    invocation: &Invocation<'_, C>,
    keys: BTreeSet<ServiceKey>,
    deadline: Deadline,
) -> Answers {
    let mut clusters: BTreeMap<ClusterArn, Vec<ServiceName>> = BTreeMap::new();
    for key in keys {
        clusters.entry(key.cluster).or_default().push(key.service);
    }
    let chunks =
        clusters.iter().flat_map(|(cluster, names)| names.chunks(MAX_SERVICES_PER_CALL).map(move |c| (cluster, c)));
    let calls = chunks.map(|(cluster, names)| describe(invocation, cluster, names, deadline));
    join_all(calls).await.into_iter().flatten().collect()
}

/// Describes services of one cluster. A single denied or invalid service makes ECS refuse the whole call, so the services
/// are split in two until that one is alone.
async fn describe<C: Cloud>(
    invocation: &Invocation<'_, C>,
    cluster: &ClusterArn,
    names: &[ServiceName],
    deadline: Deadline,
) -> Vec<(ServiceKey, ServiceObservation)> {
    let (mut answers, mut chunks) = (Vec::new(), vec![names]);
    while let Some(names) = chunks.pop() {
        let answer = describe_chunk(invocation, cluster, names, deadline).await;
        if names.len() > 1 && answer.as_ref().is_err_and(FailedCall::is_refused) {
            chunks.extend(<[_; 2]>::from(names.split_at(names.len() / 2)));
            continue;
        }
        let of = |name: &ServiceName| match &answer {
            Ok(found) => found.get(name).cloned(),
            Err(error) => Some(error.observation()),
        };
        let key = |name: &ServiceName| ServiceKey { cluster: cluster.clone(), service: name.clone() };
        answers.extend(names.iter().filter_map(|name| Some((key(name), of(name)?))));
    }
    answers
}

/// Makes one call. If the tags must not be read, the services are described without them, and the last known tags apply.
async fn describe_chunk<C: Cloud>(
    invocation: &Invocation<'_, C>,
    cluster: &ClusterArn,
    names: &[ServiceName],
    deadline: Deadline,
) -> Result<Services, FailedCall> {
    let request = invocation.request(CALL, CallKind::Services, deadline);
    let answer = request.send(async || invocation.cloud().describe_services(cluster, names, true).await).await;
    if !answer.as_ref().is_err_and(|error| error.kind == CallErrorKind::Denied) {
        return answer;
    }
    let untagged = request.send(async || invocation.cloud().describe_services(cluster, names, false).await).await;
    let Ok(mut services) = untagged else { return answer };
    for (name, answer) in &mut services {
        if let ServiceObservation::Found(service) = answer {
            let key = ServiceKey { cluster: cluster.clone(), service: name.clone() };
            service.tag = invocation.engine.services.borrow().last_tag(&key);
            service.tags_unknown = true;
        }
    }
    Ok(services)
}

/// Adds the target groups of the current revisions to the services that need them.
async fn describe_revisions<C: Cloud>(
    invocation: &Invocation<'_, C>,
    answers: &mut Answers,
    needs: impl Fn(&Service) -> bool,
    deadline: Deadline,
) {
    let services = answers.values_mut().filter_map(|answer| match answer {
        ServiceObservation::Found(service) if needs(service) => Some(service),
        _ => None,
    });
    let mut services: Vec<&mut Service> = services.collect();
    let arns: BTreeSet<_> = services.iter().flat_map(|service| service.revisions.iter().cloned()).collect();
    let arns: Vec<_> = arns.into_iter().collect();
    let calls = arns.chunks(MAX_REVISIONS_PER_CALL).map(async |arns| {
        let request = invocation.request("DescribeServiceRevisions", CallKind::Revisions, deadline);
        request.send(async || invocation.cloud().describe_service_revisions(arns).await).await
    });
    let (mut revisions, mut failure) = (Vec::new(), None);
    for answer in join_all(calls).await {
        match answer {
            Ok(found) => revisions.extend(found),
            Err(error) => failure = Some(error.failure),
        }
    }
    for service in &mut services {
        let own: Vec<_> = revisions.iter().filter(|revision| service.revisions.contains(&revision.arn)).collect();
        service.extend(own);
        service.revision_failure.clone_from(&failure);
    }
}
