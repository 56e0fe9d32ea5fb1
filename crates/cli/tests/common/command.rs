//! The command line as a process, against a local AWS.

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use spotdrain_localaws::LocalAws;

/// The root of the repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The command, with an empty environment.
pub(crate) fn spotdrain(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spotdrain"));
    command.current_dir(ROOT).args(arguments).env_clear();
    command
}

/// The command with the environment that `spotdrain local` prints.
pub(crate) fn against(local: &LocalAws, arguments: &[&str]) -> Command {
    let mut command = spotdrain(arguments);
    command.env("AWS_ENDPOINT_URL", local.endpoint()).env("AWS_REGION", "eu-central-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

/// Runs a command and returns exit code, standard output and standard error.
pub(crate) fn run(mut command: Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Runs a command and returns exit code and standard output as JSON.
pub(crate) fn json(command: Command) -> (i32, Value) {
    let (code, out, err) = run(command);
    (code, serde_json::from_str(&out).unwrap_or_else(|_| panic!("no JSON: {out}{err}")))
}
