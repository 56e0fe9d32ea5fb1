//! Does the rule let the notices through? It is tried with the samples, as notices of the services' own clusters.

use serde_json::{Map, Value};

use crate::check::{Check, Connections, Cost, Fault, Mend, Run, Severity, Verdict};
use crate::model::delivery::Rule;
use crate::model::setting::{Fact, Unknown};
use crate::model::subject::DeliverySite;
use crate::pattern::Pattern;
use spotdrain_core::arn::ClusterArn;

const OPERATORS: &str = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html";
const EVENTS: &str = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html";
const RULE: &str = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html";

/// Every form of the notice that AWS has published or users have seen, by what tells it from the others.
const NOTICES: [(&str, &str); 4] = [
    ("stop code SpotInterruption", include_str!("../../../../events/spot-interruption.json")),
    ("stop code TerminationNotice", include_str!("../../../../events/termination-notice.json")),
    ("no stop code", include_str!("../../../../events/no-stop-code.json")),
    ("a new stop code", include_str!("../../../../events/new-stop-code.json")),
];

pub(super) const NO_NOTICE: Check = Check {
    id: "SD021",
    severity: Severity::Error,
    title: "a rule that lets no notice through",
    explanation: "EventBridge compares literally: \"clusterArn\": [\"*\"] is an asterisk and matches no ARN, a name is no \
                  ARN, and one misspelt field matches nothing. The rule exists, the function never hears of a notice, and \
                  no error is reported. The pattern is tried here with a notice in every form that is known, as of each \
                  service's cluster.",
    sources: &[OPERATORS, EVENTS],
    run: Run::Delivery(no_notice),
};

fn no_notice(site: &DeliverySite<'_>) -> Verdict {
    let Some(rule) = site.delivery.rule.need()? else { return Ok(Some(no_rule(site))) };
    let Some(tried) = try_notices(site, rule)? else { return Ok(None) };
    let found = match tried {
        Tried::Refused(why) => format!("its pattern is none: {why}"),
        Tried::Missed { missed, tried } if missed.len() == tried => {
            format!("its pattern lets no notice through{}", blame(site, rule))
        }
        Tried::Missed { .. } => return Ok(None),
    };
    Ok(Some(fault(rule, found)))
}

/// The field without which notices would pass, if it is one alone.
fn blame(site: &DeliverySite<'_>, rule: &Rule) -> String {
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
        let rule = Rule { pattern: Fact::Known(Value::Object(pattern)), ..rule.clone() };
        let tried = try_notices(site, &rule).ok().flatten();
        matches!(tried, Some(Tried::Missed { missed, tried }) if missed.len() < tried)
    };
    let blamed = top.chain(inner).find(|(_, pattern)| passes(pattern.clone())).map(|(name, _)| name);
    let value = |name: &String| {
        rule.pattern.known().and_then(|all| all.pointer(&format!("/{}", name.replace('.', "/"))).cloned())
    };
    let told = blamed.and_then(|name| Some(format!(": no notice has {name} {}", value(&name)?)));
    told.unwrap_or_default()
}

fn without(fields: &Map<String, Value>, key: &str) -> Map<String, Value> {
    fields.iter().filter(|(name, _)| *name != key).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn no_rule(site: &DeliverySite<'_>) -> Fault {
    let none = Rule { place: site.delivery.function.place.clone(), name: "spotdrain".to_owned(), ..Rule::default() };
    fault(&none, "no rule invokes it or sends to its queue".to_owned())
}

pub(super) const SOME_NOTICES: Check = Check {
    id: "SD022",
    severity: Severity::Warning,
    title: "a rule that misses some notices",
    explanation: "AWS has published the notice with stop code TerminationNotice until 2023 and with SpotInterruption since; \
                  users have seen notices without a stop code. And a rule for some clusters does not hear of the others. \
                  A rule that looks at both codes and at stoppedReason hears all of them.",
    sources: &[
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html",
        "https://github.com/aws/containers-roadmap/issues/1565",
        OPERATORS,
    ],
    run: Run::Delivery(some_notices),
};

fn some_notices(site: &DeliverySite<'_>) -> Verdict {
    let Some(rule) = site.delivery.rule.need()? else { return Ok(None) };
    // A cluster that is not known may be one that the pattern leaves out.
    let names_clusters = rule.pattern.known().is_some_and(|pattern| pattern.pointer("/detail/clusterArn").is_some());
    if names_clusters {
        site.estate.services.iter().try_for_each(|service| service.cluster.need().map(drop))?;
    }
    match try_notices(site, rule)? {
        Some(Tried::Missed { missed, tried }) if !missed.is_empty() && missed.len() < tried => {
            Ok(Some(fault(rule, format!("its pattern misses notices with {}", missed.join("; with ")))))
        }
        _ => Ok(None),
    }
}

/// What became of the samples.
enum Tried {
    Refused(String),
    Missed { missed: Vec<String>, tried: usize },
}

fn try_notices(site: &DeliverySite<'_>, rule: &Rule) -> Result<Option<Tried>, Unknown> {
    let Some(pattern) = rule.pattern.need()? else { return Ok(None) };
    let pattern = match Pattern::read(pattern) {
        Ok(pattern) => pattern,
        Err(error) => return Ok(Some(Tried::Refused(error.to_string()))),
    };
    let clusters = clusters(site, rule);
    let pairs = clusters.iter().flat_map(|cluster| NOTICES.map(|(form, sample)| (*cluster, form, sample)));
    let mut missed = Vec::new();
    let mut tried = 0;
    for (cluster, form, sample) in pairs {
        tried += 1;
        if !notice_of(sample, cluster).is_some_and(|notice| pattern.matches(&notice)) {
            let name = cluster.and_then(|arn| arn.rsplit('/').next()).unwrap_or("any");
            missed.push(format!("{form} (cluster {name})"));
        }
    }
    Ok(Some(Tried::Missed { missed, tried }))
}

/// The clusters whose notices are tried: those of the services; where none is known, those that the pattern itself names.
fn clusters<'a>(site: &DeliverySite<'a>, rule: &'a Rule) -> Vec<Option<&'a str>> {
    let services = site.estate.services.iter().filter_map(|service| service.cluster.known());
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

/// A sample as if it came from a task of this cluster.
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

/// The pattern that hears every notice.
const PATTERN: &str = r#"{"source":["aws.ecs"],"detail-type":["ECS Task State Change"],"detail":{"desiredStatus":["STOPPED"],"lastStatus":[{"anything-but":["DEPROVISIONING","STOPPED","DELETED"]}],"$or":[{"stopCode":["SpotInterruption","TerminationNotice"]},{"stoppedReason":[{"prefix":"Your Spot Task was interrupted"}]}]}}"#;

fn fault(rule: &Rule, found: String) -> Fault {
    Fault {
        place: rule.place.clone(),
        found,
        cost: Cost::of(Connections::All),
        mend: Mend::new(
            format!("aws events put-rule --name {} --event-pattern '{PATTERN}'", rule.name),
            format!("EventPattern: {PATTERN}"),
        ),
    }
}

const MAPPING: &str = "https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html";

pub(super) const DISABLED: Check = Check {
    id: "SD023",
    severity: Severity::Error,
    title: "a rule or an event source mapping that is disabled",
    explanation: "A disabled rule matches no event, and a disabled event source mapping brings no message: the function never \
                  hears of a notice.",
    sources: &[RULE, MAPPING],
    run: Run::Delivery(disabled),
};

fn disabled(site: &DeliverySite<'_>) -> Verdict {
    Ok(disabled_rule(site)?.or(disabled_mapping(site)?))
}

fn disabled_rule(site: &DeliverySite<'_>) -> Verdict {
    let Some(rule) = site.delivery.rule.need()? else { return Ok(None) };
    let state = rule.state.or("ENABLED".to_owned())?;
    Ok((state == "DISABLED").then(|| Fault {
        place: rule.place.clone(),
        found: "the rule is disabled".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new(format!("aws events enable-rule --name {}", rule.name), "State: ENABLED"),
    }))
}

fn disabled_mapping(site: &DeliverySite<'_>) -> Verdict {
    let Some(queue) = site.delivery.queue.need()? else { return Ok(None) };
    let state = queue.mapping.or("Enabled".to_owned())?;
    Ok(matches!(state.as_str(), "Disabled" | "Disabling").then(|| Fault {
        place: queue.place.clone(),
        found: "its event source mapping is disabled".to_owned(),
        cost: Cost::of(Connections::All),
        mend: Mend::new("aws lambda update-event-source-mapping --uuid UUID --enabled", "Enabled: true"),
    }))
}
