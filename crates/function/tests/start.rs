//! How `spotdrain-lambda` starts, and why it does not.
#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

use std::process::{Command, Output};

fn start(variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotdrain-lambda"));
    command.env_clear().envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code(), [stdout, stderr].map(|text| String::from_utf8(text).unwrap()).concat())
}

#[test]
fn started_by_hand_it_says_what_it_is_and_what_to_run_instead() {
    for variables in [&[][..], &[("AWS_LAMBDA_RUNTIME_API", "")]] {
        let (code, text) = start(variables);
        assert_eq!(code, Some(64));
        assert!(text.contains("AWS_LAMBDA_RUNTIME_API") && text.contains("spotdrain demo"), "{text}");
    }
}

#[test]
fn an_invalid_setting_ends_the_start_with_its_name() {
    let variables = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"), ("SPOTDRAIN_MODE", "sometimes")];
    let (code, text) = start(&variables);
    assert_eq!(code, Some(64));
    assert!(text.contains("SPOTDRAIN_MODE") && text.contains("sometimes"), "{text}");
}
