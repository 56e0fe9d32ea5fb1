//! What happens in the containers between SIGTERM and SIGKILL?

use spotdrain_core::model::limits::{DEFAULT_STOP_TIMEOUT_SECONDS, MAX_STOP_TIMEOUT_SECONDS, NOTICE_SECONDS};

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::group::GroupKind;
use crate::model::root::Place;
use crate::model::service::Container;
use crate::model::setting::Unknown;
use crate::model::subject::{GroupSubject, ServiceSubject};
use crate::shell::swallows_signals;

const CONTAINER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html";
const DEPENDENCY: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html";
const SPOT: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html";
const SIGTERM: &str = "https://aws.amazon.com/blogs/containers/graceful-shutdowns-with-ecs/";

pub(super) const STOP_TIMEOUT: Check = Check {
    id: "SD009",
    severity: Severity::Error,
    title: "SIGKILL while the load balancer still sends or requests are open",
    explanation: "SIGKILL comes stopTimeout after SIGTERM: after 30 s by default, at most after 120 s, the length of the \
                  notice. Users saw a Network Load Balancer send new connections for two minutes after the deregistration; \
                  a container that is gone by then refuses them. An Application Load Balancer stops sending at once, but \
                  gives open requests the deregistration delay: if the container is killed earlier, they are cut, which is a \
                  warning.",
    sources: &[
        CONTAINER,
        SPOT,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
    ],
    run: CheckScope::Group(stop_timeout),
};

fn stop_timeout(subject: &GroupSubject<'_>) -> CheckResult {
    let Some(container) = subject.container()? else { return Ok(None) };
    let stop = container.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let default = if container.stop_timeout.known().is_some() { "" } else { " by default" };
    let killed = format!("stopTimeout is {stop} s{default}: the container is killed");
    let place = part(subject.of, container);
    if subject.group.kind()? == GroupKind::Network {
        let goes_on = subject.of.deployment.delays.network.after_deregistration;
        let needed = goes_on.min(NOTICE_SECONDS);
        let impact = Impact::for_seconds(Connections::New, goes_on.saturating_sub(stop));
        let description = format!("{killed} then, and an NLB sends new connections for up to {goes_on} s");
        return Ok((stop < needed).then(|| Problem::new(place, description, impact, stop_fix(needed))));
    }
    let delay = subject.group.delay()?.min(NOTICE_SECONDS);
    let description = format!("{killed} before the {delay} s are over that its ALB gives open requests");
    let problem = || Problem::new(place, description, Impact::of(Connections::Open), stop_fix(delay));
    Ok((stop < delay).then(|| problem().with_severity(Severity::Warning)))
}

fn stop_fix(seconds: u32) -> Fix {
    Fix::new(
        format!(
            "aws ecs register-task-definition with stopTimeout {seconds} in the container, then aws ecs update-service"
        ),
        format!("StopTimeout: {seconds}"),
    )
    .in_terraform(format!("stopTimeout = {seconds} in the container of container_definitions"))
}

pub(super) const STOP_TOO_LONG: Check = Check {
    id: "SD041",
    severity: Severity::Error,
    title: "a stopTimeout of more than 120 s",
    explanation: "On Fargate stopTimeout is at most 120 s. ECS refuses a task definition with more, and an interrupted task is \
                  gone after 120 s anyway.",
    sources: &[CONTAINER],
    run: CheckScope::SpotService(stop_too_long),
};

fn stop_too_long(subject: &ServiceSubject<'_>) -> CheckResult {
    for container in subject.containers()? {
        let stop = container.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
        if stop > MAX_STOP_TIMEOUT_SECONDS {
            let description =
                format!("stopTimeout is {stop} s, and Fargate takes {MAX_STOP_TIMEOUT_SECONDS} s at most");
            let place = part(*subject, container);
            return Ok(Some(Problem::new(place, description, Impact::NONE, stop_fix(MAX_STOP_TIMEOUT_SECONDS))));
        }
    }
    Ok(None)
}

pub(super) const SHELL: Check = Check {
    id: "SD040",
    severity: Severity::Warning,
    title: "a shell as the first process that does not pass SIGTERM on",
    explanation: "ECS sends SIGTERM to the first process of a container. A shell that runs other commands one after the other \
                  does not pass it on: the application is not informed, serves until SIGKILL, and then loses its open \
                  connections. exec makes the last command the first process.",
    sources: &[SIGTERM, CONTAINER],
    run: CheckScope::SpotService(shell),
};

fn shell(subject: &ServiceSubject<'_>) -> CheckResult {
    for container in subject.serving()? {
        let words = container.words.known_or_err()?.map_or(&[][..], Vec::as_slice);
        if swallows_signals(words) {
            let description =
                "its first process is a shell that runs other commands, so the application gets no SIGTERM";
            let fix = Fix::new(
                "aws ecs register-task-definition with exec before the last command, then aws ecs update-service",
                "exec before the last command of the script",
            )
            .in_terraform("exec before the last command of the script");
            let place = part(*subject, container);
            return Ok(Some(Problem::new(place, description, Impact::of(Connections::Open), fix)));
        }
    }
    Ok(None)
}

pub(super) const SIDECAR: Check = Check {
    id: "SD010",
    severity: Severity::Warning,
    title: "a sidecar that stops before the container that it serves",
    explanation: "At the notice every container of the task gets SIGTERM, and each is killed after its own stopTimeout. A \
                  sidecar with a shorter stopTimeout (a proxy, a secrets agent, a log router) stops while the other container \
                  still serves. If that container depends on the sidecar (dependsOn START or HEALTHY), the sidecar stops last.",
    sources: &[DEPENDENCY, CONTAINER],
    run: CheckScope::SpotService(sidecar),
};

fn sidecar(subject: &ServiceSubject<'_>) -> CheckResult {
    let containers = subject.containers()?;
    for serving in subject.serving()? {
        for other in containers.iter().filter(|other| other.name != serving.name) {
            if let Some(description) = stops_first(other, serving, containers)? {
                let impact = Impact::of(Connections::Open);
                return Ok(Some(Problem::new(part(*subject, serving), description, impact, depend_fix(other))));
            }
        }
    }
    Ok(None)
}

fn depend_fix(on: &Container) -> Fix {
    Fix::new(
        "aws ecs register-task-definition with dependsOn in the container, then aws ecs update-service",
        format!("DependsOn: [{{ ContainerName: {}, Condition: START }}]", on.name),
    )
    .in_terraform(format!("dependsOn = [{{ containerName = \"{}\", condition = \"START\" }}]", on.name))
}

fn stops_first(other: &Container, serving: &Container, all: &[Container]) -> Result<Option<String>, Unknown> {
    if waits_for(serving, &other.name, all)? {
        return Ok(None);
    }
    if waits_for(other, &serving.name, all)? {
        return Ok(Some(format!("container {} depends on {}, so it is stopped first", other.name, serving.name)));
    }
    let own = other.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let longer = serving.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let description =
        || format!("container {} is killed after {own} s, and {} serves for {longer} s", other.name, serving.name);
    Ok((own < longer).then(description))
}

/// Whether a container waits for another, directly or through others.
pub(super) fn waits_for(container: &Container, name: &str, all: &[Container]) -> Result<bool, Unknown> {
    let mut seen = vec![container.name.as_str()];
    let mut next = vec![container];
    while let Some(container) = next.pop() {
        for (on, _) in container.depends_on.known_or_err()?.into_iter().flatten() {
            if on == name {
                return Ok(true);
            }
            if !seen.contains(&on.as_str()) {
                seen.push(on);
                next.extend(all.iter().find(|other| other.name == *on));
            }
        }
    }
    Ok(false)
}

/// A container's place: in its task definition, with its own lines.
pub(super) fn part(subject: ServiceSubject<'_>, container: &Container) -> Place {
    let definition = subject.service.task_definition.known().map(|definition| &definition.place);
    let place = definition.unwrap_or(&subject.service.place);
    let name = format!("{}, container {}", place.name, container.name);
    Place { line: container.line.or(place.line), lines: container.lines.clone(), ..place.named(name) }
}
