//! A message with files as `multipart/form-data` (RFC 7578): `text`, and any number of `file`.

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
use rocket::data::{Data, ToByteUnit};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::ReaderStream;

use super::input::{DRAINED_BYTES, MAX_BODY_BYTES, drain};
use super::problem::{Kind, Problem};
use super::said::utf8;
use crate::domain::attachment::FileName;
use crate::engine::files::{Admission, Received};
use crate::engine::{Engine, Said};

/// How much of a body is read at once, in bytes.
const CHUNK_BYTES: usize = 32 * 1024;
/// How much of a body may wait to be made sense of, in bytes: the head of a part is far shorter.
const MAX_AHEAD_BYTES: usize = 8 * CHUNK_BYTES;

/// How many parts a form may have beside its files.
const MAX_OTHER_PARTS: usize = 16;

/// Reads such a body, storing its files as they come; or refuses it when its sender is not
/// admitted.
pub(super) async fn read(
    data: Data<'_>,
    length: Option<u64>,
    boundary: String,
    engine: &Engine,
    admitted: Result<Admission, Problem>,
) -> Result<Said, Problem> {
    // Beside the files there are the text and the heads of the parts.
    let max = engine.file_limits().max_message_bytes().saturating_add(4 * MAX_BODY_BYTES);
    let hopeful = admitted.and_then(|admission| match length {
        Some(length) if length > max => Err(Problem::new(Kind::TooLarge)),
        _ => Ok(admission),
    });
    let _admission = match hopeful {
        Ok(admission) => admission,
        Err(problem) => {
            drain(&mut data.open(DRAINED_BYTES.bytes())).await;
            return Err(problem);
        }
    };
    // What is refused on the way is read to its end all the same: it is no longer than this.
    let mut body = data.open(max.saturating_add(DRAINED_BYTES).bytes());
    let mut limited = (&mut body).take(max);
    let said = Parts::of(&mut limited, boundary).read(engine).await;
    let too_large = said.is_err() && limited.limit() == 0;
    if said.is_err() {
        drain(&mut body).await;
    }
    if too_large { Err(Problem::new(Kind::TooLarge)) } else { said }
}

struct Parts<'r> {
    form: Multipart<'r>,
    ahead: Arc<AtomicUsize>,
    /// How much there was beside files, in bytes.
    text_bytes: u64,
}

impl<'r> Parts<'r> {
    fn of(body: impl AsyncRead + Send + Unpin + 'r, boundary: String) -> Self {
        let ahead = Arc::<AtomicUsize>::default();
        let bytes = ReaderStream::with_capacity(body, CHUNK_BYTES);
        let paced = Paced { bytes, ahead: ahead.clone(), rests: false };
        Self { form: Multipart::new(paced, boundary), ahead, text_bytes: 0 }
    }

    async fn read(mut self, engine: &Engine) -> Result<Said, Problem> {
        let max_files = engine.file_limits().max_message_files;
        let (mut text, mut files, mut parts) = (String::new(), Vec::new(), 0);
        while let Some(part) = self.form.next_field().await.map_err(unreadable)? {
            self.ahead.store(0, Ordering::Relaxed);
            parts += 1;
            if parts > max_files.saturating_add(MAX_OTHER_PARTS) {
                return Err(too_many(max_files));
            }
            match part.name() {
                Some("text") => text = self.text(part).await?,
                Some("file") => {
                    let full = files.len() == max_files;
                    files.extend(self.file(part, engine, full).await?);
                }
                _ if part.file_name().is_some() => {
                    let detail = "Files are sent as parts named `file`.";
                    return Err(Problem::malformed(detail).in_field("file"));
                }
                _ => drop(self.text(part).await?),
            }
        }
        Ok(Said { text: text.parse()?, files: Some(files) })
    }

    async fn text(&mut self, part: Field<'r>) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        let mut chunks = self.chunks(part);
        while let Some(chunk) = chunks.try_next().await.map_err(unreadable)? {
            bytes.extend_from_slice(&chunk);
            self.text_bytes += chunk.len() as u64;
            if self.text_bytes > MAX_BODY_BYTES {
                let detail = "What is sent beside files is larger than 64 KiB.";
                return Err(Problem::new(Kind::TooLarge).in_field("text").because(detail));
            }
        }
        utf8(bytes)
    }

    /// Stores a file; nothing, for the empty part that browsers send where no file was chosen.
    async fn file(
        &self,
        part: Field<'r>,
        engine: &Engine,
        full: bool,
    ) -> Result<Option<Received>, Problem> {
        let named = part.file_name().is_some_and(|name| !name.is_empty());
        let name = FileName::from(&*unescaped(part.file_name().unwrap_or_default()));
        let mut chunks = self.chunks(part);
        let first = chunks.try_next().await.map_err(unreadable)?;
        if !named && first.is_none() {
            return Ok(None);
        }
        if full {
            return Err(too_many(engine.file_limits().max_message_files));
        }
        let first = stream::iter(first.map(Ok));
        let bytes = first.chain(chunks).map_err(io::Error::other);
        let received = engine.receive(name, bytes).await;
        received.map(Some).map_err(|error| Problem::from(error).in_field("file"))
    }

    fn chunks(&self, part: Field<'r>) -> BoxStream<'r, multer::Result<Bytes>> {
        let ahead = self.ahead.clone();
        let chunks = part.inspect(move |_| ahead.store(0, Ordering::Relaxed));
        chunks.try_filter(|chunk| ready(!chunk.is_empty())).boxed()
    }
}

/// Hands out a body piece by piece: the parser takes all that is there before it looks at any of
/// it, so after each piece there is nothing more for a moment, and it is stopped when it only
/// gathers.
struct Paced<B> {
    bytes: B,
    /// How much was handed out since the parser last gave something back, in bytes.
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

/// A file's name as it was before a browser wrote it into the form (WHATWG HTML, "escape a
/// multipart/form-data name").
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

fn too_many(max_files: usize) -> Problem {
    let detail = format!("A message has at most {max_files} files.");
    Problem::new(Kind::TooLarge).in_field("file").because(detail)
}

fn unreadable(error: multer::Error) -> Problem {
    Problem::malformed(format!("The form cannot be read: {error}."))
}
