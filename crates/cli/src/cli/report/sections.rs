//! The tables of a report, the same for the terminal and for the page.

use spotdrain_core::history::counts::{Count, Firsts};
use spotdrain_core::history::percentiles::Percentiles;
use spotdrain_core::history::sentences::{milliseconds, minute};
use spotdrain_core::history::{AccountSummary, Summary};

/// A table with a title.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) head: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
    /// What a reader must know to understand the table.
    pub(crate) note: Option<String>,
}

/// A row. `bar`: its share of the largest row in percent, if the table shows bars.
pub(crate) struct Row {
    pub(crate) cells: Vec<String>,
    pub(crate) bar: Option<u64>,
}

/// Returns the tables that have rows.
pub(crate) fn sections(summary: &Summary) -> Vec<Section> {
    let all = [
        accounts(summary),
        who_was_first(summary),
        times(summary),
        counts("By service", &summary.by_service),
        counts("By Availability Zone", &summary.by_zone),
        counts("By task size", &summary.by_size),
        counts("By architecture", &summary.by_architecture),
        counts("By capacity provider", &summary.by_capacity_provider),
        sweeps(summary),
        counts("Outcomes of registrations", &summary.outcomes),
        holds(summary),
        replacements(summary),
        placement_failures(summary),
        problems(summary),
        failures(summary),
        counts("Stop codes", &summary.by_stop_code),
        read(summary),
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn section(title: &'static str, head: &[&'static str], rows: Vec<Vec<String>>) -> Section {
    let rows = rows.into_iter().map(|cells| Row { cells, bar: None }).collect();
    Section { title, head: head.to_vec(), rows, note: None }
}

fn noted(section: Section, note: impl Into<String>) -> Section {
    Section { note: Some(note.into()), ..section }
}

fn counts(title: &'static str, counts: &[Count]) -> Section {
    let most = counts.iter().map(|one| one.count).max().unwrap_or(1).max(1);
    let row =
        |one: &Count| Row { cells: vec![one.name.clone(), one.count.to_string()], bar: Some(one.count * 100 / most) };
    Section { title, head: vec!["", "count"], rows: counts.iter().map(row).collect(), note: None }
}

fn who_was_first(summary: &Summary) -> Section {
    let mut rows = Vec::new();
    if summary.interruptions > 0 {
        rows.push(firsts(format!("last {}", summary.window), summary.first));
    }
    if let Some(trend) = summary.trend.as_ref().filter(|_| summary.interruptions > 0) {
        rows.push(firsts("last 7 days".to_owned(), trend.last_7_days));
        rows.push(firsts("the 28 days before".to_owned(), trend.the_28_days_before));
    }
    let section = section("Who deregistered first", &["", "ECS", "spotdrain", "unknown", "share of ECS"], rows);
    noted(
        section,
        "Unknown: the first read came more than five seconds after the notice, or there was nothing to deregister.",
    )
}

fn firsts(period: String, firsts: Firsts) -> Vec<String> {
    let share = firsts.ecs_percent().map_or("-".to_owned(), |share| format!("{share:.0} %"));
    vec![period, firsts.ecs.to_string(), firsts.spotdrain.to_string(), firsts.unknown.to_string(), share]
}

fn accounts(summary: &Summary) -> Section {
    let rows = summary.accounts.iter().map(account);
    let head = ["profile", "region", "account", "interruptions", "ECS first", "spotdrain first", "unknown", "failed"];
    let section = section("By account and Region", &head, rows.collect());
    noted(section, "A task counts once in the totals, even if two accounts name the same log.")
}

fn account(account: &AccountSummary) -> Vec<String> {
    let ids: Vec<_> = account.account_ids.iter().map(String::as_str).collect();
    let ids = if ids.is_empty() { "-".to_owned() } else { ids.join(", ") };
    let Firsts { ecs, spotdrain, unknown } = account.first;
    let counts = match account.problem {
        Some(_) => ["not read", "-", "-", "-", "-"].map(str::to_owned),
        None => [account.interruptions, ecs, spotdrain, unknown, account.failed].map(|count| count.to_string()),
    };
    let region = account.name.region.clone().unwrap_or_else(|| "-".to_owned());
    [vec![account.name.profile.clone(), region, ids], counts.to_vec()].concat()
}

fn times(summary: &Summary) -> Section {
    let mut rows = Vec::new();
    if let Some(times) = &summary.notice_to_deregistered_ms {
        rows.push(percentiles("notice to deregistered", times, milliseconds));
    }
    if let Some(times) = &summary.ran_seconds {
        rows.push(percentiles("start of the task to its notice", times, long));
    }
    section("Times", &["", "count", "p50", "p90", "p99", "longest"], rows)
}

fn percentiles(name: &str, times: &Percentiles, unit: impl Fn(u64) -> String) -> Vec<String> {
    let values = [times.p50, times.p90, times.p99, times.max].map(unit);
    [vec![name.to_owned(), times.count.to_string()], values.to_vec()].concat()
}

/// `45 s`, `12 min`, `5 h`, `3 days`.
fn long(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn sweeps(summary: &Summary) -> Section {
    let join = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let rows = summary.sweeps.iter().map(|sweep| {
        let zones = join(&sweep.zones);
        vec![minute(sweep.from), sweep.tasks.to_string(), format!("{} s", sweep.seconds), join(&sweep.services), zones]
    });
    let section = section("Largest sweeps", &["began", "tasks", "within", "services", "zones"], rows.collect());
    noted(section, "A sweep is a series of interruptions in one Region, each at most 60 s after the one before.")
}

fn holds(summary: &Summary) -> Section {
    let rows = summary.holds.iter().flat_map(|holds| &holds.by_load_balancer);
    let rows = rows.map(|row| {
        let times = row.last_new_ms.as_ref();
        let time = |of: fn(&Percentiles) -> u64| times.map_or("-".to_owned(), |times| milliseconds(of(times)));
        let values = [time(|all| all.p50), time(|all| all.p90), time(|all| all.max)];
        let counts = [row.holds, row.without_new_connections, row.with_late_connections].map(|count| count.to_string());
        [vec![row.load_balancer.clone()], counts.to_vec(), values.to_vec()].concat()
    });
    let head = ["load balancer", "holds", "no new connection", "new after the signal", "p50", "p90", "longest"];
    let section = section("Holds: stop signal to the last new connection", &head, rows.collect());
    let others = summary.holds.as_ref().map_or(0, |holds| holds.without_interruption);
    noted(
        section,
        format!("Tasks that stopped without a notice, such as in a deployment: {others} more holds, not counted."),
    )
}

fn replacements(summary: &Summary) -> Section {
    let Some(found) = &summary.replacements else { return section("Replacements", &[], Vec::new()) };
    let seconds = |seconds: u64| format!("{seconds} s");
    let mut rows: Vec<_> = found.seconds.iter().map(|times| percentiles("all services", times, seconds)).collect();
    rows.extend(found.by_service.iter().map(|gap| percentiles(&gap.service, &gap.seconds, seconds)));
    let section =
        section("Replacements: notice to the next task that ran", &["", "count", "p50", "p90", "p99", "longest"], rows);
    let (without, pending, before) = (found.without, found.pending, found.before_the_watch);
    let providers: Vec<_> = found.providers.iter().map(|one| format!("{} {}", one.name, one.count)).collect();
    noted(
        section,
        format!(
            "No replacement within an hour: {without}; it may still come: {pending}; before the watch began: {before}. \
             Replaced by tasks on: {}. A deployment at the same time also counts.",
            if providers.is_empty() { "-".to_owned() } else { providers.join(", ") }
        ),
    )
}

fn placement_failures(summary: &Summary) -> Section {
    let rows = summary.replacements.iter().flat_map(|found| &found.placement_failures);
    let rows = rows.map(|row| {
        let join = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let times = [minute(row.first), minute(row.last)];
        [
            vec![row.service.clone(), row.count.to_string()],
            times.to_vec(),
            vec![join(&row.providers), join(&row.reasons)],
        ]
        .concat()
    });
    section("Placement failures", &["service", "count", "first", "last", "providers", "reasons"], rows.collect())
}

fn problems(summary: &Summary) -> Section {
    let problems = &summary.problems;
    let all = [
        ("never succeeded: their messages end in the dead-letter queue", problems.failed),
        ("messages that could not be read: they end in the dead-letter queue", problems.unreadable_messages),
        ("failed at first, succeeded on a retry", problems.done_by_a_retry),
        ("target group not found (Unresolved)", problems.target_group_not_found),
        ("target kept: the last healthy one of its group", problems.kept_last_healthy),
        ("address that already belonged to another task (Stale)", problems.stale),
        ("task without a load balancer: usual for workers", problems.without_load_balancer),
    ];
    let found = all.into_iter().filter(|(_, count)| *count > 0);
    section(
        "Not deregistered, and failures",
        &["", "count"],
        found.map(|(what, count)| vec![what.to_owned(), count.to_string()]).collect(),
    )
}

fn failures(summary: &Summary) -> Section {
    let rows = summary.problems.failures.iter().map(|one| vec![one.name.clone(), one.count.to_string()]);
    section("What failed", &["AWS call and error", "count"], rows.collect())
}

fn read(summary: &Summary) -> Section {
    let (lines, left_out) = (&summary.lines, &summary.left_out);
    let all = [
        ("other lines", lines.other),
        ("records that could not be read", lines.unreadable),
        ("records of a newer schema, read as far as they are known", lines.newer_schema),
        ("more records of the same task", left_out.repeated_records),
        ("simulated notices, left out (--simulated counts them)", left_out.simulated),
        ("notices dated in the future, left out: a clock is wrong", left_out.dated_in_the_future),
        ("interruptions with a time before their notice: a clock is wrong", summary.with_clock_skew),
    ];
    let all =
        all.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| vec![what.to_owned(), count.to_string()]);
    let rows = [vec!["lines read".to_owned(), lines.read.to_string()]].into_iter().chain(all);
    let section = section("What was read", &["", "count"], rows.collect());
    match &lines.first_unreadable {
        Some(why) => noted(section, format!("The first record that could not be read: {why}")),
        None => section,
    }
}
