//! Limits on connections: the length of the accept queue, and timeouts for silent clients (Linux).
//!
//! Rocket binds its socket itself, with an accept queue of 128 and no timeouts. When more clients
//! than that connect at once, as after a restart, the kernel drops the rest, and each of them tries
//! again after one second, then two, then four. And a connection whose client has died, or takes
//! nothing of its answer, would stay for hours. Both can be set on a socket that already listens,
//! and its connections inherit the timeouts.
//!
//! - `copies`: safe duplicates of descriptors of sockets;
//! - `quiet`: an end for connections on which nothing happens;
//! - `diagnosis`: the kernel's figures about connections.

mod copies;
mod diagnosis;
mod quiet;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rustix::net::listen;
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl,
    set_tcp_user_timeout,
};

use self::copies::copies_of;

/// The length of the accept queue: longer than any system allows, so the kernel takes
/// `net.core.somaxconn`.
const LONGEST_QUEUE: i32 = i32::MAX;
/// Number of keep-alive probes that a silent client is sent in the second half of its timeout.
const KEEP_ALIVE_PROBES: u32 = 3;
/// The state of a socket that listens, as `/proc/net/tcp` writes it (`TCP_LISTEN`).
const LISTENING: &str = "0A";

/// A fairing that sets the socket up once it is bound: with the longest accept queue, and with
/// `answer_silence` as the timeout for clients that take nothing of their answer or do not respond
/// at all. It then starts to end connections on which nothing happens within a request for
/// `body_silence`. Where the system does not permit something, there is a warning.
pub(crate) fn set_up(body_silence: Duration, answer_silence: Duration) -> AdHoc {
    AdHoc::on_liftoff("Set up the sockets", move |rocket| {
        let port = rocket.config().port;
        Box::pin(async move {
            if let Err(error) = copy_of_socket(port).and_then(|it| configure(&it, answer_silence)) {
                log::warn!(
                    "The listening socket stays as it is ({error}): few clients can connect at \
                     once, and those that are gone are noticed late."
                );
            }
            rocket::tokio::spawn(quiet::end_quiet_connections(
                port,
                body_silence,
                rocket.shutdown(),
            ));
        })
    })
}

fn configure(socket: &OwnedFd, silence: Duration) -> io::Result<()> {
    let second = Duration::from_secs(1);
    let silence_ms = u32::try_from(silence.as_millis()).unwrap_or(u32::MAX);
    set_tcp_user_timeout(socket, silence_ms)?;
    set_tcp_keepidle(socket, (silence / 2).max(second))?;
    set_tcp_keepintvl(socket, (silence / 2 / KEEP_ALIVE_PROBES).max(second))?;
    set_tcp_keepcnt(socket, KEEP_ALIVE_PROBES)?;
    set_socket_keepalive(socket, true)?;
    listen(socket, LONGEST_QUEUE)?;
    Ok(())
}

/// A duplicate descriptor of this process's socket that listens on this port.
fn copy_of_socket(port: u16) -> io::Result<OwnedFd> {
    let copies = copies_of(&listening_inodes(port)?)?;
    copies.into_iter().next().ok_or(io::ErrorKind::NotFound.into())
}

/// The inodes of all sockets that listen on this port, those of other processes among them.
fn listening_inodes(port: u16) -> io::Result<HashSet<u32>> {
    let mut inodes = HashSet::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        match fs::read_to_string(table) {
            Ok(table) => {
                let listening = table.lines().filter_map(|line| listening_inode(line, port));
                inodes.extend(listening);
            }
            // A system without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inodes)
}

/// The inode in a line of `/proc/net/tcp`, if the line is about a socket that listens on this port.
fn listening_inode(line: &str, port: u16) -> Option<u32> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    let (_, local_port) = local.rsplit_once(':')?;
    let here = u16::from_str_radix(local_port, 16).is_ok_and(|it| it == port);
    if here && state == LISTENING { inode.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustix::net::sockopt::{
        socket_keepalive, tcp_keepcnt, tcp_keepidle, tcp_keepintvl, tcp_user_timeout,
    };

    use super::*;

    #[test]
    fn connections_inherit_what_is_set_on_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let address = listener.local_addr().expect("an address");
        let copy = copy_of_socket(address.port()).expect("its copy");

        configure(&copy, Duration::from_mins(1)).expect("it can be set");

        let _client = std::net::TcpStream::connect(address).expect("a connection");
        let (accepted, _) = listener.accept().expect("the same");
        assert!(socket_keepalive(&accepted).expect("set"));
        assert_eq!(tcp_keepidle(&accepted).expect("set"), Duration::from_secs(30));
        assert_eq!(tcp_keepintvl(&accepted).expect("set"), Duration::from_secs(10));
        assert_eq!(tcp_keepcnt(&accepted).expect("set"), 3);
        assert_eq!(tcp_user_timeout(&accepted).expect("set"), 60_000);
    }

    #[test]
    fn a_port_that_nobody_listens_on_has_no_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let error = copy_of_socket(port).expect_err("nobody listens");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
