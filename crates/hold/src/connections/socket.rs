//! Parses a row of the kernel's socket tables: `/proc/net/tcp`, `tcp6`, and `udp` and `udp6`, which have the same columns.
//! Source: <https://docs.kernel.org/networking/proc_net_tcp.html>

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub state: TcpState,
}

/// The state of a connection, as far as the hold distinguishes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpState {
    /// Listening, or not established yet.
    Before,
    /// Both ends can send.
    Established,
    /// The other end has shut down its sending side, and may still receive.
    HalfClosed,
    /// This end has closed it.
    Closing,
    /// Both ends have closed it. The kernel remembers it for this long, in hundredths of a second.
    TimeWait(u32),
}

impl Socket {
    /// Parses a row; returns `None` for the heading and for anything malformed.
    #[must_use]
    pub fn parse(row: &str) -> Option<Self> {
        let mut fields = row.split_ascii_whitespace().skip(1);
        let local = address(fields.next()?)?;
        let remote = address(fields.next()?)?;
        let number = u8::from_str_radix(fields.next()?, 16).ok()?;
        let timer = fields.nth(1).and_then(|timer| u32::from_str_radix(timer.split_once(':')?.1, 16).ok());
        let state = state(number, timer.unwrap_or(0));
        Some(Self { local, remote, state })
    }

    /// The socket at the other end, if that is in this namespace too.
    #[must_use]
    pub fn other_end(&self) -> Self {
        Self { local: self.remote, remote: self.local, state: self.state }
    }

    /// Whether both ends are in this network namespace: over loopback, or to its own address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.remote.ip().is_loopback() || self.remote.ip() == self.local.ip()
    }
}

/// The numbers are those of the kernel's `include/net/tcp_states.h`.
fn state(number: u8, timer: u32) -> TcpState {
    match number {
        1 => TcpState::Established,
        8 => TcpState::HalfClosed,
        4 | 5 | 9 | 11 => TcpState::Closing,
        6 => TcpState::TimeWait(timer),
        _ => TcpState::Before,
    }
}

fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    Some(SocketAddr::new(ip_address(ip)?, u16::from_str_radix(port, 16).ok()?))
}

/// Every eight digits are four bytes of the address, printed as a number in this machine's byte order.
/// An IPv4 client of an IPv6 socket (`::ffff:…`) is converted to IPv4.
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
    const TAIL: &str = "00000000:00000000 00:00000000 00000000     0        0 1061 1 0000000028936d90 20 4 30 10 -1";

    /// Prints an address as this machine's kernel does.
    fn digits(ip: &str) -> String {
        let bytes = match ip.parse().unwrap() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let words = bytes.chunks(4).map(|word| u32::from_ne_bytes(word.try_into().unwrap()));
        words.map(|word| format!("{word:08X}")).collect::<Vec<_>>().concat()
    }

    fn row(local: &str, remote: &str, state: &str) -> Option<Socket> {
        Socket::parse(&format!("   7: {}:13B4 {}:C350 {state} {TAIL}", digits(local), digits(remote)))
    }

    #[test]
    fn a_row_of_the_tcp_table_is_parsed() {
        let socket = row("10.0.2.21", "10.0.1.5", "01").unwrap();
        assert_eq!(
            (socket.local, socket.remote),
            ("10.0.2.21:5044".parse().unwrap(), "10.0.1.5:50000".parse().unwrap())
        );
        assert_eq!((socket.state, socket.is_local()), (TcpState::Established, false));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn a_row_printed_by_a_real_kernel_is_parsed() {
        let socket = Socket::parse(&format!("   0: 0100007F:1F90 0100007F:D2F0 06 {TAIL}")).unwrap();
        assert_eq!((socket.local, socket.remote.port()), ("127.0.0.1:8080".parse().unwrap(), 54000));
        assert_eq!((socket.state, socket.is_local()), (TcpState::TimeWait(0), true));
    }

    #[test]
    fn a_row_of_the_tcp6_table_is_parsed() {
        assert_eq!(row("2001:db8::1", "2001:db8::2", "01").unwrap().local, "[2001:db8::1]:5044".parse().unwrap());
        assert_eq!(row("::ffff:10.0.2.21", "::ffff:10.0.1.5", "01").unwrap().local, "10.0.2.21:5044".parse().unwrap());
    }

    #[test]
    fn connections_within_this_namespace_are_local() {
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
    fn every_tcp_state_is_classified() {
        let states: Vec<_> = (1..=12).map(|number| state(number, 7)).collect();
        let (before, closing) = (TcpState::Before, TcpState::Closing);
        let expected = [
            TcpState::Established,
            before,
            before,
            closing,
            closing,
            TcpState::TimeWait(7),
            before,
            TcpState::HalfClosed,
            closing,
            before,
            closing,
            before,
        ];
        assert_eq!(states, expected);
    }

    #[test]
    fn malformed_rows_are_ignored() {
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
