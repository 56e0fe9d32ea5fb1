//! Does the role allow what the function needs?

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::iam::{AuthorizationRequest, Statement, allows, is_denied, lacking_tag};
use crate::model::service::Service;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::{DeliverySubject, GroupSubject, ServiceSubject};
use spotdrain_core::model::arn::ClusterArn;
use spotdrain_core::settings::Settings;

const ECS: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html";
const ELB: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html";
const SQS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html";

const RETURN: &str =
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html";

/// What Lambda calls with the function's role to receive messages and to delete those that are done.
const OF_THE_QUEUE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// The id of any task.
const A_TASK: &str = "/0123456789abcdef0123456789abcdef";

pub(super) const RIGHTS: Check = Check {
    id: "SD027",
    severity: Severity::Error,
    title: "a role without a permission that the function needs",
    explanation: "The function reads the service (ecs:DescribeServices, and ecs:DescribeServiceRevisions where it has no \
                  target group of its own), asks which task has an address (ecs:DescribeTasks) and reads the target group \
                  (elasticloadbalancing:DescribeTargetHealth, which has no resources); Lambda reads the queue with the \
                  function's role. Without one of these a notice is not handled: its message ends in the dead-letter queue.",
    sources: &[ECS, ELB, SQS],
    run: CheckScope::Delivery(rights),
};

fn rights(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(statements) = subject.delivery.role.known_or_err()? else { return Ok(None) };
    let lacking = lacking(subject, statements)?;
    let Some((first, others)) = lacking.split_first() else { return Ok(None) };
    let mut problem = problem(subject, statements, first);
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|need| format!("{} on {}", need.action, need.shown())).collect();
        problem.description = format!("{}, nor {}", problem.description, names.join(", nor "));
    }
    Ok(Some(problem))
}

/// Returns the permissions that the role lacks, each action once. A permission that is certainly missing counts even if others
/// are unknown.
fn lacking(subject: &DeliverySubject<'_>, statements: &[Statement]) -> Result<Vec<Need>, Unknown> {
    let (mut lacking, mut unknown): (Vec<Need>, _) = (Vec::new(), None);
    for need in needed(subject)? {
        match allows(statements, need.request()) {
            Ok(true) => {}
            Ok(false) if lacking.iter().any(|known| known.action == need.action) => {}
            Ok(false) => lacking.push(need),
            Err(why) => unknown = unknown.or(Some(why)),
        }
    }
    unknown.filter(|_| lacking.is_empty()).map_or(Ok(lacking), Err)
}

/// An action, its resource, and the values of condition keys.
struct Need {
    action: &'static str,
    resource: String,
    keys: Vec<(String, Setting<String>)>,
}

impl Need {
    fn of(action: &'static str, resource: impl Into<String>) -> Self {
        Self { action, resource: resource.into(), keys: Vec::new() }
    }

    fn request(&self) -> AuthorizationRequest<'_> {
        AuthorizationRequest { action: self.action, resource: &self.resource, keys: &self.keys }
    }

    /// The resource as it is shown, with `*` instead of the id of a task.
    fn shown(&self) -> String {
        self.resource.replace(A_TASK, "/*")
    }
}

fn needed(subject: &DeliverySubject<'_>) -> Result<Vec<Need>, Unknown> {
    let mut needed = vec![Need::of("elasticloadbalancing:DescribeTargetHealth", "*")];
    let settings = subject.delivery.function.settings()?.unwrap_or_default();
    for service in served(subject, &settings) {
        let Some(cluster) = service.cluster.known_or_err()? else { continue };
        let keys = vec![("ecs:cluster".to_owned(), Setting::Set(cluster.clone()))];
        let task = format!("{}{A_TASK}", cluster.replacen(":cluster/", ":task/", 1));
        needed.push(Need { keys: keys.clone(), ..Need::of("ecs:DescribeTasks", task) });
        if settings.discover {
            needed.push(Need { keys: keys.clone(), ..Need::of("ecs:DescribeServices", service.arn.clone()) });
            // Such a service has its target groups only in its revisions, if it has any.
            if service.balancers.known().is_some_and(|all| all.iter().all(|one| one.is_managed)) {
                let revision = format!("{}/0123456789", service.arn.replacen(":service/", ":service-revision/", 1));
                needed.push(Need { keys, ..Need::of("ecs:DescribeServiceRevisions", revision) });
            }
        }
    }
    if let Some(queue) = subject.delivery.queue.known_or_err()? {
        needed.extend(OF_THE_QUEUE.map(|action| Need::of(action, queue.arn.clone())));
    }
    Ok(needed)
}

/// The services whose notices the function handles: on Spot, in a cluster in its scope.
fn served<'a>(subject: &DeliverySubject<'a>, settings: &'a Settings) -> impl Iterator<Item = &'a Service> {
    let (deployment, in_scope) = (subject.deployment, |service: &&Service| {
        let cluster = service.cluster.known().and_then(|arn| ClusterArn::parse(arn).ok());
        cluster.is_none_or(|cluster| settings.in_scope(&cluster))
    });
    let on_spot = move |service: &&Service| ServiceSubject { deployment, service }.may_be_on_spot();
    deployment.services.iter().filter(on_spot).filter(in_scope)
}

pub(super) const RETURNS_MESSAGES: Check = Check {
    id: "SD035",
    severity: Severity::Warning,
    title: "a role that cannot return messages",
    explanation: "The function also receives messages of its queue itself. With sqs:ChangeMessageVisibility it returns a \
                  message that it could not finish, so that it is retried at once. Lambda's own policy for queues lacks that \
                  permission, and without it the message is received again only when its visibility timeout is over, late in \
                  the notice.",
    sources: &[SQS, RETURN],
    run: CheckScope::Delivery(returns_messages),
};

fn returns_messages(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let Some(statements) = subject.delivery.role.known_or_err()? else { return Ok(None) };
    let need = Need::of("sqs:ChangeMessageVisibility", queue.arn.clone());
    Ok((!allows(statements, need.request())?).then(|| problem(subject, statements, &need)))
}

pub(super) const GROUP_RIGHT: Check = Check {
    id: "SD028",
    severity: Severity::Error,
    title: "a target group that the role must not change",
    explanation: "elasticloadbalancing:DeregisterTargets is allowed by target group. If the role's policy does not name \
                  a group, or the group lacks the tag that the policy requires, its targets stay registered: every attempt \
                  ends with AccessDenied, and retries do not help.",
    sources: &[ELB],
    run: CheckScope::Group(group_right),
};

fn group_right(subject: &GroupSubject<'_>) -> CheckResult {
    let Some(delivery) = subject.of.deployment.delivery.known_or_err()? else { return Ok(None) };
    let Some(statements) = delivery.role.known_or_err()? else { return Ok(None) };
    let (group, keys) = (subject.group, tag_keys(subject, statements));
    let need = Need { keys, ..Need::of("elasticloadbalancing:DeregisterTargets", group.arn.clone()) };
    if allows(statements, need.request())? {
        return Ok(None);
    }
    let here = DeliverySubject { deployment: subject.of.deployment, delivery };
    let problem = problem(&here, statements, &need);
    let description = format!("the function's role does not allow {} on it", need.action);
    Ok(Some(Problem { place: group.place.clone(), description, ..problem }))
}

/// The group's tags as condition keys, known or not.
fn tag_keys(subject: &GroupSubject<'_>, statements: &[Statement]) -> Vec<(String, Setting<String>)> {
    let conditions = statements.iter().flat_map(|statement| &statement.conditions);
    let value = |tag: &str| match &subject.group.tags {
        Setting::Set(tags) => {
            let of_it = tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(tag));
            Setting::from(of_it.map(|(_, value)| value.clone()))
        }
        Setting::Default => Setting::Default,
        Setting::Unknown(why) => Setting::Unknown(why.clone()),
    };
    conditions.filter_map(|condition| Some((condition.key.clone(), value(condition.resource_tag()?)))).collect()
}

fn problem(subject: &DeliverySubject<'_>, statements: &[Statement], need: &Need) -> Problem {
    Problem::new(
        subject.delivery.function.place.clone(),
        format!("its role does not allow {} on {}", need.action, need.shown()),
        Impact::of(Connections::All),
        fix(statements, need),
    )
}

/// Adding an Allow does not help against a Deny, and if only the tag is missing it would allow too much.
fn fix(statements: &[Statement], need: &Need) -> Fix {
    let (action, resource) = (need.action, need.shown());
    if is_denied(statements, need.request()) {
        return Fix::new("", format!("no Effect: Deny in the role's policies that covers {action}"))
            .in_terraform(format!("no Effect = \"Deny\" in the role's policies that covers {action}"));
    }
    if let Some((tag, value)) = lacking_tag(statements, need.request()) {
        let command = format!("aws elbv2 add-tags --resource-arns {resource} --tags Key={tag},Value={value}");
        return Fix::new(command, format!("Tags: [{{ Key: {tag}, Value: \"{value}\" }}]"))
            .in_terraform(format!("tags = {{ {tag} = \"{value}\" }}"));
    }
    let statement =
        format!("{{ Effect = \"Allow\", Action = \"{action}\", Resource = \"{resource}\" }} in the role's policy");
    Fix::new("", format!("{{ Effect: Allow, Action: {action}, Resource: \"{resource}\" }} in the role's policy"))
        .in_terraform(statement)
}
