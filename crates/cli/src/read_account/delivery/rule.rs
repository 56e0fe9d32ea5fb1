//! The EventBridge rule that sends to the queue or the function. ECS sends its events to the default bus, so its rules are read
//! first; the rules of the other buses only if none on the default bus matches ECS's events.
//! Sources: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html>

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{EventBus, Target};
use spotdrain_doctor::model::delivery::Rule;
use spotdrain_doctor::model::root::{Place, Unread};
use spotdrain_doctor::model::setting::Setting;

use crate::read_account::paced_client::{CallBudget, PacedClient};
use crate::read_account::unknown;

/// The bus that gets the events of AWS services.
const DEFAULT_BUS: &str = "default";

/// Returns the rule that sends to the target. Of several, the one that matches ECS's events: another may be for drills.
/// Buses that cannot be read are added to `unread`.
pub(crate) async fn find(client: &PacedClient<'_>, target: &str, unread: &mut Vec<Unread>) -> Setting<Rule> {
    let rule = match on_bus(client, DEFAULT_BUS, target).await {
        Ok(found) if found.as_ref().is_some_and(matches_ecs) => found,
        Ok(found) => on_other_buses(client, target, found, unread).await,
        Err(why) => return unknown(&why),
    };
    match rule {
        Some(rule) => Setting::Set(with_target(client, rule, target).await),
        None => Setting::Default,
    }
}

/// Returns the rule of another bus if it matches ECS's events, or if the default bus has none at all.
async fn on_other_buses(
    client: &PacedClient<'_>,
    target: &str,
    on_default: Option<Rule>,
    unread: &mut Vec<Unread>,
) -> Option<Rule> {
    let mut not_read = |subject, why| unread.push(Unread { subject, why });
    let buses = match other_buses(client).await {
        Ok(buses) => buses,
        Err(why) => {
            not_read("the other event buses".to_owned(), why);
            return on_default;
        }
    };
    let mut found = on_default;
    for bus in buses {
        match on_bus(client, &bus, target).await {
            Ok(Some(rule)) if matches_ecs(&rule) => return Some(rule),
            Ok(rule) => found = found.or(rule),
            Err(why) => not_read(format!("the rules of event bus {bus}"), why),
        }
    }
    found
}

async fn other_buses(client: &PacedClient<'_>) -> Result<Vec<String>, String> {
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let request = Client::new(client.aws.config()).list_event_buses().set_next_token(token);
        let answer = client.call("ListEventBuses", CallBudget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        let buses = answer.event_buses().iter().filter_map(EventBus::name);
        names.extend(buses.filter(|name| *name != DEFAULT_BUS).map(str::to_owned));
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(names);
        }
    }
}

/// Returns the bus's rule that sends to the target: the one that matches ECS's events, or else the first.
async fn on_bus(client: &PacedClient<'_>, bus: &str, target: &str) -> Result<Option<Rule>, String> {
    let mut found = Ok(None);
    for name in names(client, bus, target).await? {
        match describe(client, bus, name).await {
            Ok(rule) if matches_ecs(&rule) => return Ok(Some(rule)),
            Ok(rule) => found = found.map(|known: Option<Rule>| known.or(Some(rule))),
            Err(why) => found = found.and(Err(why)),
        }
    }
    found
}

async fn names(client: &PacedClient<'_>, bus: &str, target: &str) -> Result<Vec<String>, String> {
    let (mut names, mut token) = (Vec::new(), None);
    loop {
        let request = Client::new(client.aws.config()).list_rule_names_by_target().target_arn(target);
        let request = request.event_bus_name(bus).set_next_token(token);
        let answer = client.call("ListRuleNamesByTarget", CallBudget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        names.extend(answer.rule_names().iter().cloned());
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(names);
        }
    }
}

async fn describe(client: &PacedClient<'_>, bus: &str, name: String) -> Result<Rule, String> {
    let request = Client::new(client.aws.config()).describe_rule().name(&name).event_bus_name(bus);
    let answer = client.call("DescribeRule", CallBudget::Other, || request.clone().send()).await;
    let answer = answer.map_err(|failure| failure.message)?;
    Ok(Rule {
        place: Place::live(format!("rule {name}")),
        pattern: pattern(answer.event_pattern()),
        state: answer.state().map(|state| state.as_str().to_owned()).into(),
        arn: answer.arn().unwrap_or_default().to_owned(),
        bus: Setting::Set(bus.to_owned()),
        input: Setting::Default,
        has_role: Setting::Default,
        name,
    })
}

fn pattern(text: Option<&str>) -> Setting<serde_json::Value> {
    let Some(text) = text else { return Setting::Default };
    serde_json::from_str(text).map_or_else(|error| unknown(&format!("its pattern is not JSON: {error}")), Setting::Set)
}

fn matches_ecs(rule: &Rule) -> bool {
    rule.pattern.known().is_some_and(|pattern| pattern.to_string().contains("aws.ecs"))
}

/// Adds what the rule sends to its target instead of the event, and whether it has a role for that.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html>
async fn with_target(client: &PacedClient<'_>, rule: Rule, arn: &str) -> Rule {
    let request = Client::new(client.aws.config()).list_targets_by_rule().rule(&rule.name);
    let request = request.set_event_bus_name(rule.bus.known().cloned());
    match client.call("ListTargetsByRule", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => {
            let target = answer.targets().iter().find(|target| target.arn() == arn);
            let has_role = target.and_then(Target::role_arn).map(|_| true).into();
            Rule { input: target.and_then(input).into(), has_role, ..rule }
        }
        Err(failure) => Rule { input: unknown(&failure.message), has_role: unknown(&failure.message), ..rule },
    }
}

fn input(target: &Target) -> Option<String> {
    let path = target.input_path().map(|path| format!("InputPath {path}"));
    let constant = target.input().map(|_| "a constant Input".to_owned());
    let transformer = target.input_transformer();
    path.or(constant).or_else(|| Some(format!("InputTransformer {}", transformer?.input_template())))
}
