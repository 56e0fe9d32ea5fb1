//! How long do the containers live after SIGTERM?

use spotdrain_core::limits::{DEFAULT_STOP_TIMEOUT_SECONDS, NOTICE_SECONDS};

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::forecast::NLB_GOES_ON;
use crate::model::group::Kind;
use crate::model::service::Container;
use crate::model::setting::Unknown;
use crate::model::subject::{GroupSite, ServiceSite};

const CONTAINER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html";
const DEPENDENCY: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html";
const SPOT: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html";

pub(super) const STOP_TIMEOUT: Check = Check {
    id: "SD009",
    severity: Severity::Error,
    title: "SIGKILL before the load balancer has stopped sending",
    explanation: "SIGKILL comes stopTimeout after SIGTERM: after 30 s unless it is set, at most after 120 s, the length of \
                  the notice. An Application Load Balancer stops sending to a deregistered target at once, and what is \
                  open needs the rest. A Network Load Balancer was seen to send new connections for two minutes more, and \
                  a container that is gone by then refuses them.",
    sources: &[
        CONTAINER,
        SPOT,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
    ],
    run: Run::Group(stop_timeout),
};

fn stop_timeout(site: &GroupSite<'_>) -> Verdict {
    let Some(container) = site.container()? else { return Ok(None) };
    let stop = container.stop_timeout.or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let kind = site.group.kind()?;
    let (needed, cost) = match kind {
        Kind::Network => (NOTICE_SECONDS, Cost::for_seconds(Connections::New, NLB_GOES_ON.saturating_sub(stop))),
        Kind::Application => (DEFAULT_STOP_TIMEOUT_SECONDS + 1, Cost::of(Connections::Open)),
    };
    let unset = if container.stop_timeout.known().is_some() { "" } else { ", AWS's own" };
    let found = format!("stopTimeout is {stop} s{unset}: the container is killed then, behind an {}", kind.name());
    Ok((stop < needed).then(|| Fault {
        place: part(site.of, container),
        found,
        cost,
        mend: Mend::new(
            "aws ecs register-task-definition with stopTimeout 120 in the container, then update-service",
            "StopTimeout: 120",
        ),
    }))
}

pub(super) const SIDECAR: Check = Check {
    id: "SD010",
    severity: Severity::Warning,
    title: "a sidecar that stops before the container it serves",
    explanation: "At the notice every container of the task gets SIGTERM, and each is killed after its own stopTimeout. \
                  A sidecar with a shorter one (a proxy, a secrets agent, a log router) leaves the container that still \
                  serves alone. Where the container depends on the sidecar (dependsOn START or HEALTHY) the order turns \
                  round at the stop: the sidecar goes last.",
    sources: &[DEPENDENCY, CONTAINER],
    run: Run::SpotService(sidecar),
};

fn sidecar(site: &ServiceSite<'_>) -> Verdict {
    let containers = site.containers()?;
    for serving in site.serving()? {
        for other in containers.iter().filter(|other| other.name != serving.name) {
            if let Some(found) = stops_first(other, serving, containers)? {
                let mend = Mend::new(
                    "aws ecs register-task-definition with dependsOn in the container, then update-service",
                    format!("DependsOn: [{{ ContainerName: {}, Condition: START }}]", other.name),
                );
                let cost = Cost::of(Connections::Open);
                return Ok(Some(Fault { place: part(*site, serving), found, cost, mend }));
            }
        }
    }
    Ok(None)
}

fn stops_first(other: &Container, serving: &Container, all: &[Container]) -> Result<Option<String>, Unknown> {
    if waits_for(serving, &other.name, all, 8)? {
        return Ok(None);
    }
    if waits_for(other, &serving.name, all, 8)? {
        return Ok(Some(format!("container {} depends on {}, so it is stopped first", other.name, serving.name)));
    }
    let (own, longer) =
        (other.stop_timeout.or(DEFAULT_STOP_TIMEOUT_SECONDS)?, serving.stop_timeout.or(DEFAULT_STOP_TIMEOUT_SECONDS)?);
    let found =
        || format!("container {} is killed after {own} s, and {} serves for {longer} s", other.name, serving.name);
    Ok((own < longer).then(found))
}

/// Whether a container waits for another, directly or through others.
fn waits_for(container: &Container, name: &str, all: &[Container], depth: u32) -> Result<bool, Unknown> {
    for (on, _) in container.depends_on.need()?.into_iter().flatten() {
        let through = all.iter().find(|other| other.name == *on).filter(|_| depth > 0);
        if on == name || through.map_or(Ok(false), |other| waits_for(other, name, all, depth - 1))? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) const HOLD_UNWIRED: Check = Check {
    id: "SD011",
    severity: Severity::Warning,
    title: "a hold that does not fit its task",
    explanation: "spotdrain-hold counts with the time that it is told (stop-timeout, 30 s unless it is set), which must be \
                  the container's stopTimeout: with less it ends early, with more SIGKILL overtakes it. And it helps \
                  against new connections only if the target group asks its health endpoint: one that asks the \
                  application itself does not hear of the stop.",
    sources: &[CONTAINER, CHECK],
    run: Run::Group(hold_unwired),
};

const CHECK: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";

fn hold_unwired(site: &GroupSite<'_>) -> Verdict {
    let (Some(container), Some(hold)) = (site.container()?, site.hold()?) else { return Ok(None) };
    let stop = container.stop_timeout.or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let (place, found, mend) = if hold.stop_timeout != stop {
        let found = format!("the hold is told {} s, and stopTimeout is {stop} s", hold.stop_timeout);
        let line = format!("{{ Name: SPOTDRAIN_HOLD_STOP_TIMEOUT, Value: \"{stop}\" }}");
        (part(site.of, container), found, Mend::new("", line))
    } else if !site.hold_fails_check()? {
        let port = hold.health_port.map_or("no port".to_owned(), |port| format!("port {port}"));
        let asked = site.group.health_check.port.or("traffic-port".to_owned())?;
        let found = format!("the hold answers health checks on {port}, and the group asks {asked}");
        let port = hold.health_port.map_or("PORT".to_owned(), |port| port.to_string());
        let command =
            format!("aws elbv2 modify-target-group --target-group-arn {} --health-check-port {port}", site.group.arn);
        (site.group.place.clone(), found, Mend::new(command, format!("HealthCheckPort: \"{port}\"")))
    } else {
        return Ok(None);
    };
    Ok(Some(Fault { place, found, cost: Cost::of(Connections::New), mend }))
}

/// A container's place is its task definition.
fn part(site: ServiceSite<'_>, container: &Container) -> crate::model::root::Place {
    let definition = site.service.task_definition.known().map(|definition| &definition.place);
    let place = definition.unwrap_or(&site.service.place);
    place.named(format!("{}, container {}", place.name, container.name))
}
