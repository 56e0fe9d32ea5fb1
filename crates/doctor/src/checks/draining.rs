//! What does the load balancer do with the connections of a target that goes away?

use spotdrain_core::model::limits::NOTICE_SECONDS;

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::forecast::HOLD_GRACE;
use crate::model::group::{Group, GroupKind};
use crate::model::subject::GroupSubject;

const ATTRIBUTES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html";
const ALB_ATTRIBUTES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html";
const UNHEALTHY: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health.html";
const CHECKS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";

pub(super) const DELAY: Check = Check {
    id: "SD012",
    severity: Severity::Error,
    title: "a deregistration delay that is longer than the notice",
    explanation: "The deregistration delay is 300 s by default, and an interrupted task lives for 120 s at most. Connections \
                  that could stay open for the whole delay are cut when the task ends. ECS also waits for the delay if it \
                  deregisters a target itself, and then cannot finish in time. AWS recommends less than 120 s with \
                  Fargate Spot. Behind an Application Load Balancer it is a warning: only requests that run longer than the \
                  notice are lost.",
    sources: &[
        "https://repost.aws/knowledge-center/fargate-spot-termination-notice",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html",
    ],
    run: CheckScope::Group(delay),
};

fn delay(subject: &GroupSubject<'_>) -> CheckResult {
    let delay = subject.group.delay()?;
    if delay <= NOTICE_SECONDS {
        return Ok(None);
    }
    let default = if subject.group.attributes.delay.known().is_some() { "" } else { " by default" };
    let description =
        format!("deregistration delay is {delay} s{default}, longer than the notice of {NOTICE_SECONDS} s");
    let key = ("deregistration_delay.timeout_seconds", "90");
    let problem = attribute_problem(subject.group, description, Impact::of(Connections::Open), key);
    Ok(Some(match subject.group.kind()? {
        GroupKind::Network => problem,
        GroupKind::Application => problem.with_severity(Severity::Warning),
    }))
}

pub(super) const CUT_AFTER_DELAY: Check = Check {
    id: "SD013",
    severity: Severity::Warning,
    title: "connections cut at the end of the deregistration delay",
    explanation: "With deregistration_delay.connection_termination.enabled a Network Load Balancer cuts open connections when \
                  the delay ends, although the target may still serve them. It is off by default, except for new UDP groups.",
    sources: &[ATTRIBUTES],
    run: CheckScope::Group(cut_after_delay),
};

fn cut_after_delay(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    let cuts = group.has_connections()? && group.cuts_after_delay()?;
    let description = format!("connections are cut {} s after the deregistration", group.delay()?);
    let key = ("deregistration_delay.connection_termination.enabled", "false");
    Ok(cuts.then(|| attribute_problem(group, description, Impact::of(Connections::Open), key)))
}

pub(super) const CUT_WHEN_UNHEALTHY: Check = Check {
    id: "SD014",
    severity: Severity::Note,
    title: "connections cut when the target is unhealthy",
    explanation: "A Network Load Balancer cuts open connections when a target becomes unhealthy, unless \
                  target_health_state.unhealthy.connection_termination.enabled is false; then it cuts them after \
                  target_health_state.unhealthy.draining_interval_seconds, if that is set. An application that closes its \
                  listening port on SIGTERM, as a graceful stop usually does, fails its health check soon after, and loses the \
                  connections that it is still serving. The disadvantage of an interval is that connections to a task \
                  that is really broken stay open for that time.",
    sources: &[ATTRIBUTES, UNHEALTHY, CHECKS],
    run: CheckScope::Group(cut_when_unhealthy),
};

fn cut_when_unhealthy(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    if subject.hold_fails_check()? {
        return Ok(None);
    }
    let (Some(cut), stop) = (group.cut_after()?, subject.stop_timeout()?) else { return Ok(None) };
    let description =
        format!("connections are cut {cut} s after the application closes its port{}", because(group, cut)?);
    let interval = NOTICE_SECONDS.saturating_sub(group.fails_after()?);
    Ok((cut < stop).then(|| keep_problem(group, description, interval)))
}

pub(super) const HOLD_CUTS: Check = Check {
    id: "SD015",
    severity: Severity::Error,
    title: "the load balancer cuts the connections that the hold serves",
    explanation: "spotdrain-hold fails the health check from SIGTERM on, so that a Network Load Balancer sends no new \
                  connections, while the application serves the open ones until they end. With connection termination for \
                  unhealthy targets, which is on by default, the load balancer cuts exactly those connections. If it is off, \
                  the load balancer cuts them after the unhealthy draining interval, if that is set.",
    sources: &[ATTRIBUTES, UNHEALTHY, CHECKS],
    run: CheckScope::Group(hold_cuts),
};

fn hold_cuts(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    if !subject.hold_fails_check()? {
        return Ok(None);
    }
    let Some(cut) = group.cut_after()? else { return Ok(None) };
    let serves = subject.stop_timeout()?.saturating_sub(HOLD_GRACE);
    let description = format!(
        "the hold fails the health check and serves for {serves} s, and open connections are cut after {cut} s{}",
        because(group, cut)?
    );
    Ok((cut < serves).then(|| keep_problem(group, description, NOTICE_SECONDS)))
}

fn because(group: &Group, cut: u32) -> Result<String, crate::model::setting::Unknown> {
    let interval = cut.saturating_sub(group.fails_after()?);
    Ok(if interval > 0 { format!(": the unhealthy draining interval is {interval} s") } else { String::new() })
}

/// The interval keeps what is open for a while, and does not keep connections to a broken target for ever.
fn keep_problem(group: &Group, description: String, interval: u32) -> Problem {
    let (terminates, draining) = (
        "target_health_state.unhealthy.connection_termination.enabled",
        "target_health_state.unhealthy.draining_interval_seconds",
    );
    let command = format!(
        "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes Key={terminates},Value=false \
         Key={draining},Value={interval}",
        group.arn
    );
    let terraform = format!(
        "enable_unhealthy_connection_termination = false and unhealthy_draining_interval = {interval} in target_health_state"
    );
    let lines = format!("{{ Key: {terminates}, Value: \"false\" }}, {{ Key: {draining}, Value: \"{interval}\" }}");
    Problem::new(
        group.place.clone(),
        description,
        Impact::of(Connections::Open),
        Fix::new(command, lines).in_terraform(terraform),
    )
}

pub(super) const SLOW_CHECK: Check = Check {
    id: "SD016",
    severity: Severity::Warning,
    title: "a health check that takes most of the notice to fail",
    explanation: "A target is unhealthy after the threshold of failed checks, one interval apart. Behind a Network Load \
                  Balancer a failing check ends new connections sooner than the deregistration does (30 to 40 s after the \
                  target is unhealthy, measured by a user), but only if it fails early in the notice. Without the function, \
                  nothing else helps.",
    sources: &[CHECKS, "https://github.com/aws/containers-roadmap/issues/470"],
    run: CheckScope::Group(slow_check),
};

fn slow_check(subject: &GroupSubject<'_>) -> CheckResult {
    let (group, fails) = (subject.group, subject.group.fails_after()?);
    if fails <= NOTICE_SECONDS / 2 {
        return Ok(None);
    }
    let (interval, threshold) = (group.health_check.interval.value_or(30)?, group.health_check.threshold.value_or(2)?);
    let command = format!(
        "aws elbv2 modify-target-group --target-group-arn {} --health-check-interval-seconds 10 --unhealthy-threshold-count 2",
        group.arn
    );
    let impact = match group.kind()? {
        GroupKind::Network => Impact::for_seconds(Connections::New, fails.min(NOTICE_SECONDS)),
        GroupKind::Application => Impact::of(Connections::New),
    };
    Ok(Some(Problem::new(
        group.place.clone(),
        format!("the health check fails after {fails} s ({threshold} checks, {interval} s apart)"),
        impact,
        Fix::new(command, "HealthCheckIntervalSeconds: 10, UnhealthyThresholdCount: 2")
            .in_terraform("interval = 10 and unhealthy_threshold = 2 in health_check"),
    )))
}

/// A check that fails this soon, in seconds, may fail a new task that is still starting.
const SOON: u32 = 30;

pub(super) const NO_GRACE_PERIOD: Check = Check {
    id: "SD047",
    severity: Severity::Note,
    title: "no health check grace period",
    explanation: "Without a health check grace period ECS stops a new task as soon as the load balancer finds it unhealthy. A \
                  replacement that takes longer to start than its health check takes to fail is stopped and started over and \
                  over, and the service stays a task short.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-healthcheck.html",
    ],
    run: CheckScope::Group(no_grace_period),
};

fn no_grace_period(subject: &GroupSubject<'_>) -> CheckResult {
    let (service, fails) = (subject.of.service, subject.group.fails_after()?);
    let has_none = service.grace_period.value_or(0)? == 0 && fails <= SOON;
    Ok(has_none.then(|| {
        let description = format!("it has no health check grace period, and its health check fails after {fails} s");
        let fix = Fix::new(
            format!("aws ecs update-service {} --health-check-grace-period-seconds 120", subject.of.command_names()),
            "HealthCheckGracePeriodSeconds: 120",
        )
        .in_terraform("health_check_grace_period_seconds = 120");
        Problem::new(service.place.clone(), description, Impact::NONE, fix)
    }))
}

pub(super) const SLOW_START: Check = Check {
    id: "SD049",
    severity: Severity::Note,
    title: "a slow start as long as the notice",
    explanation: "With slow start a new target gets its full share of requests only after the slow start duration. If that is \
                  as long as the notice, the replacement of an interrupted task does not get its share before the task is \
                  gone; until then, the other tasks carry the load.",
    sources: &[ALB_ATTRIBUTES],
    run: CheckScope::Group(slow_start),
};

fn slow_start(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    let seconds = group.attributes.slow_start.value_or(0)?;
    let is_long = seconds >= NOTICE_SECONDS && group.kind()? == GroupKind::Application;
    let description = format!("slow start is {seconds} s, and the notice {NOTICE_SECONDS} s");
    Ok(is_long.then(|| attribute_problem(group, description, Impact::NONE, ("slow_start.duration_seconds", "30"))))
}

fn attribute_problem(group: &Group, description: String, impact: Impact, (key, value): (&str, &str)) -> Problem {
    let command = format!(
        "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes Key={key},Value={value}",
        group.arn
    );
    let argument = match key {
        "deregistration_delay.timeout_seconds" => "deregistration_delay",
        "deregistration_delay.connection_termination.enabled" => "connection_termination",
        "slow_start.duration_seconds" => "slow_start",
        other => other,
    };
    let fix = Fix::new(command, format!("{{ Key: {key}, Value: \"{value}\" }}"))
        .in_terraform(format!("{argument} = {value}"));
    Problem::new(group.place.clone(), description, impact, fix)
}
