//! Logs of several accounts in one report.

use spotdrain_core::history::{AccountName, AccountSummary, History, HistoryQuery, Summary, summarize};

use super::{CAPACITY, FUNCTION, HOLD, days, history, report, sentences};

fn name(profile: &str) -> AccountName {
    AccountName { profile: profile.to_owned(), region: Some("eu-west-1".to_owned()) }
}

/// Joins these logs, each of an account of its own.
fn joined(logs: &[(&str, &str)], query: &HistoryQuery) -> History {
    let mut all = History::default();
    for (profile, log) in logs {
        let own = history(&[log]);
        let summary = AccountSummary::of(name(profile), &own, query);
        all.join(own, summary);
    }
    all
}

#[test]
fn joined_logs_make_the_same_report_as_one_log() {
    let query = days(30);
    let lines: Vec<_> = FUNCTION.lines().collect();
    let (first, second) = lines.split_at(lines.len() / 2);
    let (first, second) = (first.join("\n"), second.join("\n"));
    let logs = [("a", first.as_str()), ("b", &second), ("c", HOLD), ("d", CAPACITY), ("e", FUNCTION)];
    let summary = summarize(joined(&logs[..4], &query), &query);
    let expected = report(&[FUNCTION, HOLD, CAPACITY], &query);
    let of_accounts = |summary: Summary| Summary { accounts: Vec::new(), ..summary };
    assert_eq!(of_accounts(summary), of_accounts(expected));
    let all = summarize(joined(&logs, &query), &query);
    assert_eq!(all.interruptions, report(&[FUNCTION], &query).interruptions, "a log that is read twice counts once");
}

#[test]
fn an_account_has_the_counts_of_its_own_log() {
    let query = days(30);
    let summary = summarize(joined(&[("a", FUNCTION), ("b", "START")], &query), &query);
    let [with, without] = summary.accounts.as_slice() else { panic!("{:?}", summary.accounts) };
    assert_eq!((with.interruptions, with.first), (summary.interruptions, summary.first));
    assert_eq!((with.deregistered, with.failed), (summary.deregistered, summary.problems.failed));
    assert_eq!(with.account_ids.iter().collect::<Vec<_>>(), ["123456789012"]);
    assert_eq!((without.interruptions, without.lines, without.account_ids.len()), (0, 1, 0));
}

#[test]
fn interruptions_of_two_regions_are_two_sweeps() {
    let query = days(30);
    let elsewhere = FUNCTION.replace("eu-central-1", "eu-west-1");
    let one = report(&[FUNCTION], &query).sweeps;
    let both = summarize(joined(&[("a", FUNCTION), ("b", &elsewhere)], &query), &query).sweeps;
    assert_eq!(both.iter().filter(|sweep| sweep.tasks == one[0].tasks).count(), 2, "{both:?}");
}

#[test]
fn a_report_says_which_accounts_it_does_not_include() {
    let query = days(30);
    let mut all = joined(&[("a", "START")], &query);
    all.join(History::default(), AccountSummary::unread(name("b"), "denied".to_owned()));
    all.join(
        History::default(),
        AccountSummary::unread(AccountName { region: None, ..name("c") }, "denied".to_owned()),
    );
    assert_eq!(
        sentences(&summarize(all, &query)),
        [
            "2 of 3 accounts could not be read, and are not in the numbers: b in eu-west-1, c.",
            "No interruptions in 30 days. 1 log line was read.",
        ]
    );
}
