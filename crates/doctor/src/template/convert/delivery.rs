//! What brings the notices to the function: its rule, its queue and the mapping between them.

use crate::model::delivery::{Delivery, Rule};
use crate::model::root::Place;
use crate::model::setting::Setting;

use crate::template::convert::function;
use crate::template::convert::policy;
use crate::template::convert::queue::{Source, queue};
use crate::template::evaluate::value::{Value, all};
use crate::template::resources::{Resource, Resources};

const MAPPING: &[&str] = &["AWS::Lambda::EventSourceMapping"];
const QUEUE: &[&str] = &["AWS::SQS::Queue"];
const RULE: &[&str] = &["AWS::Events::Rule"];

/// The delivery, if the template has the function.
pub(crate) fn delivery(resources: &Resources) -> Setting<Delivery> {
    let Some(function) = function::find(resources) else {
        return Setting::Unknown(format!("spotdrain's function is not in {}", resources.origin.document()));
    };
    let source = source(resources, function);
    Setting::Set(Delivery {
        rule: rule(resources, function, source.queue.known().copied()),
        queue: queue(resources, &source),
        function: function::function(function),
        role: policy::statements(resources, function),
    })
}

/// Returns where the messages come from: an event source mapping of its own, or an event of SAM.
fn source<'a>(resources: &'a Resources, function: &Resource) -> Source<'a> {
    let is_its = |mapping: &&Resource| {
        let named = mapping.properties.text("FunctionName");
        named.known().is_some_and(|name| [&function.name, &function.arn, &function.reference].contains(&name))
    };
    let mapping = resources.of(MAPPING).find(is_its).map(|mapping| (&mapping.properties, "EventSourceArn"));
    let event = sam_events(function, "SQS").into_iter().next().map(|event| (event, "Queue"));
    let Some((properties, key)) = mapping.or(event) else {
        return Source::default();
    };
    let queue = properties.text(key).and_then(|arn| {
        let elsewhere = || Setting::Unknown(resources.not_here("queue", &arn));
        resources.named(QUEUE, &arn).map_or_else(elsewhere, Setting::Set)
    });
    let state = |enabled: String| if enabled == "false" { "Disabled" } else { "Enabled" }.to_owned();
    let filters = properties.path(&["FilterCriteria", "Filters"]).map(Value::as_items);
    Source {
        queue,
        responses: properties.texts("FunctionResponseTypes"),
        state: properties.text("Enabled").map(state),
        filters: filters.and_then(|filters| all(filters.into_iter().map(|filter| filter.text("Pattern")))),
    }
}

/// The properties of the function's events of a type.
fn sam_events<'a>(function: &'a Resource, of_type: &str) -> Vec<&'a Value> {
    let is_of_type = |event: &&Value| event.text("Type") == Setting::Set(of_type.to_owned());
    let events = function.properties.get("Events");
    let all = events.known().map_or(&[][..], |events| events.entries());
    all.iter()
        .map(|(_, event)| event)
        .filter(is_of_type)
        .filter_map(|event| event.get("Properties").known().copied())
        .collect()
}

/// Of several rules the one that matches events of ECS: another may be for drills.
fn rule(resources: &Resources, function: &Resource, queue: Option<&Resource>) -> Setting<Rule> {
    let targets: Vec<_> = [Some(function), queue].into_iter().flatten().map(|target| target.arn.as_str()).collect();
    let rules: Vec<_> = resources.of(RULE).filter_map(|rule| Some((rule, target(rule, &targets)?))).collect();
    let of_ecs = rules.iter().find(|(rule, _)| matches_ecs(&rule.properties, "EventPattern"));
    if let Some((rule, target)) = of_ecs.or(rules.first()) {
        let read = read(&rule.properties, "EventPattern", rule.place.clone(), rule.name.clone());
        let (input, has_role) = (input(target), target.text("RoleArn").map(|_| true));
        return Setting::Set(Rule { arn: rule.arn.clone(), input, has_role, ..read });
    }
    let events = ["EventBridgeRule", "CloudWatchEvent"].map(|of_type| sam_events(function, of_type)).concat();
    let event = events.iter().find(|event| matches_ecs(event, "Pattern")).or(events.first());
    match event {
        Some(event) => {
            let read = read(event, "Pattern", of_event(&function.place, event), function.name.clone());
            Setting::Set(Rule { input: input(event), ..read })
        }
        None => Setting::Unknown(format!(
            "no rule in {} sends to spotdrain's function or its queue",
            resources.origin.document()
        )),
    }
}

fn matches_ecs(properties: &Value, key: &str) -> bool {
    properties.get(key).and_then(Value::json).known().is_some_and(|pattern| pattern.to_string().contains("aws.ecs"))
}

/// The rule's target that is one of these.
fn target<'a>(rule: &'a Resource, arns: &[&str]) -> Option<&'a Value> {
    let items = rule.properties.items("Targets");
    let is_it = |target: &&Value| target.text("Arn").known().is_some_and(|arn| arns.contains(&arn.as_str()));
    items.known()?.iter().copied().find(is_it)
}

/// What a target gets in place of the event.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html>
fn input(target: &Value) -> Setting<String> {
    let path = target.text("InputPath").map(|path| format!("InputPath {path}"));
    let constant = target.get("Input").map(|_| "a constant Input".to_owned());
    let template = target.get("InputTransformer").and_then(|transformer| transformer.text("InputTemplate"));
    let transformed = template.map(|template| format!("InputTransformer {template}"));
    [path, constant, transformed].into_iter().find(|one| *one != Setting::Default).unwrap_or_default()
}

fn of_event(function: &Place, event: &Value) -> Place {
    Place { line: Some(event.line), ..function.named(format!("the rule of {}", function.name)) }
}

fn read(properties: &Value, key: &str, place: Place, name: String) -> Rule {
    let (pattern, state) = (properties.get(key).and_then(Value::json), properties.text("State"));
    Rule { place, name, pattern, state, bus: properties.text("EventBusName"), ..Rule::default() }
}
