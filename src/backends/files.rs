//! Blobs as files in a directory, each under its id.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, StreamExt};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::domain::ids::AttachmentId;
use crate::engine::blobs::{Blob, Blobs};

/// Size of the buffer that a file is written from, in bytes.
const WRITE_BYTES: usize = 256 * 1024;

/// The name of the directory of files in the data directory.
pub const DIRECTORY: &str = "files";

/// The blobs of one directory.
pub struct Files {
    directory: Arc<Path>,
    runtime: Handle,
}

impl Files {
    /// Opens this directory, and creates it at need. Must be called within a Tokio runtime.
    ///
    /// # Errors
    ///
    /// When the directory cannot be created.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        // The directory that it is in, too, or after a power cut it may be gone with all its files.
        fs::File::open(directory.parent().unwrap_or(directory))?.sync_all()?;
        Ok(Self { directory: directory.into(), runtime: Handle::current() })
    }

    fn path(&self, id: &AttachmentId) -> PathBuf {
        self.directory.join(id.as_str())
    }
}

impl Blobs for Files {
    fn put<'a>(
        &'a self,
        id: &'a AttachmentId,
        mut bytes: BoxStream<'a, io::Result<Bytes>>,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let mut partial = PartialFile { files: self, id: Some(id.clone()) };
            let mut file = File::create_new(self.path(id)).await?;
            file.set_max_buf_size(WRITE_BYTES);
            while let Some(chunk) = bytes.next().await {
                file.write_all(&chunk?).await?;
            }
            file.flush().await?;
            file.sync_all().await?;
            // The directory, too, or the file may have no name after a crash.
            let directory = self.directory.clone();
            let synced = spawn_blocking(move || fs::File::open(directory)?.sync_all());
            synced.await.map_err(io::Error::other)??;
            partial.id = None;
            Ok(())
        })
    }

    fn open(&self, id: &AttachmentId) -> BoxFuture<'static, io::Result<Box<dyn Blob>>> {
        let path = self.path(id);
        Box::pin(async { Ok(Box::new(File::open(path).await?) as Box<dyn Blob>) })
    }

    fn remove(&self, ids: Vec<AttachmentId>) {
        let paths: Vec<_> = ids.iter().map(|id| self.path(id)).collect();
        self.runtime.spawn_blocking(move || {
            for path in paths {
                remove(&path);
            }
        });
    }

    fn retain(&self, ids: HashSet<AttachmentId>) -> BoxFuture<'static, io::Result<()>> {
        let directory = self.directory.clone();
        Box::pin(async {
            let swept = spawn_blocking(move || {
                let kept: HashSet<_> = ids.iter().map(AttachmentId::as_str).collect();
                for file in fs::read_dir(directory)? {
                    let file = file?;
                    if !file.file_name().to_str().is_some_and(|name| kept.contains(name)) {
                        remove(&file.path());
                    }
                }
                Ok(())
            });
            swept.await.map_err(io::Error::other)?
        })
    }
}

/// Tells whether this directory exists and has anything in it.
pub(super) fn any_in(directory: &Path) -> io::Result<bool> {
    match fs::read_dir(directory) {
        Ok(mut files) => Ok(files.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!("`{}`, which nobody needs, cannot be removed yet: {error}.", path.display());
        }
        _ => {}
    }
}

/// A guard that removes a file which was not written to its end.
struct PartialFile<'a> {
    files: &'a Files,
    /// The file's id; `None` once it is complete.
    id: Option<AttachmentId>,
}

impl Drop for PartialFile<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.files.remove(vec![id]);
        }
    }
}
