//! The kernel's figures about the connections of a port, by `sock_diag(7)` over netlink.

use std::io;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// An established connection to this machine.
pub(super) struct Connection {
    /// The inode of its socket.
    pub(super) inode: u32,
    /// Number of bytes that the other end has not acknowledged yet.
    pub(super) unsent_bytes: u32,
    /// Set once the other end has acknowledged any bytes.
    pub(super) has_taken: bool,
    /// Time since bytes were last sent, or since it began.
    pub(super) since_sent: Duration,
    /// Time since bytes were last received, or since it began.
    pub(super) since_received: Duration,
}

// Constants of Linux's headers: netlink.h, sock_diag.h, inet_diag.h, tcp.h.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const IPPROTO_TCP: u8 = 6;
const STATE_ESTABLISHED: u32 = 1 << 1;
const INET_DIAG_INFO: u16 = 2;
/// Size of `nlmsghdr` in bytes.
const HEADER_BYTES: usize = 16;
/// Size of `nlmsghdr` and `inet_diag_msg` together, in bytes.
const MESSAGE_BYTES: usize = HEADER_BYTES + 72;
/// Offset of `idiag_wqueue`, the unsent bytes, in a message.
const QUEUE_AT: usize = HEADER_BYTES + 60;
/// Offset of `idiag_inode` in a message.
const INODE_AT: usize = HEADER_BYTES + 68;
/// Offset of `tcpi_last_data_sent`, in milliseconds, in `tcp_info`.
const LAST_SENT_AT: usize = 44;
/// Offset of `tcpi_last_data_recv`, in milliseconds, in `tcp_info`.
const LAST_RECEIVED_AT: usize = 52;
/// Offset of `tcpi_bytes_acked` in `tcp_info`. It counts the SYN as a byte.
const BYTES_ACKED_AT: usize = 120;

/// Timeout for the kernel's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// Size of the receive buffer: larger than any of the kernel's messages.
const BUFFER_BYTES: usize = 64 * 1024;

/// The established connections to this port of this machine.
pub(super) fn connections(port: u16) -> io::Result<Vec<Connection>> {
    let mut found = Vec::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        let kind = SocketType::DGRAM;
        let protocol = Some(netlink::SOCK_DIAG);
        let kernel = socket_with(AddressFamily::NETLINK, kind, SocketFlags::CLOEXEC, protocol)?;
        set_socket_timeout(&kernel, Timeout::Recv, Some(ANSWER_TIMEOUT))?;
        send(&kernel, &request(family, port), SendFlags::empty())?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut more = true;
        while more {
            let (length, _) = recv(&kernel, &mut buffer[..], RecvFlags::empty())?;
            more = read(&buffer[..length], &mut found)?;
        }
    }
    Ok(found)
}

/// The netlink request for all established connections of a port, with their `tcp_info`.
fn request(family: AddressFamily, port: u16) -> Vec<u8> {
    const SOCKET_ID_BYTES: usize = 48;
    let wanted = 1 << (INET_DIAG_INFO - 1);
    let mut body = vec![family.as_raw().to_le_bytes()[0], IPPROTO_TCP, wanted, 0];
    body.extend(STATE_ESTABLISHED.to_ne_bytes());
    // Zero matches anything in the rest of the socket's id.
    body.extend(port.to_be_bytes());
    body.extend([0; SOCKET_ID_BYTES - 2]);
    let length = u32::try_from(HEADER_BYTES + body.len()).expect("short");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(NLM_F_REQUEST_DUMP.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// Reads the messages of one datagram; returns whether more datagrams will come.
fn read(mut messages: &[u8], found: &mut Vec<Connection>) -> io::Result<bool> {
    let garbled = || io::Error::from(io::ErrorKind::InvalidData);
    while !messages.is_empty() {
        let length = u32_at(messages, 0).and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length >= HEADER_BYTES).ok_or_else(garbled)?;
        let message = messages.get(..length).ok_or_else(garbled)?;
        match u16_at(message, 4) {
            Some(NLMSG_DONE) => return Ok(false),
            Some(NLMSG_ERROR) => return Err(io::ErrorKind::Unsupported.into()),
            _ => found.extend(connection(message)),
        }
        messages = messages.get(aligned(length)..).unwrap_or_default();
    }
    Ok(true)
}

fn connection(message: &[u8]) -> Option<Connection> {
    let mut attributes = message.get(MESSAGE_BYTES..)?;
    let info = loop {
        let length = usize::from(u16_at(attributes, 0)?).max(4);
        if u16_at(attributes, 2)? == INET_DIAG_INFO {
            break attributes.get(4..length)?;
        }
        attributes = attributes.get(aligned(length)..)?;
    };
    let since = |at| Some(Duration::from_millis(u32_at(info, at)?.into()));
    Some(Connection {
        inode: u32_at(message, INODE_AT)?,
        unsent_bytes: u32_at(message, QUEUE_AT)?,
        has_taken: u64_at(info, BYTES_ACKED_AT)? > 1,
        since_sent: since(LAST_SENT_AT)?,
        since_received: since(LAST_RECEIVED_AT)?,
    })
}

/// A length rounded up to four bytes, at multiples of which messages and attributes begin.
fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn the_kernel_tells_of_each_connection_when_bytes_came_and_went() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let address = listener.local_addr().expect("an address");
            let mut client = TcpStream::connect(address).expect("a connection");
            let (accepted, _) = listener.accept().expect("the same");
            std::thread::sleep(Duration::from_millis(200));
            client.write_all(b"hello").expect("sent");

            let found = connections(address.port()).expect("the kernel answers");

            let [connection] = &found[..] else { panic!("{} connections", found.len()) };
            let name = std::fs::read_link(format!("/proc/self/fd/{}", accepted.as_raw_fd()));
            let name = name.expect("a name").to_string_lossy().into_owned();
            assert_eq!(name, format!("socket:[{}]", connection.inode));
            assert_eq!(connection.unsent_bytes, 0);
            assert!(!connection.has_taken, "nothing was sent to it");
            assert!(connection.since_sent >= Duration::from_millis(150));
            assert!(connection.since_received < connection.since_sent);
        }
    }
}
