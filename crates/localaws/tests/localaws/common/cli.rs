//! The `aws` command, if it is installed.

use std::env;
use std::process::Command;

use serde_json::Value;

/// The aws command: `LOCALAWS_AWS_CLI`, or `aws` on the path.
pub(crate) struct Cli {
    program: String,
}

/// The output of a command.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) json: Value,
    pub(crate) error: String,
}

impl Cli {
    /// Returns `None` and prints a message if the command does not work.
    pub(crate) fn find() -> Option<Self> {
        let program = env::var("LOCALAWS_AWS_CLI").unwrap_or_else(|_| "aws".to_owned());
        let works = Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !works {
            println!("skipped: no aws CLI (pip install awscli)");
        }
        works.then_some(Self { program })
    }

    /// The JSON of a command that succeeds, or the error of one that fails.
    pub(crate) fn run(&self, endpoint: &str, arguments: &[&str]) -> Printed {
        let output = Command::new(&self.program)
            .args(["--endpoint-url", endpoint, "--region", "eu-central-1", "--output", "json"])
            .args(arguments)
            .envs([("AWS_ACCESS_KEY_ID", "local"), ("AWS_SECRET_ACCESS_KEY", "local"), ("AWS_PAGER", "")])
            .envs([("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_MAX_ATTEMPTS", "1")])
            .envs([("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")])
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN")
            .output()
            .expect("the command starts");
        let error = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert_eq!(output.status.success(), error.is_empty(), "{error}");
        Printed { json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), error }
    }
}
