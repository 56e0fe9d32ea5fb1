//! `HAProxy`'s runtime API on its Unix socket: one command per connection.
//! Source: <https://docs.haproxy.org/2.6/management.html#9.3>

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::load_balancer::config::{CHECKS, TASKS};

const TIMEOUT: Duration = Duration::from_secs(2);
/// `srv_op_state` of `show servers state`: no check passes.
const STOPPED: &str = "0";

#[derive(Debug, Clone)]
pub(crate) struct RuntimeApi {
    socket: PathBuf,
}

impl RuntimeApi {
    pub(crate) fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Stops new connections to this target; existing ones continue.
    pub(crate) async fn drain(&self, target: &str) -> io::Result<()> {
        self.command(&format!("set server {TASKS}/{target} state drain")).await
    }

    /// Resumes new connections to this target.
    pub(crate) async fn resume(&self, target: &str) -> io::Result<()> {
        self.command(&format!("set server {TASKS}/{target} state ready")).await
    }

    /// Ends the target's existing connections.
    pub(crate) async fn cut(&self, target: &str) -> io::Result<()> {
        self.command(&format!("shutdown sessions server {TASKS}/{target}")).await
    }

    /// Returns the targets that fail their health checks.
    pub(crate) async fn unhealthy(&self) -> io::Result<BTreeSet<String>> {
        Ok(stopped(&self.ask(&format!("show servers state {CHECKS}")).await?))
    }

    /// Runs a command that only answers with errors.
    async fn command(&self, command: &str) -> io::Result<()> {
        let answer = self.ask(command).await?;
        if answer.trim().is_empty() { Ok(()) } else { Err(io::Error::other(answer.trim().to_owned())) }
    }

    async fn ask(&self, command: &str) -> io::Result<String> {
        let exchange = async {
            let mut stream = UnixStream::connect(&self.socket).await?;
            stream.write_all(format!("{command}\n").as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            Ok(answer)
        };
        timeout(TIMEOUT, exchange).await?
    }
}

/// The first columns are: backend id and name, server id and name, address, operational state.
fn stopped(table: &str) -> BTreeSet<String> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter_map(|row| match row.as_slice() {
        [_, backend, _, name, _, state, ..] if *backend == CHECKS && *state == STOPPED => Some((*name).to_owned()),
        _ => None,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unhealthy_targets_are_read_from_the_table() {
        let table = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight\n\
                     4 health 1 task-1 127.0.1.1 2 0 1\n4 health 2 task-2 127.0.1.2 0 0 1\n\n";
        assert_eq!(stopped(table), BTreeSet::from(["task-2".to_owned()]));
    }
}
