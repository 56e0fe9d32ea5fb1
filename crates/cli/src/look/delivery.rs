//! The deployed function, by its name, its stack, its tag or its variables; then its queue and the rule that sends to it.
//! Sources: <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html>

use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::types::FunctionConfiguration;
use spotdrain_doctor::model::delivery::{Delivery, Function, Rule};
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::setting::Setting;

use super::asker::{Asker, Budget};
use super::{FunctionSelector, queue, role, unknown};

/// The tag that CloudFormation gives to its resources.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-resource-tags.html>
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// Returns the delivery. A function that is selected must exist, and be the only one.
pub(crate) async fn find(asker: &Asker<'_>, wanted: &FunctionSelector) -> Result<Setting<Delivery>, String> {
    let candidates = match functions(asker, wanted).await {
        Ok(candidates) => candidates,
        Err(why) if matches!(wanted, FunctionSelector::ByVariables) => return Ok(Setting::Unknown(why)),
        Err(why) => return Err(why),
    };
    match (candidates.as_slice(), wanted) {
        ([found], _) => Ok(Setting::Set(of(asker, found).await)),
        ([], FunctionSelector::ByVariables) => Ok(Setting::Default),
        (others, _) => Err(not_one(others, wanted)),
    }
}

/// Returns the log group of the one function that is selected.
pub(crate) async fn log_group(asker: &Asker<'_>, wanted: &FunctionSelector) -> Result<String, String> {
    let candidates = functions(asker, wanted).await?;
    let [found] = candidates.as_slice() else { return Err(not_one(&candidates, wanted)) };
    let configured = found.logging_config().and_then(|logging| logging.log_group()).map(str::to_owned);
    Ok(configured.unwrap_or_else(|| format!("/aws/lambda/{}", found.function_name().unwrap_or_default())))
}

async fn of(asker: &Asker<'_>, found: &FunctionConfiguration) -> Delivery {
    let arn = found.function_arn().unwrap_or_default();
    let queue = queue::find(asker, arn).await;
    let target = queue.known().map_or(arn, |queue| queue.arn.as_str()).to_owned();
    let function = Function { reserved_concurrency: reserved_concurrency(asker, arn).await, ..read(found) };
    Delivery { rule: rule(asker, &target).await, queue, function, role: role::statements(asker, found.role()).await }
}

/// Why no function could be selected: there is none, or more than one.
fn not_one(candidates: &[FunctionConfiguration], wanted: &FunctionSelector) -> String {
    let names: Vec<_> = candidates.iter().filter_map(FunctionConfiguration::function_name).collect();
    if !names.is_empty() {
        return format!("{} have SPOTDRAIN_ variables: name one with --function, --stack or --tag", names.join(", "));
    }
    match wanted {
        FunctionSelector::Named(name) => format!("there is no function {name}: aws lambda list-functions shows them"),
        FunctionSelector::OfStack(name) => format!("stack {name} has no function with SPOTDRAIN_ variables"),
        FunctionSelector::Tagged(key, value) => {
            format!("no function with SPOTDRAIN_ variables has the tag {key}={value}")
        }
        FunctionSelector::ByVariables => "no function has SPOTDRAIN_ variables".to_owned(),
    }
}

/// The functions that match.
async fn functions(asker: &Asker<'_>, wanted: &FunctionSelector) -> Result<Vec<FunctionConfiguration>, String> {
    let client = aws_sdk_lambda::Client::new(asker.aws.config());
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let request = client.list_functions().set_marker(marker);
        let answer = asker.ask("ListFunctions", Budget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|refusal| refusal.message)?;
        for function in answer.functions() {
            if is_it(asker, function, wanted).await? {
                found.push(function.clone());
            }
        }
        marker = answer.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return Ok(found);
        }
    }
}

async fn is_it(asker: &Asker<'_>, function: &FunctionConfiguration, wanted: &FunctionSelector) -> Result<bool, String> {
    let variables = function.environment().and_then(|environment| environment.variables());
    let is_ours = variables.is_some_and(|all| all.keys().any(|name| name.starts_with("SPOTDRAIN_")));
    match wanted {
        FunctionSelector::Named(name) => Ok([function.function_name(), function.function_arn()].contains(&Some(name))),
        FunctionSelector::OfStack(stack) if is_ours => {
            Ok(tag_of(asker, function, STACK_TAG).await?.as_ref() == Some(stack))
        }
        FunctionSelector::Tagged(key, value) if is_ours => {
            Ok(tag_of(asker, function, key).await?.as_ref() == Some(value))
        }
        FunctionSelector::ByVariables | FunctionSelector::OfStack(_) | FunctionSelector::Tagged(..) => Ok(is_ours),
    }
}

async fn tag_of(asker: &Asker<'_>, function: &FunctionConfiguration, key: &str) -> Result<Option<String>, String> {
    let request = aws_sdk_lambda::Client::new(asker.aws.config())
        .list_tags()
        .resource(function.function_arn().unwrap_or_default());
    let answer = asker.ask("ListTags", Budget::Other, || request.clone().send()).await;
    let answer = answer.map_err(|refusal| refusal.message)?;
    Ok(answer.tags().and_then(|tags| tags.get(key)).cloned())
}

fn read(function: &FunctionConfiguration) -> Function {
    let name = function.function_name().unwrap_or_default();
    let variables = function.environment().and_then(|environment| environment.variables());
    let variables = variables.into_iter().flatten();
    Function {
        place: Place::live(format!("function {name}")),
        name: name.to_owned(),
        reserved_concurrency: Setting::Default,
        timeout: function.timeout().and_then(|seconds| u32::try_from(seconds).ok()).into(),
        environment: Setting::Set(variables.map(|(name, value)| (name.clone(), Setting::Set(value.clone()))).collect()),
    }
}

async fn reserved_concurrency(asker: &Asker<'_>, function: &str) -> Setting<u32> {
    let request = aws_sdk_lambda::Client::new(asker.aws.config()).get_function_concurrency().function_name(function);
    match asker.ask("GetFunctionConcurrency", Budget::Other, || request.clone().send()).await {
        Ok(answer) => answer.reserved_concurrent_executions().and_then(|number| u32::try_from(number).ok()).into(),
        Err(refusal) => unknown(&refusal.message),
    }
}

/// Of several rules the one that matches events of ECS: another may be for drills.
async fn rule(asker: &Asker<'_>, target: &str) -> Setting<Rule> {
    let request = aws_sdk_eventbridge::Client::new(asker.aws.config()).list_rule_names_by_target().target_arn(target);
    let names = match asker.ask("ListRuleNamesByTarget", Budget::Other, || request.clone().send()).await {
        Ok(answer) => answer.rule_names().to_vec(),
        Err(refusal) => return unknown(&refusal.message),
    };
    let mut found = Setting::Default;
    for name in names {
        let rule = describe_rule(asker, name).await;
        if matches_ecs(&rule) {
            return with_target(asker, rule, target).await;
        }
        found = if found == Setting::Default { rule } else { found };
    }
    with_target(asker, found, target).await
}

/// Adds what the rule's target gets in place of the event.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html>
async fn with_target(asker: &Asker<'_>, rule: Setting<Rule>, arn: &str) -> Setting<Rule> {
    let Setting::Set(rule) = rule else { return rule };
    let request = aws_sdk_eventbridge::Client::new(asker.aws.config()).list_targets_by_rule().rule(&rule.name);
    match asker.ask("ListTargetsByRule", Budget::Other, || request.clone().send()).await {
        Ok(answer) => {
            let target = answer.targets().iter().find(|target| target.arn() == arn);
            let has_role = target.and_then(Target::role_arn).map(|_| true).into();
            Setting::Set(Rule { input: target.and_then(input).into(), has_role, ..rule })
        }
        Err(refusal) => {
            Setting::Set(Rule { input: unknown(&refusal.message), has_role: unknown(&refusal.message), ..rule })
        }
    }
}

fn input(target: &Target) -> Option<String> {
    let path = target.input_path().map(|path| format!("InputPath {path}"));
    let constant = target.input().map(|_| "a constant Input".to_owned());
    let transformer = target.input_transformer();
    path.or(constant).or_else(|| Some(format!("InputTransformer {}", transformer?.input_template())))
}

fn matches_ecs(rule: &Setting<Rule>) -> bool {
    rule.known().and_then(|rule| rule.pattern.known()).is_some_and(|pattern| pattern.to_string().contains("aws.ecs"))
}

async fn describe_rule(asker: &Asker<'_>, name: String) -> Setting<Rule> {
    let request = aws_sdk_eventbridge::Client::new(asker.aws.config()).describe_rule().name(&name);
    match asker.ask("DescribeRule", Budget::Other, || request.clone().send()).await {
        Ok(answer) => Setting::Set(Rule {
            place: Place::live(format!("rule {name}")),
            pattern: pattern(answer.event_pattern()),
            state: answer.state().map(|state| state.as_str().to_owned()).into(),
            arn: answer.arn().unwrap_or_default().to_owned(),
            bus: answer.event_bus_name().map(str::to_owned).into(),
            input: Setting::Default,
            has_role: Setting::Default,
            name,
        }),
        Err(refusal) => unknown(&refusal.message),
    }
}

fn pattern(text: Option<&str>) -> Setting<serde_json::Value> {
    let Some(text) = text else { return Setting::Default };
    serde_json::from_str(text).map_or_else(|error| unknown(&format!("its pattern is not JSON: {error}")), Setting::Set)
}
