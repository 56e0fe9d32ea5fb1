//! Lambda functions with their event source mappings, `EventBridge` rules, and scalable targets. The answers are what a test set
//! up. Invoking a function or putting an event has no effect.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::canned::{Canned, DEFAULT_BUS, Rule, with};
use crate::model::world::World;
use crate::protocol::json;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum CannedRequest {
    /// The rules of a bus that send to this ARN.
    RulesOf(String, BusName),
    Rule(String, BusName),
    TargetsOf(String, BusName),
    EventBuses,
    ConcurrencyOf(String),
    ScalableTargets(Vec<String>),
    Functions,
    MappingsOf(String),
    TagsOf(String),
    Put(Vec<EventEntry>),
    Invoke(String),
}

/// The name of an event bus.
type BusName = String;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LambdaBody {
    event_bus_name: Option<BusName>,
    target_arn: Option<String>,
    name: Option<String>,
    rule: Option<String>,
    #[serde(default)]
    resource_ids: Vec<String>,
    #[serde(default)]
    entries: Vec<EventEntry>,
}

/// An event of `PutEvents`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EventEntry {
    source: String,
    event_bus_name: Option<String>,
}

impl CannedRequest {
    /// Parses a request of `EventBridge` or Application Auto Scaling; `None` for an action of another API.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        if !matches!(action.api(), Api::Events | Api::Scaling) {
            return None;
        }
        let read = json::read::<LambdaBody>(action.api(), body);
        let missing = |field: &str| ApiError::invalid(action.api(), format!("'{field}' is missing"));
        Some(read.and_then(|body| {
            let bus = body.event_bus_name.unwrap_or_else(|| DEFAULT_BUS.to_owned());
            match action {
                Action::DescribeScalableTargets => Ok(Self::ScalableTargets(body.resource_ids)),
                Action::ListEventBuses => Ok(Self::EventBuses),
                Action::PutEvents => Ok(Self::Put(body.entries)),
                Action::ListTargetsByRule => {
                    body.rule.map(|rule| Self::TargetsOf(rule, bus)).ok_or_else(|| missing("Rule"))
                }
                Action::ListRuleNamesByTarget => {
                    body.target_arn.map(|arn| Self::RulesOf(arn, bus)).ok_or_else(|| missing("TargetArn"))
                }
                _ => body.name.map(|name| Self::Rule(name, bus)).ok_or_else(|| missing("Name")),
            }
        }))
    }

    /// Whether a path belongs to Lambda.
    pub(crate) fn is_lambda(path: &str) -> bool {
        ["/2015-03-31/", "/2017-03-31/tags/", "/2019-09-30/functions/"].iter().any(|prefix| path.starts_with(prefix))
    }

    /// Parses a request of Lambda from its method, path and query.
    pub(crate) fn of_path(method: &str, path: &str, query: &str) -> Option<(Action, Self)> {
        match (method, path.trim_end_matches('/')) {
            ("GET", "/2015-03-31/functions") => Some((Action::ListFunctions, Self::Functions)),
            ("GET", path) if path.starts_with("/2017-03-31/tags/") => {
                let arn = path.rsplit('/').next().unwrap_or_default().replace("%3A", ":");
                Some((Action::ListTags, Self::TagsOf(arn)))
            }
            ("GET", path) if path.starts_with("/2019-09-30/functions/") => {
                let name = path.strip_prefix("/2019-09-30/functions/")?.strip_suffix("/concurrency")?;
                Some((Action::GetFunctionConcurrency, Self::ConcurrencyOf(name.replace("%3A", ":"))))
            }
            ("POST", path) => {
                let name = path.strip_prefix("/2015-03-31/functions/")?.strip_suffix("/invocations")?;
                Some((Action::Invoke, Self::Invoke(name.to_owned())))
            }
            ("GET", "/2015-03-31/event-source-mappings") => {
                let mut fields = form_urlencoded::parse(query.as_bytes());
                let name = fields.find(|(key, _)| key == "FunctionName").map(|(_, name)| name.into_owned());
                Some((Action::ListEventSourceMappings, Self::MappingsOf(name.unwrap_or_default())))
            }
            _ => None,
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        let resource = match self {
            Self::RulesOf(name, _)
            | Self::Rule(name, _)
            | Self::TargetsOf(name, _)
            | Self::ConcurrencyOf(name)
            | Self::MappingsOf(name)
            | Self::TagsOf(name)
            | Self::Invoke(name) => Some(name.clone()),
            Self::Put(entries) => entries.first().and_then(|entry| entry.event_bus_name.clone()),
            Self::ScalableTargets(ids) => ids.first().cloned(),
            Self::Functions | Self::EventBuses => None,
        };
        let targets = match self {
            Self::Put(entries) => entries.iter().map(|entry| entry.source.clone()).collect(),
            _ => Vec::new(),
        };
        Subject { resource, targets, with_tags: false }
    }

    /// Runs the request, and returns the JSON answer.
    pub(crate) fn run(self, world: &World) -> Result<String, ApiError> {
        let canned = &world.canned;
        let answer = match self {
            Self::RulesOf(arn, bus) => {
                let of_it = canned.rules.iter().filter(|rule| rule.bus() == bus && rule.targets.contains(&arn));
                json!({"RuleNames": of_it.map(|rule| &rule.name).collect::<Vec<_>>()})
            }
            Self::Rule(name, bus) => {
                let rule = rule(canned, &name, &bus)?;
                with(json!({"Name": rule.name, "State": "ENABLED", "EventBusName": bus}), Some(&rule.fields))
            }
            Self::TargetsOf(name, bus) => targets(rule(canned, &name, &bus)?),
            Self::EventBuses => event_buses(canned),
            Self::ConcurrencyOf(name) => {
                let is_it = |function: &&Value| {
                    ["FunctionName", "FunctionArn"]
                        .iter()
                        .any(|key| function.get(*key).and_then(Value::as_str) == Some(&name))
                };
                let reserved =
                    canned.functions.iter().find(is_it).and_then(|one| one.get("ReservedConcurrentExecutions"));
                reserved.map_or_else(|| json!({}), |reserved| json!({"ReservedConcurrentExecutions": reserved}))
            }
            Self::ScalableTargets(ids) => {
                let is_asked = |target: &&Value| {
                    let id = target.get("ResourceId").and_then(Value::as_str).unwrap_or_default();
                    ids.is_empty() || ids.iter().any(|asked| asked == id)
                };
                json!({"ScalableTargets": canned.scalable_targets.iter().filter(is_asked).collect::<Vec<_>>()})
            }
            Self::Put(entries) => put(&entries),
            Self::Invoke(name) => {
                let is_it = |function: &Value| function.get("FunctionName").and_then(Value::as_str) == Some(&name);
                let missing = || ApiError {
                    status: 404,
                    ..ApiError::bad("ResourceNotFoundException", format!("Function not found: {name}"))
                };
                canned.functions.iter().find(|one| is_it(one)).map(|_| Value::Null).ok_or_else(missing)?
            }
            Self::TagsOf(arn) => {
                let is_it = |function: &&Value| function.get("FunctionArn").and_then(Value::as_str) == Some(&arn);
                let tags = canned.functions.iter().find(is_it).and_then(|function| function.get("Tags"));
                json!({"Tags": tags.cloned().unwrap_or_else(|| json!({}))})
            }
            Self::Functions => json!({"Functions": canned.functions}),
            Self::MappingsOf(name) => {
                let is_its = |mapping: &&Value| {
                    let arn = mapping.get("FunctionArn").and_then(Value::as_str).unwrap_or_default();
                    name.is_empty() || arn == name || arn.rsplit(':').next() == Some(&name)
                };
                json!({"EventSourceMappings": canned.mappings.iter().filter(is_its).collect::<Vec<_>>()})
            }
        };
        json::write(Api::Events, &answer)
    }
}

fn rule<'a>(canned: &'a Canned, name: &str, bus: &str) -> Result<&'a Rule, ApiError> {
    let missing =
        || ApiError::bad("ResourceNotFoundException", format!("Rule {name} does not exist on EventBus {bus}."));
    canned.rules.iter().find(|rule| rule.name == name && rule.bus() == bus).ok_or_else(missing)
}

/// `ListEventBuses`: the default bus and those of the rules.
fn event_buses(canned: &Canned) -> Value {
    let names: BTreeSet<_> = canned.rules.iter().map(Rule::bus).chain([DEFAULT_BUS]).collect();
    json!({"EventBuses": names.into_iter().map(|name| json!({"Name": name})).collect::<Vec<_>>()})
}

/// `ListTargetsByRule`: the targets' ARNs, with the fields that the rule has in `Targets`.
fn targets(rule: &Rule) -> Value {
    let fields = rule.fields.get("Targets");
    let target = |(index, arn): (usize, &String)| {
        with(json!({"Id": index.to_string(), "Arn": arn}), fields.and_then(|all| all.get(index)))
    };
    json!({"Targets": rule.targets.iter().enumerate().map(target).collect::<Vec<_>>()})
}

/// Sources that begin with `aws.` are reserved for AWS (`EventBridge` API, `PutEvents`).
fn put(entries: &[EventEntry]) -> Value {
    let refused = json!({
        "ErrorCode": "NotAuthorizedForSourceException",
        "ErrorMessage": "Not authorized for the source.",
    });
    let one = |entry: &EventEntry| {
        if entry.source.starts_with("aws.") {
            refused.clone()
        } else {
            json!({"EventId": "00000000-0000-4000-8000-00000000e7e7"})
        }
    };
    let entries: Vec<_> = entries.iter().map(one).collect();
    let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
    json!({"FailedEntryCount": failed, "Entries": entries})
}
