//! The deployed function, found by name, stack, tag or variables; then its queue and its EventBridge rule.
//! Sources: <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html>

use aws_sdk_eventbridge::types::Target;
use aws_sdk_lambda::types::FunctionConfiguration;
use spotdrain_doctor::model::delivery::{Delivery, Function, Rule};
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{CallBudget, PacedClient};
use super::{FunctionSelector, queue, role, unknown};

/// The tag that CloudFormation adds to its resources.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-resource-tags.html>
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// Returns the function with its queue and rule. It is an error if the selected function does not exist or is not the only one.
pub(crate) async fn find(client: &PacedClient<'_>, wanted: &FunctionSelector) -> Result<Setting<Delivery>, String> {
    let candidates = match functions(client, wanted).await {
        Ok(candidates) => candidates,
        Err(why) if matches!(wanted, FunctionSelector::ByVariables) => return Ok(Setting::Unknown(why)),
        Err(why) => return Err(why),
    };
    match (candidates.as_slice(), wanted) {
        ([function], _) => Ok(Setting::Set(read_delivery(client, function).await)),
        ([], FunctionSelector::ByVariables) => Ok(Setting::Default),
        (candidates, _) => Err(no_single_function(candidates, wanted)),
    }
}

/// Returns the log group of the one function that is selected.
pub(crate) async fn log_group(client: &PacedClient<'_>, selector: &FunctionSelector) -> Result<String, String> {
    let candidates = functions(client, selector).await?;
    let [function] = candidates.as_slice() else { return Err(no_single_function(&candidates, selector)) };
    let configured = function.logging_config().and_then(|logging| logging.log_group()).map(str::to_owned);
    Ok(configured.unwrap_or_else(|| format!("/aws/lambda/{}", function.function_name().unwrap_or_default())))
}

async fn read_delivery(client: &PacedClient<'_>, configuration: &FunctionConfiguration) -> Delivery {
    let arn = configuration.function_arn().unwrap_or_default();
    let queue = queue::find(client, arn).await;
    let target = queue.known().map_or(arn, |queue| queue.arn.as_str()).to_owned();
    let function = Function { reserved_concurrency: reserved_concurrency(client, arn).await, ..read(configuration) };
    Delivery {
        rule: rule(client, &target).await,
        queue,
        function,
        role: role::statements(client, configuration.role()).await,
    }
}

/// Explains why no function is selected: no candidate, or several.
fn no_single_function(candidates: &[FunctionConfiguration], wanted: &FunctionSelector) -> String {
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
async fn functions(client: &PacedClient<'_>, wanted: &FunctionSelector) -> Result<Vec<FunctionConfiguration>, String> {
    let lambda = aws_sdk_lambda::Client::new(client.aws.config());
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let request = lambda.list_functions().set_marker(marker);
        let answer = client.call("ListFunctions", CallBudget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        for function in answer.functions() {
            if is_selected(client, function, wanted).await? {
                found.push(function.clone());
            }
        }
        marker = answer.next_marker().filter(|marker| !marker.is_empty()).map(str::to_owned);
        if marker.is_none() {
            return Ok(found);
        }
    }
}

async fn is_selected(
    client: &PacedClient<'_>,
    function: &FunctionConfiguration,
    wanted: &FunctionSelector,
) -> Result<bool, String> {
    let variables = function.environment().and_then(|environment| environment.variables());
    let is_ours = variables.is_some_and(|all| all.keys().any(|name| name.starts_with("SPOTDRAIN_")));
    match wanted {
        FunctionSelector::Named(name) => Ok([function.function_name(), function.function_arn()].contains(&Some(name))),
        FunctionSelector::OfStack(stack) if is_ours => {
            Ok(tag_of(client, function, STACK_TAG).await?.as_ref() == Some(stack))
        }
        FunctionSelector::Tagged(key, value) if is_ours => {
            Ok(tag_of(client, function, key).await?.as_ref() == Some(value))
        }
        FunctionSelector::ByVariables | FunctionSelector::OfStack(_) | FunctionSelector::Tagged(..) => Ok(is_ours),
    }
}

async fn tag_of(
    client: &PacedClient<'_>,
    function: &FunctionConfiguration,
    key: &str,
) -> Result<Option<String>, String> {
    let request = aws_sdk_lambda::Client::new(client.aws.config())
        .list_tags()
        .resource(function.function_arn().unwrap_or_default());
    let answer = client.call("ListTags", CallBudget::Other, || request.clone().send()).await;
    let answer = answer.map_err(|failure| failure.message)?;
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

async fn reserved_concurrency(client: &PacedClient<'_>, function: &str) -> Setting<u32> {
    let request = aws_sdk_lambda::Client::new(client.aws.config()).get_function_concurrency().function_name(function);
    match client.call("GetFunctionConcurrency", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => answer.reserved_concurrent_executions().and_then(|number| u32::try_from(number).ok()).into(),
        Err(failure) => unknown(&failure.message),
    }
}

/// Returns the rule that sends to the target. If there are several, returns the one that matches ECS's events, because another
/// may be for drills.
async fn rule(client: &PacedClient<'_>, target: &str) -> Setting<Rule> {
    let request = aws_sdk_eventbridge::Client::new(client.aws.config()).list_rule_names_by_target().target_arn(target);
    let names = match client.call("ListRuleNamesByTarget", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => answer.rule_names().to_vec(),
        Err(failure) => return unknown(&failure.message),
    };
    let mut found = Setting::Default;
    for name in names {
        let rule = describe_rule(client, name).await;
        if matches_ecs(&rule) {
            return with_target(client, rule, target).await;
        }
        found = if found == Setting::Default { rule } else { found };
    }
    with_target(client, found, target).await
}

/// Adds what the rule sends to its target instead of the event, and whether it has a role for that.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html>
async fn with_target(client: &PacedClient<'_>, rule: Setting<Rule>, arn: &str) -> Setting<Rule> {
    let Setting::Set(rule) = rule else { return rule };
    let request = aws_sdk_eventbridge::Client::new(client.aws.config()).list_targets_by_rule().rule(&rule.name);
    match client.call("ListTargetsByRule", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => {
            let target = answer.targets().iter().find(|target| target.arn() == arn);
            let has_role = target.and_then(Target::role_arn).map(|_| true).into();
            Setting::Set(Rule { input: target.and_then(input).into(), has_role, ..rule })
        }
        Err(failure) => {
            Setting::Set(Rule { input: unknown(&failure.message), has_role: unknown(&failure.message), ..rule })
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

async fn describe_rule(client: &PacedClient<'_>, name: String) -> Setting<Rule> {
    let request = aws_sdk_eventbridge::Client::new(client.aws.config()).describe_rule().name(&name);
    match client.call("DescribeRule", CallBudget::Other, || request.clone().send()).await {
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
        Err(failure) => unknown(&failure.message),
    }
}

fn pattern(text: Option<&str>) -> Setting<serde_json::Value> {
    let Some(text) = text else { return Setting::Default };
    serde_json::from_str(text).map_or_else(|error| unknown(&format!("its pattern is not JSON: {error}")), Setting::Set)
}
