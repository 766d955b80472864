//! Streams.

use rocket::{Route, State, get, routes};

use super::problem::Problem;
use super::stream::EventStream;
use crate::domain::channel::ChannelRef;
use crate::domain::user::Session;
use crate::engine::{Engine, From};

pub(super) fn routes() -> Vec<Route> {
    routes![channel, everywhere]
}

/// What happens in a channel.
#[get("/channels/<channel>/events")]
fn channel(
    session: Session,
    channel: ChannelRef,
    from: From,
    engine: &State<Engine>,
) -> Result<EventStream, Problem> {
    Ok(EventStream::of(engine.listen(&session, &channel, from)?))
}

/// What happens everywhere that the caller can see.
#[get("/events")]
fn everywhere(
    session: Session,
    from: From,
    engine: &State<Engine>,
) -> Result<EventStream, Problem> {
    Ok(EventStream::of(engine.listen_everywhere(&session, from)?))
}
