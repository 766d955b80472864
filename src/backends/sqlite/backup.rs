//! Backups: one tar of the log's database and the files of its messages.
//!
//! It holds, in this order, `houston-backup.json` (the [`Manifest`]), `houston.db`, and each file as
//! `files/<id>`; `tar` can read it, too.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::Utc;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use super::directory::DATABASE;
use super::snapshot::{Snapshot, SnapshotError};
use crate::backends::files;
use crate::domain::ids::AttachmentId;

/// The name of the manifest in a backup.
pub(super) const MANIFEST: &str = "houston-backup.json";
/// The version of the format.
pub(super) const FORMAT: u32 = 1;
/// Size of the buffer that a backup is written from, in bytes.
const WRITE_BYTES: usize = 256 * 1024;

/// The first file of a backup: what is in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub(super) format: u32,
    /// The version of the Houston that made it.
    pub(super) houston: String,
    /// The time when it was made, as RFC 3339.
    pub made_at: String,
    /// Number of messages.
    pub messages: usize,
    /// Size of the database in bytes.
    pub(super) database_bytes: u64,
    /// Number of files.
    pub files: usize,
    /// Size of all files together in bytes.
    pub file_bytes: u64,
    /// Files of messages that were lost before it was made.
    pub missing: Vec<String>,
}

/// The reason why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A file is not what its message says.
    #[error("the file `{0}` is damaged: its bytes are not those that were sent")]
    Damaged(String),
    /// The backup cannot be written.
    #[error("the backup `{}` cannot be written", .path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// Makes a backup of a data directory, of a running server or not, as this file; `-` is standard
/// output. The file is there when it is complete, and not before.
///
/// # Errors
///
/// When there is nothing to back up, something cannot be read, or the file cannot be written.
pub fn make(data: &Path, path: &Path) -> Result<Manifest, BackupError> {
    let unwritable = |source| BackupError::Write { path: path.into(), source };
    let snapshot = Snapshot::take(data)?;
    if path == Path::new("-") {
        return write(&snapshot, io::stdout().lock(), &unwritable).map(|(manifest, _)| manifest);
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = PathBuf::from(partial);
    let made = (|| {
        let file = create(&partial).map_err(unwritable)?;
        let (manifest, file) = write(&snapshot, file, &unwritable)?;
        file.sync_all().and_then(|()| fs::rename(&partial, path)).map_err(unwritable)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = File::open(parent.unwrap_or(Path::new("."))).map_err(unwritable)?;
        parent.sync_all().map_err(unwritable)?;
        Ok(manifest)
    })();
    if made.is_err() {
        // It may not be there.
        let _ = fs::remove_file(&partial);
    }
    made
}

/// Creates a file that nobody else can read: it has everybody's messages.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn write<W: Write>(
    snapshot: &Snapshot,
    to: W,
    unwritable: &impl Fn(io::Error) -> BackupError,
) -> Result<(Manifest, W), BackupError> {
    let unreadable = |error| BackupError::Snapshot(SnapshotError::Files(error));
    let mut archive = Builder::new(BufWriter::with_capacity(WRITE_BYTES, to));
    let ids = snapshot.file_ids();
    let mut sizes = Vec::with_capacity(ids.len());
    for id in &ids {
        sizes.push(fs::metadata(snapshot.file(id)).map_err(unreadable)?.len());
    }
    let now = Utc::now();
    let manifest = Manifest {
        format: FORMAT,
        houston: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        messages: snapshot.replayed().messages,
        database_bytes: fs::metadata(snapshot.database()).map_err(unreadable)?.len(),
        files: ids.len(),
        file_bytes: sizes.iter().sum(),
        missing: snapshot.missing().iter().map(ToString::to_string).collect(),
    };
    let mut text = serde_json::to_vec_pretty(&manifest).expect("a manifest is JSON");
    text.push(b'\n');
    let at = now.timestamp().cast_unsigned();
    let mut append = |name: &str, size: u64, bytes: &mut dyn Read| {
        archive.append_data(&mut header(size, at), name, bytes)
    };
    append(MANIFEST, text.len() as u64, &mut text.as_slice()).map_err(unwritable)?;
    let mut database = File::open(snapshot.database()).map_err(unreadable)?;
    append(DATABASE, manifest.database_bytes, &mut database).map_err(unwritable)?;
    for (id, size) in ids.iter().zip(sizes) {
        let file = File::open(snapshot.file(id)).map_err(unreadable)?;
        let mut bytes = Hashing::new(file.take(size));
        append(&format!("{}/{id}", files::DIRECTORY), size, &mut bytes).map_err(unwritable)?;
        let (read, sha256) = bytes.finish();
        let known = snapshot.replayed().files.get(&AttachmentId::from(id.clone()));
        let is_whole = known.and_then(Option::as_ref).is_none_or(|it| it.sha256 == sha256);
        if read != size || !is_whole {
            return Err(BackupError::Damaged(id.clone()));
        }
    }
    let buffer = archive.into_inner().map_err(unwritable)?;
    let to = buffer.into_inner().map_err(|error| unwritable(error.into_error()))?;
    Ok((manifest, to))
}

fn header(size: u64, at: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(at);
    header
}

/// A reader that works out the SHA-256 of what is read.
pub(super) struct Hashing<R> {
    bytes: R,
    read: u64,
    digest: Sha256,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(bytes: R) -> Self {
        Self { bytes, read: 0, digest: Sha256::new() }
    }

    /// The number of bytes that were read, and their SHA-256 in hexadecimal.
    pub(super) fn finish(self) -> (u64, String) {
        (self.read, HEXLOWER.encode(&self.digest.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.digest.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}
