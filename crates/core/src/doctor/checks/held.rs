//! Does the service's tag tell the function of the hold, and of nothing else?

use crate::doctor::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::doctor::fact::Unknown;
use crate::doctor::forecast::{FUNCTION_ACTS, HOLD_GRACE, NLB_GOES_ON};
use crate::doctor::group::Kind;
use crate::doctor::site::GroupSite;
use crate::finding::ServiceTag;

pub(super) const HOLD_TAG: Check = Check {
    id: "SD034",
    severity: Severity::Warning,
    title: "a hold and a service tag that do not fit each other",
    explanation: "Behind a Network Load Balancer the hold, which fails the health check, ends new connections after a \
                  minute, and a deregistration only after two, by users' measurements; whether a draining target that \
                  fails its health check is left sooner nobody has measured. So the function must leave to the hold what \
                  the hold takes care of: the tag spotdrain = hold says so. The tag alone keeps nothing in place: where \
                  the load balancer asks the application itself, the function takes the target out all the same.",
    sources: &[
        "https://github.com/aws/containers-roadmap/issues/470",
        "https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html",
    ],
    run: Run::Group(hold_tag),
};

fn hold_tag(site: &GroupSite<'_>) -> Verdict {
    if site.of.estate.delivery.need()?.is_none() || site.group.kind()? != Kind::Network {
        return Ok(None);
    }
    match (site.of.service.tag.need()?.map(|value| ServiceTag::from_value(value)), site.hold_fails_check()?) {
        (None | Some(ServiceTag::On), true) => Ok(Some(untagged(site)?)),
        (Some(ServiceTag::Hold), false) if site.hold()?.is_none() => Ok(Some(without_hold(site))),
        _ => Ok(None),
    }
}

/// The task serves until the hold's grace begins, and the load balancer may go on sending for longer than that.
fn untagged(site: &GroupSite<'_>) -> Result<Fault, Unknown> {
    let serves = site.stop_timeout()?.saturating_sub(HOLD_GRACE);
    let seconds = (FUNCTION_ACTS + NLB_GOES_ON).saturating_sub(serves);
    let arn = &site.of.service.arn;
    Ok(Fault {
        place: site.of.service.place.clone(),
        found: "its hold fails the health check, and the function, which is not told of it, deregisters the target"
            .to_owned(),
        cost: Cost::for_seconds(Connections::New, seconds),
        mend: Mend::new(
            format!("aws ecs tag-resource --resource-arn {arn} --tags key=spotdrain,value=hold"),
            "Tags: [{ Key: spotdrain, Value: hold }]",
        ),
    })
}

fn without_hold(site: &GroupSite<'_>) -> Fault {
    let group = site.group;
    Fault {
        place: group.place.clone(),
        found: "the service's tag spotdrain is \"hold\", and the health check asks no hold, but the traffic's own port"
            .to_owned(),
        cost: Cost::of(Connections::New),
        mend: Mend::new(
            format!("aws elbv2 modify-target-group --target-group-arn {} --health-check-port 8081", group.arn),
            "HealthCheckPort: \"8081\", with SPOTDRAIN_HOLD_HEALTH=0.0.0.0:8081 in the container",
        ),
    }
}
