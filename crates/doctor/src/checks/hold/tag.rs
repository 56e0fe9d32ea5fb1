//! Does the service's tag agree with the hold?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::forecast::{FUNCTION_ACTS, HOLD_GRACE};
use crate::model::group::GroupKind;
use crate::model::setting::Unknown;
use crate::model::subject::GroupSubject;
use spotdrain_core::model::observed::ServiceTag;

pub(in crate::checks) const HOLD_TAG: Check = Check {
    id: "SD034",
    severity: Severity::Warning,
    title: "a hold and a service tag that do not agree",
    explanation: "Behind a Network Load Balancer a hold that fails the health check ends new connections after a minute, and \
                  a deregistration only after two, by users' measurements; nobody has measured whether a draining target that \
                  fails its health check gets new connections for a shorter time. If it does not, deregistering it loses the \
                  connections that arrive after the application has stopped. So the function leaves such a target to the \
                  hold, if the service has the tag spotdrain = hold. The tag counts for every target of the service whose \
                  health check asks another port than the traffic's: a target without the hold must not be checked that way.",
    sources: &[
        "https://github.com/aws/containers-roadmap/issues/470",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html",
    ],
    run: CheckScope::Group(hold_tag),
};

fn hold_tag(subject: &GroupSubject<'_>) -> CheckResult {
    if subject.of.deployment.delivery.known_or_err()?.is_none() || subject.group.kind()? != GroupKind::Network {
        return Ok(None);
    }
    let tag = subject.of.service.tag.known_or_err()?.map(|value| ServiceTag::from_value(value));
    let is_tagged = subject.of.is_tagged_hold()?;
    match tag {
        None | Some(ServiceTag::On | ServiceTag::Hold) if !is_tagged && subject.hold_fails_check()? => {
            untagged(subject)
        }
        Some(ServiceTag::Hold) if is_tagged && subject.hold()?.is_none() && !subject.hold_fails_check()? => {
            Ok(Some(unheld(subject)?))
        }
        _ => Ok(None),
    }
}

/// The task serves until the hold's grace begins, and the load balancer may send for longer than that. Where the health check
/// is slower than the deregistration, leaving the target to the hold would be no better: SD016 reports that.
fn untagged(subject: &GroupSubject<'_>) -> CheckResult {
    let delays = subject.of.deployment.delays.network;
    let deregistered = FUNCTION_ACTS.saturating_add(delays.after_deregistration);
    if subject.group.fails_after()?.saturating_add(delays.after_unhealthy) > deregistered {
        return Ok(None);
    }
    let serves = subject.stop_timeout()?.saturating_sub(HOLD_GRACE);
    let arn = &subject.of.service.arn;
    let tag = format!("aws ecs tag-resource --resource-arn {arn} --tags key=spotdrain,value=hold");
    let line = "Tags: [{ Key: spotdrain, Value: hold }]".to_owned();
    let and =
        if subject.of.is_tag_read() { "" } else { ", and SPOTDRAIN_DISCOVER: true, without which no tag is read" };
    Ok(Some(Problem::new(
        subject.of.service.place.clone(),
        "its hold fails the health check, and the service is not tagged hold: the function deregisters the target"
            .to_owned(),
        Impact::for_seconds(Connections::New, deregistered.saturating_sub(serves)),
        Fix::new(tag + and, line + and).in_terraform("tags = { spotdrain = \"hold\" }".to_owned() + and),
    )))
}

fn unheld(subject: &GroupSubject<'_>) -> Result<Problem, Unknown> {
    let (group, container) = (subject.group, subject.container()?.map_or("its container", |container| &container.name));
    let command = format!("aws elbv2 modify-target-group --target-group-arn {} --health-check-port", group.arn);
    let (description, fix) = if subject.asks_traffic()? {
        let description =
            "the health check uses the traffic port and not that of a hold: its targets are deregistered all the same";
        let line = "HealthCheckPort: \"8081\", with SPOTDRAIN_HOLD_HEALTH=0.0.0.0:8081 in the container";
        let hcl = "port = 8081 in health_check, with SPOTDRAIN_HOLD_HEALTH=0.0.0.0:8081 in the container";
        (description.to_owned(), Fix::new(format!("{command} 8081"), line).in_terraform(hcl))
    } else {
        let description = format!(
            "the health check uses another port, but {container} has no hold: its targets are not deregistered"
        );
        let fix = Fix::new(format!("{command} traffic-port"), "HealthCheckPort: traffic-port");
        (description, fix.in_terraform("port = \"traffic-port\" in health_check"))
    };
    let description = format!("the service's tag spotdrain is \"hold\", and {description}");
    Ok(Problem::new(group.place.clone(), description, Impact::of(Connections::New), fix))
}
