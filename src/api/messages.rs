//! Messages.

use bytes::Bytes;
use rocket::http::{ContentType, Header, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, delete, get, post, put, routes};

use super::channel_url;
use super::problem::{Kind, Problem};
use super::said::Unread;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{InvalidMessageId, MessageId};
use crate::domain::reaction::{InvalidReaction, Reaction};
use crate::domain::user::Session;
use crate::engine::{Engine, Put};

pub(super) fn routes() -> Vec<Route> {
    routes![history, send, replace, show, remove, react, unreact]
}

/// Messages as JSON, from bytes that were made when they changed last.
pub(super) struct Encoded {
    status: Status,
    location: Option<String>,
    json: Bytes,
}

impl Encoded {
    pub(super) fn ok(json: Bytes) -> Self {
        Self { status: Status::Ok, location: None, json }
    }

    fn created(channel: &str, id: &MessageId, json: Bytes) -> Self {
        let location = format!("{}/messages/{id}", channel_url(channel));
        Self { status: Status::Created, location: Some(location), json }
    }
}

impl<'r> Responder<'r, 'static> for Encoded {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response
            .status(self.status)
            .header(ContentType::JSON)
            .sized_body(self.json.len(), std::io::Cursor::new(self.json));
        if let Some(location) = self.location {
            response.header(Header::new("Location", location));
        }
        response.ok()
    }
}

/// All that a channel keeps.
#[get("/channels/<channel>/messages")]
fn history(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Encoded, Problem> {
    Ok(Encoded::ok(engine.history(&session, &channel)?))
}

/// Sends a message.
#[post("/channels/<channel>/messages", data = "<body>")]
async fn send(
    session: Session,
    channel: &str,
    body: Unread<'_>,
    engine: &State<Engine>,
) -> Result<Encoded, Problem> {
    let named = ChannelRef::from(channel);
    let said = body.read(engine, &session, &named).await?;
    let (id, json) = engine.post(&session, &named, said).await?;
    Ok(Encoded::created(channel, &id, json))
}

/// Sends a message under an id of the caller's choice, or replaces the caller's message of that
/// id.
#[put("/channels/<channel>/messages/<id>", data = "<body>")]
async fn replace(
    session: Session,
    channel: &str,
    id: Result<MessageId, InvalidMessageId>,
    body: Unread<'_>,
    engine: &State<Engine>,
) -> Result<Encoded, Problem> {
    let id = id.map_err(|error| Problem::invalid(Kind::InvalidMessageId, "id", &error))?;
    let named = ChannelRef::from(channel);
    let said = body.read(engine, &session, &named).await?;
    match engine.put(&session, &named, &id, said).await? {
        Put::Created(json) => Ok(Encoded::created(channel, &id, json)),
        Put::Replaced(json) => Ok(Encoded::ok(json)),
    }
}

/// One message.
#[get("/channels/<channel>/messages/<id>")]
fn show(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<Encoded, Problem> {
    Ok(Encoded::ok(engine.message(&session, &channel, &known(id)?)?))
}

/// Deletes a message.
#[delete("/channels/<channel>/messages/<id>")]
async fn remove(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete(&session, &channel, &known(id)?).await?;
    Ok(Status::NoContent)
}

/// What is no id is the id of no message.
fn known(id: Result<MessageId, InvalidMessageId>) -> Result<MessageId, Problem> {
    id.map_err(|_| Problem::new(Kind::NoSuchMessage))
}

/// Answers a message with a reaction.
#[put("/channels/<channel>/messages/<id>/reactions/<reaction>")]
async fn react(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    reaction: Result<Reaction, InvalidReaction>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.react(&session, &channel, &known(id)?, &valid(reaction)?).await?;
    Ok(Status::NoContent)
}

/// Takes a reaction back.
#[delete("/channels/<channel>/messages/<id>/reactions/<reaction>")]
async fn unreact(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    reaction: Result<Reaction, InvalidReaction>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.unreact(&session, &channel, &known(id)?, &valid(reaction)?).await?;
    Ok(Status::NoContent)
}

fn valid(reaction: Result<Reaction, InvalidReaction>) -> Result<Reaction, Problem> {
    reaction.map_err(|error| Problem::invalid(Kind::InvalidReaction, "reaction", &error))
}
