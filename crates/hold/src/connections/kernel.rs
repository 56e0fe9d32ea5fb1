//! Reads the kernel's numbers for this network namespace; the application does not have to cooperate.
//!
//! The socket tables show the connections that exist now. The counter of passive opens (`PassiveOpens` of RFC 1213) also
//! includes those that came and went between two samples. Source: <https://docs.kernel.org/networking/snmp_counter.html>

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use crate::connections::counter::{KernelReading, PortFilter};
use crate::connections::socket::Socket;

/// The kernel's files below `/proc/net`.
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
    /// Reads the same files from another folder, for tests.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The first reading. The counter is read last: a connection that arrives in between only delays the first new one.
    pub fn begin(&self, filter: &PortFilter, own: impl FnOnce() -> u64) -> io::Result<KernelReading> {
        let mut reading = KernelReading { own: own(), ..KernelReading::default() };
        self.add_sockets(&mut reading, filter)?;
        Ok(KernelReading { passive_opens: self.passive_opens()?, ..reading })
    }

    /// A later reading. The counter is read first: a connection that arrives in between is counted by the next reading.
    pub fn read(&self, filter: &PortFilter, own: impl FnOnce() -> u64) -> io::Result<KernelReading> {
        let mut reading =
            KernelReading { passive_opens: self.passive_opens()?, own: own(), ..KernelReading::default() };
        self.add_sockets(&mut reading, filter)?;
        Ok(reading)
    }

    fn passive_opens(&self) -> io::Result<u64> {
        let path = self.folder.join("snmp");
        let text = std::fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
        passive_opens(&text).ok_or_else(|| io::Error::other(format!("{}: no PassiveOpens", path.display())))
    }

    /// A kernel without IPv6 has no `tcp6`.
    fn add_sockets(&self, reading: &mut KernelReading, filter: &PortFilter) -> io::Result<()> {
        each_socket(&self.folder.join("tcp"), |socket| reading.add(&socket, filter))?;
        match each_socket(&self.folder.join("tcp6"), |socket| reading.add(&socket, filter)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Reads row by row: a busy task has tens of thousands.
fn each_socket(path: &Path, mut take: impl FnMut(Socket)) -> io::Result<()> {
    let mut rows = BufReader::new(File::open(path).map_err(|error| named(path, &error))?);
    let mut row = String::new();
    while rows.read_line(&mut row).map_err(|error| named(path, &error))? > 0 {
        Socket::parse(&row).into_iter().for_each(&mut take);
        row.clear();
    }
    Ok(())
}

/// One line that begins with `Tcp:` has the names, the next one the values.
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
    fn the_counter_is_found_by_name() {
        assert_eq!(passive_opens(SNMP), Some(27));
        for text in ["", "Tcp: PassiveOpens\n", "Tcp: ActiveOpens\nTcp: 1\n", "Tcp: PassiveOpens\nTcp: -1\n"] {
            assert_eq!(passive_opens(text), None, "{text}");
        }
    }

    #[test]
    fn the_kernel_of_this_machine_is_readable() {
        let filter = PortFilter { ports: vec![1], own_port: None, ignore_local: false };
        assert_eq!(Kernel::default().read(&filter, || 3).unwrap().own, 3);
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let filter = PortFilter { ports: vec![1], own_port: None, ignore_local: false };
        let error = Kernel::at("/nowhere").begin(&filter, || 0).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/tcp: "), "{error}");
    }
}
