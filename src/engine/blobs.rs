//! Blobs: the port through which the bytes of files are kept.

use std::collections::HashSet;
use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncSeek};

use crate::domain::ids::AttachmentId;

/// A reader of the bytes of one file, from any point on.
pub trait Blob: AsyncRead + AsyncSeek + Send + Unpin {}

impl<T: AsyncRead + AsyncSeek + Send + Unpin> Blob for T {}

/// A store of files' bytes by id. Each id is put once; the log says which are needed.
///
/// Every implementation keeps the promises of `tests/spec/blobs.rs`:
///
/// 1. When `put` returns, the bytes are durable, and `open` gives exactly them.
/// 2. When the bytes that are put fail, or `put` is dropped, nothing can be opened.
/// 3. What is removed cannot be opened any more; a reader that is open can read on.
/// 4. After `retain`, nothing is stored but what was to be retained.
pub trait Blobs: Send + Sync {
    /// Stores bytes as they come, holding none of them for long.
    fn put<'a>(
        &'a self,
        id: &'a AttachmentId,
        bytes: BoxStream<'a, io::Result<Bytes>>,
    ) -> BoxFuture<'a, io::Result<()>>;

    /// Opens the bytes of this id for reading.
    fn open(&self, id: &AttachmentId) -> BoxFuture<'static, io::Result<Box<dyn Blob>>>;

    /// Removes what is stored under these ids, soon; a failure leaves it to the next
    /// [`Blobs::retain`].
    fn remove(&self, ids: Vec<AttachmentId>);

    /// Removes everything but these. Called at the start, when a crash may have left something. A
    /// store that several nodes share leaves alone what is so new that it may be on its way.
    fn retain(&self, ids: HashSet<AttachmentId>) -> BoxFuture<'static, io::Result<()>>;
}
