//! The deployed function, found by name, stack, tag or variables; then its `queue`, its EventBridge `rule` and its `role`.
//! Source: <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>

mod queue;
mod role;
mod rule;

use aws_sdk_lambda::types::FunctionConfiguration;
use spotdrain_doctor::model::delivery::{Delivery, Function};
use spotdrain_doctor::model::root::{Place, Unread};
use spotdrain_doctor::model::setting::Setting;

use crate::read_account::paced_client::{CallBudget, PacedClient};
use crate::read_account::{FunctionSelector, unknown};

/// The tag that CloudFormation adds to its resources.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-resource-tags.html>
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// Returns the function with its queue and rule. It is an error if the selected function does not exist or is not the only one.
/// What cannot be read beside them is added to `unread`.
pub(crate) async fn find(
    client: &PacedClient<'_>,
    wanted: &FunctionSelector,
    unread: &mut Vec<Unread>,
) -> Result<Setting<Delivery>, String> {
    let candidates = match functions(client, wanted).await {
        Ok(candidates) => candidates,
        Err(why) if matches!(wanted, FunctionSelector::ByVariables) => return Ok(Setting::Unknown(why)),
        Err(why) => return Err(why),
    };
    match (candidates.as_slice(), wanted) {
        ([function], _) => Ok(Setting::Set(read_delivery(client, function, unread).await)),
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

async fn read_delivery(
    client: &PacedClient<'_>,
    configuration: &FunctionConfiguration,
    unread: &mut Vec<Unread>,
) -> Delivery {
    let arn = configuration.function_arn().unwrap_or_default();
    let queue = queue::find(client, arn).await;
    let target = queue.known().map_or(arn, |queue| queue.arn.as_str()).to_owned();
    let function = Function { reserved_concurrency: reserved_concurrency(client, arn).await, ..read(configuration) };
    Delivery {
        rule: rule::find(client, &target, unread).await,
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
