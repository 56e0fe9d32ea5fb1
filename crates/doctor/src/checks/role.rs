//! May the function do what it must?

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::iam::{Request, Statement, allows, is_denied, lacking_tag};
use crate::model::service::Service;
use crate::model::setting::{Fact, Unknown};
use crate::model::subject::{DeliverySite, GroupSite, ServiceSite};
use spotdrain_core::arn::ClusterArn;
use spotdrain_core::settings::Settings;

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
    explanation: "The function reads the service (ecs:DescribeServices, and ecs:DescribeServiceRevisions where it has no target \
                  group of its own), asks whose an address is (ecs:DescribeTasks) and \
                  reads the target group (elasticloadbalancing:DescribeTargetHealth, which has no resources); Lambda reads \
                  the queue with the function's role. Without one of these a notice is not handled: the message goes to \
                  the dead-letter queue in the end.",
    sources: &[ECS, ELB, SQS],
    run: Run::Delivery(rights),
};

fn rights(site: &DeliverySite<'_>) -> Verdict {
    let Some(statements) = site.delivery.role.need()? else { return Ok(None) };
    let lacking = lacking(site, statements)?;
    let Some((first, others)) = lacking.split_first() else { return Ok(None) };
    let mut fault = fault(site, statements, first);
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|need| format!("{} on {}", need.action, need.shown())).collect();
        fault.found = format!("{}, nor {}", fault.found, names.join(", nor "));
    }
    Ok(Some(fault))
}

/// What the role lacks, each action once. A lack that is sure is told, whatever is not known beside it.
fn lacking(site: &DeliverySite<'_>, statements: &[Statement]) -> Result<Vec<Need>, Unknown> {
    let (mut lacking, mut unknown): (Vec<Need>, _) = (Vec::new(), None);
    for need in needed(site)? {
        match allows(statements, need.request()) {
            Ok(true) => {}
            Ok(false) if lacking.iter().any(|known| known.action == need.action) => {}
            Ok(false) => lacking.push(need),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.filter(|_| lacking.is_empty()).map_or(Ok(lacking), Err)
}

/// An action, its resource, and what a condition may ask for.
struct Need {
    action: &'static str,
    resource: String,
    keys: Vec<(String, Fact<String>)>,
}

impl Need {
    fn of(action: &'static str, resource: impl Into<String>) -> Self {
        Self { action, resource: resource.into(), keys: Vec::new() }
    }

    fn request(&self) -> Request<'_> {
        Request { action: self.action, resource: &self.resource, keys: &self.keys }
    }

    /// The resource for a person: any task in place of some task.
    fn shown(&self) -> String {
        self.resource.replace(A_TASK, "/*")
    }
}

fn needed(site: &DeliverySite<'_>) -> Result<Vec<Need>, Unknown> {
    let mut needed = vec![Need::of("elasticloadbalancing:DescribeTargetHealth", "*")];
    let settings = site.delivery.function.settings()?.unwrap_or_default();
    for service in served(site, &settings) {
        let Some(cluster) = service.cluster.need()? else { continue };
        let keys = vec![("ecs:cluster".to_owned(), Fact::Known(cluster.clone()))];
        let task = format!("{}{A_TASK}", cluster.replacen(":cluster/", ":task/", 1));
        needed.push(Need { keys: keys.clone(), ..Need::of("ecs:DescribeTasks", task) });
        if settings.discover {
            needed.push(Need { keys: keys.clone(), ..Need::of("ecs:DescribeServices", service.arn.clone()) });
            // Only there does such a service have its target groups, if it has any.
            if service.balancers.known().is_some_and(Vec::is_empty) {
                let revision = format!("{}/0123456789", service.arn.replacen(":service/", ":service-revision/", 1));
                needed.push(Need { keys, ..Need::of("ecs:DescribeServiceRevisions", revision) });
            }
        }
    }
    if let Some(queue) = site.delivery.queue.need()? {
        needed.extend(OF_THE_QUEUE.map(|action| Need::of(action, queue.arn.clone())));
    }
    Ok(needed)
}

/// The services that the function may get a notice of: with tasks on Spot, in a cluster of its scope.
fn served<'a>(site: &DeliverySite<'a>, settings: &'a Settings) -> impl Iterator<Item = &'a Service> {
    let (estate, in_scope) = (site.estate, |service: &&Service| {
        let cluster = service.cluster.known().and_then(|arn| ClusterArn::parse(arn).ok());
        cluster.is_none_or(|cluster| settings.in_scope(&cluster))
    });
    let on_spot = move |service: &&Service| ServiceSite { estate, service }.may_be_on_spot();
    estate.services.iter().filter(on_spot).filter(in_scope)
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
    let need = Need::of("sqs:ChangeMessageVisibility", queue.arn.clone());
    Ok((!allows(statements, need.request())?).then(|| fault(site, statements, &need)))
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
    let (group, keys) = (site.group, tag_keys(site, statements));
    let need = Need { keys, ..Need::of("elasticloadbalancing:DeregisterTargets", group.arn.clone()) };
    if allows(statements, need.request())? {
        return Ok(None);
    }
    let here = DeliverySite { estate: site.of.estate, delivery };
    let fault = fault(&here, statements, &need);
    let found = format!("the function's role may not do {} on it", need.action);
    Ok(Some(Fault { place: group.place.clone(), found, ..fault }))
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

fn fault(site: &DeliverySite<'_>, statements: &[Statement], need: &Need) -> Fault {
    Fault {
        place: site.delivery.function.place.clone(),
        found: format!("its role may not do {} on {}", need.action, need.shown()),
        cost: Cost::of(Connections::All),
        mend: mend(statements, need),
    }
}

/// An allow beside a deny mends nothing, and where only the tag is missing it would allow too much.
fn mend(statements: &[Statement], need: &Need) -> Mend {
    let (action, resource) = (need.action, need.shown());
    if is_denied(statements, need.request()) {
        return Mend::new("", format!("no Effect: Deny in the role's policies that covers {action}"));
    }
    if let Some((tag, value)) = lacking_tag(statements, need.request()) {
        let command = format!("aws elbv2 add-tags --resource-arns {resource} --tags Key={tag},Value={value}");
        return Mend::new(command, format!("Tags: [{{ Key: {tag}, Value: \"{value}\" }}]"));
    }
    Mend::new("", format!("{{ Effect: Allow, Action: {action}, Resource: \"{resource}\" }} in the role's policy"))
}
