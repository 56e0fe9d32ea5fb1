//! Do the target group, the container and the addresses fit each other?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::group::Group;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::GroupSubject;

const BALANCER: &str = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html";
const REGISTER: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html";

const HEALTH: &str = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html";
const ZONES: &str =
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html#availability-zones";

pub(super) const PORT: Check = Check {
    id: "SD017",
    severity: Severity::Error,
    title: "a container or a port that is not in the task definition",
    explanation: "ECS registers the address of a task with the container and the port that the service names. If the \
                  task definition has no such container, or the container has no such port, the deployment fails and the \
                  service stays as it was.",
    sources: &[BALANCER],
    run: CheckScope::Group(port),
};

fn port(subject: &GroupSubject<'_>) -> CheckResult {
    let (Some(name), Some(port)) = (subject.balancer.container.known_or_err()?, subject.balancer.port.known_or_err()?)
    else {
        return Ok(None);
    };
    let containers = subject.of.containers()?;
    if containers.is_empty() {
        return Ok(None);
    }
    let is_open = |name: &str| name.contains("${");
    if subject.container()?.is_none() && (is_open(name) || containers.iter().any(|one| is_open(&one.name))) {
        return Err(Unknown("the names of its containers are parameters: give them with --parameter".to_owned()));
    }
    let (description, fix) = match subject.container()? {
        None => (
            format!("its load balancer names container {name}, which is not in the task definition"),
            Fix::new("", "ContainerName: the name of a container of the task definition")
                .in_terraform("container_name = the name of a container of the task definition"),
        ),
        Some(container) if !container.ports.known_or_err()?.is_some_and(|ports| ports.contains(port)) => (
            format!("its load balancer names port {port} of container {name}, which does not map it"),
            Fix::new("", format!("PortMappings: [{{ ContainerPort: {port} }}]"))
                .in_terraform(format!("portMappings = [{{ containerPort = {port} }}] in the container")),
        ),
        Some(_) => return Ok(None),
    };
    let place = subject.of.service.place.clone();
    Ok(Some(Problem::new(place, description, Impact::of(Connections::All), fix)))
}

pub(super) const GROUP_PORT: Check = Check {
    id: "SD018",
    severity: Severity::Note,
    title: "a group whose port is not the container's",
    explanation: "A target that was registered with another port than the group's must be deregistered with that port: a call \
                  with the group's port, or with none, succeeds and does nothing. spotdrain reads the registered port; scripts \
                  and other functions often do not.",
    sources: &[REGISTER],
    run: CheckScope::Group(group_port),
};

fn group_port(subject: &GroupSubject<'_>) -> CheckResult {
    let (Some(own), Some(port)) = (subject.group.port.known_or_err()?, subject.balancer.port.known_or_err()?) else {
        return Ok(None);
    };
    Ok((own != port).then(|| {
        Problem::new(
            subject.group.place.clone(),
            format!("the group's port is {own}, and its targets are registered with {port}"),
            Impact::NONE,
            Fix::new("", format!("Port: {port}")).in_terraform(format!("port = {port}")),
        )
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
    run: CheckScope::Group(address_family),
};

fn address_family(subject: &GroupSubject<'_>) -> CheckResult {
    if subject.group.ip_address_type.value_or("ipv4".to_owned())? != "ipv6"
        || subject.of.service.has_ipv6.value_or(false)?
    {
        return Ok(None);
    }
    Ok(Some(Problem::new(
        subject.group.place.clone(),
        "the group takes IPv6 addresses, and the service's tasks have IPv4 only".to_owned(),
        Impact::of(Connections::All),
        Fix::new("", "IpAddressType: ipv4").in_terraform("ip_address_type = \"ipv4\""),
    )))
}

pub(super) const UNUSED: Check = Check {
    id: "SD036",
    severity: Severity::Warning,
    title: "targets that the load balancer does not use",
    explanation: "A target is unused (Target.NotInUse) where no listener forwards to its group, or where it is in a zone that \
                  its load balancer is not in. Its task runs and counts as one of the service's tasks, but gets no \
                  connections: it cannot take over for an interrupted task, and the replacement may start in such a zone as \
                  well.",
    sources: &[HEALTH, ZONES],
    run: CheckScope::Group(unused),
};

fn unused(subject: &GroupSubject<'_>) -> CheckResult {
    let group = subject.group;
    let count = group.unused.value_or(0)?;
    let (why, fix) = why_unused(group);
    let are = if count == 1 { "target is" } else { "targets are" };
    let description = format!("{count} {are} unused (Target.NotInUse): {why}");
    Ok((count > 0).then(|| Problem::new(group.place.clone(), description, Impact::of(Connections::New), fix)))
}

fn why_unused(group: &Group) -> (String, Fix) {
    let zones = Fix::new(
        "aws elbv2 set-subnets --load-balancer-arn ARN --subnets SUBNET_IN_EACH_ZONE_OF_THE_SERVICE",
        "Subnets: one in each zone of the service's AwsvpcConfiguration",
    )
    .in_terraform("subnets = one in each zone of the service's network_configuration");
    let either = "no listener forwards to the group, or its load balancer is not in their zone";
    match &group.listeners {
        Setting::Set(all) if all.is_empty() => {
            let action = format!("Type=forward,TargetGroupArn={}", group.arn);
            let protocol = group.protocol.known().map_or("PROTOCOL", String::as_str);
            let listener =
                format!("aws elbv2 create-listener --load-balancer-arn ARN --protocol {protocol} --port PORT");
            let fix = Fix::new(format!("{listener} --default-actions {action}"), "a Listener that forwards to it")
                .in_terraform("an aws_lb_listener that forwards to it");
            ("no listener forwards to the group".to_owned(), fix)
        }
        Setting::Set(all) => (format!("in a zone that the load balancer is not in, of {}", all.join(", ")), zones),
        Setting::Unknown(why) => (format!("{either}; which of the two is unknown: {why}"), zones),
        Setting::Default => (either.to_owned(), zones),
    }
}

pub(super) const BLUE_GREEN: Check = Check {
    id: "SD020",
    severity: Severity::Warning,
    title: "the two groups of a blue/green service differ",
    explanation: "A blue/green deployment moves the tasks to the other target group. If its settings differ, settings that are \
                  right for interruptions before a deployment may be wrong after it.",
    sources: &["https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_AdvancedConfiguration.html"],
    run: CheckScope::Group(blue_green),
};

fn blue_green(subject: &GroupSubject<'_>) -> CheckResult {
    let Some(other) = subject.alternate else { return Ok(None) };
    let (own, others) = (settings(subject.group)?, settings(other)?);
    let differs = own.into_iter().zip(others).find(|(own, other)| own != other);
    Ok(differs.map(|((what, own), (_, value))| {
        Problem::new(
            other.place.clone(),
            format!("its {what} is {value}, and {own} in {}", subject.group.place.name),
            Impact::of(Connections::All),
            Fix::new("", format!("the same {what} in both groups: {own}"))
                .in_terraform(format!("the same {what} in both groups: {own}")),
        )
    }))
}

fn settings(group: &Group) -> Result<[(&'static str, String); 4], Unknown> {
    Ok([
        ("deregistration delay", format!("{} s", group.delay()?)),
        ("connection termination", group.cuts_after_delay()?.to_string()),
        ("unhealthy connection termination", group.attributes.cuts_unhealthy.value_or(true)?.to_string()),
        ("time for a health check to fail", format!("{} s", group.fails_after()?)),
    ])
}

pub(super) const TARGET_TYPE: Check = Check {
    id: "SD042",
    severity: Severity::Error,
    title: "a target group for instances",
    explanation: "Tasks on Fargate have an address of their own and are registered by it. A target group of the type instance, \
                  which is the default, takes no addresses: ECS refuses the service.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html",
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html",
    ],
    run: CheckScope::Group(target_type),
};

fn target_type(subject: &GroupSubject<'_>) -> CheckResult {
    let set = subject.group.target_type.known_or_err()?.map_or("instance by default", String::as_str);
    Ok(set.starts_with("instance").then(|| {
        let description = format!("its target type is {set}, and Fargate needs ip: ECS refuses the service");
        let fix = Fix::new("aws elbv2 create-target-group --target-type ip, in place of this one", "TargetType: ip")
            .in_terraform("target_type = \"ip\"");
        Problem::new(subject.group.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}
