//! What does the load balancer do with the connections of a target that goes away?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::group::{Group, Kind};
use crate::model::subject::GroupSite;
use spotdrain_core::limits::NOTICE_SECONDS;

const ATTRIBUTES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html";
const UNHEALTHY: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health.html";
const CHECKS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";

pub(super) const DELAY: Check = Check {
    id: "SD012",
    severity: Severity::Error,
    title: "a deregistration delay that is longer than the notice",
    explanation: "The deregistration delay is 300 s unless it is set, and the task lives for 120 s at most. Connections \
                  that the load balancer would let end in their own time end with the task instead, and ECS, which waits \
                  for the delay where it deregisters a target itself, cannot be done in time. AWS asks for less than \
                  120 s with Fargate Spot.",
    sources: &[
        "https://repost.aws/knowledge-center/fargate-spot-termination-notice",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html",
    ],
    run: Run::Group(delay),
};

fn delay(site: &GroupSite<'_>) -> Verdict {
    let delay = site.group.delay()?;
    let unset = if site.group.attributes.delay.known().is_some() { "" } else { ", AWS's own" };
    let found = format!("deregistration delay is {delay} s{unset}, and the notice {NOTICE_SECONDS} s");
    let cost = Cost::of(Connections::Open);
    Ok((delay > NOTICE_SECONDS).then(|| fault(site.group, found, cost, ("deregistration_delay.timeout_seconds", "90"))))
}

pub(super) const CUT_AFTER_DELAY: Check = Check {
    id: "SD013",
    severity: Severity::Warning,
    title: "connections cut at the end of the deregistration delay",
    explanation: "With deregistration_delay.connection_termination.enabled a Network Load Balancer cuts what is open when \
                  the delay ends, though the target may still serve it. It is off unless it is set, but for new groups of \
                  UDP.",
    sources: &[ATTRIBUTES],
    run: Run::Group(cut_after_delay),
};

fn cut_after_delay(site: &GroupSite<'_>) -> Verdict {
    let group = site.group;
    let cuts = group.has_connections()? && group.attributes.cuts_after_delay.or(false)?;
    let found = format!("connections are cut {} s after the deregistration", group.delay()?);
    let key = ("deregistration_delay.connection_termination.enabled", "false");
    Ok(cuts.then(|| fault(group, found, Cost::of(Connections::Open), key)))
}

pub(super) const CUT_WHEN_UNHEALTHY: Check = Check {
    id: "SD014",
    severity: Severity::Note,
    title: "connections cut when the target is unhealthy",
    explanation: "A Network Load Balancer cuts what is open when a target becomes unhealthy, unless \
                  target_health_state.unhealthy.connection_termination.enabled is false. An application that closes its \
                  listening port on SIGTERM, as a graceful stop usually does, fails its health check soon after, and \
                  loses the connections that it is still serving. To set it to false has a price: connections to a task \
                  that is really broken are not cut either.",
    sources: &[UNHEALTHY, CHECKS],
    run: Run::Group(cut_when_unhealthy),
};

fn cut_when_unhealthy(site: &GroupSite<'_>) -> Verdict {
    let group = site.group;
    if !cuts_unhealthy(group)? || site.hold_fails_check()? {
        return Ok(None);
    }
    let (fails, stop) = (group.fails_after()?, site.stop_timeout()?);
    let found = format!("connections are cut as soon as the health check fails: {fails} s after the port is closed");
    let cost = Cost::of(Connections::Open);
    Ok((fails < stop).then(|| fault(group, found, cost, KEEP_UNHEALTHY)))
}

pub(super) const HOLD_CUTS: Check = Check {
    id: "SD015",
    severity: Severity::Error,
    title: "the hold fails the health check, and the group cuts what is unhealthy",
    explanation: "spotdrain-hold fails the health check from SIGTERM on, so that a Network Load Balancer sends nothing \
                  new, and serves what is open until it ends. With connection termination for unhealthy targets, which is \
                  on unless it is set, the load balancer cuts exactly those connections.",
    sources: &[UNHEALTHY, CHECKS],
    run: Run::Group(hold_cuts),
};

fn hold_cuts(site: &GroupSite<'_>) -> Verdict {
    let group = site.group;
    let cuts = cuts_unhealthy(group)? && site.hold_fails_check()?;
    let found =
        format!("the hold fails the health check, and {} s later every open connection is cut", group.fails_after()?);
    Ok(cuts.then(|| fault(group, found, Cost::of(Connections::Open), KEEP_UNHEALTHY)))
}

const KEEP_UNHEALTHY: (&str, &str) = ("target_health_state.unhealthy.connection_termination.enabled", "false");

fn cuts_unhealthy(group: &Group) -> Result<bool, crate::model::setting::Unknown> {
    // It cannot be set for UDP and TCP_UDP.
    let protocol = group.protocol.need()?.map_or("", String::as_str);
    Ok(matches!(protocol, "TCP" | "TLS") && group.attributes.cuts_unhealthy.or(true)?)
}

pub(super) const SLOW_CHECK: Check = Check {
    id: "SD016",
    severity: Severity::Warning,
    title: "a health check that takes most of the notice to fail",
    explanation: "A target is unhealthy after so many failed checks in a row, each an interval later. Behind a Network Load \
                  Balancer a failing check ends new connections sooner than the deregistration does (30 to 40 s after the \
                  target is unhealthy, measured by a user), but only if it fails early in the notice. And it is all that \
                  helps where the function is not there.",
    sources: &[CHECKS, "https://github.com/aws/containers-roadmap/issues/470"],
    run: Run::Group(slow_check),
};

fn slow_check(site: &GroupSite<'_>) -> Verdict {
    let (group, fails) = (site.group, site.group.fails_after()?);
    if fails <= NOTICE_SECONDS / 2 {
        return Ok(None);
    }
    let (interval, threshold) = (group.health_check.interval.or(30)?, group.health_check.threshold.or(2)?);
    let command = format!(
        "aws elbv2 modify-target-group --target-group-arn {} --health-check-interval-seconds 10 --unhealthy-threshold-count 2",
        group.arn
    );
    Ok(Some(Fault {
        place: group.place.clone(),
        found: format!("the health check fails after {fails} s ({threshold} checks, {interval} s apart)"),
        cost: match group.kind()? {
            Kind::Network => Cost::for_seconds(Connections::New, fails.min(NOTICE_SECONDS)),
            Kind::Application => Cost::of(Connections::New),
        },
        mend: Mend::new(command, "HealthCheckIntervalSeconds: 10, UnhealthyThresholdCount: 2"),
    }))
}

fn fault(group: &Group, found: String, cost: Cost, (key, value): (&str, &str)) -> Fault {
    let command = format!(
        "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes Key={key},Value={value}",
        group.arn
    );
    Fault {
        place: group.place.clone(),
        found,
        cost,
        mend: Mend::new(command, format!("{{ Key: {key}, Value: \"{value}\" }}")),
    }
}
