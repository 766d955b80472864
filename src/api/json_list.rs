//! The responder for long JSON lists, which are sent piece by piece: each item is made, or taken
//! from shared bytes, only when the client has room for it.

use std::io;
use std::iter;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt};
use rocket::http::ContentType;
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use tokio_util::io::StreamReader;

/// The largest answer that is sent in one chunk, in bytes.
const WHOLE_BYTES: usize = 64 * 1024;
/// The size of the chunks of a larger answer, in bytes. The connection holds up to 16 of them for a
/// client that does not read.
const CHUNK_BYTES: usize = 4 * 1024;

/// A JSON list as a streamed response, with the bytes before and after its items.
pub(super) struct JsonList {
    pieces: BoxStream<'static, Bytes>,
    length: Option<usize>,
}

impl JsonList {
    /// A list of encoded items between `head` and `tail`. Its length is known, and sent.
    pub(super) fn of(head: &'static [u8], items: Vec<Bytes>, tail: Bytes) -> Self {
        let commas = items.len().saturating_sub(1);
        let items_bytes: usize = items.iter().map(Bytes::len).sum();
        let length = head.len() + items_bytes + commas + tail.len();
        let chunk = if length <= WHOLE_BYTES { length } else { CHUNK_BYTES };
        Self { length: Some(length), ..Self::gathered(head, items.into_iter(), tail, chunk) }
    }

    /// A list of items that are encoded as they are sent.
    pub(super) fn lazy(
        head: &'static [u8],
        items: impl Iterator<Item = Bytes> + Send + 'static,
        tail: Bytes,
    ) -> Self {
        Self::gathered(head, items, tail, CHUNK_BYTES)
    }

    fn gathered(
        head: &'static [u8],
        items: impl Iterator<Item = Bytes> + Send + 'static,
        tail: Bytes,
        chunk: usize,
    ) -> Self {
        let separated = items.enumerate().flat_map(|(at, item)| {
            let comma = (at > 0).then_some(Bytes::from_static(b","));
            comma.into_iter().chain([item])
        });
        let pieces = iter::once(Bytes::from_static(head)).chain(separated).chain([tail]);
        let pieces = gather(pieces, chunk);
        Self { pieces: stream::iter(pieces).boxed(), length: None }
    }
}

/// Joins small pieces into chunks of at most this size: each piece by itself would be sent as a
/// chunk of its own, whatever its size.
fn gather(
    pieces: impl Iterator<Item = Bytes> + Send + 'static,
    chunk: usize,
) -> impl Iterator<Item = Bytes> + Send + 'static {
    let mut pieces = pieces.peekable();
    iter::from_fn(move || {
        let first = pieces.next()?;
        let mut gathered = BytesMut::new();
        while let Some(next) =
            pieces.next_if(|next| first.len().max(gathered.len()) + next.len() <= chunk)
        {
            if gathered.is_empty() {
                gathered.reserve(chunk);
                gathered.extend_from_slice(&first);
            }
            gathered.extend_from_slice(&next);
        }
        Some(if gathered.is_empty() { first } else { gathered.freeze() })
    })
}

impl<'r> Responder<'r, 'static> for JsonList {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.header(ContentType::JSON);
        let mut chunk = CHUNK_BYTES;
        if let Some(length) = self.length {
            response.raw_header("Content-Length", length.to_string());
            if length <= WHOLE_BYTES {
                // One byte more than the body: the end is found without another read.
                chunk = length + 1;
            }
        }
        let reader = StreamReader::new(self.pieces.map(Ok::<_, io::Error>));
        response.streamed_body(reader).max_chunk_size(chunk);
        response.ok()
    }
}
