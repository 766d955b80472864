//! An implementation of the blob store in memory: the contract in its shortest form.

use std::collections::{HashMap, HashSet};
use std::io::{self, Cursor, ErrorKind};

use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::stream::{BoxStream, TryStreamExt};
use houston::domain::ids::AttachmentId;
use houston::engine::blobs::{Blob, Blobs};
use parking_lot::Mutex;

#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<AttachmentId, Vec<u8>>>);

impl Memory {
    /// The number of files.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// A store of the same files, as a process finds it that starts after this one was killed.
    pub(crate) fn copied(&self) -> Self {
        Self(Mutex::new(self.0.lock().clone()))
    }
}

impl Blobs for Memory {
    fn put<'a>(
        &'a self,
        id: &'a AttachmentId,
        bytes: BoxStream<'a, io::Result<Bytes>>,
    ) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let bytes = bytes.try_collect::<Vec<_>>().await?.concat();
            self.0.lock().insert(id.clone(), bytes);
            Ok(())
        })
    }

    fn open(&self, id: &AttachmentId) -> BoxFuture<'static, io::Result<Box<dyn Blob>>> {
        let bytes = self.0.lock().get(id).cloned();
        let blob = bytes.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Blob>);
        Box::pin(ready(blob.ok_or_else(|| ErrorKind::NotFound.into())))
    }

    fn remove(&self, ids: Vec<AttachmentId>) {
        self.0.lock().retain(|id, _| !ids.contains(id));
    }

    fn retain(&self, ids: HashSet<AttachmentId>) -> BoxFuture<'static, io::Result<()>> {
        self.0.lock().retain(|id, _| ids.contains(id));
        Box::pin(ready(Ok(())))
    }
}
