//! Streams.

use bytes::Bytes;
use futures::stream::{Empty, empty};
use rocket::{Route, State, get, head, routes};

use super::problem::Problem;
use super::stream::EventStream;
use crate::domain::channel::ChannelRef;
use crate::domain::user::Session;
use crate::engine::{Engine, From, Listener};

pub(super) fn routes() -> Vec<Route> {
    routes![channel, channel_head, everywhere, everywhere_head]
}

/// What happens in a channel.
#[get("/channels/<channel>/events")]
fn channel(
    session: Session,
    channel: ChannelRef,
    from: From,
    engine: &State<Engine>,
) -> Result<EventStream<Listener>, Problem> {
    Ok(EventStream::of(engine.listen(&session, &channel, from)?))
}

/// What its answer would be: asking for that joins nothing.
#[head("/channels/<channel>/events")]
fn channel_head(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<EventStream<Empty<Bytes>>, Problem> {
    engine.channel(&session, &channel)?;
    Ok(EventStream::of(empty()))
}

/// What happens everywhere that the caller can see.
#[get("/events")]
fn everywhere(
    session: Session,
    from: From,
    engine: &State<Engine>,
) -> Result<EventStream<Listener>, Problem> {
    Ok(EventStream::of(engine.listen_everywhere(&session, from)?))
}

/// As for a channel.
#[head("/events")]
fn everywhere_head(_session: Session) -> EventStream<Empty<Bytes>> {
    EventStream::of(empty())
}
