//! Connections whose client has shut down its sending side (`CLOSE_WAIT`): are they still being answered?
//!
//! The socket tables do not show progress, so `sock_diag` is asked how many bytes the client has acknowledged.
//! Sources: `sock_diag(7)`; the kernel's `include/uapi/linux/inet_diag.h` and `tcp.h` (`struct tcp_info`).

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::netlink::SOCK_DIAG;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

use super::counter::PortFilter;
use super::socket::{Socket, TcpState};

/// Bytes that the client has acknowledged, by the kernel's id of the socket.
pub type Acknowledged = BTreeMap<u64, u64>;

/// At most this many connections are tracked. An application that leaks more half-closed connections no longer answers them.
const MAX_TRACKED: usize = 4096;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST | NLM_F_DUMP`
const REQUEST_DUMP: u16 = 0x301;
const INET_DIAG_INFO: u16 = 2;
const IPPROTO_TCP: u8 = 6;
const CLOSE_WAIT: u32 = 8;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Length of `struct inet_diag_msg`.
const MESSAGE: usize = 72;
/// Offset of `tcpi_bytes_acked` in `struct tcp_info`.
const BYTES_ACKED: usize = 120;

/// Returns the half-closed connections on the watched ports.
pub fn acknowledged(filter: &PortFilter) -> io::Result<Acknowledged> {
    let netlink = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(SOCK_DIAG),
    )?;
    let mut all = Acknowledged::new();
    for family in [AF_INET, AF_INET6] {
        send(&netlink, &request(family), SendFlags::empty())?;
        receive(&netlink, filter, &mut all)?;
    }
    Ok(all)
}

/// `struct nlmsghdr`, then `struct inet_diag_req_v2` with an empty socket id.
fn request(family: u8) -> Vec<u8> {
    let info = 1 << (INET_DIAG_INFO - 1);
    let body = [&[family, IPPROTO_TCP, info, 0][..], &(1_u32 << CLOSE_WAIT).to_ne_bytes(), &[0; 48]].concat();
    let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
    let header = [&length.to_ne_bytes()[..], &SOCK_DIAG_BY_FAMILY.to_ne_bytes(), &REQUEST_DUMP.to_ne_bytes(), &[0; 8]];
    [header.concat(), body].concat()
}

fn receive(netlink: &OwnedFd, filter: &PortFilter, all: &mut Acknowledged) -> io::Result<()> {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let (length, _) = recv(netlink, &mut buffer[..], RecvFlags::empty())?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        while let Some((kind, message, next)) = split_message(rest) {
            match kind {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => return Err(error(message)),
                _ => add(message, filter, all),
            }
            rest = next;
        }
    }
}

fn add(message: &[u8], filter: &PortFilter, all: &mut Acknowledged) {
    let is_counted = socket(message).is_some_and(|socket| filter.counts(&socket));
    if let (true, Some(id), Some(bytes)) =
        (is_counted && all.len() < MAX_TRACKED, u64_at(message, 44), bytes_acked(message))
    {
        all.insert(id, bytes);
    }
}

/// Splits off the first message: its type, its body, and what follows.
fn split_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::try_from(u32_at(bytes, 0)?).ok()?;
    let body = bytes.get(HEADER..length)?;
    let next = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((u16_at(bytes, 4)?, body, next))
}

/// The body of an error message is a negative `errno`.
fn error(message: &[u8]) -> io::Error {
    let number = array_at(message, 0).map_or(0, i32::from_ne_bytes);
    io::Error::from_raw_os_error(number.wrapping_neg())
}

fn socket(message: &[u8]) -> Option<Socket> {
    let port = |at| array_at(message, at).map(u16::from_be_bytes);
    let ip = |at| match message.first()? {
        &AF_INET => Some(IpAddr::from(Ipv4Addr::from(array_at::<4>(message, at)?))),
        _ => Some(IpAddr::from(Ipv6Addr::from(array_at::<16>(message, at)?)).to_canonical()),
    };
    let (local, remote) = (SocketAddr::new(ip(8)?, port(4)?), SocketAddr::new(ip(24)?, port(6)?));
    Some(Socket { local, remote, state: TcpState::HalfClosed })
}

/// Finds `INET_DIAG_INFO` among the attributes.
fn bytes_acked(message: &[u8]) -> Option<u64> {
    let mut rest = message.get(MESSAGE..)?;
    loop {
        let length = usize::from(u16_at(rest, 0)?);
        if u16_at(rest, 2)? == INET_DIAG_INFO {
            return u64_at(rest.get(4..length)?, BYTES_ACKED);
        }
        rest = rest.get(length.max(4).next_multiple_of(4)..)?;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).map(u64::from_ne_bytes)
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    fn half_closed(address: &str) -> (TcpStream, TcpStream, PortFilter) {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        (client, server, PortFilter { ports: vec![address.port()], own_port: None, ignore_local: false })
    }

    #[test]
    fn the_bytes_that_a_client_acknowledges_are_read_from_this_machines_kernel() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (mut client, mut server, filter) = half_closed(address);
            let first = acknowledged(&filter).unwrap();
            server.write_all(&[7; 5]).unwrap();
            client.read_exact(&mut [0; 5]).unwrap();
            let second = acknowledged(&filter).unwrap();
            assert!(first.len() == 1 && first.keys().eq(second.keys()), "{first:?} {second:?}");
            let [before, after] = [&first, &second].map(|all| *all.values().next().unwrap());
            assert_eq!(after - before, 5, "{address}");
        }
    }

    #[test]
    fn other_ports_and_ignored_connections_are_left_out() {
        let (_client, _server, filter) = half_closed("127.0.0.1:0");
        assert!(acknowledged(&PortFilter { ports: vec![1], ..filter.clone() }).unwrap().is_empty());
        assert!(acknowledged(&PortFilter { ignore_local: true, ..filter }).unwrap().is_empty());
    }

    #[test]
    fn malformed_messages_are_ignored() {
        let mut all = Acknowledged::new();
        let filter = PortFilter { ports: vec![0], own_port: None, ignore_local: false };
        for length in 0..200 {
            add(&vec![0; length], &filter, &mut all);
            assert!(split_message(&vec![0; length]).is_none());
        }
        assert!(all.is_empty());
    }
}
