//! What is written twice is compared: the settings in the README, its length, the tests that the table of faults names.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it should be")]

use spotdrain_core::settings::NAMES;

const README: &str = include_str!("../../../README.md");
const RELIABILITY: &str = include_str!("../../../docs/reliability.md");

#[test]
fn the_readme_has_every_setting_with_its_default() {
    let rows: Vec<_> = README.lines().filter(|line| line.starts_with("| `SPOTDRAIN_")).collect();
    assert_eq!(rows.len(), NAMES.len());
    for ((name, default), row) in NAMES.iter().zip(rows) {
        assert!(row.starts_with(&format!("| `{name}` | `{default}` | ")), "{row}");
    }
}

#[test]
fn the_readme_is_short_enough_to_be_read() {
    assert!(README.lines().count() <= 200);
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
fn every_test_that_the_table_of_faults_names_exists() {
    let named = named_tests();
    assert!(named.len() > 30, "the table is read: {named:?}");
    for (file, name) in named {
        let path = format!("{}/tests/{file}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(source.contains(&format!("fn {name}()")), "{file} has no test {name}");
    }
}

#[test]
fn the_table_of_faults_has_every_test_of_a_fault() {
    let source = include_str!("faults.rs");
    let tests = source.split("#[tokio::test]\nasync fn ").skip(1).filter_map(|rest| rest.split_once("()"));
    let named = named_tests();
    for (name, _) in tests {
        assert!(named.contains(&("faults.rs", name)), "docs/reliability.md does not name {name}");
    }
}
