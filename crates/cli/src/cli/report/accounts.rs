//! Reads the logs of several accounts and Regions, one after the other. An account that cannot be read does not stop the others.

use std::io::Write as _;

use spotdrain_core::history::{AccountName, AccountSummary, History, HistoryQuery};

use super::args::ReportArgs;
use super::source;
use crate::cli::connect::AwsArgs;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::style::CAREFUL;

/// An entry of `--accounts`: `PROFILE` or `PROFILE@REGION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountArg {
    profile: String,
    /// Absent: the Region of the environment or of the profile.
    region: Option<String>,
}

impl AccountArg {
    /// Reads an entry. What follows the last `@` is a Region only if it looks like one, because a profile's name may have an `@`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (profile, region) = match text.rsplit_once('@') {
            Some((profile, region)) if is_region(region) => (profile, Some(region.to_owned())),
            _ => (text, None),
        };
        if profile.is_empty() {
            return Err("expected PROFILE or PROFILE@REGION, such as staging@eu-west-1".to_owned());
        }
        Ok(Self { profile: profile.to_owned(), region })
    }

    fn credentials(&self) -> AwsArgs {
        AwsArgs { profile: Some(self.profile.clone()), region: self.region.clone(), profile_flag: "--accounts" }
    }

    fn name(&self, region: Option<String>) -> AccountName {
        AccountName { profile: self.profile.clone(), region }
    }
}

/// Whether it has the form of `eu-west-1` or `us-gov-east-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    words.len() >= 2 && words.iter().all(is_word) && number.parse::<u8>().is_ok()
}

/// Adds the lines of all accounts. It is an error if none of them can be read.
pub(crate) async fn read(args: &ReportArgs, query: &mut HistoryQuery, history: &mut History) -> Result<(), CliError> {
    check(args)?;
    let mut errors = Vec::new();
    for account in &args.accounts {
        let mut own = History::default();
        match Box::pin(source::read(args, &account.credentials(), query, &mut own)).await {
            Ok(region) => {
                let summary = AccountSummary::of(account.name(region), &own, query);
                history.join(own, summary);
            }
            Err(error) => {
                let name = account.name(account.region.clone());
                history.join(History::default(), AccountSummary::unread(name.clone(), error.to_string()));
                errors.push((name, error));
            }
        }
    }
    if errors.len() < args.accounts.len() { Ok(()) } else { Err(none_read(&errors)) }
}

/// A log group has an ARN in one account and Region only, and an account that is named twice would be read twice.
fn check(args: &ReportArgs) -> Result<(), CliError> {
    let groups = [("--logs", &args.logs), ("--hold-logs", &args.hold_logs), ("--capacity-logs", &args.capacity_logs)];
    for (flag, groups) in groups {
        if let Some(arn) = groups.iter().find(|group| group.starts_with("arn:")) {
            let hint = "with --accounts name the log group, because each account has its own";
            return Err(CliError::Configuration(format!("{flag} {arn}: {hint}")));
        }
    }
    let twice = args
        .accounts
        .iter()
        .enumerate()
        .find(|(index, one)| args.accounts.iter().take(*index).any(|other| other == *one));
    twice.map_or(Ok(()), |(_, one)| {
        let name = one.name(one.region.clone());
        Err(CliError::Configuration(format!("--accounts names {name} twice")))
    })
}

/// Joins the problems of all accounts. The exit code is theirs if they have the same one.
fn none_read(errors: &[(AccountName, CliError)]) -> CliError {
    let lines: Vec<_> = errors.iter().map(|(name, error)| format!("account {name}: {error}")).collect();
    let text = lines.join("\n       ");
    if errors.iter().all(|(_, error)| error.exit() == Exit::TryAgain) {
        CliError::Unreachable(text)
    } else if errors.iter().all(|(_, error)| error.exit() == Exit::BadConfiguration) {
        CliError::Configuration(text)
    } else {
        CliError::Failed(text)
    }
}

/// Warns of the accounts that the report does not include, and returns the exit code.
pub(crate) fn warn_of_unread(accounts: &[AccountSummary]) -> Exit {
    let mut exit = Exit::Done;
    for account in accounts {
        if let Some(problem) = &account.problem {
            // Ignore the error: standard error may have no reader.
            _ = writeln!(
                anstream::stderr(),
                "{CAREFUL}warning:{CAREFUL:#} the report does not include account {}: {problem}",
                account.name
            );
            exit = Exit::Failed;
        }
    }
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_profile_and_may_have_a_region() {
        let of = |text: &str| AccountArg::parse(text).map(|one| (one.profile, one.region));
        let region = |name: &str| Some(name.to_owned());
        assert_eq!(of("prod"), Ok(("prod".to_owned(), None)));
        assert_eq!(of("prod@eu-west-1"), Ok(("prod".to_owned(), region("eu-west-1"))));
        assert_eq!(of("a@b.com@us-gov-east-1"), Ok(("a@b.com".to_owned(), region("us-gov-east-1"))));
        for text in ["a@b.com", "prod@eu-west", "prod@", "prod@EU-WEST-1", "prod@1", "prod@a-b-c"] {
            assert_eq!(of(text), Ok((text.to_owned(), None)), "a profile with an @");
        }
        assert!(of("").is_err() && of("@eu-west-1").is_err());
    }
}
