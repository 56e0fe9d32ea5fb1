//! The `HAProxy` process with its configuration, log and runtime API.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::error::DrillError;
use crate::load_balancer::config::{Backend, ProxySettings, config};
use crate::load_balancer::log_line::LogLine;
use crate::load_balancer::runtime_api::RuntimeApi;
use crate::setup::plan::Plan;
use crate::setup::programs::on_path;

/// A generous limit: `HAProxy` starts in a tenth of a second.
const TIMEOUT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);

/// Runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Haproxy {
    process: Child,
    folder: PathBuf,
    log: Arc<Mutex<Vec<LogLine>>>,
    reader: AbortHandle,
    /// The address that the clients connect to.
    pub(crate) front: SocketAddr,
    pub(crate) api: RuntimeApi,
}

impl Haproxy {
    /// Starts it with these targets.
    pub(crate) async fn start(
        program: &Path,
        plan: &Plan,
        health_path: Option<&str>,
        backends: &[Backend],
    ) -> Result<Self, DrillError> {
        let broken = |error: io::Error| DrillError::start("haproxy", &error);
        let folder = folder().map_err(broken)?;
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
        let socket = folder.join("admin");
        let settings = ProxySettings {
            socket: &socket,
            front: free_address().map_err(broken)?,
            log: receiver.local_addr().map_err(broken)?,
            check_milliseconds: clock::wall(plan.balancer.check_interval, plan.scale).as_millis(),
            check_threshold: plan.balancer.check_threshold,
            connections: plan.most_connections(),
            health_path,
        };
        let process = spawn(program, &folder, &config(&settings, backends)).map_err(broken)?;
        let log = Arc::default();
        let reader = tokio::spawn(read(receiver, Arc::clone(&log))).abort_handle();
        let mut started =
            Self { process, log, reader, front: settings.front, api: RuntimeApi::at(&socket), folder: folder.clone() };
        started.ready().await?;
        Ok(started)
    }

    async fn ready(&mut self) -> Result<(), DrillError> {
        let until = Instant::now() + TIMEOUT;
        while self.api.unhealthy().await.is_err() {
            let has_ended = self.process.try_wait().is_ok_and(|status| status.is_some());
            if has_ended || Instant::now() > until {
                let stderr = fs::read_to_string(self.folder.join("stderr")).unwrap_or_default();
                return Err(DrillError::start("haproxy", stderr.trim()));
            }
            sleep(INTERVAL).await;
        }
        Ok(())
    }

    /// Returns the log when it has `expected` lines, or after a timeout. A line is written when its connection ends.
    pub(crate) async fn logged(&self, expected: usize) -> Vec<LogLine> {
        let until = Instant::now() + TIMEOUT;
        while self.lines().len() < expected && Instant::now() < until {
            sleep(INTERVAL).await;
        }
        self.lines().clone()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<LogLine>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Haproxy {
    /// Errors are ignored: the process may have ended, and the folder is in the temporary directory.
    fn drop(&mut self) {
        self.reader.abort();
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// Uses its own process group, because the drill handles Ctrl-C and stops it.
fn spawn(program: &Path, folder: &Path, config: &str) -> io::Result<Child> {
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config)?;
    let mut command = with_parent_death_signal(program);
    command.arg("-db").arg("-f").arg(file).process_group(0).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(File::create(folder.join("stderr"))?).spawn()
}

/// Makes the process end with the drill even if the drill is killed. Without `setpriv` it would go on.
fn with_parent_death_signal(program: &Path) -> Command {
    let Some(setpriv) = on_path("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

async fn read(receiver: UdpSocket, log: Arc<Mutex<Vec<LogLine>>>) {
    let mut line = vec![0; 2048];
    while let Ok(length) = receiver.recv(&mut line).await {
        let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default());
        log.lock().unwrap_or_else(PoisonError::into_inner).extend(LogLine::parse(&text));
    }
}

/// Creates a folder that only this user can read.
fn folder() -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("spotdrain-drill-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::remove_dir_all(&folder).ok();
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Returns a loopback address whose port is free now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
