//! Reads the log groups of a deployment: the function's, those of holds, and that of the capacity watch.

use spotdrain_core::history::summary::needed_from;
use spotdrain_core::history::{History, HistoryQuery};

use super::args::ReportArgs;
use super::balancers::balancers;
use super::logs::{LogContent, LogReader};
use crate::cli::connect::{AwsArgs, AwsConnection, Needs, connect};
use crate::cli::exit::CliError;
use crate::read_account::{FunctionSelector, log_group};

/// Adds the lines of all groups, and the types of the load balancers of held tasks. Returns the Region.
pub(crate) async fn read(
    args: &ReportArgs,
    credentials: &AwsArgs,
    query: &mut HistoryQuery,
    history: &mut History,
) -> Result<Option<String>, CliError> {
    let connection = Box::pin(connect(credentials, None, Needs::Logs)).await?;
    let of_function = groups_of_function(args, &connection).await?;
    let groups = [
        (LogContent::Records, &of_function),
        (LogContent::Holds, &args.hold_logs),
        (LogContent::Capacity, &args.capacity_logs),
    ];
    let mut reader = LogReader::new(&connection, credentials.profile.clone());
    let window = (needed_from(query), query.now);
    for (content, groups) in groups {
        for group in groups {
            reader.read(group, content, window, history).await?;
        }
    }
    query.balancers.extend(balancers(&connection.aws, history).await);
    Ok(connection.aws.region())
}

async fn groups_of_function(args: &ReportArgs, connection: &AwsConnection) -> Result<Vec<String>, CliError> {
    if !args.logs.is_empty() {
        return Ok(args.logs.clone());
    }
    let wanted = match (&args.function, &args.stack) {
        (Some(name), _) => FunctionSelector::Named(name.clone()),
        (None, Some(stack)) => FunctionSelector::OfStack(stack.clone()),
        (None, None) => FunctionSelector::ByVariables,
    };
    let group = Box::pin(log_group(&connection.aws, &wanted)).await;
    let hint = "name the log group with --logs";
    let caller = &connection.caller;
    let group = group.map_err(|problem| CliError::Failed(format!("{problem}: {hint} ({caller})")))?;
    Ok(vec![group])
}
