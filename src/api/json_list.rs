//! The responder for JSON lists. A long one is sent piece by piece: each item is made, or taken from
//! shared bytes, only when the client has room for it.

use std::io::{self, Cursor};
use std::iter;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt};
use rocket::http::ContentType;
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use tokio_util::io::StreamReader;

/// The largest answer that is made at once, in bytes: a hundred messages of about 1 KiB.
const WHOLE_BYTES: usize = 128 * 1024;
/// The size of the chunks of a larger answer, in bytes. The connection holds up to 16 of them for a
/// client that does not read.
const CHUNK_BYTES: usize = 8 * 1024;

/// A JSON list as a response, with the bytes before and after its items.
pub(super) enum JsonList {
    /// One that is short enough to be made at once.
    Whole(Vec<u8>),
    /// One that is sent piece by piece, with its length in bytes where that is known.
    Streamed { pieces: BoxStream<'static, Bytes>, length: Option<usize> },
}

impl JsonList {
    /// A list of encoded items between `head` and `tail`. Its length is known, and sent.
    pub(super) fn of(head: &'static [u8], items: Vec<Bytes>, tail: Bytes) -> Self {
        let commas = items.len().saturating_sub(1);
        let items_bytes: usize = items.iter().map(Bytes::len).sum();
        let length = head.len() + items_bytes + commas + tail.len();
        let pieces = separated(head, items.into_iter(), tail);
        if length > WHOLE_BYTES {
            return Self::Streamed { pieces: gathered(pieces), length: Some(length) };
        }
        let mut whole = Vec::with_capacity(length);
        pieces.for_each(|piece| whole.extend_from_slice(&piece));
        Self::Whole(whole)
    }

    /// A list of items that are encoded as they are sent.
    pub(super) fn lazy(
        head: &'static [u8],
        items: impl Iterator<Item = Bytes> + Send + 'static,
        tail: Bytes,
    ) -> Self {
        let pieces = gathered(separated(head, items, tail));
        Self::Streamed { pieces, length: None }
    }
}

/// The pieces of a list, with commas between the items.
fn separated(
    head: &'static [u8],
    items: impl Iterator<Item = Bytes> + Send + 'static,
    tail: Bytes,
) -> impl Iterator<Item = Bytes> + Send + 'static {
    let items = items.enumerate().flat_map(|(at, item)| {
        let comma = (at > 0).then_some(Bytes::from_static(b","));
        comma.into_iter().chain([item])
    });
    iter::once(Bytes::from_static(head)).chain(items).chain([tail])
}

/// Joins small pieces into chunks: each piece by itself would be sent as a chunk of its own,
/// whatever its size.
fn gathered(pieces: impl Iterator<Item = Bytes> + Send + 'static) -> BoxStream<'static, Bytes> {
    let mut pieces = pieces.peekable();
    let chunks = iter::from_fn(move || {
        let first = pieces.next()?;
        let mut gathered = BytesMut::new();
        while let Some(next) =
            pieces.next_if(|next| first.len().max(gathered.len()) + next.len() <= CHUNK_BYTES)
        {
            if gathered.is_empty() {
                gathered.reserve(CHUNK_BYTES);
                gathered.extend_from_slice(&first);
            }
            gathered.extend_from_slice(&next);
        }
        Some(if gathered.is_empty() { first } else { gathered.freeze() })
    });
    stream::iter(chunks).boxed()
}

impl<'r> Responder<'r, 'static> for JsonList {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response.header(ContentType::JSON);
        match self {
            Self::Whole(json) => {
                response.sized_body(json.len(), Cursor::new(json));
            }
            Self::Streamed { pieces, length } => {
                if let Some(length) = length {
                    response.raw_header("Content-Length", length.to_string());
                }
                let reader = StreamReader::new(pieces.map(Ok::<_, io::Error>));
                response.streamed_body(reader).max_chunk_size(CHUNK_BYTES);
            }
        }
        response.ok()
    }
}
