//! Compares what is written twice: the settings in the README, the checks in docs/doctor.md, the tests in docs/reliability.md.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed assumption fails the test")]

use std::path::Path;

use spotdrain_core::settings::NAMES;
use spotdrain_doctor::{CHECKS, delays, forecast};

const README: &str = include_str!("../../../README.md");
const DOCTOR: &str = include_str!("../../../docs/doctor.md");
const RELIABILITY: &str = include_str!("../../../docs/reliability.md");

#[test]
fn the_readme_lists_every_setting_with_its_default() {
    let rows: Vec<_> = README.lines().filter(|line| line.starts_with("| `SPOTDRAIN_")).collect();
    assert_eq!(rows.len(), NAMES.len());
    for ((name, default), row) in NAMES.iter().zip(rows) {
        assert!(row.starts_with(&format!("| `{name}` | `{default}` | ")), "{row}");
    }
}

#[test]
fn the_readme_has_at_most_180_lines() {
    assert!(README.lines().count() <= 180);
}

/// The shares of lost connections in a timeline's label, in the order of its rows.
fn shares(picture: &str) -> Vec<&str> {
    let label = picture.split("aria-label=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let rows = label.split_once(": ").unwrap().1.split(", ");
    rows.map(|row| row.trim_end_matches(" lost").trim_start_matches(|letter: char| !letter.is_ascii_digit())).collect()
}

#[test]
fn the_readme_has_the_figures_of_the_timelines() {
    let nlb = shares(include_str!("../../../docs/timeline-nlb.svg"));
    let [nothing, function, ignored, hold, both] = nlb.as_slice() else { panic!("{nlb:?}") };
    let row = format!("| **NLB** | {nothing} | {function} to {ignored} | {hold} | {both} |");
    assert!(README.contains(&row), "{row}");
    let row = format!("| **ALB** | {} |", shares(include_str!("../../../docs/timeline-alb.svg")).join(" | "));
    assert!(README.contains(&row), "{row}");
}

/// Every call of `read_account` is a List, a Get or a Describe.
#[test]
fn the_doctor_only_reads() {
    let calls = doctors_calls();
    let reads = |call: &String| ["List", "Get", "Describe", "Simulate"].iter().any(|verb| call.starts_with(verb));
    assert!(calls.len() > 15 && calls.iter().all(reads), "{calls:?}");
}

#[test]
fn the_readme_has_the_two_commands_together() {
    assert!(README.contains("```sh\ncargo run -- demo\ncargo test --workspace\n```"));
}

/// The tests that `docs/reliability.md` names, as file and function.
fn named_tests() -> Vec<(&'static str, &'static str)> {
    let code = RELIABILITY.split('`').skip(1).step_by(2);
    code.filter_map(|code| code.split_once("::")).collect()
}

#[test]
fn every_test_named_in_the_table_of_faults_exists() {
    let named = named_tests();
    assert!(named.len() > 30, "the table is read: {named:?}");
    for (file, name) in named {
        let folders = [
            "tests",
            "tests/cli",
            "../function-tests/tests/function",
            "../engine/tests",
            "../core/tests/core",
            "../core/src",
            "../core/src/model",
            "../core/src/plan",
            "../core/src/read",
            "../core/src/report",
        ];
        let paths = folders.map(|folder| format!("{}/{folder}/{file}", env!("CARGO_MANIFEST_DIR")));
        let source = paths.iter().find_map(|path| std::fs::read_to_string(path).ok());
        let source = source.unwrap_or_else(|| panic!("{file} is in none of {folders:?}"));
        assert!(source.contains(&format!("fn {name}()")), "{file} has no test {name}");
    }
}

#[test]
fn the_table_of_faults_names_every_fault_test() {
    let source = include_str!("../../function-tests/tests/function/faults.rs");
    let tests = source.split("#[tokio::test]\nasync fn ").skip(1).filter_map(|rest| rest.split_once("()"));
    let named = named_tests();
    for (name, _) in tests {
        assert!(named.contains(&("faults.rs", name)), "docs/reliability.md does not name {name}");
    }
}

#[test]
fn the_doctors_table_lists_every_check() {
    let rows: Vec<_> = DOCTOR.lines().filter(|line| line.starts_with("| SD")).collect();
    let checks = CHECKS.map(|check| format!("| {} | {} | {} |", check.id, check.severity.as_str(), check.title));
    assert_eq!(rows, checks);
}

#[test]
fn the_number_of_checks_is_right_wherever_it_is_written() {
    let readme = format!("{} checks, each with AWS's source", CHECKS.len());
    assert!(README.contains(&readme), "README.md: {readme}");
    // The picture has non-breaking spaces.
    let picture = include_str!("../../../docs/doctor.svg").replace('\u{a0}', " ");
    assert!(picture.contains(&format!("by {} checks", CHECKS.len())), "docs/doctor.svg");
    assert!(include_str!("../../../CHANGELOG.md").contains(&format!("by {} checks", CHECKS.len())), "CHANGELOG.md");
}

#[test]
fn the_documented_forecast_model_has_the_figures_of_the_code() {
    let figures = [
        ("the function has acted", forecast::FUNCTION_ACTS),
        ("an ALB keeps sending after that", delays::ALB_GOES_ON),
        ("an NLB keeps sending after that", delays::NLB_GOES_ON),
        ("an NLB keeps sending to an unhealthy target", delays::NLB_GOES_ON_UNHEALTHY),
    ];
    for (what, seconds) in figures {
        assert!(DOCTOR.contains(&format!("| {what} | {seconds} s |")), "{what}");
    }
    assert!(DOCTOR.contains(&format!("the last {} s", forecast::HOLD_GRACE)));
}

/// The text of a file, or of all files in a folder.
fn source_of(path: &Path) -> String {
    if !path.is_dir() {
        return std::fs::read_to_string(path).unwrap();
    }
    std::fs::read_dir(path).unwrap().map(|entry| source_of(&entry.unwrap().path())).collect()
}

/// The calls that the doctor makes, from the source of `read_account`.
fn doctors_calls() -> Vec<String> {
    let source = source_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/read_account"));
    let source: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    let calls =
        source.split(".call(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    calls.map(str::to_owned).collect()
}

#[test]
fn the_documented_permissions_of_the_doctor_cover_its_calls() {
    let calls = doctors_calls();
    assert!(calls.len() > 15, "{calls:?}");
    for call in calls {
        assert!(DOCTOR.contains(&format!(":{call}")), "docs/doctor.md does not name the permission for {call}");
    }
}

/// The hold does not depend on our other crates, so it declares these times again.
#[test]
fn the_holds_times_are_the_same_everywhere() {
    use spotdrain_core::model::limits::DEFAULT_STOP_TIMEOUT_SECONDS;
    use spotdrain_hold::settings::times;
    assert_eq!(times::STOP_TIMEOUT.as_secs(), u64::from(DEFAULT_STOP_TIMEOUT_SECONDS));
    assert_eq!(times::GRACE.as_secs(), u64::from(forecast::HOLD_GRACE));
    assert_eq!(
        (times::QUIET.as_secs_f64(), times::MIN_HOLD.as_secs_f64()),
        (spotdrain_drill::QUIET, spotdrain_drill::MIN_HOLD)
    );
}
