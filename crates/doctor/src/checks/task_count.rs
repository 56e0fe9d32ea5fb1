//! Are there enough tasks, and can a replacement start before one goes?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::group::GroupKind;
use crate::model::setting::Unknown;
use crate::model::subject::{GroupSubject, ServiceSubject};
use spotdrain_core::model::arn::last_segment;

const ZONES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones";
const CHECKS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";
const SERVICE: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html";
const DEPLOYMENT: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html";
const SCALING: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html";

pub(super) const ONE_TASK: Check = Check {
    id: "SD006",
    severity: Severity::Error,
    title: "a single task",
    explanation: "If a service has one task, there is no other task to send to while that one is replaced, which takes longer \
                  than the notice. spotdrain cannot help: it leaves the last healthy target of a group registered. If auto \
                  scaling has a minimum of two or more, the service soon has that many tasks, and this is not reported.",
    sources: &[SERVICE, CHECKS, SCALING],
    run: CheckScope::SpotService(one_task),
};

fn one_task(subject: &ServiceSubject<'_>) -> CheckResult {
    let is_alone = subject.tasks()? == 1;
    Ok(is_alone.then(|| {
        Problem::new(
            subject.service.place.clone(),
            "desired count is 1: there is no other task to send to",
            Impact::of(Connections::All),
            Fix::new(
                format!("aws ecs update-service {} --desired-count 2", subject.command_names()),
                "DesiredCount: 2",
            )
            .in_terraform("desired_count = 2"),
        )
    }))
}

pub(super) const SCALES_TO_ONE: Check = Check {
    id: "SD037",
    severity: Severity::Warning,
    title: "auto scaling that may leave a single task",
    explanation: "Auto scaling may scale in to its minimum capacity. With a minimum of one task (or none), there may be no \
                  other task to send to when an interruption comes in a quiet hour.",
    sources: &[SCALING, "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTarget.html"],
    run: CheckScope::SpotService(scales_to_one),
};

fn scales_to_one(subject: &ServiceSubject<'_>) -> CheckResult {
    let Some(least) = subject.least_tasks()?.filter(|least| *least < 2) else { return Ok(None) };
    let Some(scaling) = subject.service.scaling.known().filter(|_| subject.tasks().is_ok_and(|tasks| tasks > 1)) else {
        return Ok(None);
    };
    let cluster = subject.service.cluster.known().map_or("CLUSTER", |arn| last_segment(arn));
    let command = format!(
        "aws application-autoscaling register-scalable-target --service-namespace ecs --scalable-dimension \
         ecs:service:DesiredCount --resource-id service/{cluster}/{} --min-capacity 2",
        subject.service.name
    );
    Ok(Some(Problem::new(
        scaling.place.clone(),
        format!(
            "its minimum capacity is {least}: auto scaling may leave {} with a single task",
            subject.service.place.name
        ),
        Impact::of(Connections::All),
        Fix::new(command, "MinCapacity: 2").in_terraform("min_capacity = 2"),
    )))
}

pub(super) const NO_MINIMUM: Check = Check {
    id: "SD007",
    severity: Severity::Warning,
    title: "a minimum healthy percent of 0",
    explanation: "With a minimum healthy percent of 0 a deployment may stop every task before a new one runs. If an \
                  interruption comes during a deployment, there is no other task to send to.",
    sources: &[DEPLOYMENT],
    run: CheckScope::SpotService(no_minimum),
};

fn no_minimum(subject: &ServiceSubject<'_>) -> CheckResult {
    let has_none = subject.service.minimum_healthy.value_or(100)? == 0;
    Ok(has_none.then(|| {
        Problem::new(
            subject.service.place.clone(),
            "minimum healthy percent is 0: a deployment may stop all tasks at once",
            Impact::of(Connections::All),
            percent_fix(subject),
        )
    }))
}

fn percent_fix(subject: &ServiceSubject<'_>) -> Fix {
    Fix::new(
        format!(
            "aws ecs update-service {} --deployment-configuration minimumHealthyPercent=100,maximumPercent=200",
            subject.command_names()
        ),
        "DeploymentConfiguration: { MinimumHealthyPercent: 100, MaximumPercent: 200 }",
    )
    .in_terraform("deployment_minimum_healthy_percent = 100 and deployment_maximum_percent = 200")
}

pub(super) const NO_ROOM: Check = Check {
    id: "SD038",
    severity: Severity::Warning,
    title: "a maximum percent that leaves no room for a replacement",
    explanation: "ECS starts the replacement of an interrupted task when the notice comes, if maximumPercent of the desired \
                  count allows another task. Otherwise the replacement starts only when the interrupted task has stopped. If \
                  the minimum healthy percent is 100 as well, no deployment can make progress.",
    sources: &[
        DEPLOYMENT,
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
    ],
    run: CheckScope::SpotService(no_room),
};

fn no_room(subject: &ServiceSubject<'_>) -> CheckResult {
    let percent = subject.service.maximum.value_or(200)?;
    // From 200 % on there is room for one more whatever the count is.
    if percent >= 200 {
        return Ok(None);
    }
    let tasks = subject.tasks()?;
    let most = u64::from(tasks) * u64::from(percent) / 100;
    let stuck = subject.service.minimum_healthy.value_or(100)? >= 100;
    let deployments = if stuck { ", and no deployment can make progress" } else { "" };
    let description = format!(
        "maximum percent is {percent}: with {tasks} task{} no replacement can start before the interrupted task has stopped\
         {deployments}",
        if tasks == 1 { "" } else { "s" }
    );
    let place = subject.service.place.clone();
    let problem = || Problem::new(place, description, Impact::of(Connections::New), percent_fix(subject));
    Ok((tasks > 0 && most <= u64::from(tasks)).then(problem))
}

pub(super) const ZONE_REBALANCING: Check = Check {
    id: "SD058",
    severity: Severity::Note,
    title: "Availability Zone rebalancing",
    explanation: "With Availability Zone rebalancing ECS evens out the tasks over the zones: after an interruption it may \
                  start one more task and then stop a healthy one elsewhere. That is an additional drain, although an ordinary \
                  one.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html"],
    run: CheckScope::SpotService(zone_rebalancing),
};

fn zone_rebalancing(subject: &ServiceSubject<'_>) -> CheckResult {
    let is_on = subject.service.zone_rebalancing.value_or("DISABLED".to_owned())? == "ENABLED";
    Ok(is_on.then(|| {
        Problem::new(
            subject.service.place.clone(),
            "Availability Zone rebalancing is on: after an interruption ECS may also stop a healthy task",
            Impact::NONE,
            Fix::new(
                format!("aws ecs update-service {} --availability-zone-rebalancing DISABLED", subject.command_names()),
                "AvailabilityZoneRebalancing: DISABLED, where an additional drain is worse than uneven zones",
            )
            .in_terraform(
                "availability_zone_rebalancing = \"DISABLED\", where an additional drain is worse than uneven zones",
            ),
        )
    }))
}

pub(super) const ONE_IN_ZONE: Check = Check {
    id: "SD008",
    severity: Severity::Warning,
    title: "one target in a zone, without cross-zone load balancing",
    explanation: "Without cross-zone load balancing, which a Network Load Balancer has off by default, connections to the \
                  address of a zone go only to the targets of that zone. When its only target goes, the address is removed \
                  from the DNS answer, and clients that have it cached fail until they resolve the name again.",
    sources: &[ZONES, CHECKS],
    run: CheckScope::Group(one_in_zone),
};

fn one_in_zone(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    if group.kind()? == GroupKind::Application || group.cross_zone.value_or(false)? {
        return Ok(None);
    }
    let thin = match group.healthy_in_zones.known_or_err()? {
        Some(zones) => zones.contains(&1).then(|| format!("a zone of {} has one healthy target", zones.len())),
        None => expected(subject)?,
    };
    Ok(thin.map(|thin| {
        Problem::new(
            group.place.clone(),
            format!("{thin}, and cross-zone load balancing is off"),
            Impact::of(Connections::New),
            Fix::new(
                format!(
                    "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes \
                     Key=load_balancing.cross_zone.enabled,Value=true",
                    group.arn
                ),
                "{ Key: load_balancing.cross_zone.enabled, Value: \"true\" }",
            )
            .in_terraform("load_balancing_cross_zone_enabled = true"),
        )
    }))
}

/// Where the targets are not known: whether the count is enough for two in each zone. SD006 reports a single task.
fn expected(subject: &GroupSubject<'_>) -> Result<Option<String>, Unknown> {
    let zones = subject.group.zones.known_or_err()?.copied().filter(|zones| *zones > 1);
    let Some(zones) = zones else { return Ok(None) };
    let tasks = subject.of.tasks()?;
    let is_thin = tasks > 1 && tasks < zones.saturating_mul(2);
    Ok(is_thin.then(|| format!("{tasks} tasks in {zones} zones leave a zone with one")))
}
