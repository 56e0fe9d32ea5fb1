//! May the function do what it must?

use crate::doctor::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::doctor::fact::{Fact, Unknown};
use crate::doctor::rights::{Request, Statement, allows};
use crate::doctor::site::{DeliverySite, GroupSite};

const ECS: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html";
const ELB: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html";
const SQS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html";

const GIVE_BACK: &str =
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html";

/// What Lambda does with the function's role to bring the messages, and to take away those that are done.
const OF_THE_QUEUE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// The id of some task.
const A_TASK: &str = "/0123456789abcdef0123456789abcdef";

pub(super) const RIGHTS: Check = Check {
    id: "SD027",
    severity: Severity::Error,
    title: "a role that lacks a right",
    explanation: "The function reads the service (ecs:DescribeServices), asks whose an address is (ecs:DescribeTasks) and \
                  reads the target group (elasticloadbalancing:DescribeTargetHealth, which has no resources); Lambda reads \
                  the queue with the function's role. Without one of these a notice is not handled: the message goes to \
                  the dead-letter queue in the end.",
    sources: &[ECS, ELB, SQS],
    run: Run::Delivery(rights),
};

fn rights(site: &DeliverySite<'_>) -> Verdict {
    let Some(statements) = site.delivery.role.need()? else { return Ok(None) };
    let missing = missing(site, statements)?;
    let Some((action, resource)) = missing else { return Ok(None) };
    Ok(Some(fault(site, &action, &resource.replace(A_TASK, "/*"))))
}

fn missing(site: &DeliverySite<'_>, statements: &[Statement]) -> Result<Option<(String, String)>, Unknown> {
    for (action, resource, keys) in needed(site)? {
        if !allows(statements, Request { action, resource: &resource, keys: &keys })? {
            return Ok(Some((action.to_owned(), resource)));
        }
    }
    Ok(None)
}

/// An action, its resource, and what a condition may ask for.
type Need = (&'static str, String, Vec<(String, Fact<String>)>);

fn needed(site: &DeliverySite<'_>) -> Result<Vec<Need>, Unknown> {
    let mut needed = vec![("elasticloadbalancing:DescribeTargetHealth", "*".to_owned(), Vec::new())];
    let discovers = site.delivery.function.settings()?.is_ok_and(|settings| settings.discover);
    for service in &site.estate.services {
        let Some(cluster) = service.cluster.need()? else { continue };
        let keys = vec![("ecs:cluster".to_owned(), Fact::Known(cluster.clone()))];
        let task = format!("{}{A_TASK}", cluster.replacen(":cluster/", ":task/", 1));
        needed.push(("ecs:DescribeTasks", task, keys.clone()));
        if discovers {
            needed.push(("ecs:DescribeServices", service.arn.clone(), keys));
        }
    }
    if let Some(queue) = site.delivery.queue.need()? {
        needed.extend(OF_THE_QUEUE.map(|action| (action, queue.arn.clone(), Vec::new())));
    }
    Ok(needed)
}

pub(super) const GIVES_BACK: Check = Check {
    id: "SD035",
    severity: Severity::Warning,
    title: "a role that cannot give messages back",
    explanation: "Beside what Lambda brings it, the function receives messages of its queue itself. One that it could not \
                  finish it gives back with sqs:ChangeMessageVisibility, so that it is tried again at once. Lambda's own \
                  policy for queues lacks that right, and without it the message comes again only when its visibility \
                  timeout is over: a good part of the notice.",
    sources: &[SQS, GIVE_BACK],
    run: Run::Delivery(gives_back),
};

fn gives_back(site: &DeliverySite<'_>) -> Verdict {
    let Some(queue) = site.delivery.queue.need()? else { return Ok(None) };
    let Some(statements) = site.delivery.role.need()? else { return Ok(None) };
    let action = "sqs:ChangeMessageVisibility";
    if allows(statements, Request { action, resource: &queue.arn, keys: &[] })? {
        return Ok(None);
    }
    Ok(Some(fault(site, action, &queue.arn)))
}

pub(super) const GROUP_RIGHT: Check = Check {
    id: "SD028",
    severity: Severity::Error,
    title: "a target group that the role may not touch",
    explanation: "elasticloadbalancing:DeregisterTargets is allowed by target group. A group that the role's policy does not \
                  name, or that lacks the tag that the policy asks for, keeps its targets: every try ends with \
                  AccessDenied, and no retry mends it.",
    sources: &[ELB],
    run: Run::Group(group_right),
};

fn group_right(site: &GroupSite<'_>) -> Verdict {
    let Some(delivery) = site.of.estate.delivery.need()? else { return Ok(None) };
    let Some(statements) = delivery.role.need()? else { return Ok(None) };
    let group = site.group;
    let action = "elasticloadbalancing:DeregisterTargets";
    let keys = tag_keys(site, statements);
    if allows(statements, Request { action, resource: &group.arn, keys: &keys })? {
        return Ok(None);
    }
    let here = DeliverySite { estate: site.of.estate, delivery };
    let fault = fault(&here, action, &group.arn);
    Ok(Some(Fault {
        place: group.place.clone(),
        found: format!("the function's role may not do {action} on it"),
        ..fault
    }))
}

/// The keys that the policy's conditions may ask for: the group's tags, known or not.
fn tag_keys(site: &GroupSite<'_>, statements: &[Statement]) -> Vec<(String, Fact<String>)> {
    let conditions = statements.iter().flat_map(|statement| &statement.conditions);
    let value = |tag: &str| match &site.group.tags {
        Fact::Known(tags) => {
            let of_it = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(tag));
            Fact::from(of_it.map(|(_, value)| value.clone()))
        }
        Fact::Absent => Fact::Absent,
        Fact::NotKnown(why) => Fact::NotKnown(why.clone()),
    };
    conditions.filter_map(|condition| Some((condition.key.clone(), value(condition.resource_tag()?)))).collect()
}

fn fault(site: &DeliverySite<'_>, action: &str, resource: &str) -> Fault {
    Fault {
        place: site.delivery.function.place.clone(),
        found: format!("its role may not do {action} on {resource}"),
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            "",
            format!("{{ Effect: Allow, Action: {action}, Resource: \"{resource}\" }} in the role's policy"),
        ),
    }
}
