//! Does the hold fit its task and its target group?

use spotdrain_core::model::limits::DEFAULT_STOP_TIMEOUT_SECONDS;

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::checks::stopping::{part, waits_for};
use crate::hold_config::hold;
use crate::model::subject::{GroupSubject, ServiceSubject};

const CONTAINER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html";
const CHECK: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";

pub(in crate::checks) const HOLD_UNWIRED: Check = Check {
    id: "SD011",
    severity: Severity::Warning,
    title: "a hold that does not fit its task",
    explanation: "spotdrain-hold plans with its setting stop-timeout (30 s by default), which must equal the container's \
                  stopTimeout: with a lower value the hold ends early, with a higher one SIGKILL comes first. And the hold \
                  keeps new connections away only if the target group checks the hold's health endpoint: a check of the \
                  application does not fail at the stop signal.",
    sources: &[CONTAINER, CHECK],
    run: CheckScope::Group(hold_unwired),
};

fn hold_unwired(subject: &GroupSubject<'_>) -> CheckResult {
    let (Some(container), Some(hold)) = (subject.container()?, subject.hold()?) else { return Ok(None) };
    let stop = container.stop_timeout.value_or(DEFAULT_STOP_TIMEOUT_SECONDS)?;
    let impact = Impact::of(Connections::New);
    if hold.stop_timeout != stop {
        let description =
            format!("the hold's stop-timeout is {} s, and the container's stopTimeout is {stop} s", hold.stop_timeout);
        let fix = Fix::new("", format!("{{ Name: SPOTDRAIN_HOLD_STOP_TIMEOUT, Value: \"{stop}\" }}")).in_terraform(
            format!("{{ name = \"SPOTDRAIN_HOLD_STOP_TIMEOUT\", value = \"{stop}\" }} in the environment"),
        );
        return Ok(Some(Problem::new(part(subject.of, container), description, impact, fix)));
    }
    if subject.hold_fails_check()? {
        return Ok(None);
    }
    let answers = hold.health_port.map_or("no port".to_owned(), |port| format!("port {port}"));
    let asked = subject.group.health_check.port.value_or("traffic-port".to_owned())?;
    let description = format!("the hold answers health checks on {answers}, and the group checks {asked}");
    let port = hold.health_port.map_or("PORT".to_owned(), |port| port.to_string());
    let command =
        format!("aws elbv2 modify-target-group --target-group-arn {} --health-check-port {port}", subject.group.arn);
    let fix = Fix::new(command, format!("HealthCheckPort: \"{port}\""))
        .in_terraform(format!("port = {port} in health_check"));
    Ok(Some(Problem::new(subject.group.place.clone(), description, impact, fix)))
}

pub(in crate::checks) const FAIL_OPEN: Check = Check {
    id: "SD044",
    severity: Severity::Warning,
    title: "a hold in a group that sends to unhealthy targets early",
    explanation: "Below target_group_health.unhealthy_state_routing.minimum_healthy_targets the load balancer sends to all \
                  targets, the unhealthy ones too: then a hold that fails the health check does not keep new connections \
                  away. The default of one target is the lowest value.",
    sources: &["https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health.html"],
    run: CheckScope::Group(fail_open),
};

fn fail_open(subject: &GroupSubject<'_>) -> CheckResult {
    let attributes = &subject.group.attributes;
    let count = attributes.minimum_healthy_count.value_or(1)?;
    let percentage = attributes.minimum_healthy_percentage.value_or(0)?;
    if count <= 1 && percentage == 0 || !subject.hold_fails_check()? {
        return Ok(None);
    }
    let set = if count > 1 { format!("{count} healthy targets") } else { format!("{percentage} % healthy targets") };
    let prefix = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    let command = format!(
        "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes Key={prefix}.count,Value=1 \
         Key={prefix}.percentage,Value=off",
        subject.group.arn
    );
    Ok(Some(Problem::new(
        subject.group.place.clone(),
        format!("below {set} the load balancer sends to unhealthy targets, those of the hold too"),
        Impact::of(Connections::New),
        Fix::new(command, format!("{{ Key: {prefix}.count, Value: \"1\" }}"))
            .in_terraform("minimum_healthy_targets_count = 1 in target_group_health, unhealthy_state_routing"),
    )))
}

pub(in crate::checks) const UNANSWERED_CHECK: Check = Check {
    id: "SD059",
    severity: Severity::Error,
    title: "a health check that the hold cannot answer",
    explanation: "The hold answers health checks by HTTP/1 without TLS, or opens and closes a TCP port. A health check with \
                  the protocol HTTPS, and the checks of a group with the protocol version HTTP2 or GRPC, fail from the start, \
                  so that the targets never become healthy.",
    sources: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html",
    ],
    run: CheckScope::Group(unanswered_check),
};

fn unanswered_check(subject: &GroupSubject<'_>) -> CheckResult {
    if subject.asks_traffic()? || !subject.hold_fails_check()? {
        return Ok(None);
    }
    let group = subject.group;
    let command = format!("aws elbv2 modify-target-group --target-group-arn {}", group.arn);
    let version = group.protocol_version.value_or("HTTP1".to_owned())?;
    let (asked, fix) = if matches!(version.as_str(), "HTTP2" | "GRPC") {
        let line = "HealthCheckPort: traffic-port, and no SPOTDRAIN_HOLD_HEALTH in the container";
        let hcl = "port = \"traffic-port\" in health_check, and no SPOTDRAIN_HOLD_HEALTH in the container";
        (version, Fix::new(command + " --health-check-port traffic-port", line).in_terraform(hcl))
    } else if group.health_check.protocol.value_or(String::new())? == "HTTPS" {
        let fix = Fix::new(command + " --health-check-protocol HTTP", "HealthCheckProtocol: HTTP");
        ("HTTPS".to_owned(), fix.in_terraform("protocol = \"HTTP\" in health_check"))
    } else {
        return Ok(None);
    };
    let description = format!("its health check asks the hold by {asked}, which the hold does not speak");
    Ok(Some(Problem::new(group.place.clone(), description, Impact::of(Connections::New), fix)))
}

pub(in crate::checks) const UNHELD_SIDECAR: Check = Check {
    id: "SD045",
    severity: Severity::Note,
    title: "a sidecar without the hold beside a held application",
    explanation: "The hold keeps its own application serving after SIGTERM. A sidecar that the application needs, a proxy or a \
                  secrets agent, gets SIGTERM at the same moment and usually exits at once. With dependsOn it is stopped after \
                  the application.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html", CONTAINER],
    run: CheckScope::SpotService(unheld_sidecar),
};

fn unheld_sidecar(subject: &ServiceSubject<'_>) -> CheckResult {
    let containers = subject.containers()?;
    for serving in subject.serving()? {
        if hold(serving)?.is_none() {
            continue;
        }
        for other in containers.iter().filter(|other| other.name != serving.name) {
            let ends_first = !waits_for(serving, &other.name, containers)? && hold(other)?.is_none();
            if ends_first && !waits_for(other, &serving.name, containers)? {
                let description = format!(
                    "container {} gets SIGTERM while {} is held: if the application needs this container, it is gone too early",
                    other.name, serving.name
                );
                let line = format!("DependsOn: [{{ ContainerName: {}, Condition: START }}]", other.name);
                let command =
                    "aws ecs register-task-definition with dependsOn in the container, then aws ecs update-service";
                let fix = Fix::new(command, line).in_terraform(format!(
                    "dependsOn = [{{ containerName = \"{}\", condition = \"START\" }}]",
                    other.name
                ));
                let (place, impact) = (part(*subject, serving), Impact::of(Connections::Open));
                return Ok(Some(Problem::new(place, description, impact, fix)));
            }
        }
    }
    Ok(None)
}
