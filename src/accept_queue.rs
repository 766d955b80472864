//! The queue of connections that wait to be accepted, made as long as the system allows.
//!
//! Rocket binds its socket itself and asks for a queue of 128. When more clients than that connect
//! at once, as all of them do after a restart, the kernel drops what does not fit and each comes
//! back after a second, then two, then four. `listen(2)` on a socket that listens already changes
//! the length of its queue and nothing else, so that is done once the server is up.

use std::fs;
use std::io;
use std::net::SocketAddr;

use rocket::fairing::AdHoc;
use rustix::net::sockopt::socket_acceptconn;
use rustix::net::{getsockname, listen};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// More than any system allows: the kernel takes `net.core.somaxconn` instead.
const AS_LONG_AS_ALLOWED: i32 = i32::MAX;

/// Lengthens the queue of the port that is served. Where the system does not permit it, connections
/// are accepted as before.
pub(crate) fn lengthened() -> AdHoc {
    AdHoc::on_liftoff("Lengthen the queue of connections", |rocket| {
        let port = rocket.config().port;
        Box::pin(async move {
            if let Err(error) = lengthen(port) {
                log::info!("The queue of connections stays as it is: {error}.");
            }
        })
    })
}

/// Of this process's own open files, finds what listens on this port. Rocket keeps its socket to
/// itself; a copy of the descriptor, as the kernel gives it, stands for the same queue.
fn lengthen(port: u16) -> io::Result<()> {
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    for file in fs::read_dir("/proc/self/fd")? {
        let Some(number) = file?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // Another thread may have closed it meanwhile.
        let Ok(copy) = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) else { continue };
        let listens = socket_acceptconn(&copy).unwrap_or(false);
        let address =
            getsockname(&copy).ok().and_then(|address| SocketAddr::try_from(address).ok());
        if listens && address.is_some_and(|address| address.port() == port) {
            listen(&copy, AS_LONG_AS_ALLOWED)?;
        }
    }
    Ok(())
}
