//! The function as Lambda runs it: its own process, under a Runtime API, against a local AWS that it shares with nobody.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use lambda_simulator::{InvocationBuilder, InvocationStatus, Simulator, SimulatorPhase};
use serde_json::Value;
use spotdrain_localaws::{Action, LocalAws, World};

pub const FUNCTION: &str = env!("CARGO_BIN_EXE_function-under-test");

/// For what comes in any case, on however slow a machine.
const LONG: Duration = Duration::from_mins(1);

/// A running function. Its process is killed when the test ends.
pub struct Function {
    environment: Environment,
    settings: Vec<(String, String)>,
    pub local: LocalAws,
}

/// One execution environment: a process and its Runtime API.
struct Environment {
    child: Child,
    log: Option<JoinHandle<String>>,
    simulator: Simulator,
}

impl Function {
    pub async fn start(world: World, settings: &[(&str, &str)]) -> Self {
        let local = LocalAws::spawn_thread(world).unwrap();
        let settings: Vec<_> = settings.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let environment = Environment::start(&local.endpoint(), &settings).await;
        Self { environment, settings, local }
    }

    /// Invokes the function and returns its answer, or the type and text of its error.
    pub async fn invoke(&self, payload: &Value) -> Result<Value, (String, String)> {
        self.invoke_within(payload, Duration::from_secs(20)).await
    }

    /// Invokes the function with this timeout. Without an answer by then the test fails, as Lambda would end the function.
    pub async fn invoke_within(&self, payload: &Value, timeout: Duration) -> Result<Value, (String, String)> {
        let id = self.begin(payload, timeout).await;
        let done = self.environment.simulator.wait_for_invocation_complete(&id, timeout).await;
        let done = done.unwrap_or_else(|error| panic!("Lambda would have ended the function: {error}"));
        match done.status {
            InvocationStatus::Success => Ok(done.response.unwrap().payload),
            _ => Err(done.error.map(|error| (error.error_type, error.error_message)).unwrap()),
        }
    }

    /// Invokes the function without waiting for its answer.
    pub async fn begin(&self, payload: &Value, timeout: Duration) -> String {
        let simulator = &self.environment.simulator;
        simulator.wait_for_phase(SimulatorPhase::Ready, LONG).await.unwrap();
        let milliseconds = timeout.as_millis().try_into().unwrap();
        simulator
            .enqueue(InvocationBuilder::new().payload(payload.clone()).timeout_ms(milliseconds).build().unwrap())
            .await
    }

    /// Waits until this action was called at least `times` times.
    pub async fn has_called(&self, action: Action, times: usize) {
        let is_called = || async {
            let calls = self.local.calls();
            calls.iter().filter(|call| call.action == action.name()).count() >= times
        };
        self.environment.simulator.wait_for(is_called, LONG).await.unwrap();
    }

    /// Kills the process with SIGKILL and starts a new one.
    pub async fn kill_and_replace(&mut self) {
        self.environment.end();
        self.environment = Environment::start(&self.local.endpoint(), &self.settings).await;
    }

    /// Ends the function and returns the log of its last process.
    pub fn log(mut self) -> Vec<Value> {
        let text = self.environment.end();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }
}

impl Environment {
    async fn start(endpoint: &str, settings: &[(String, String)]) -> Self {
        let simulator = Simulator::builder().build().await.unwrap();
        let mut command = Command::new(FUNCTION);
        command.env_clear().env("AWS_LAMBDA_RUNTIME_API", simulator.addr().to_string());
        for name in ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"] {
            command.env(name, "spotdrain");
        }
        for name in ["AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"] {
            command.env(name, "/aws/lambda/spotdrain");
        }
        command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512").env("AWS_ENDPOINT_URL", endpoint);
        command.env("AWS_REGION", "eu-central-1").env("AWS_ACCESS_KEY_ID", "k").env("AWS_SECRET_ACCESS_KEY", "s");
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            text
        });
        Self { child, log: Some(log), simulator }
    }

    /// Kills the process and returns its output.
    fn end(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if self.log.is_some() {
            self.end();
        }
    }
}
