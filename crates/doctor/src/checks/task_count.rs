//! Are there tasks enough that one can go?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::group::Kind;
use crate::model::setting::Unknown;
use crate::model::subject::{GroupSite, ServiceSite};

const ZONES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones";
const CHECKS: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html";

pub(super) const ONE_TASK: Check = Check {
    id: "SD006",
    severity: Severity::Error,
    title: "one task alone",
    explanation: "A service of one task has nothing to send to while that one is replaced, which takes longer than the \
                  notice. Nothing can mend that from outside: spotdrain leaves a group's last healthy target where it is.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html", CHECKS],
    run: Run::SpotService(one_task),
};

fn one_task(site: &ServiceSite<'_>) -> Verdict {
    // Without a count CloudFormation makes one task: AWS::ECS::Service, DesiredCount.
    let is_alone = site.service.desired.or(1)? == 1;
    Ok(is_alone.then(|| Fault {
        place: site.service.place.clone(),
        found: "desired count is 1: there is no other task to send to".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!("aws ecs update-service {} --desired-count 2", site.command_names()),
            "DesiredCount: 2",
        ),
    }))
}

pub(super) const NO_MINIMUM: Check = Check {
    id: "SD007",
    severity: Severity::Warning,
    title: "a minimum healthy percent of 0",
    explanation: "With a minimum healthy percent of 0 a deployment may stop every task before a new one runs. An \
                  interruption that comes meanwhile meets a service without spare tasks.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"],
    run: Run::SpotService(no_minimum),
};

fn no_minimum(site: &ServiceSite<'_>) -> Verdict {
    let has_none = site.service.minimum_healthy.or(100)? == 0;
    Ok(has_none.then(|| Fault {
        place: site.service.place.clone(),
        found: "minimum healthy percent is 0: a deployment may stop all tasks at once".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!(
                "aws ecs update-service {} --deployment-configuration minimumHealthyPercent=100,maximumPercent=200",
                site.command_names()
            ),
            "DeploymentConfiguration: { MinimumHealthyPercent: 100, MaximumPercent: 200 }",
        ),
    }))
}

pub(super) const ONE_IN_ZONE: Check = Check {
    id: "SD008",
    severity: Severity::Warning,
    title: "one target in a zone, without cross-zone load balancing",
    explanation: "Without cross-zone load balancing, which is off for a Network Load Balancer unless it is set, the \
                  address of a zone sends only to the targets of that zone. When its one target goes, the address has \
                  none: it leaves the DNS answer, and clients that know it already fail until they ask again.",
    sources: &[ZONES, CHECKS],
    run: Run::Group(one_in_zone),
};

fn one_in_zone(site: &GroupSite<'_>) -> Verdict {
    let group = site.group;
    if group.kind()? == Kind::Application || group.cross_zone.or(false)? {
        return Ok(None);
    }
    let found = match group.healthy_in_zones.need()? {
        Some(zones) => zones.contains(&1).then(|| format!("a zone of {} has one healthy target", zones.len())),
        None => expected(site)?,
    };
    Ok(found.map(|found| Fault {
        place: group.place.clone(),
        found: format!("{found}, and cross-zone load balancing is off"),
        cost: Cost::of(Connections::New),
        mend: Mend::new(
            format!(
                "aws elbv2 modify-target-group-attributes --target-group-arn {} --attributes \
                 Key=load_balancing.cross_zone.enabled,Value=true",
                group.arn
            ),
            "{ Key: load_balancing.cross_zone.enabled, Value: \"true\" }",
        ),
    }))
}

/// Where the targets cannot be seen: whether the count suffices for two in each zone. One task alone is another check's.
fn expected(site: &GroupSite<'_>) -> Result<Option<String>, Unknown> {
    let (Some(zones), Some(desired)) = (group_zones(site)?, site.of.service.desired.need()?) else { return Ok(None) };
    let is_thin = *desired > 1 && *desired < zones.saturating_mul(2);
    Ok(is_thin.then(|| format!("{desired} tasks in {zones} zones leave a zone with one")))
}

fn group_zones(site: &GroupSite<'_>) -> Result<Option<u32>, Unknown> {
    Ok(site.group.zones.need()?.copied().filter(|zones| *zones > 1))
}
