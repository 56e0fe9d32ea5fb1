//! A function as Lambda runs it: a process under a Runtime API. It is ended by its process id.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator};
use serde_json::Value;

use crate::{Result, article};

/// Which function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Article,
}

/// Where the function finds AWS, and its settings.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub endpoint: String,
    /// The file of the certificate that is trusted.
    pub trusted: Option<PathBuf>,
    pub settings: Vec<(&'static str, String)>,
}

/// One sandbox.
pub struct Sandbox {
    simulator: Simulator,
    surroundings: Surroundings,
    kind: Kind,
    child: Option<Child>,
}

impl Sandbox {
    /// A Runtime API whose function is not started yet.
    pub async fn new(kind: Kind, surroundings: Surroundings) -> Result<Self> {
        let simulator = Simulator::builder().build().await?;
        Ok(Self { simulator, surroundings, kind, child: None })
    }

    /// Starts the function, and says when.
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

    /// Hands an invocation to the function, whether it runs yet or not.
    pub async fn enqueue(&self, payload: Value, timeout: Duration) -> Result<String> {
        let milliseconds = timeout.as_millis().try_into()?;
        Ok(self.simulator.enqueue(InvocationBuilder::new().payload(payload).timeout_ms(milliseconds).build()?).await)
    }

    /// Waits for the answer; an error if the function failed or did not answer.
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

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// Where the function's log goes: into a file of its own in the folder that `FUNCTION_LOGS` names, else nowhere.
fn log() -> Result<Stdio> {
    let Some(folder) = std::env::var_os("FUNCTION_LOGS") else { return Ok(Stdio::null()) };
    let name = format!("{}.log", jiff::Timestamp::now().as_nanosecond());
    Ok(std::fs::File::create(PathBuf::from(folder).join(name))?.into())
}
