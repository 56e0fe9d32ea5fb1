//! Where the tasks run: on Fargate each has a network of its own, and the hold relies on it, because the kernel counts
//! connections by network namespace.
//!
//! Where it may, the drill enters namespaces of its own (network and mounts) and makes one more for each task; they are
//! gone when the drill is, and the machine's own network is not touched. Where it may not, the tasks share one: then no
//! port of the drill is ever quiet, and the hold holds for its longest time.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// A loopback interface, and a place for the names of the tasks' namespaces that only the drill sees.
const PREPARE: &str = "ip link set lo up && mount -t tmpfs tmpfs /run && mkdir /run/netns";
const NAMES: &str = "/run/netns";

/// Where the tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Each in a network namespace of its own. The drill itself is in one that was [entered](Place::enter).
    Apart,
    /// All in the network namespace of the drill.
    Shared,
}

impl Place {
    /// A command that runs a program where [`Place::Apart`] is possible, as root or as a user; `None`: not to be had.
    #[must_use]
    pub fn enter(program: &Path) -> Option<Command> {
        let as_user = ["--user", "--map-root-user"];
        let rights = [&[][..], &as_user].into_iter().find(|rights| is_possible(rights))?;
        let mut command = unshare(rights);
        command.arg(format!("{PREPARE} && exec \"$0\" \"$@\"")).arg(program);
        Some(command)
    }

    /// Makes a task's network, unless it is there.
    pub(crate) fn prepare(self, name: &str) -> io::Result<()> {
        if self == Self::Shared || Path::new(NAMES).join(name).exists() {
            return Ok(());
        }
        done(Command::new("ip").args(["netns", "add", name]))?;
        done(self.command(name, "ip").args(["link", "set", "lo", "up"]))
    }

    /// A command that runs a program in a task's network. It becomes the program: the process id is the same.
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

    /// The name of a task's network namespace.
    pub(crate) fn namespace(self, name: &str) -> Option<String> {
        (self == Self::Apart).then(|| name.to_owned())
    }
}

fn unshare(rights: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(rights).args(["--net", "--mount", "sh", "-c"]);
    command
}

/// What a drill does there is tried there.
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
