//! What the kernel tells of this network namespace, with no help from the application.
//!
//! The tables show the connections of one moment; the counter of passive opens (`PassiveOpens` of RFC 1213) also has
//! those that came and went between two looks. Source: <https://docs.kernel.org/networking/snmp_counter.html>

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use crate::socket::Socket;
use crate::tally::{Reading, Scope};

/// The kernel's files.
#[derive(Debug, Clone)]
pub struct Kernel {
    folder: PathBuf,
}

impl Default for Kernel {
    fn default() -> Self {
        Self::at("/proc/net")
    }
}

impl Kernel {
    /// Files of the same form in another place, for tests.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The reading to begin with. The counter comes last: what it counts too much is missing later, for once.
    pub fn begin(&self, scope: &Scope, own: impl FnOnce() -> u64) -> io::Result<Reading> {
        let mut reading = Reading { own: own(), ..Reading::default() };
        self.add_sockets(&mut reading, scope)?;
        Ok(Reading { passive_opens: self.passive_opens()?, ..reading })
    }

    /// A later reading. The counter comes first: a connection that comes meanwhile is counted by the next.
    pub fn look(&self, scope: &Scope, own: impl FnOnce() -> u64) -> io::Result<Reading> {
        let mut reading = Reading { passive_opens: self.passive_opens()?, own: own(), ..Reading::default() };
        self.add_sockets(&mut reading, scope)?;
        Ok(reading)
    }

    fn passive_opens(&self) -> io::Result<u64> {
        let path = self.folder.join("snmp");
        let text = std::fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
        passive_opens(&text).ok_or_else(|| io::Error::other(format!("{}: no PassiveOpens", path.display())))
    }

    /// There is no tcp6 where the kernel has no IPv6.
    fn add_sockets(&self, reading: &mut Reading, scope: &Scope) -> io::Result<()> {
        each_socket(&self.folder.join("tcp"), |socket| reading.add(&socket, scope))?;
        match each_socket(&self.folder.join("tcp6"), |socket| reading.add(&socket, scope)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Row by row: the tables of a busy task have many thousands.
fn each_socket(path: &Path, mut take: impl FnMut(Socket)) -> io::Result<()> {
    let mut rows = BufReader::new(File::open(path).map_err(|error| named(path, &error))?);
    let mut row = String::new();
    while rows.read_line(&mut row).map_err(|error| named(path, &error))? > 0 {
        Socket::parse(&row).into_iter().for_each(&mut take);
        row.clear();
    }
    Ok(())
}

/// The names are in one line that begins with `Tcp:`, the values in the next.
fn passive_opens(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut pairs = names.split_ascii_whitespace().zip(values.split_ascii_whitespace());
    pairs.find(|(name, _)| *name == "PassiveOpens")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str =
        "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm ActiveOpens PassiveOpens\nTcp: 1 13 27\nTcpX: 1\n";

    #[test]
    fn the_counter_is_found_by_its_name() {
        assert_eq!(passive_opens(SNMP), Some(27));
        for text in ["", "Tcp: PassiveOpens\n", "Tcp: ActiveOpens\nTcp: 1\n", "Tcp: PassiveOpens\nTcp: -1\n"] {
            assert_eq!(passive_opens(text), None, "{text}");
        }
    }

    #[test]
    fn this_machines_kernel_is_read() {
        let scope = Scope { ports: vec![1], own_port: None, ignore_local: false };
        assert_eq!(Kernel::default().look(&scope, || 3).unwrap().own, 3);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let scope = Scope { ports: vec![1], own_port: None, ignore_local: false };
        let error = Kernel::at("/nowhere").begin(&scope, || 0).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/tcp: "), "{error}");
    }
}
