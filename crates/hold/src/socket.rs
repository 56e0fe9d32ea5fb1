//! A row of the kernel's tables of TCP sockets: `/proc/net/tcp` and `/proc/net/tcp6`.
//! Source: <https://docs.kernel.org/networking/proc_net_tcp.html>

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A TCP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Where it stands.
    pub stage: Stage,
}

/// Where a connection stands, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No connection yet, or a socket that listens.
    Before,
    /// Established: both ends can send.
    Established,
    /// One end at least has closed it.
    Closing,
}

impl Socket {
    /// Reads a row; `None` for the heading, and for what is no row.
    #[must_use]
    pub fn parse(row: &str) -> Option<Self> {
        let mut fields = row.split_ascii_whitespace().skip(1);
        let local = address(fields.next()?)?;
        let remote = address(fields.next()?)?;
        let stage = stage(u8::from_str_radix(fields.next()?, 16).ok()?);
        Some(Self { local, remote, stage })
    }

    /// Whether both ends are in this network namespace: over the loopback interface, or to one's own address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.remote.ip().is_loopback() || self.remote.ip() == self.local.ip()
    }
}

/// The states' numbers are in the kernel's `include/net/tcp_states.h`.
fn stage(number: u8) -> Stage {
    match number {
        1 => Stage::Established,
        4..=6 | 8 | 9 | 11 => Stage::Closing,
        _ => Stage::Before,
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    Some(SocketAddr::new(ip_address(ip)?, u16::from_str_radix(port, 16).ok()?))
}

/// Each group of eight digits is four bytes of the address, as this processor reads a number of them.
/// An IPv4 client of an IPv6 socket (`::ffff:…`) is told as IPv4.
fn ip_address(digits: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = digits.get(at..at.checked_add(8)?)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match digits.len() {
        8 => Some(IpAddr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes = <[u8; 16]>::try_from(words.concat()).ok()?;
            Some(IpAddr::from(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADING: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    const REST: &str = "00000000:00000000 00:00000000 00000000     0        0 1061 1 0000000028936d90 20 4 30 10 -1";

    /// The digits of an address as this machine's kernel prints them.
    fn digits(ip: &str) -> String {
        let bytes = match ip.parse().unwrap() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let words = bytes.chunks(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap()));
        words.map(|word| format!("{word:08X}")).collect::<Vec<_>>().concat()
    }

    fn row(local: &str, remote: &str, stage: &str) -> Option<Socket> {
        Socket::parse(&format!("   7: {}:13B4 {}:C350 {stage} {REST}", digits(local), digits(remote)))
    }

    #[test]
    fn a_row_of_the_tcp_table_is_read() {
        let socket = row("10.0.2.21", "10.0.1.5", "01").unwrap();
        assert_eq!(
            (socket.local, socket.remote),
            ("10.0.2.21:5044".parse().unwrap(), "10.0.1.5:50000".parse().unwrap())
        );
        assert_eq!((socket.stage, socket.is_local()), (Stage::Established, false));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_row_as_a_kernel_printed_it_is_read() {
        let socket = Socket::parse(&format!("   0: 0100007F:1F90 0100007F:D2F0 06 {REST}")).unwrap();
        assert_eq!((socket.local, socket.remote.port()), ("127.0.0.1:8080".parse().unwrap(), 54000));
        assert_eq!((socket.stage, socket.is_local()), (Stage::Closing, true));
    }

    #[test]
    fn a_row_of_the_tcp6_table_is_read() {
        assert_eq!(row("2001:db8::1", "2001:db8::2", "01").unwrap().local, "[2001:db8::1]:5044".parse().unwrap());
        assert_eq!(row("::ffff:10.0.2.21", "::ffff:10.0.1.5", "01").unwrap().local, "10.0.2.21:5044".parse().unwrap());
    }

    #[test]
    fn what_comes_from_this_namespace_is_local() {
        for (local, remote, expected) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("10.0.2.21", "10.0.2.21", true),
            ("::1", "::1", true),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", true),
            ("10.0.2.21", "10.0.2.22", false),
            ("2001:db8::1", "2001:db8::2", false),
        ] {
            assert_eq!(row(local, remote, "01").unwrap().is_local(), expected, "{local} {remote}");
        }
    }

    #[test]
    fn every_stage_of_a_connection_is_known() {
        let stages: Vec<_> = (1..=12).map(stage).collect();
        let (before, closing) = (Stage::Before, Stage::Closing);
        let expected = [
            Stage::Established,
            before,
            before,
            closing,
            closing,
            closing,
            before,
            closing,
            closing,
            before,
            closing,
            before,
        ];
        assert_eq!(stages, expected);
    }

    #[test]
    fn what_is_no_row_is_none() {
        for text in [
            "",
            HEADING,
            "0: 0100007F:1F90",
            "0: 0100007F:1F90 0100007F 01",
            "0: é100007:1F90 0100007F:1 01",
            "0: 01:1 02:2 01",
        ] {
            assert_eq!(Socket::parse(text), None, "{text}");
        }
    }
}
