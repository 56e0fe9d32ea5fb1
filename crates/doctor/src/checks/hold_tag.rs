//! Does the service's tag tell the function of the hold, and of nothing else?

use crate::check::{Check, Connections, Fix, Impact, Problem, Run, Severity, Verdict};
use crate::forecast::{FUNCTION_ACTS, HOLD_GRACE, NLB_GOES_ON, NLB_GOES_ON_UNHEALTHY};
use crate::model::group::Kind;
use crate::model::setting::Unknown;
use crate::model::subject::GroupSubject;
use spotdrain_core::finding::ServiceTag;

pub(super) const HOLD_TAG: Check = Check {
    id: "SD034",
    severity: Severity::Warning,
    title: "a hold and a service tag that do not fit each other",
    explanation: "Behind a Network Load Balancer a hold that fails the health check ends new connections after a minute, and \
                  a deregistration only after two, by users' measurements; whether a draining target that fails its health \
                  check is left sooner nobody has measured. If it is not, deregistering costs the connections that come \
                  once the application is told. So the function must leave to the hold what the hold takes care of, and \
                  the tag spotdrain = hold says so. The tag counts for every target of the service whose health check asks \
                  another port than the traffic's: what no hold takes care of must not be checked so.",
    sources: &[
        "https://github.com/aws/containers-roadmap/issues/470",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html",
    ],
    run: Run::Group(hold_tag),
};

fn hold_tag(subject: &GroupSubject<'_>) -> Verdict {
    if subject.of.deployment.delivery.known_or_err()?.is_none() || subject.group.kind()? != Kind::Network {
        return Ok(None);
    }
    let tag = subject.of.service.tag.known_or_err()?.map(|value| ServiceTag::from_value(value));
    let is_told = subject.of.is_tagged_hold()?;
    match tag {
        None | Some(ServiceTag::On | ServiceTag::Hold) if !is_told && subject.hold_fails_check()? => untold(subject),
        Some(ServiceTag::Hold) if is_told && subject.hold()?.is_none() && !subject.hold_fails_check()? => {
            Ok(Some(unheld(subject)?))
        }
        _ => Ok(None),
    }
}

/// The task serves until the hold's grace begins, and the load balancer may go on sending for longer than that. Where the
/// health check is slower than the deregistration to leave it to the hold would be no better: SD016 tells of that.
fn untold(subject: &GroupSubject<'_>) -> Verdict {
    let deregistered = FUNCTION_ACTS + NLB_GOES_ON;
    if subject.group.fails_after()? + NLB_GOES_ON_UNHEALTHY > deregistered {
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
        "its hold fails the health check, and the function is not told of it: it deregisters the target".to_owned(),
        Impact::for_seconds(Connections::New, deregistered.saturating_sub(serves)),
        Fix::new(tag + and, line + and),
    )))
}

fn unheld(subject: &GroupSubject<'_>) -> Result<Problem, Unknown> {
    let (group, container) = (subject.group, subject.container()?.map_or("its container", |container| &container.name));
    let command = format!("aws elbv2 modify-target-group --target-group-arn {} --health-check-port", group.arn);
    let (description, fix) = if subject.asks_traffic()? {
        let description =
            "the health check asks no hold, but the traffic's own port: its targets are deregistered all the same";
        let line = "HealthCheckPort: \"8081\", with SPOTDRAIN_HOLD_HEALTH=0.0.0.0:8081 in the container";
        (description.to_owned(), Fix::new(format!("{command} 8081"), line))
    } else {
        let description =
            format!("the health check asks another port, and no hold in {container}: its targets are not deregistered");
        (description, Fix::new(format!("{command} traffic-port"), "HealthCheckPort: traffic-port"))
    };
    let description = format!("the service's tag spotdrain is \"hold\", and {description}");
    Ok(Problem::new(group.place.clone(), description, Impact::of(Connections::New), fix))
}
