//! Restoring a backup into a data directory.
//!
//! Whatever the tar says, nothing is written but a manifest, a database and files by their ids, each
//! once and no larger than promised, into a temporary directory. Only when they are all there, and
//! belong together, do they take their places: the database last, so that a server refuses to start on
//! what a crash in between leaves.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tar::{Archive, Entry, EntryType};

use super::backup::{FORMAT, Hashing, MANIFEST, Manifest};
use super::directory::{BEING_RESTORED, Contents, DATABASE, LOCK, Lock, SHARED, WAL};
use super::snapshot::{FileFacts, Replayed, is_file_name, temporary};
use super::{OpenError, schema};
use crate::backends::files;

/// Largest manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// The reason why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The data directory cannot be used, or what was to be restored is damaged.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is something in the data directory.
    #[error(
        "the data directory `{}` is not empty (it has `{found}`): set another `data_dir`; `houston \
         restore --replace` replaces what is in it",
        .path.display()
    )]
    NotEmpty {
        /// The directory.
        path: PathBuf,
        /// Something in it.
        found: String,
    },
    /// It is no backup, or not a whole one.
    #[error("this is no backup that can be restored: {0}")]
    Unusable(String),
    /// There is too little room.
    #[error("there is too little room: {needed} bytes are needed, and {free} are free")]
    NoRoom {
        /// Size of what is to be restored, in bytes.
        needed: u64,
        /// Number of free bytes.
        free: u64,
    },
    /// The backup cannot be read, or the data directory not be written.
    #[error("it cannot be read or written")]
    Io(#[from] io::Error),
    /// The database cannot be read.
    #[error("the database in the backup cannot be read")]
    Database(#[from] rusqlite::Error),
}

fn unusable<T>(why: impl Into<String>) -> Result<T, RestoreError> {
    Err(RestoreError::Unusable(why.into()))
}

/// What to do with what is in the data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Present {
    /// Refuse to restore anything.
    Keep,
    /// Remove it once the backup is known to be whole.
    Replace,
}

/// Restores a backup into this data directory, which is created at need and must not be in use, and
/// begins a new start in its log.
///
/// # Errors
///
/// When the directory is in use, or not empty and to be kept, or the backup is not whole. Nothing in
/// the directory was changed then.
pub fn restore(backup: impl Read, data: &Path, present: Present) -> Result<Manifest, RestoreError> {
    let _lock = Lock::take(data)?;
    if present == Present::Keep
        && let Some(found) = first_in(data)?
    {
        return Err(RestoreError::NotEmpty { path: data.into(), found });
    }
    let (temporary, _locked) = temporary(data, ".restore-")?;
    let there = temporary.path();
    let (manifest, facts) = extract(backup, there)?;
    verify(there, &manifest, &facts)?;
    give_to_owner_of(data, there)?;
    put_in_place(there, data)?;
    Ok(manifest)
}

/// The name of something in the directory that is not there in every empty one.
pub(super) fn first_in(data: &Path) -> io::Result<Option<String>> {
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let is_nothing = [LOCK, "lost+found"].contains(&name.as_str());
        if !is_nothing && !name.starts_with(".restore-") && !name.starts_with(".backup-") {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Writes what is in a tar into this empty directory; returns what it says and the files it had.
fn extract(
    backup: impl Read,
    to: &Path,
) -> Result<(Manifest, BTreeMap<String, FileFacts>), RestoreError> {
    let mut archive = Archive::new(backup);
    // Raw: headers that go on in other headers, as those of long names and sparse files, are of no
    // use here, and are refused like any other unknown thing.
    let mut entries = archive.entries()?.raw(true);
    let manifest = match entries.next() {
        Some(first) => manifest(&mut first.map_err(no_tar)?, to)?,
        None => return unusable("it is empty"),
    };
    let mut database = entries.next().ok_or(RestoreError::Unusable("it ends early".into()))??;
    let (name, size) = named(&database)?;
    if name != DATABASE || size != manifest.database_bytes {
        return unusable(format!("`{name}` is not the database that was promised"));
    }
    save(&mut database, size, &to.join(DATABASE))?;
    let files = to.join(files::DIRECTORY);
    fs::create_dir(&files)?;
    let (mut facts, mut bytes) = (BTreeMap::new(), 0_u64);
    for entry in entries {
        let mut entry = entry?;
        let (name, size) = named(&entry)?;
        let id = name.strip_prefix(files::DIRECTORY).and_then(|rest| rest.strip_prefix('/'));
        let Some(id) = id.filter(|id| is_file_name(id)) else {
            return unusable(format!("it has `{name}`, which belongs in none"));
        };
        bytes = bytes.saturating_add(size);
        if facts.contains_key(id) || facts.len() == manifest.files || bytes > manifest.file_bytes {
            return unusable("it has more files than was promised");
        }
        let sha256 = save(&mut entry, size, &files.join(id))?;
        facts.insert(id.to_owned(), FileFacts { size, sha256 });
    }
    if facts.len() < manifest.files || bytes < manifest.file_bytes {
        return unusable("it has fewer files than was promised: it may have been cut off");
    }
    File::open(&files)?.sync_all()?;
    Ok((manifest, facts))
}

fn no_tar(error: io::Error) -> RestoreError {
    RestoreError::Unusable(format!("it is no tar ({error})"))
}

/// Reads the manifest, and checks that there is room for what it promises.
fn manifest<R: Read>(entry: &mut Entry<'_, R>, to: &Path) -> Result<Manifest, RestoreError> {
    let (name, size) = named(entry)?;
    if name != MANIFEST || size > MAX_MANIFEST_BYTES {
        return unusable(format!("it begins with `{name}`, not with `{MANIFEST}`"));
    }
    let mut text = Vec::new();
    entry.take(size).read_to_end(&mut text)?;
    let manifest: Manifest = match serde_json::from_slice(&text) {
        Ok(manifest) => manifest,
        Err(error) => return unusable(format!("`{MANIFEST}` is not what it should be ({error})")),
    };
    if manifest.format != FORMAT {
        let (of, by) = (manifest.format, &manifest.houston);
        return unusable(format!("it is of format {of}, made by Houston {by}: use that one"));
    }
    let needed = manifest.database_bytes.saturating_add(manifest.file_bytes);
    let disk = rustix::fs::statvfs(to).map_err(io::Error::from)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if needed > free {
        return Err(RestoreError::NoRoom { needed, free });
    }
    Ok(manifest)
}

/// The name and size of what must be a plain file.
fn named<R: Read>(entry: &Entry<'_, R>) -> Result<(String, u64), RestoreError> {
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    if entry.header().entry_type() != EntryType::Regular {
        return unusable(format!("`{name}` is no plain file"));
    }
    Ok((name, entry.header().size()?))
}

/// Writes a file to disk. Returns its SHA-256.
fn save(bytes: &mut impl Read, size: u64, to: &Path) -> Result<String, RestoreError> {
    let mut file = File::create_new(to)?;
    let mut bytes = Hashing::new(bytes);
    io::copy(&mut bytes, &mut file)?;
    file.sync_all()?;
    let (read, sha256) = bytes.finish();
    if read == size { Ok(sha256) } else { unusable("it ends early") }
}

/// Checks that the database is a log whose messages have their files, and begins a new start in it.
fn verify(
    there: &Path,
    manifest: &Manifest,
    facts: &BTreeMap<String, FileFacts>,
) -> Result<(), RestoreError> {
    let mut connection = Connection::open(there.join(DATABASE))?;
    schema::check(&connection, there, Contents::of(there)?)?;
    schema::prepare(&mut connection)?;
    let replayed = Replayed::read(&connection)?;
    for (id, known) in &replayed.files {
        match (facts.get(id.as_str()), known) {
            (None, _) if manifest.missing.iter().any(|missing| missing == id.as_str()) => {}
            (None, _) => return unusable(format!("the file `{id}` of a message is not in it")),
            (Some(found), Some(known)) if found != known => {
                return unusable(format!("the file `{id}` is damaged"));
            }
            (Some(_), _) => {}
        }
    }
    // Back into one file.
    connection.pragma_update(None, "journal_mode", "delete")?;
    connection.close().map_err(|(_, error)| error)?;
    File::open(there)?.sync_all()?;
    Ok(())
}

/// Gives what was written to the owner of the data directory, where root restores for another user.
pub(super) fn give_to_owner_of(data: &Path, there: &Path) -> io::Result<()> {
    let owner = fs::metadata(data)?;
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    let (user, group) = (Some(owner.uid()), Some(owner.gid()));
    let files = there.join(files::DIRECTORY);
    chown(there.join(DATABASE), user, group)?;
    chown(&files, user, group)?;
    for file in fs::read_dir(files)? {
        chown(file?.path(), user, group)?;
    }
    Ok(())
}

/// Puts what was restored in the place of what is there. Until the database is, something that is none
/// has its place: no server starts on that, even where there is nothing else.
pub(super) fn put_in_place(there: &Path, data: &Path) -> io::Result<()> {
    let mut placeholder = File::create_new(there.join("placeholder"))?;
    placeholder.write_all(BEING_RESTORED)?;
    placeholder.sync_all()?;
    fs::rename(there.join("placeholder"), data.join(DATABASE))?;
    File::open(data)?.sync_all()?;
    for name in [format!("{DATABASE}{WAL}"), format!("{DATABASE}{SHARED}")] {
        match fs::remove_file(data.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let files = data.join(files::DIRECTORY);
    match fs::rename(&files, there.join("replaced")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(there.join(files::DIRECTORY), files)?;
    File::open(data)?.sync_all()?;
    fs::rename(there.join(DATABASE), data.join(DATABASE))?;
    File::open(data)?.sync_all()
}
