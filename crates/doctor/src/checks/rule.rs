//! Does the rule match the notices, and pass them on unchanged? Its pattern is tested with the samples, whose cluster is
//! replaced by those of the services.

use serde_json::{Map, Value};

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::model::delivery::Rule;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::DeliverySubject;
use crate::notices::{NOTICES, PATTERN};
use crate::pattern::Pattern;
use spotdrain_core::model::arn::{ClusterArn, last_segment};

const OPERATORS: &str = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html";
const EVENTS: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html";
const RULE: &str = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html";

pub(super) const NO_NOTICE: Check = Check {
    id: "SD021",
    severity: Severity::Error,
    title: "a rule that matches no notice",
    explanation: "EventBridge compares literally: \"clusterArn\": [\"*\"] is an asterisk and matches no ARN, a name is no \
                  ARN, and one misspelt field matches nothing. The rule exists, but the function never gets a notice, and \
                  no error is reported. The pattern is tested with a notice of every known form, from each service's cluster.",
    sources: &[OPERATORS, EVENTS],
    run: CheckScope::Delivery(no_notice),
};

fn no_notice(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(Some(no_rule(subject))) };
    let Some(tried) = try_notices(subject, rule)? else { return Ok(None) };
    let description = match tried {
        Tried::Refused(why) => format!("its event pattern is not valid: {why}"),
        Tried::Missed { missed, tried } if missed.len() == tried => {
            format!("its event pattern matches no notice{}", blame(subject, rule))
        }
        Tried::Missed { .. } => return Ok(None),
    };
    Ok(Some(problem(rule, description)))
}

/// Returns the single field without which notices would match, if there is one.
fn blame(subject: &DeliverySubject<'_>, rule: &Rule) -> String {
    let Some(Value::Object(whole)) = rule.pattern.known() else { return String::new() };
    let detail = whole.get("detail").and_then(Value::as_object);
    let top = whole.keys().filter(|key| *key != "detail").map(|key| (key.clone(), without(whole, key)));
    let inner = detail.into_iter().flat_map(Map::keys).map(|key| {
        let rest = detail.map(|detail| without(detail, key)).filter(|rest| !rest.is_empty());
        let mut pattern = without(whole, "detail");
        pattern.extend(rest.map(|rest| ("detail".to_owned(), Value::Object(rest))));
        (format!("detail.{key}"), pattern)
    });
    let passes = |pattern: Map<String, Value>| {
        let rule = Rule { pattern: Setting::Set(Value::Object(pattern)), ..rule.clone() };
        let tried = try_notices(subject, &rule).ok().flatten();
        matches!(tried, Some(Tried::Missed { missed, tried }) if missed.len() < tried)
    };
    let blamed = top.chain(inner).find(|(_, pattern)| passes(pattern.clone())).map(|(name, _)| name);
    let value = |name: &String| {
        rule.pattern.known().and_then(|all| all.pointer(&format!("/{}", name.replace('.', "/"))).cloned())
    };
    let blame = blamed.and_then(|name| Some(format!(": no notice has {name} {}", value(&name)?)));
    blame.unwrap_or_default()
}

fn without(fields: &Map<String, Value>, key: &str) -> Map<String, Value> {
    fields.iter().filter(|(name, _)| *name != key).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn no_rule(subject: &DeliverySubject<'_>) -> Problem {
    let none = Rule { place: subject.delivery.function.place.clone(), name: "spotdrain".to_owned(), ..Rule::default() };
    problem(&none, "no rule on the default event bus invokes it or sends to its queue".to_owned())
}

pub(super) const SOME_NOTICES: Check = Check {
    id: "SD022",
    severity: Severity::Warning,
    title: "a rule that misses some notices",
    explanation: "AWS published the notice with stop code TerminationNotice until 2023 and has published it with \
                  SpotInterruption since; users have seen notices without a stop code. A rule that matches both codes and \
                  stoppedReason matches all of them. A rule that names only some clusters misses the notices of the others.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
        "https://github.com/aws/containers-roadmap/issues/1565",
        OPERATORS,
    ],
    run: CheckScope::Delivery(some_notices),
};

fn some_notices(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(None) };
    // An unknown cluster may be one that the pattern leaves out.
    let names_clusters = rule.pattern.known().is_some_and(|pattern| pattern.pointer("/detail/clusterArn").is_some());
    if names_clusters {
        subject.deployment.services.iter().try_for_each(|service| service.cluster.known_or_err().map(drop))?;
    }
    match try_notices(subject, rule)? {
        Some(Tried::Missed { missed, tried }) if !missed.is_empty() && missed.len() < tried => {
            Ok(Some(problem(rule, format!("its event pattern misses notices with {}", missed.join("; with ")))))
        }
        _ => Ok(None),
    }
}

/// The result for the samples.
enum Tried {
    Refused(String),
    Missed { missed: Vec<String>, tried: usize },
}

fn try_notices(subject: &DeliverySubject<'_>, rule: &Rule) -> Result<Option<Tried>, Unknown> {
    let Some(pattern) = rule.pattern.known_or_err()? else { return Ok(None) };
    let pattern = match Pattern::read(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return Ok(Some(Tried::Refused(error.to_string()))),
    };
    let clusters = clusters(subject, rule);
    let pairs = clusters.iter().flat_map(|cluster| NOTICES.map(|(form, sample)| (*cluster, form, sample)));
    let mut missed = Vec::new();
    let mut tried = 0;
    for (cluster, form, sample) in pairs {
        tried += 1;
        if !notice_of(sample, cluster).is_some_and(|notice| pattern.matches(&notice)) {
            let name = cluster.map_or("any", last_segment);
            missed.push(format!("{form} (cluster {name})"));
        }
    }
    Ok(Some(Tried::Missed { missed, tried }))
}

/// The clusters whose notices are tested: those of the services, or, if none of them is known, those that the pattern names.
fn clusters<'a>(subject: &DeliverySubject<'a>, rule: &'a Rule) -> Vec<Option<&'a str>> {
    let services = subject.deployment.services.iter().filter_map(|service| service.cluster.known());
    let mut known: Vec<_> = services.map(|arn| Some(arn.as_str())).collect();
    if known.is_empty() {
        let named =
            rule.pattern.known().and_then(|pattern| pattern.pointer("/detail/clusterArn")).and_then(Value::as_array);
        let arns = named.into_iter().flatten().filter_map(Value::as_str).filter(|text| ClusterArn::parse(text).is_ok());
        known = arns.map(Some).collect();
    }
    known.sort_unstable();
    known.dedup();
    if known.is_empty() { vec![None] } else { known }
}

/// Returns a sample as a notice of a task of this cluster.
fn notice_of(sample: &str, cluster: Option<&str>) -> Option<Value> {
    let mut notice: Value = serde_json::from_str(sample).ok()?;
    let Some(cluster) = cluster else { return Some(notice) };
    let mut parts = cluster.split(':').skip(3);
    let (region, account) = (parts.next()?, parts.next()?);
    let task = format!("{}/0123456789abcdef0123456789abcdef", cluster.replacen(":cluster/", ":task/", 1));
    let changes: [(&str, Value); 5] = [
        ("/region", region.into()),
        ("/account", account.into()),
        ("/resources", vec![task.clone()].into()),
        ("/detail/clusterArn", cluster.into()),
        ("/detail/taskArn", task.into()),
    ];
    for (pointer, value) in changes {
        if let Some(place) = notice.pointer_mut(pointer) {
            *place = value;
        }
    }
    Some(notice)
}

fn problem(rule: &Rule, description: String) -> Problem {
    Problem::new(
        rule.place.clone(),
        description,
        Impact::of(Connections::All),
        Fix::new(
            format!("aws events put-rule --name {} --event-pattern '{PATTERN}'", rule.name),
            format!("EventPattern: {PATTERN}"),
        )
        .in_terraform(format!("event_pattern = jsonencode({PATTERN})")),
    )
}

const MAPPING: &str = "https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html";

pub(super) const DISABLED: Check = Check {
    id: "SD023",
    severity: Severity::Error,
    title: "a rule or an event source mapping that is disabled",
    explanation: "A disabled rule matches no event, and a disabled event source mapping delivers no message: the function \
                  never gets a notice.",
    sources: &[RULE, MAPPING],
    run: CheckScope::Delivery(disabled),
};

fn disabled(subject: &DeliverySubject<'_>) -> CheckResult {
    Ok(disabled_rule(subject)?.or(disabled_mapping(subject)?))
}

fn disabled_rule(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(None) };
    let state = rule.state.value_or("ENABLED".to_owned())?;
    Ok((state == "DISABLED").then(|| {
        Problem::new(
            rule.place.clone(),
            "the rule is disabled".to_owned(),
            Impact::of(Connections::All),
            Fix::new(format!("aws events enable-rule --name {}", rule.name), "State: ENABLED")
                .in_terraform("state = \"ENABLED\""),
        )
    }))
}

fn disabled_mapping(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let state = queue.mapping.value_or("Enabled".to_owned())?;
    Ok(matches!(state.as_str(), "Disabled" | "Disabling").then(|| {
        Problem::new(
            queue.place.clone(),
            "its event source mapping is disabled".to_owned(),
            Impact::of(Connections::All),
            Fix::new("aws lambda update-event-source-mapping --uuid UUID --enabled", "Enabled: true")
                .in_terraform("enabled = true"),
        )
    }))
}

const TARGET: &str = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html";
const BUS: &str = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html";

pub(super) const CHANGED_EVENT: Check = Check {
    id: "SD051",
    severity: Severity::Error,
    title: "a rule that does not pass on the whole event",
    explanation: "The function needs the unchanged event. With InputPath, InputTransformer or a constant Input it gets \
                  something else, which it cannot read: every notice ends in the dead-letter queue.",
    sources: &[TARGET],
    run: CheckScope::Delivery(changed_event),
};

fn changed_event(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(None) };
    let whole = ["InputPath $", "InputTransformer <aws.events.event.json>", "InputTransformer <aws.events.event>"];
    let changed = rule.input.known_or_err()?.filter(|input| !whole.contains(&input.as_str()));
    Ok(changed.map(|input| {
        let fix = Fix::new(
            format!("aws events put-targets --rule {} --targets Id=ID,Arn=ARN, without Input, InputPath and InputTransformer", rule.name),
            "remove Input, InputPath and InputTransformer from the target",
        )
        .in_terraform("remove input, input_path and input_transformer from the aws_cloudwatch_event_target");
        let description = format!("its target gets {input} instead of the event: the function cannot read any notice");
        Problem::new(rule.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}

pub(super) const OTHER_BUS: Check = Check {
    id: "SD053",
    severity: Severity::Error,
    title: "a rule on a bus other than the default one",
    explanation: "ECS sends its events to the default event bus of the account and Region. A rule on another bus matches none \
                  of them, unless another rule forwards them there.",
    sources: &[BUS],
    run: CheckScope::Delivery(other_bus),
};

fn other_bus(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(None) };
    let bus = rule.bus.value_or("default".to_owned())?;
    let is_default = last_segment(&bus) == "default";
    Ok((!is_default).then(|| {
        let fix = Fix::new(
            format!("aws events put-rule --name {} --event-bus-name default --event-pattern '{PATTERN}'", rule.name),
            "remove EventBusName",
        )
        .in_terraform("remove event_bus_name");
        let description = format!("it is on event bus {bus}, and ECS sends its events to the default bus");
        Problem::new(rule.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}
