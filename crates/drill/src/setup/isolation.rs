//! Network isolation of the tasks. On Fargate each task has its own network, and the hold relies on that because the
//! kernel counts connections per network namespace.
//!
//! With sufficient rights the drill enters its own network and mount namespaces and creates one network namespace per
//! task. They disappear with the drill, and the machine's network is not touched. Without these rights the tasks share
//! one network: the hold then never sees a quiet port and holds for its maximum time.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Brings up loopback and mounts a private `/run/netns` for the names of the tasks' namespaces.
const PREPARE: &str = "ip link set lo up && mount -t tmpfs tmpfs /run && mkdir /run/netns";
const NAMES: &str = "/run/netns";

/// How the tasks' networks are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each task has its own network namespace, inside the one that the drill [entered](Isolation::enter).
    Apart,
    /// All tasks are in the drill's network namespace.
    Shared,
}

impl Isolation {
    /// A command that runs `program` in namespaces where [`Isolation::Apart`] works, as root or with user namespaces.
    /// `None` if namespaces are unavailable.
    #[must_use]
    pub fn enter(program: &Path) -> Option<Command> {
        let as_user = ["--user", "--map-root-user"];
        let rights = [&[][..], &as_user].into_iter().find(|rights| is_possible(rights))?;
        let mut command = unshare(rights);
        command.arg(format!("{PREPARE} && exec \"$0\" \"$@\"")).arg(program);
        Some(command)
    }

    /// Creates a task's network namespace unless it exists.
    pub(crate) fn prepare(self, name: &str) -> io::Result<()> {
        if self == Self::Shared || Path::new(NAMES).join(name).exists() {
            return Ok(());
        }
        done(Command::new("ip").args(["netns", "add", name]))?;
        done(self.command(name, "ip").args(["link", "set", "lo", "up"]))
    }

    /// A command that runs a program in a task's network. `nsenter` replaces itself, so the child's process id is the
    /// program's.
    pub(crate) fn command(self, name: &str, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Shared => Command::new(program),
            Self::Apart => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--net={NAMES}/{name}")).arg("--").arg(program);
                command
            }
        }
    }

    /// Whether anything accepts connections at an address in a task's network.
    pub(crate) fn listens(self, name: &str, address: SocketAddr) -> bool {
        let namespace = self.namespace(name).map(|name| Path::new(NAMES).join(name));
        // Only this thread enters the namespace.
        let connect = move || {
            if let Some(path) = namespace {
                move_into_link_name_space(File::open(path)?.as_fd(), Some(LinkNameSpaceType::Network))?;
            }
            TcpStream::connect(address).map(drop)
        };
        thread::spawn(connect).join().is_ok_and(|connected: io::Result<()>| connected.is_ok())
    }

    /// The name of a task's network namespace, if it has its own.
    pub(crate) fn namespace(self, name: &str) -> Option<String> {
        (self == Self::Apart).then(|| name.to_owned())
    }
}

fn unshare(rights: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(rights).args(["--net", "--mount", "sh", "-c"]);
    command
}

/// Tries everything that a drill needs from the namespaces.
fn is_possible(rights: &[&str]) -> bool {
    let inside = "ip netns add try && nsenter --net=/run/netns/try -- ip link set lo up";
    let mut command = unshare(rights);
    command.arg(format!("{PREPARE} && {inside}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn done(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
