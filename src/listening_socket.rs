//! The socket that Rocket listens on, set up for all connections that it will accept (Linux).
//!
//! Rocket binds its socket itself, asks for a queue of 128 and sets no time limits. When more
//! clients than that connect at once, as all of them do after a restart, the kernel drops what does
//! not fit and each comes back after a second, then two, then four. And a connection whose client
//! has died, or takes nothing of its answer, would stay for hours. Both can be set on a socket that
//! listens already, and connections inherit it from there.
//!
//! Rocket keeps its socket to itself, so a copy of it is needed. Of no other descriptor must there
//! ever be a copy: closing one of a file of `SQLite`'s would drop the POSIX locks that the whole
//! process has on that file, and anybody who opens the database from outside could then delete
//! the write-ahead log. So the socket is first found by what `/proc` says.

use std::fs;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rustix::net::listen;
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl,
    set_tcp_user_timeout, socket_acceptconn,
};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// A longer queue than any system allows: the kernel takes `net.core.somaxconn` instead.
const AS_LONG_AS_ALLOWED: i32 = i32::MAX;
/// How often a silent client is asked for a sign of life, in the second half of the time it has.
const KEEP_ALIVE_PROBES: u32 = 3;
/// The state of a socket that listens, as `/proc/net/tcp` writes it (`TCP_LISTEN`).
const LISTENING: &str = "0A";

/// Sets the socket up once it is bound: the longer queue, and `silence` as the time after which a
/// connection ends whose client takes nothing of its answer or is gone without a word. Where the
/// system does not permit that, connections are accepted as before.
pub(crate) fn set_up(silence: Duration) -> AdHoc {
    AdHoc::on_liftoff("Set up the listening socket", move |rocket| {
        let port = rocket.config().port;
        Box::pin(async move {
            if let Err(error) = copy_of_socket(port).and_then(|it| configure(&it, silence)) {
                log::warn!(
                    "The listening socket stays as it is ({error}): few clients can connect at \
                     once, and those that are gone are noticed late."
                );
            }
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
    listen(socket, AS_LONG_AS_ALLOWED)?;
    Ok(())
}

/// A second descriptor of this process's socket that listens on this port.
fn copy_of_socket(port: u16) -> io::Result<OwnedFd> {
    let listening = listening_inodes(port)?;
    let number = number_of_one_of(&listening)?.ok_or(io::ErrorKind::NotFound)?;
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    let copy = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
    if socket_acceptconn(&copy)? { Ok(copy) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// The inodes of all sockets that listen on this port, of whatever process.
fn listening_inodes(port: u16) -> io::Result<Vec<String>> {
    let mut inodes = Vec::new();
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        match fs::read_to_string(table) {
            Ok(table) => {
                let listening = table.lines().filter_map(|line| listening_inode(line, port));
                inodes.extend(listening.map(str::to_owned));
            }
            // A system without IPv6.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inodes)
}

/// The inode in a line of `/proc/net/tcp`, if that is of a socket that listens on this port.
fn listening_inode(line: &str, port: u16) -> Option<&str> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    let (_, local_port) = local.rsplit_once(':')?;
    let here = u16::from_str_radix(local_port, 16).is_ok_and(|it| it == port);
    (here && state == LISTENING).then_some(inode)
}

/// The number of this process's descriptor of one of these sockets, by the names that descriptors
/// have: `socket:[<inode>]`.
fn number_of_one_of(inodes: &[String]) -> io::Result<Option<RawFd>> {
    for entry in fs::read_dir("/proc/self/fd")? {
        let path = entry?.path();
        // Another thread may have closed it meanwhile.
        let Ok(name) = fs::read_link(&path) else { continue };
        if inodes.iter().any(|inode| name == Path::new(&format!("socket:[{inode}]"))) {
            let number = path.file_name().and_then(|name| name.to_str()?.parse().ok());
            return Ok(number);
        }
    }
    Ok(None)
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
