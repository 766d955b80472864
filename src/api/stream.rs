//! The `text/event-stream` responder: frames in, chunks out.
//!
//! Rocket's own `EventStream` formats each event for each listener, in four chunks. Here frames
//! arrive encoded, and all that wait go out as one chunk.

use std::io::Cursor;

use bytes::Bytes;
use futures::stream;
use rocket::http::{ContentType, Header};
use rocket::request::Request;
use rocket::response::stream::ReaderStream;
use rocket::response::{self, Responder, Response};

use crate::engine::Listener;

/// How long a client waits before it comes back, in milliseconds.
const RETRY: &[u8] = b"retry: 1000\n\n";

/// A listener's frames as a response.
pub(super) struct EventStream {
    listener: Listener,
}

impl EventStream {
    pub(super) fn of(listener: Listener) -> Self {
        Self { listener }
    }
}

impl<'r> Responder<'r, 'static> for EventStream {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let first = Some(Bytes::from_static(RETRY));
        let chunks = stream::unfold((first, self.listener), |(first, mut listener)| async {
            let chunk = match first {
                Some(first) => first,
                None => listener.next().await?,
            };
            Some((Cursor::new(chunk), (None, listener)))
        });
        Response::build()
            .header(ContentType::EventStream)
            .header(Header::new("Cache-Control", "no-store, no-transform"))
            .header(Header::new("X-Accel-Buffering", "no"))
            .streamed_body(ReaderStream::from(chunks))
            .ok()
    }
}
