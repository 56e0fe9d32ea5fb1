//! The load balancer: a process, its configuration, its log, and its runtime API.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::clock;
use crate::config::{Backend, Site, config};
use crate::control::Control;
use crate::error::DrillError;
use crate::plan::Plan;
use crate::routed::Routed;
use crate::tools::on_path;

/// It starts in a tenth of a second.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// A load balancer that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Haproxy {
    process: Child,
    folder: PathBuf,
    log: Arc<Mutex<Vec<Routed>>>,
    reader: AbortHandle,
    /// Where the clients connect.
    pub(crate) front: SocketAddr,
    /// Its runtime API.
    pub(crate) control: Control,
}

impl Haproxy {
    /// Starts it before these targets.
    pub(crate) async fn start(program: &Path, plan: &Plan, backends: &[Backend]) -> Result<Self, DrillError> {
        let broken = |error: io::Error| DrillError::start("haproxy", &error);
        let folder = folder().map_err(broken)?;
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(broken)?;
        let socket = folder.join("admin");
        let site = Site {
            socket: &socket,
            front: free_address().map_err(broken)?,
            log: receiver.local_addr().map_err(broken)?,
            check_milliseconds: clock::wall(plan.balancer.check_interval, plan.scale).as_millis(),
            check_threshold: plan.balancer.check_threshold,
            connections: plan.most_connections(),
        };
        let process = spawn(program, &folder, &config(&site, backends)).map_err(broken)?;
        let log = Arc::default();
        let reader = tokio::spawn(read(receiver, Arc::clone(&log))).abort_handle();
        let mut started =
            Self { process, log, reader, front: site.front, control: Control::at(&socket), folder: folder.clone() };
        started.ready().await?;
        Ok(started)
    }

    async fn ready(&mut self) -> Result<(), DrillError> {
        let until = Instant::now() + PATIENCE;
        while self.control.unhealthy().await.is_err() {
            let has_ended = self.process.try_wait().is_ok_and(|status| status.is_some());
            if has_ended || Instant::now() > until {
                let said = fs::read_to_string(self.folder.join("said")).unwrap_or_default();
                return Err(DrillError::start("haproxy", said.trim()));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// What it logged, once it has so many lines or does not get them in time: a line comes when its connection ends.
    pub(crate) async fn logged(&self, expected: usize) -> Vec<Routed> {
        let until = Instant::now() + PATIENCE;
        while self.lines().len() < expected && Instant::now() < until {
            sleep(LOOK).await;
        }
        self.lines().clone()
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<Routed>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Haproxy {
    /// What cannot be ended has ended, and what cannot be removed is left to the system.
    fn drop(&mut self) {
        self.reader.abort();
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_dir_all(&self.folder).ok();
    }
}

/// In a process group of its own: Ctrl-C is the drill's, which ends it.
fn spawn(program: &Path, folder: &Path, config: &str) -> io::Result<Child> {
    let file = folder.join("haproxy.cfg");
    fs::write(&file, config)?;
    let mut command = bound(program);
    command.arg("-db").arg("-f").arg(file).process_group(0).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(File::create(folder.join("said"))?).spawn()
}

/// It ends with the drill, also where that is killed and can end nothing; where there is no `setpriv` it would go on.
fn bound(program: &Path) -> Command {
    let Some(setpriv) = on_path("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

async fn read(receiver: UdpSocket, log: Arc<Mutex<Vec<Routed>>>) {
    let mut line = vec![0; 2048];
    while let Ok(length) = receiver.recv(&mut line).await {
        let text = String::from_utf8_lossy(line.get(..length).unwrap_or_default());
        log.lock().unwrap_or_else(PoisonError::into_inner).extend(Routed::read(&text));
    }
}

/// A folder that only this user reads.
fn folder() -> io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt as _;
    let folder = std::env::temp_dir().join(format!("spotdrain-drill-{}", std::process::id()));
    fs::remove_dir_all(&folder).ok();
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// An address on the loopback interface that is free now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
