//! A disk that can be filled: a file system in memory, in a mount namespace of its own.
//!
//! It takes util-linux, and the right to make such a namespace.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Length of a piece of what fills a disk, in bytes.
const PIECE: usize = 4_096;

/// A small disk over a directory, for the programs that its wrapper runs. It ends with the value.
pub(crate) struct Disk {
    /// The process that keeps the namespace.
    holder: Child,
    directory: PathBuf,
}

impl Disk {
    /// Makes a disk over a directory, with the files of that.
    pub(crate) fn below(directory: &Path, megabytes: u32) -> Self {
        let script = r#"
            cp -a "$0/." "$0.copy" && mount -t tmpfs -o "size=$1" none "$0" && cp -a "$0.copy/." "$0" &&
            echo ready && read -r _"#;
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", script])
            .arg(directory)
            .arg(format!("{megabytes}m"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare, of util-linux");
        let mut said = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut said).expect("its answer");
        assert_eq!(said, "ready\n", "this takes the right to mount in a namespace of one's own");
        Self { holder, directory: directory.to_owned() }
    }

    /// The command that runs a program which sees the disk.
    pub(crate) fn wrapper(&self) -> Vec<OsString> {
        let target = self.holder.id().to_string();
        ["nsenter", "--target", &target, "--user", "--mount", "--preserve-credentials"]
            .map(OsString::from)
            .into()
    }

    /// Fills it until nothing more can be written.
    pub(crate) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).expect("a file");
        loop {
            match ballast.write_all(&[0; PIECE]) {
                Ok(()) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Takes away what [`Disk::fill`] has written.
    pub(crate) fn clear(&self) {
        fs::remove_file(self.ballast()).expect("it is there");
    }

    /// The path of the filling, as seen from outside the namespace.
    fn ballast(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        let inside = self.directory.strip_prefix("/").expect("an absolute path");
        root.join(inside).join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
