//! The parser of a message with files, sent as `multipart/form-data` (RFC 7578) with parts `text`,
//! and any number of `file`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use multer::{Field, Multipart};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::ReaderStream;

use super::body::{Body, MAX_BYTES, utf8};
use super::input::{content_type, in_utf8, utf8_label};
use super::part_head::PartHead;
use super::problem::{Problem, ProblemKind};
use crate::domain::attachment::FileName;
use crate::engine::MessageDraft;
use crate::engine::files::{Admission, FileLimits, ReceivedFile};

/// The number of bytes of a body that are read at once.
const CHUNK_BYTES: usize = 32 * 1024;
/// The number of bytes that the parser may buffer without giving anything back: the head of a part
/// is far shorter.
const MAX_AHEAD_BYTES: usize = 8 * CHUNK_BYTES;

/// The number of parts that a form may have beside its files.
const MAX_OTHER_PARTS: usize = 16;

/// Reads a multipart body and stores its files as they come; refuses it when the upload was not
/// admitted. A refusal closes the connection: Firefox announces the length that a file had when it
/// was chosen, and sends all of one that has grown.
pub(super) async fn read(
    body: Body<'_>,
    boundary: String,
    limits: FileLimits,
    admission: Result<Admission<'_>, Problem>,
) -> Result<MessageDraft, Problem> {
    admitted(body, boundary, limits, admission).await.map_err(Problem::closing)
}

async fn admitted(
    body: Body<'_>,
    boundary: String,
    limits: FileLimits,
    admission: Result<Admission<'_>, Problem>,
) -> Result<MessageDraft, Problem> {
    // The text and the heads of the parts come on top of the files.
    let max_bytes = limits.max_message_bytes().saturating_add(4 * MAX_BYTES);
    let too_large = || Problem::new(ProblemKind::TooLarge);
    let admission = match admission {
        Ok(_) if body.length().is_some_and(|length| length > max_bytes) => Err(too_large()),
        admission => admission,
    };
    let admission = match admission {
        Ok(admission) => admission,
        Err(problem) => return Err(body.refuse(problem).await),
    };
    let mut body = body.reader(max_bytes);
    let mut limited = (&mut body).take(max_bytes);
    // The admission ends here, before what is left of a refused body is read.
    let said = Parts::of(&mut limited, boundary, limits, admission).read().await;
    let exhausted = limited.limit() == 0;
    match said {
        Ok(said) => Ok(said),
        Err(_) if exhausted => Err(body.refuse(too_large()).await),
        Err(problem) => Err(body.refuse(problem).await),
    }
}

/// A reader of a form's parts, as they come.
struct Parts<'r, 'e> {
    form: Multipart<'r>,
    limits: FileLimits,
    admission: Admission<'e>,
    ahead: Arc<AtomicUsize>,
    /// The number of bytes read so far beside files.
    text_bytes: u64,
}

impl<'r, 'e> Parts<'r, 'e> {
    fn of(
        body: impl AsyncRead + Send + Unpin + 'r,
        boundary: String,
        limits: FileLimits,
        admission: Admission<'e>,
    ) -> Self {
        let ahead = Arc::<AtomicUsize>::default();
        let bytes = ReaderStream::with_capacity(body, CHUNK_BYTES);
        let paced = Paced { bytes, ahead: ahead.clone(), rests: false };
        let form = Multipart::new(paced, boundary);
        Self { form, limits, admission, ahead, text_bytes: 0 }
    }

    async fn read(mut self) -> Result<MessageDraft, Problem> {
        let max_files = self.limits.max_message_files;
        let (mut text, mut files, mut parts) = (String::new(), Vec::new(), 0);
        while let Some(part) = self.form.next_field().await.map_err(unreadable)? {
            self.ahead.store(0, Ordering::Relaxed);
            parts += 1;
            if parts > max_files.saturating_add(MAX_OTHER_PARTS) {
                return Err(too_many(max_files));
            }
            let head = part.headers().get("Content-Disposition");
            let head = head.map(|head| PartHead::parse(head.as_bytes())).unwrap_or_default();
            match head.name.as_deref() {
                Some("text") => text = self.text(part).await?,
                Some("file") => {
                    let full = files.len() == max_files;
                    files.extend(self.file(part, head.file_name, full).await?);
                }
                // The charset of all texts that do not name theirs (RFC 7578, section 4.6).
                Some("_charset_") => utf8_label(&self.text(part).await?)?,
                _ if head.file_name.is_some() => {
                    let detail = "Files are sent as parts named `file`.";
                    return Err(Problem::malformed(detail).in_field("file"));
                }
                _ => drop(self.text(part).await?),
            }
        }
        Ok(MessageDraft { text: text.parse()?, files: Some(files) })
    }

    async fn text(&mut self, part: Field<'r>) -> Result<String, Problem> {
        let kind = part.headers().get("Content-Type").and_then(|kind| kind.to_str().ok());
        if let Some(kind) = kind.and_then(content_type) {
            in_utf8(&kind).map_err(|problem| problem.in_field("text"))?;
        }
        let mut bytes = Vec::new();
        let mut chunks = self.chunks(part);
        while let Some(chunk) = chunks.try_next().await.map_err(unreadable)? {
            bytes.extend_from_slice(&chunk);
            self.text_bytes += chunk.len() as u64;
            if self.text_bytes > MAX_BYTES {
                let detail = "What is sent beside files is larger than 64 KiB.";
                return Err(Problem::new(ProblemKind::TooLarge)
                    .in_field("text")
                    .with_detail(detail));
            }
        }
        utf8(bytes)
    }

    /// Stores a part as a file; `None` for the empty part that browsers send where no file was
    /// chosen.
    async fn file(
        &self,
        part: Field<'r>,
        name: Option<String>,
        full: bool,
    ) -> Result<Option<ReceivedFile>, Problem> {
        let name = name.unwrap_or_default();
        let named = !name.is_empty();
        let name = FileName::from(name);
        let mut chunks = self.chunks(part);
        let first = chunks.try_next().await.map_err(unreadable)?;
        if !named && first.is_none() {
            return Ok(None);
        }
        if full {
            return Err(too_many(self.limits.max_message_files));
        }
        let first = stream::iter(first.map(Ok));
        let bytes = first.chain(chunks).map_err(io::Error::other);
        let received = self.admission.receive(name, bytes).await;
        received.map(Some).map_err(|error| Problem::from(error).in_field("file"))
    }

    fn chunks(&self, part: Field<'r>) -> BoxStream<'r, multer::Result<Bytes>> {
        let ahead = self.ahead.clone();
        let chunks = part.inspect(move |_| ahead.store(0, Ordering::Relaxed));
        chunks.try_filter(|chunk| ready(!chunk.is_empty())).boxed()
    }
}

/// A stream that slows the parser down to one piece of the body at a time. The parser takes all
/// that is ready before it looks at any of it, so after each piece this stream is pending once, and
/// it fails when the parser buffers more than [`MAX_AHEAD_BYTES`].
struct Paced<B> {
    bytes: B,
    /// The number of bytes handed out since the parser last gave something back.
    ahead: Arc<AtomicUsize>,
    rests: bool,
}

impl<B: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Paced<B> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rests) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = std::task::ready!(self.bytes.poll_next_unpin(context));
        self.rests = true;
        let length = piece.as_ref().map_or(0, |piece| piece.as_ref().map_or(0, Bytes::len));
        let ahead = self.ahead.fetch_add(length, Ordering::Relaxed) + length;
        Poll::Ready(if ahead > MAX_AHEAD_BYTES {
            Some(Err(io::Error::other("the head of a part is too long")))
        } else {
            piece
        })
    }
}

fn too_many(max_files: usize) -> Problem {
    let detail = format!("A message has at most {max_files} files.");
    Problem::new(ProblemKind::TooLarge).in_field("file").with_detail(detail)
}

fn unreadable(error: multer::Error) -> Problem {
    Problem::malformed(format!("The form cannot be read: {error}."))
}
