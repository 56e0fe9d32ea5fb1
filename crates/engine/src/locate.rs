//! In which target groups may the interrupted tasks be? DescribeServices, ten services of one cluster a call.
//!
//! An answer is believed for a minute by the wall clock, because an environment may be frozen for hours between two
//! invocations.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ClusterArn, ServiceName};
use spotdrain_core::candidates::service_key;
use spotdrain_core::finding::{Service, ServiceFinding, ServiceKey};
use spotdrain_core::limits::MAX_SERVICES_PER_CALL;
use spotdrain_core::notice::Incoming;
use spotdrain_core::pace::Kind;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::shares;

const CALL: &str = "DescribeServices";

/// How long a service's target groups and tag are believed.
pub const BELIEVED: SignedDuration = SignedDuration::from_secs(60);

type Answers = BTreeMap<ServiceKey, ServiceFinding>;

/// The services that were described a short time ago.
#[derive(Debug, Default)]
pub(crate) struct ServiceCache(BTreeMap<ServiceKey, (Timestamp, Service)>);

impl ServiceCache {
    fn get(&self, key: &ServiceKey, now: Timestamp) -> Option<ServiceFinding> {
        let (at, service) = self.0.get(key)?;
        is_believed(*at, now).then(|| ServiceFinding::Found(service.clone()))
    }

    fn put(&mut self, answers: &Answers, now: Timestamp) {
        self.0.retain(|_, (at, _)| is_believed(*at, now));
        for (key, answer) in answers {
            if let ServiceFinding::Found(service) = answer {
                self.0.insert(key.clone(), (now, service.clone()));
            }
        }
    }
}

fn is_believed(at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < BELIEVED
}

/// What is known of the services, and which of it comes from the cache: those may have changed since.
#[derive(Debug, Default)]
pub(crate) struct Located {
    pub(crate) services: Answers,
    pub(crate) cached: BTreeSet<ServiceKey>,
}

impl Located {
    /// Takes answers that replace cached ones.
    pub(crate) fn refresh(&mut self, answers: &Answers) {
        self.cached.retain(|key| !answers.contains_key(key));
        self.services.extend(answers.iter().map(|(key, answer)| (key.clone(), answer.clone())));
    }
}

/// Finds the services of the notices: in the cache, and the others with as few calls as possible.
pub(crate) async fn locate<C: Cloud>(invocation: &Invocation<'_, C>, notices: &[Incoming]) -> Located {
    let now = invocation.now();
    let keys = notices.iter().filter_map(|incoming| service_key(&incoming.notice, &invocation.engine.settings));
    let mut located = Located::default();
    let mut unknown = BTreeSet::new();
    for key in keys.collect::<BTreeSet<_>>() {
        match invocation.engine.services.borrow().get(&key, now) {
            Some(answer) => _ = located.services.insert(key, answer),
            None => _ = unknown.insert(key),
        }
    }
    located.cached = located.services.keys().cloned().collect();
    let deadline = invocation.deadline.reserving(now, shares::ACTING).within(now, shares::LOCATING);
    located.services.extend(describe_all(invocation, unknown, deadline).await);
    located
}

/// Describes services, whatever the cache holds.
pub(crate) async fn describe_all<C: Cloud>(
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
    let answers: Answers = join_all(calls).await.into_iter().flatten().collect();
    invocation.engine.services.borrow_mut().put(&answers, invocation.now());
    answers
}

async fn describe<C: Cloud>(
    invocation: &Invocation<'_, C>,
    cluster: &ClusterArn,
    names: &[ServiceName],
    deadline: Deadline,
) -> Vec<(ServiceKey, ServiceFinding)> {
    let request = invocation.request(CALL, Kind::Services, deadline);
    let answer = request.send(async || invocation.cloud().describe_services(cluster, names).await).await;
    let of = |name: &ServiceName| match &answer {
        Ok(found) => found.get(name).cloned(),
        Err(error) => Some(error.finding()),
    };
    let key = |name: &ServiceName| ServiceKey { cluster: cluster.clone(), service: name.clone() };
    names.iter().filter_map(|name| Some((key(name), of(name)?))).collect()
}
