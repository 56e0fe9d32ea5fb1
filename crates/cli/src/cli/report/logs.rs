//! Reads a log group with `FilterLogEvents`, page by page, and slower than its quota.
//! Sources: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>

use std::time::{Duration, Instant};

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::builders::FilterLogEventsFluentBuilder;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::{FilterLogEventsError, FilterLogEventsOutput};
use jiff::Timestamp;
use spotdrain_core::history::History;
use spotdrain_core::plan::rate_limit::TokenBucket;
use spotdrain_engine::{CallError, CallErrorKind};
use spotdrain_function::{call_error, error_code};

use super::progress::ReadProgress;
use crate::cli::connect::AwsConnection;
use crate::cli::exit::CliError;

/// AWS allows an account five calls a second in the smallest Regions.
const CALLS_PER_SECOND: f64 = 3.0;

/// The timeout of a call. A page takes long if AWS searches a lot and finds little.
const ATTEMPT: Duration = Duration::from_secs(30);

/// A call that is throttled or fails for a moment is tried again after these times.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 15];

/// What a log group is read for. Its filter pattern makes AWS return nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LogContent {
    /// The records of notices, and the messages that could not be read.
    Records,
    /// The hold's last lines, among the application's own.
    Holds,
    /// The events of the capacity watch.
    Capacity,
}

/// Reads log groups, one after the other.
pub(crate) struct LogReader<'a> {
    connection: &'a AwsConnection,
    client: Client,
    bucket: TokenBucket,
    since: Instant,
    progress: ReadProgress,
}

impl LogContent {
    /// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>
    fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Records => Some(r#"{ ($.record.interrupted_at = "*") || ($.problem = "*") }"#),
            Self::Holds => {
                Some(r#"{ ($.program = "spotdrain-hold") && (($.step = "exited") || ($.step = "forward")) }"#)
            }
            Self::Capacity => None,
        }
    }
}

impl<'a> LogReader<'a> {
    pub(crate) fn new(connection: &'a AwsConnection, profile: Option<String>) -> Self {
        let client = Client::new(connection.aws.config());
        let bucket = TokenBucket::new(1.0, CALLS_PER_SECOND);
        Self { connection, client, bucket, since: Instant::now(), progress: ReadProgress::new(profile) }
    }

    /// Adds the lines of a group, by name or ARN, that were written in this period.
    pub(crate) async fn read(
        &mut self,
        group: &str,
        content: LogContent,
        (from, to): (Timestamp, Timestamp),
        history: &mut History,
    ) -> Result<(), CliError> {
        let request = self.request(group, content).start_time(from.as_millisecond()).end_time(to.as_millisecond());
        let mut token = None;
        loop {
            let answer = self.page(group, request.clone().set_next_token(token.clone())).await?;
            let events = answer.events();
            events.iter().filter_map(|event| event.message()).for_each(|line| history.add_line(line));
            let last = events.last().and_then(|event| Timestamp::from_millisecond(event.timestamp()?).ok());
            self.progress.page(group, events.len(), last);
            let next = answer.next_token().map(str::to_owned);
            // If AWS returned the same token again, the loop would never end.
            if next.is_none() || next == token {
                self.progress.done();
                return Ok(());
            }
            token = next;
        }
    }

    fn request(&self, group: &str, content: LogContent) -> FilterLogEventsFluentBuilder {
        let request = self.client.filter_log_events().set_filter_pattern(content.pattern().map(str::to_owned));
        if group.starts_with("arn:") { request.log_group_identifier(group) } else { request.log_group_name(group) }
    }

    async fn page(
        &mut self,
        group: &str,
        request: FilterLogEventsFluentBuilder,
    ) -> Result<FilterLogEventsOutput, CliError> {
        let mut pauses = PAUSES.iter();
        loop {
            tokio::time::sleep(self.bucket.take(self.since.elapsed())).await;
            let (code, error) = match attempt(request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            let Some(seconds) = pauses.next().filter(|_| error.kind.is_retryable()) else {
                self.progress.done();
                return Err(self.problem(group, code.as_deref(), &error));
            };
            tokio::time::sleep(Duration::from_secs(*seconds)).await;
        }
    }

    /// Explains an error: the group does not exist, or the permission to read it is missing.
    fn problem(&self, group: &str, code: Option<&str>, error: &CallError) -> CliError {
        let (caller, problem) = (&self.connection.caller, &error.problem);
        let text = match (code, error.kind) {
            (Some("ResourceNotFoundException"), _) => format!(
                "log group {group} does not exist: aws logs describe-log-groups lists the groups ({problem}; {caller})"
            ),
            (_, CallErrorKind::Denied) => format!(
                "log group {group} cannot be read: allow logs:FilterLogEvents on {} ({problem}; {caller})",
                self.resource(group)
            ),
            _ => format!("log group {group} cannot be read: FilterLogEvents: {problem} ({caller})"),
        };
        if error.kind.is_retryable() { CliError::Unreachable(text) } else { CliError::Failed(text) }
    }

    /// The ARN that a policy needs; the account is not known here.
    fn resource(&self, group: &str) -> String {
        let region = self.connection.aws.region().unwrap_or_else(|| "*".to_owned());
        if group.starts_with("arn:") {
            format!("{group}:*")
        } else {
            format!("arn:aws:logs:{region}:*:log-group:{group}:*")
        }
    }
}

async fn attempt(request: FilterLogEventsFluentBuilder) -> Result<FilterLogEventsOutput, (Option<String>, CallError)> {
    let Ok(answer) = tokio::time::timeout(ATTEMPT, request.send()).await else {
        let problem = format!("no answer within {} s", ATTEMPT.as_secs());
        return Err((None, CallError { kind: CallErrorKind::BrokenConnection, problem }));
    };
    answer.map_err(|error| failure(&error))
}

fn failure(error: &SdkError<FilterLogEventsError>) -> (Option<String>, CallError) {
    (error_code(error).map(str::to_owned), call_error(error))
}
