//! Channels.

use rocket::http::Status;
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, patch, post, put, routes};
use serde::Serialize;

use super::channel_url;
use super::input::Fields;
use super::problem::{Kind, Problem};
use crate::domain::channel::{ChannelRef, ChannelView};
use crate::domain::ids::MessageId;
use crate::domain::names::{ChannelName, Topic};
use crate::domain::user::{Session, User};
use crate::engine::Engine;

pub(super) fn routes() -> Vec<Route> {
    routes![list, create, show, set_topic, remove, mark_read, typing]
}

/// `{"channels": [Channel]}`.
#[derive(Serialize)]
struct ChannelsBody {
    channels: Vec<ChannelView>,
}

/// `{"channel": Channel, "online": [User]}`.
#[derive(Serialize)]
struct ChannelBody {
    channel: ChannelView,
    online: Vec<User>,
}

/// Every channel that the caller can see.
#[get("/channels")]
fn list(session: Session, engine: &State<Engine>) -> Json<ChannelsBody> {
    Json(ChannelsBody { channels: engine.channels(&session) })
}

/// Creates a public channel.
#[post("/channels", data = "<fields>")]
async fn create(
    session: Session,
    fields: Fields,
    engine: &State<Engine>,
) -> Result<Created<Json<ChannelView>>, Problem> {
    let name: ChannelName = fields
        .text("name")?
        .parse()
        .map_err(|error| Problem::invalid(Kind::InvalidChannelName, "name", &error))?;
    let topic = topic(fields.optional_text("topic")?.unwrap_or_default())?;
    let channel = engine.create_channel(&session, name, topic).await?;
    Ok(Created::new(channel_url(channel.name.as_str())).body(Json(channel)))
}

/// One channel, and who is there.
#[get("/channels/<channel>")]
fn show(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Json<ChannelBody>, Problem> {
    let (channel, online) = engine.channel(&session, &channel)?;
    Ok(Json(ChannelBody { channel, online }))
}

/// Says what a channel is about.
#[patch("/channels/<channel>", data = "<fields>")]
async fn set_topic(
    session: Session,
    channel: ChannelRef,
    fields: Fields,
    engine: &State<Engine>,
) -> Result<Json<ChannelView>, Problem> {
    let topic = topic(fields.text("topic")?)?;
    Ok(Json(engine.set_topic(&session, &channel, topic).await?))
}

/// Deletes a channel.
#[delete("/channels/<channel>")]
async fn remove(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete_channel(&session, &channel).await?;
    Ok(Status::NoContent)
}

/// Marks a channel as read up to a message.
#[put("/channels/<channel>/read", data = "<fields>")]
async fn mark_read(
    session: Session,
    channel: ChannelRef,
    fields: Fields,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    let message: MessageId = fields
        .text("message")?
        .parse()
        .map_err(|error| Problem::invalid(Kind::InvalidMessageId, "message", &error))?;
    engine.mark_read(&session, &channel, &message).await?;
    Ok(Status::NoContent)
}

/// Says that the caller is typing.
#[post("/channels/<channel>/typing")]
fn typing(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.typing(&session, &channel)?;
    Ok(Status::NoContent)
}

fn topic(typed: &str) -> Result<Topic, Problem> {
    typed.parse().map_err(|error| Problem::invalid(Kind::InvalidTopic, "topic", &error))
}
