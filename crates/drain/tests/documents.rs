//! What is written twice is compared: the settings in the README, the outcomes in it, its length.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where something is not as it should be")]

use spotdrain_core::settings::NAMES;

const README: &str = include_str!("../../../README.md");

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
