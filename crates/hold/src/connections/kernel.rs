//! Reads the kernel's numbers for this network namespace; the application does not have to cooperate.
//!
//! The socket tables show the connections that exist now. The counter of passive opens (`PassiveOpens` of RFC 1213) also
//! includes those that came and went between two samples. Source: <https://docs.kernel.org/networking/snmp_counter.html>

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::counter::{KernelReading, PortFilter};
use super::socket::Socket;

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

    /// The first reading. The counters are read last: a connection that arrives in between only delays the first new one.
    pub fn begin(&self, filter: &PortFilter, own: impl FnOnce() -> u64) -> io::Result<KernelReading> {
        let mut reading = KernelReading { own: own(), ..KernelReading::default() };
        self.add_sockets(&mut reading, filter)?;
        self.add_udp_sockets(&mut reading, filter)?;
        self.read_counters(&mut reading)?;
        if reading.is_udp_watched && reading.datagrams.is_none() {
            return Err(io::Error::other(format!("{}: no InDatagrams", self.folder.join("snmp").display())));
        }
        Ok(reading)
    }

    /// A later reading. The counters are read first: a connection that arrives in between is counted by the next reading.
    pub fn read(&self, filter: &PortFilter, own: impl FnOnce() -> u64) -> io::Result<KernelReading> {
        let mut reading = KernelReading::default();
        self.read_counters(&mut reading)?;
        reading.own = own();
        self.add_sockets(&mut reading, filter)?;
        Ok(reading)
    }

    /// A kernel without IPv6 has no `snmp6`.
    fn read_counters(&self, reading: &mut KernelReading) -> io::Result<()> {
        let path = self.folder.join("snmp");
        let text = std::fs::read_to_string(&path).map_err(|error| named(&path, &error))?;
        let opens = counter(&text, "Tcp:", "PassiveOpens");
        reading.passive_opens =
            opens.ok_or_else(|| io::Error::other(format!("{}: no PassiveOpens", path.display())))?;
        let ipv6 = std::fs::read_to_string(self.folder.join("snmp6")).unwrap_or_default();
        let ipv6 = counter_of_ipv6(&ipv6, "Udp6InDatagrams").unwrap_or(0);
        reading.datagrams = counter(&text, "Udp:", "InDatagrams").map(|ipv4| ipv4.saturating_add(ipv6));
        Ok(())
    }

    fn add_sockets(&self, reading: &mut KernelReading, filter: &PortFilter) -> io::Result<()> {
        each_socket(&self.folder.join("tcp"), |socket| reading.add(&socket, filter))?;
        if_present(each_socket(&self.folder.join("tcp6"), |socket| reading.add(&socket, filter)))
    }

    /// A UDP service has its sockets before the stop signal, so these tables are read only once.
    fn add_udp_sockets(&self, reading: &mut KernelReading, filter: &PortFilter) -> io::Result<()> {
        if_present(each_socket(&self.folder.join("udp"), |socket| reading.add_udp(&socket, filter)))?;
        if_present(each_socket(&self.folder.join("udp6"), |socket| reading.add_udp(&socket, filter)))
    }
}

/// A kernel without IPv6 has no tables for it.
fn if_present(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
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

/// Each protocol has two lines: the first has the names of the counters, the second the values.
fn counter(snmp: &str, protocol: &str, name: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix(protocol));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut pairs = names.split_ascii_whitespace().zip(values.split_ascii_whitespace());
    pairs.find(|(found, _)| *found == name)?.1.parse().ok()
}

/// Each line has a name and a value.
fn counter_of_ipv6(snmp6: &str, name: &str) -> Option<u64> {
    let mut pairs = snmp6.lines().filter_map(|line| line.split_once(char::is_whitespace));
    pairs.find(|(found, _)| *found == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNMP: &str =
        "Ip: Forwarding DefaultTTL\nIp: 1 64\nTcp: RtoAlgorithm ActiveOpens PassiveOpens\nTcp: 1 13 27\nTcpX: 1\n";

    #[test]
    fn the_counter_is_found_by_name() {
        assert_eq!(counter(SNMP, "Tcp:", "PassiveOpens"), Some(27));
        assert_eq!(counter_of_ipv6("Udp6InErrors\t3\nUdp6InDatagrams      \t12\n", "Udp6InDatagrams"), Some(12));
        for text in ["", "Tcp: PassiveOpens\n", "Tcp: ActiveOpens\nTcp: 1\n", "Tcp: PassiveOpens\nTcp: -1\n"] {
            assert_eq!(counter(text, "Tcp:", "PassiveOpens"), None, "{text}");
        }
    }

    #[test]
    fn the_kernel_of_this_machine_is_readable() {
        let filter = PortFilter { ports: vec![1], own_port: None, ignore_local: false };
        assert_eq!(Kernel::default().read(&filter, || 3).unwrap().own, 3);
    }

    #[test]
    fn a_udp_port_needs_the_counter_of_datagrams() {
        let folder = std::env::temp_dir().join(format!("hold-{}-kernel", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let row = "  7: 00000000:0035 00000000:0000 07 00000000:00000000";
        for (name, text) in [("snmp", SNMP), ("tcp", ""), ("udp", row)] {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let filter = |port| PortFilter { ports: vec![port], own_port: None, ignore_local: false };
        assert!(Kernel::at(&folder).begin(&filter(54), || 0).is_ok());
        let error = Kernel::at(&folder).begin(&filter(53), || 0).unwrap_err();
        std::fs::remove_dir_all(folder).unwrap();
        assert!(error.to_string().ends_with("snmp: no InDatagrams"), "{error}");
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let filter = PortFilter { ports: vec![1], own_port: None, ignore_local: false };
        let error = Kernel::at("/nowhere").begin(&filter, || 0).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/tcp: "), "{error}");
    }
}
