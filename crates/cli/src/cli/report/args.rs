//! The arguments of `spotdrain report`, as typed.

#![allow(clippy::doc_markdown, reason = "these comments are the help texts")]

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

use super::accounts::AccountArg;
use crate::cli::connect::AwsArgs;

#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ReportArgs {
    /// Files with log lines or the output of aws logs; - for standard input. Nothing is read from AWS. Without files and
    /// without --logs the log group of the deployed function is read
    #[arg(value_name = "FILE", conflicts_with_all = ["logs", "hold_logs", "capacity_logs", "function", "stack", "demo"])]
    pub(crate) files: Vec<PathBuf>,
    /// How far back: a number of minutes, hours, days or weeks, such as 90m, 12h, 7d or 4w
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = since)]
    pub(crate) since: SignedDuration,
    /// Only this cluster, by name or ARN
    #[arg(long, value_name = "NAME")]
    pub(crate) cluster: Option<String>,
    /// Only this service, by name
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// The log group of the function, by name or ARN; again for more
    #[arg(long, value_name = "GROUP", conflicts_with_all = ["function", "stack"])]
    pub(crate) logs: Vec<String>,
    /// The function whose log group is read; without it the one that has SPOTDRAIN_ variables
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// The stack that the function was deployed with, where there is more than one
    #[arg(long, value_name = "NAME", conflicts_with = "function")]
    pub(crate) stack: Option<String>,
    /// One report over several accounts and Regions: AWS profiles, each optionally with a Region, such as
    /// prod,staging,staging@eu-west-1. The log of the function of each is read
    #[arg(
        long,
        value_name = "PROFILES",
        value_delimiter = ',',
        value_parser = AccountArg::parse,
        conflicts_with_all = ["files", "demo", "profile"]
    )]
    pub(crate) accounts: Vec<AccountArg>,
    /// A log group of containers with spotdrain-hold, joined by task; again for more
    #[arg(long, value_name = "GROUP")]
    pub(crate) hold_logs: Vec<String>,
    /// The log group of the capacity watch (CapacityWatch), joined by service; again for more
    #[arg(long, value_name = "GROUP")]
    pub(crate) capacity_logs: Vec<String>,
    /// Count simulated notices too: those whose source is not aws.ecs
    #[arg(long)]
    pub(crate) simulated: bool,
    /// Report on a month of synthetic interruptions, without AWS
    #[arg(long, conflicts_with_all = ["logs", "hold_logs", "capacity_logs", "function", "stack"])]
    pub(crate) demo: bool,
    /// Print JSON, for programs
    #[arg(long, conflicts_with = "html")]
    pub(crate) json: bool,
    /// Write one self-contained HTML page to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) aws: AwsArgs,
}

/// The longest time that a report may go back: ten years.
const MOST_DAYS: i64 = 3653;

fn since(text: &str) -> Result<SignedDuration, String> {
    let expected = || format!("expected a number with m, h, d or w, such as 12h or 7d, of at most {MOST_DAYS} days");
    let unit = text.chars().next_back().ok_or_else(expected)?;
    let number = text.strip_suffix(unit).and_then(|number| number.parse::<i64>().ok());
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        'w' => 7 * 24 * 60,
        _ => return Err(expected()),
    };
    let total = number.and_then(|number| number.checked_mul(minutes));
    let total = total.filter(|total| (1..=MOST_DAYS * 24 * 60).contains(total));
    total.map(SignedDuration::from_mins).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_neither_nothing_nor_endless() {
        for (text, minutes) in [("90m", 90), ("12h", 720), ("7d", 10_080), ("4w", 40_320), ("3653d", 5_260_320)] {
            assert_eq!(since(text), Ok(SignedDuration::from_mins(minutes)), "{text}");
        }
        for text in ["", "7", "d", "0d", "-1d", "1.5d", "7 d", "7y", "3654d", "99999999999999999999d", "é"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
