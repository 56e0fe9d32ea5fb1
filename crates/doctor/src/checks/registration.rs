//! Do the group, the container and the addresses fit together?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::group::Group;
use crate::model::setting::{Fact, Unknown};
use crate::model::subject::GroupSite;

const BALANCER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html";
const REGISTER: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html";

const HEALTH: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html";
const ZONES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones";

pub(super) const PORT: Check = Check {
    id: "SD017",
    severity: Severity::Error,
    title: "a container or a port that the task definition does not have",
    explanation: "ECS registers the address of a task with the container and the port that the service names. Where the \
                  task definition has no such container, or the container no such port, the deployment fails and the \
                  service stays as it was.",
    sources: &[BALANCER],
    run: Run::Group(port),
};

fn port(site: &GroupSite<'_>) -> Verdict {
    let (Some(name), Some(port)) = (site.balancer.container.need()?, site.balancer.port.need()?) else {
        return Ok(None);
    };
    if site.of.containers()?.is_empty() {
        return Ok(None);
    }
    let (found, mend) = match site.container()? {
        None => (
            format!("its load balancer names container {name}, and the task definition has none of that name"),
            "ContainerName: the name of a container of the task definition".to_owned(),
        ),
        Some(container) if !container.ports.need()?.is_some_and(|ports| ports.contains(port)) => (
            format!("its load balancer names port {port} of container {name}, which has no mapping of it"),
            format!("PortMappings: [{{ ContainerPort: {port} }}]"),
        ),
        Some(_) => return Ok(None),
    };
    let place = site.of.service.place.clone();
    Ok(Some(Fault { place, found, cost: Cost::of(Connections::All), mend: Mend::new("", mend) }))
}

pub(super) const GROUP_PORT: Check = Check {
    id: "SD018",
    severity: Severity::Note,
    title: "the group's port is not the container's",
    explanation: "A target that was registered with a port of its own must be deregistered with that port: a call with the \
                  group's port, or with none, answers success and does nothing. spotdrain reads the registered port; \
                  scripts and other functions often do not.",
    sources: &[REGISTER],
    run: Run::Group(group_port),
};

fn group_port(site: &GroupSite<'_>) -> Verdict {
    let (Some(own), Some(port)) = (site.group.port.need()?, site.balancer.port.need()?) else { return Ok(None) };
    Ok((own != port).then(|| Fault {
        place: site.group.place.clone(),
        found: format!("the group's port is {own}, and its targets are registered with {port}"),
        cost: Cost::NONE,
        mend: Mend::new("", format!("Port: {port}")),
    }))
}

pub(super) const ADDRESS_FAMILY: Check = Check {
    id: "SD019",
    severity: Severity::Error,
    title: "an IPv6 group for tasks with IPv4 only",
    explanation: "A target group takes addresses of one family. Tasks in subnets without IPv6 have no address that an IPv6 \
                  group takes: they are never registered in it.",
    sources: &[
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html#target-group-ip-address-type",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html",
    ],
    run: Run::Group(address_family),
};

fn address_family(site: &GroupSite<'_>) -> Verdict {
    if site.group.ip_address_type.or("ipv4".to_owned())? != "ipv6" || site.of.service.has_ipv6.or(false)? {
        return Ok(None);
    }
    Ok(Some(Fault {
        place: site.group.place.clone(),
        found: "the group takes IPv6 addresses, and the service's tasks have IPv4 only".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new("", "IpAddressType: ipv4"),
    }))
}

pub(super) const UNUSED: Check = Check {
    id: "SD036",
    severity: Severity::Warning,
    title: "targets that the load balancer does not use",
    explanation: "A target is unused (Target.NotInUse) where no listener forwards to its group, or where it is in a zone \
                  that its load balancer is not in. Its task runs and counts, and gets no connection: when another task is \
                  interrupted it takes nothing over, and its replacement may start in such a zone, too.",
    sources: &[HEALTH, ZONES],
    run: Run::Group(unused),
};

fn unused(site: &GroupSite<'_>) -> Verdict {
    let group = site.group;
    let count = group.unused.or(0)?;
    let (why, mend) = why_unused(group);
    let are = if count == 1 { "target is" } else { "targets are" };
    let found = format!("{count} {are} unused (Target.NotInUse): {why}");
    Ok((count > 0).then(|| Fault { place: group.place.clone(), found, cost: Cost::of(Connections::New), mend }))
}

fn why_unused(group: &Group) -> (String, Mend) {
    let zones = Mend::new(
        "aws elbv2 set-subnets --load-balancer-arn ARN --subnets SUBNET_IN_EACH_ZONE_OF_THE_SERVICE",
        "Subnets: one in each zone of the service's AwsvpcConfiguration",
    );
    let either = "no listener forwards to the group, or its load balancer is not in their zone";
    match &group.listeners {
        Fact::Known(all) if all.is_empty() => {
            let action = format!("Type=forward,TargetGroupArn={}", group.arn);
            let protocol = group.protocol.known().map_or("PROTOCOL", String::as_str);
            let listener =
                format!("aws elbv2 create-listener --load-balancer-arn ARN --protocol {protocol} --port PORT");
            let mend = Mend::new(format!("{listener} --default-actions {action}"), "a Listener that forwards to it");
            ("no listener forwards to the group".to_owned(), mend)
        }
        Fact::Known(all) => (format!("in a zone that the load balancer is not in, of {}", all.join(", ")), zones),
        Fact::NotKnown(why) => (format!("{either}; which of the two could not be asked, {why}"), zones),
        Fact::Absent => (either.to_owned(), zones),
    }
}

pub(super) const BLUE_GREEN: Check = Check {
    id: "SD020",
    severity: Severity::Warning,
    title: "the two groups of a blue/green service differ",
    explanation: "A blue/green deployment moves the tasks to the other target group. If its settings are others, what was \
                  right for interruptions before a deployment is wrong after it.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html"],
    run: Run::Group(blue_green),
};

fn blue_green(site: &GroupSite<'_>) -> Verdict {
    let Some(other) = site.alternate else { return Ok(None) };
    let (own, others) = (settings(site.group)?, settings(other)?);
    let differs = own.into_iter().zip(others).find(|(own, other)| own != other);
    Ok(differs.map(|((what, own), (_, value))| Fault {
        place: other.place.clone(),
        found: format!("its {what} is {value}, and {own} in {}", site.group.place.name),
        cost: Cost::of(Connections::All),
        mend: Mend::new("", format!("the same {what} in both groups: {own}")),
    }))
}

fn settings(group: &Group) -> Result<[(&'static str, String); 4], Unknown> {
    Ok([
        ("deregistration delay", format!("{} s", group.delay()?)),
        ("connection termination", group.attributes.cuts_after_delay.or(false)?.to_string()),
        ("unhealthy connection termination", group.attributes.cuts_unhealthy.or(true)?.to_string()),
        ("time for a health check to fail", format!("{} s", group.fails_after()?)),
    ])
}
