//! The `text/event-stream` responder, which sends encoded frames as chunks.
//!
//! Rocket's own `EventStream` formats each event for each listener, in four chunks. Here frames
//! arrive encoded, and all that wait go out as one chunk.

use std::io;

use bytes::Bytes;
use futures::stream::{Stream, StreamExt};
use rocket::http::{ContentType, Header};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use tokio_util::io::StreamReader;

/// The size of each stream's buffer, and so of its largest chunk, in bytes: larger ones mean fewer
/// writes, and more memory once they were used to their end.
const CHUNK_BYTES: usize = 16 * 1024;

/// An event stream as a response: a stream of whole, encoded frames.
pub(crate) struct EventStream<F> {
    frames: F,
}

impl<F: Stream<Item = Bytes> + Send + 'static> EventStream<F> {
    pub(crate) fn of(frames: F) -> Self {
        Self { frames }
    }
}

impl<'r, F: Stream<Item = Bytes> + Send + 'static> Responder<'r, 'static> for EventStream<F> {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(ContentType::EventStream)
            .header(Header::new("Cache-Control", "no-store, no-transform"))
            .header(Header::new("X-Accel-Buffering", "no"))
            .streamed_body(StreamReader::new(self.frames.map(Ok::<_, io::Error>)))
            .max_chunk_size(CHUNK_BYTES)
            .ok()
    }
}
