//! The routes of channels: list, create, change, delete, read markers, typing.

use rocket::http::Status;
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, patch, post, put, routes};

use super::channel_url;
use super::json::JsonBody;
use super::json_list::JsonList;
use super::problem::{Problem, ProblemKind};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::MessageId;
use crate::domain::names::{ChannelName, Topic};
use crate::domain::preference::PreferencesChange;
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::engine::limits::Cost;
use crate::wire::channel::{
    ChannelDetails, ChannelList, ChannelView, CreateChannel, MarkRead, SetMine, SetTopic,
};

pub(super) fn routes() -> Vec<Route> {
    routes![list, create, show, set_topic, remove, mark_read, set_mine, typing]
}

/// List channels.
#[utoipa::path(
    tag = "Channels",
    operation_id = "listChannels",
    responses((
        status = 200,
        description = "Every channel that the caller can see.",
        body = inline(ChannelList),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels")]
fn list(session: Session, engine: &State<Engine>) -> Result<JsonList, Problem> {
    let channels = engine.channels(&session)?;
    engine.count_read(&session, Cost::of_list(channels.len()))?;
    let items = channels.map(|channel| serde_json::to_vec(&channel).unwrap_or_default().into());
    Ok(JsonList::lazy(b"{\"channels\":[", items, "]}".into()))
}

/// Create a public channel.
///
/// However many clients try at once, exactly one of them creates it.
#[utoipa::path(
    tag = "Channels",
    operation_id = "createChannel",
    request_body = inline(CreateChannel),
    responses((
        status = 201,
        description = "The new channel.",
        body = ChannelView,
        headers(("Location", description = "The channel's address.")),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::ChannelExists,
            ProblemKind::InvalidChannelName,
            ProblemKind::InvalidTopic,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name": "launch", "topic": "Countdown"}'"#)),
    ),
)]
#[post("/channels", data = "<body>")]
async fn create(
    session: Session,
    body: JsonBody<CreateChannel>,
    engine: &State<Engine>,
) -> Result<Created<Json<ChannelView>>, Problem> {
    let name: ChannelName = body
        .0
        .name
        .parse()
        .map_err(|error| Problem::invalid(ProblemKind::InvalidChannelName, "name", &error))?;
    let topic = topic(&body.0.topic)?;
    let channel = engine.create_channel(&session, name, topic).await?;
    Ok(Created::new(channel_url(channel.name.as_str())).body(Json(channel)))
}

/// Get a channel and who is there.
///
/// A direct conversation comes into being with its first message, and is empty before.
#[utoipa::path(
    tag = "Channels",
    operation_id = "getChannel",
    responses((
        status = 200,
        description = "The channel, and the users who listen to it.",
        body = inline(ChannelDetails),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>")]
async fn show(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Json<ChannelDetails>, Problem> {
    let (channel, online) = engine.channel(&session, &channel).await?;
    engine.count_read(&session, Cost::of_list(online.len()))?;
    let online = online.iter().map(Into::into).collect();
    Ok(Json(ChannelDetails { channel, online }))
}

/// Set a channel's topic.
///
/// Its creator may; anybody may in `general`, and where the creator is no user any more. A direct
/// conversation has no topic.
#[utoipa::path(
    tag = "Channels",
    operation_id = "setTopic",
    request_body = inline(SetTopic),
    responses((status = 200, description = "The channel.", body = ChannelView)),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidTopic,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PATCH "$url/api/channels/general" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"topic": "Lift-off"}'"#)),
    ),
)]
#[patch("/channels/<channel>", data = "<body>")]
async fn set_topic(
    session: Session,
    channel: ChannelRef,
    body: JsonBody<SetTopic>,
    engine: &State<Engine>,
) -> Result<Json<ChannelView>, Problem> {
    let topic = topic(&body.0.topic)?;
    Ok(Json(engine.set_topic(&session, &channel, topic).await?))
}

/// Delete a channel.
///
/// With all that it keeps. Its creator may; where the creator is no user any more, anybody may once
/// nothing was said in it for 7 days. `general` and direct conversations stay. The channel's
/// streams get `channel-deleted` and end. A channel that is created later under the same name is
/// another channel.
#[utoipa::path(
    tag = "Channels",
    operation_id = "deleteChannel",
    responses((status = 204, description = "The channel is gone.")),
    extensions(
        ("x-problems" = json!([ProblemKind::NotYours, ProblemKind::SlowDown, ProblemKind::StorageUnavailable])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/launch" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>")]
async fn remove(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete_channel(&session, &channel).await?;
    Ok(Status::NoContent)
}

/// Mark a channel as read up to a message.
///
/// Naming an earlier message marks those after it as unread again. Kept within a second: this one
/// change is answered before it is on disk.
#[utoipa::path(
    tag = "Channels",
    operation_id = "markRead",
    request_body = inline(MarkRead),
    responses((status = 204, description = "Read, on all of the caller's devices.")),
    extensions(
        ("x-problems" = json!([ProblemKind::NoSuchMessage, ProblemKind::InvalidMessageId, ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s -X PUT "$url/api/channels/general/read" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"message": "status"}'"#)),
    ),
)]
#[put("/channels/<channel>/read", data = "<body>")]
fn mark_read(
    session: Session,
    channel: ChannelRef,
    body: JsonBody<MarkRead>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    let message: MessageId = body
        .0
        .message
        .parse()
        .map_err(|error| Problem::invalid(ProblemKind::InvalidMessageId, "message", &error))?;
    engine.mark_read(&session, &channel, &message)?;
    Ok(Status::NoContent)
}

/// Set how the caller wants a channel.
///
/// On all of their devices: their own `/api/events` get `channel-updated`, and nobody else is told. A
/// hidden channel shows itself again, with `channel-updated`, when a message of somebody else names
/// the caller in it; a hidden direct conversation when anything is said in it. Leaving a channel is
/// hiding it, and marking it as read.
#[utoipa::path(
    tag = "Channels",
    operation_id = "setMine",
    request_body = inline(SetMine),
    responses((status = 200, description = "The channel.", body = ChannelView)),
    extensions(
        ("x-problems" = json!([
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PATCH "$url/api/channels/general/mine" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"starred": true, "bell": "everything"}'"#)),
    ),
)]
#[patch("/channels/<channel>/mine", data = "<body>")]
async fn set_mine(
    session: Session,
    channel: ChannelRef,
    body: JsonBody<SetMine>,
    engine: &State<Engine>,
) -> Result<Json<ChannelView>, Problem> {
    let SetMine { starred, hidden, bell } = body.0;
    let change = PreferencesChange { starred, hidden, bell: bell.map(Into::into) };
    Ok(Json(engine.prefer(&session, &channel, change).await?))
}

/// Announce typing.
///
/// The channel's listeners get `typing`. Nothing of it is kept.
#[utoipa::path(
    tag = "Channels",
    operation_id = "announceTyping",
    responses((status = 204, description = "Announced.")),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s -X POST "$url/api/channels/general/typing" -H "Authorization: Bearer $token""#)),
    ),
)]
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
    typed.parse().map_err(|error| Problem::invalid(ProblemKind::InvalidTopic, "topic", &error))
}
