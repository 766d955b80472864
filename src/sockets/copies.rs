//! Duplicate descriptors of this process's own sockets, to which Rocket gives no access.
//!
//! A duplicate of any other descriptor must never be closed: closing a descriptor of one of
//! `SQLite`'s files drops the POSIX locks that the whole process has on that file, and another
//! process that opens the database could then delete the write-ahead log. So a descriptor is only
//! duplicated if `/proc` says that it is one of these sockets; and if its number was reused in the
//! meantime, so that the duplicate is of something else, the duplicate stays open.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};

use rustix::io::Errno;
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

/// Duplicates the descriptors of this process that are sockets of these inodes.
pub(super) fn copies_of(inodes: &HashSet<u32>) -> io::Result<Vec<OwnedFd>> {
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    let mut copies = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let number = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(number) = number.filter(|number| is_one_of(*number, inodes)) else { continue };
        let copy = match pidfd_getfd(&process, number, PidfdGetfdFlags::empty()) {
            Ok(copy) => copy,
            Err(Errno::BADF) => continue,
            Err(error) => return Err(error.into()),
        };
        if is_one_of(copy.as_raw_fd(), inodes) {
            copies.push(copy);
        } else {
            let _ = copy.into_raw_fd();
        }
    }
    Ok(copies)
}

/// Tells whether the descriptor of this number is a socket of one of these inodes, by its link in
/// `/proc`: `socket:[<inode>]`. It is not if another thread has closed it.
fn is_one_of(number: RawFd, inodes: &HashSet<u32>) -> bool {
    let name = fs::read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
    let inode = name.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']'));
    inode.and_then(|inode| inode.parse().ok()).is_some_and(|inode: u32| inodes.contains(&inode))
}
