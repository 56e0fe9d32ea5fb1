//! A function as Lambda runs it: a process under a Runtime API.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use serde_json::Value;

use crate::{Result, article};

/// Which function to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Article,
}

/// The endpoint, the trusted certificate and the settings of the function.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub endpoint: String,
    /// The file with the trusted certificate.
    pub trusted: Option<PathBuf>,
    pub settings: Vec<(&'static str, String)>,
}

/// One execution environment.
pub struct Environment {
    simulator: Simulator,
    surroundings: Surroundings,
    kind: Kind,
    child: Option<Child>,
}

impl Environment {
    /// Starts a Runtime API. The function is not started yet.
    pub async fn new(kind: Kind, surroundings: Surroundings) -> Result<Self> {
        let simulator = Simulator::builder().build().await?;
        Ok(Self { simulator, surroundings, kind, child: None })
    }

    /// Starts the function and returns the time of its start.
    pub fn start(&mut self) -> Result<Instant> {
        let mut command = match self.kind {
            Kind::Ours => Command::new(env!("CARGO_BIN_EXE_function-under-test")),
            Kind::Article => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(article::AS_FUNCTION);
                command
            }
        };
        command.env_clear().envs(self.simulator.lambda_env_vars());
        command.env("AWS_ENDPOINT_URL", &self.surroundings.endpoint).env("AWS_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", "k").env("AWS_SECRET_ACCESS_KEY", "s");
        command.envs(self.surroundings.trusted.iter().map(|file| ("SSL_CERT_FILE", file)));
        command.envs(self.surroundings.settings.iter().map(|(name, value)| (name, value)));
        let started = Instant::now();
        self.child = Some(command.stdout(log()?).spawn()?);
        Ok(started)
    }

    /// Enqueues an invocation, also before the function has started.
    pub async fn enqueue(&self, payload: Value, timeout: Duration) -> Result<String> {
        let milliseconds = timeout.as_millis().try_into()?;
        Ok(self.simulator.enqueue(InvocationBuilder::new().payload(payload).timeout_ms(milliseconds).build()?).await)
    }

    /// Waits for the answer. It is an error if the function fails or does not answer.
    pub async fn answer(&self, id: &str, timeout: Duration) -> Result<Value> {
        let done = self.simulator.wait_for_invocation_complete(id, timeout).await?;
        match (done.status, done.response) {
            (InvocationStatus::Success, Some(response)) => Ok(response.payload),
            (status, _) => Err(format!("the invocation ended with {status:?}: {:?}", done.error).into()),
        }
    }

    /// The function's peak of resident memory, in megabytes.
    pub fn peak_megabytes(&self) -> Result<f64> {
        let child = self.child.as_ref().ok_or("the function was not started")?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/PID/status")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// The function's log: a file in the folder named by `FUNCTION_LOGS`, or nothing if that is not set.
fn log() -> Result<Stdio> {
    let Some(folder) = std::env::var_os("FUNCTION_LOGS") else { return Ok(Stdio::null()) };
    let name = format!("{}.log", jiff::Timestamp::now().as_nanosecond());
    Ok(std::fs::File::create(PathBuf::from(folder).join(name))?.into())
}
