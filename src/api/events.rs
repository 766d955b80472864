//! The routes of event streams.

use bytes::Bytes;
use futures::stream::{Empty, empty};
use rocket::{Route, State, get, head, routes};

use super::problem::{Problem, ProblemKind};
use super::stream::EventStream;
use crate::domain::channel::ChannelRef;
use crate::domain::user::Session;
use crate::engine::{Engine, Listener, Resume};
use crate::wire::event::catalogue;

pub(super) fn routes() -> Vec<Route> {
    routes![channel, channel_head, everything, everything_head]
}

/// The description of a stream's body.
const STREAM_DESCRIPTION: &str = "\
The stream: events in the format of the WHATWG's *Server-sent events*, each with `event`, `data` (JSON on one line) and, where it lasts, `id`.";
/// The description of the header `Last-Event-ID`.
const LAST_EVENT_ID_DESCRIPTION: &str = "\
The id of the last event that the client has; an `EventSource` sends it by itself. It goes before `after`.";

/// Listen to a channel.
///
/// Resuming misses nothing, repeats nothing and keeps the order, across restarts too. A cursor that
/// cannot be resumed (too old, of another channel or store, of a past that was undone by restoring
/// a backup, or no cursor at all) gets `reset` and all that is stored; never a silent gap, never a
/// 4xx. A client that reads too slowly gets a `reset`, too. Of several updates of one message that
/// wait for a client it gets the last.
///
/// The stream answers at once. It begins with a block of `retry:` and `id:` alone, the cursor where
/// it begins, before any event: a client that is cut off before its first event resumes as well. Some
/// clients, like npm's `eventsource`, forget an `id` without data: let them begin with `?after=` and the
/// `cursor` of the channel's messages. The time that `retry:` tells, 0.5 to 1.5 s, is another one
/// for each stream: thousands that are cut off together do not come back together. A stream ends
/// within a second when the session is signed out (the reconnect then gets its 401), when the
/// channel is deleted, when the server stops, and when the user opens more streams than a user
/// may have: the oldest ends. Where the server stops, the last block is `retry:` alone, with
/// another time for each client, from one second to four.
#[utoipa::path(
    tag = "Streams",
    operation_id = "listenToChannel",
    params(
        (
            "after" = inline(Option<String>),
            Query,
            description = "Where to start: an event's id or a history's `cursor`; `0`: everything that is stored, then live; nothing: from now on.",
        ),
        ("Last-Event-ID" = inline(Option<String>), Header, nullable = false, description = LAST_EVENT_ID_DESCRIPTION),
    ),
    responses((
        status = 200,
        description = STREAM_DESCRIPTION,
        content_type = "text/event-stream",
        body = inline(String),
        headers(
            ("Cache-Control", description = "`no-store, no-transform`."),
            ("X-Accel-Buffering", description = "`no`: proxies pass each event on at once."),
        ),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown, ProblemKind::TooBusy])),
        ("x-events" = json!(catalogue::of_channel())),
        ("x-curl" = json!(r#"curl -sN "$url/api/channels/general/events?after=0" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/events")]
fn channel(
    session: Session,
    channel: ChannelRef,
    from: Resume,
    engine: &State<Engine>,
) -> Result<EventStream<Listener>, Problem> {
    Ok(EventStream::of(engine.listen(&session, &channel, from)?))
}

/// Answers `HEAD` on a channel's stream, without joining it.
#[head("/channels/<channel>/events")]
fn channel_head(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<EventStream<Empty<Bytes>>, Problem> {
    engine.view(&session, &channel)?;
    Ok(EventStream::of(empty()))
}

/// Listen to everything that the caller can see.
///
/// Channels, unread counts, who is here. It resumes as a channel's stream does, but a `reset` is
/// followed by nothing: read `/api/channels` again. The first `activity` is sent at once, and what
/// follows within a fifth of a second then together: the last of each channel.
#[utoipa::path(
    tag = "Streams",
    operation_id = "listen",
    params(
        (
            "after" = inline(Option<String>),
            Query,
            description = "Where to start: an event's id; `0` or nothing: from now on.",
        ),
        ("Last-Event-ID" = inline(Option<String>), Header, nullable = false, description = LAST_EVENT_ID_DESCRIPTION),
    ),
    responses((
        status = 200,
        description = STREAM_DESCRIPTION,
        content_type = "text/event-stream",
        body = inline(String),
        headers(
            ("Cache-Control", description = "`no-store, no-transform`."),
            ("X-Accel-Buffering", description = "`no`: proxies pass each event on at once."),
        ),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown, ProblemKind::TooBusy])),
        ("x-events" = json!(catalogue::of_everything())),
        ("x-curl" = json!(r#"curl -sN "$url/api/events" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/events")]
fn everything(
    session: Session,
    from: Resume,
    engine: &State<Engine>,
) -> Result<EventStream<Listener>, Problem> {
    Ok(EventStream::of(engine.listen_everywhere(&session, from)?))
}

/// Answers `HEAD` on the stream of everything.
#[head("/events")]
fn everything_head(_session: Session) -> EventStream<Empty<Bytes>> {
    EventStream::of(empty())
}
