//! What brings the notices to the function: its rule, its queue and the mapping between them.

use crate::model::delivery::{Delivery, Queue, Rule};
use crate::model::root::Place;
use crate::model::setting::Fact;

use crate::template::function;
use crate::template::policy;
use crate::template::resources::{Resource, Resources};
use crate::template::value::Value;

const MAPPING: &[&str] = &["AWS::Lambda::EventSourceMapping"];
const QUEUE: &[&str] = &["AWS::SQS::Queue"];
const RULE: &[&str] = &["AWS::Events::Rule"];

/// The delivery, if the template has the function.
pub(crate) fn delivery(resources: &Resources) -> Fact<Delivery> {
    let Some(function) = function::find(resources) else {
        return Fact::NotKnown("spotdrain's function is not in this template".to_owned());
    };
    let source = source(resources, function);
    Fact::Known(Delivery {
        rule: rule(resources, function, source.queue.known().copied()),
        queue: queue(&source),
        function: function::function(function),
        role: policy::statements(resources, function),
    })
}

/// Where the function's messages come from.
struct Source<'a> {
    queue: Fact<&'a Resource>,
    responses: Fact<Vec<String>>,
    state: Fact<String>,
}

/// By an event source mapping of its own, or by an event of SAM.
fn source<'a>(resources: &'a Resources, function: &Resource) -> Source<'a> {
    let is_its = |mapping: &&Resource| {
        let named = mapping.properties.text("FunctionName");
        named.known().is_some_and(|name| [&function.name, &function.arn, &function.reference].contains(&name))
    };
    let mapping = resources.of(MAPPING).find(is_its).map(|mapping| (&mapping.properties, "EventSourceArn"));
    let event = sam_events(function, "SQS").into_iter().next().map(|event| (event, "Queue"));
    let Some((properties, key)) = mapping.or(event) else {
        return Source { queue: Fact::Absent, responses: Fact::Absent, state: Fact::Absent };
    };
    let queue = properties.text(key).and_then(|arn| {
        let elsewhere = || Fact::NotKnown(format!("queue {arn} is not in this template"));
        resources.named(QUEUE, &arn).map_or_else(elsewhere, Fact::Known)
    });
    let state = |enabled: String| if enabled == "false" { "Disabled" } else { "Enabled" }.to_owned();
    Source { queue, responses: properties.texts("FunctionResponseTypes"), state: properties.text("Enabled").map(state) }
}

fn queue(source: &Source<'_>) -> Fact<Queue> {
    source.queue.clone().map(|queue| Queue {
        place: queue.place.clone(),
        arn: queue.arn.clone(),
        visibility: queue.properties.number("VisibilityTimeout"),
        mapping: source.state.clone(),
        responses: source.responses.clone(),
    })
}

/// The properties of the function's events of a type.
fn sam_events<'a>(function: &'a Resource, of_type: &str) -> Vec<&'a Value> {
    let is_of_type = |event: &&Value| event.text("Type") == Fact::Known(of_type.to_owned());
    let events = function.properties.get("Events");
    let all = events.known().map_or(&[][..], |events| events.entries());
    all.iter()
        .map(|(_, event)| event)
        .filter(is_of_type)
        .filter_map(|event| event.get("Properties").known().copied())
        .collect()
}

fn rule(resources: &Resources, function: &Resource, queue: Option<&Resource>) -> Fact<Rule> {
    let targets = [Some(function), queue];
    let sends_here = |rule: &&Resource| {
        let items = rule.properties.items("Targets");
        let arns = items.known().into_iter().flatten().map(|target| target.text("Arn")).collect::<Vec<_>>();
        arns.iter().filter_map(Fact::known).any(|arn| targets.into_iter().flatten().any(|target| target.arn == *arn))
    };
    if let Some(rule) = resources.of(RULE).find(sends_here) {
        return Fact::Known(read(&rule.properties, "EventPattern", rule.place.clone(), rule.name.clone()));
    }
    let events = ["EventBridgeRule", "CloudWatchEvent"].map(|of_type| sam_events(function, of_type)).concat();
    match events.first() {
        Some(event) => Fact::Known(read(event, "Pattern", of_event(&function.place, event), function.name.clone())),
        None => Fact::NotKnown("no rule in this template sends to spotdrain's function or its queue".to_owned()),
    }
}

fn of_event(function: &Place, event: &Value) -> Place {
    Place { line: Some(event.line), ..function.named(format!("the rule of {}", function.name)) }
}

fn read(properties: &Value, key: &str, place: Place, name: String) -> Rule {
    Rule { place, name, pattern: properties.get(key).and_then(Value::json), state: properties.text("State") }
}
