//! The routes of messages and reactions.

use bytes::Bytes;
use rocket::http::{ContentType, Header, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, delete, get, post, put, routes};

use super::json_list::JsonList;
use super::message_body::MessageBody;
use super::message_url;
use super::problem::{Problem, ProblemKind};
use crate::domain::channel::ChannelRef;
use crate::domain::conversation::KEPT_MESSAGES;
use crate::domain::ids::{InvalidMessageId, MessageId};
use crate::domain::reaction::{InvalidReaction, Reaction};
use crate::domain::user::Session;
use crate::engine::{Engine, Put};
use crate::wire::message::{History, MessageView, MultipartBody, TextBody};

pub(super) fn routes() -> Vec<Route> {
    routes![history, send, replace, show, remove, restore, react, unreact]
}

/// The answer with one message, from JSON bytes that were encoded when it changed last.
pub(super) struct EncodedMessage {
    status: Status,
    location: Option<String>,
    json: Bytes,
}

impl EncodedMessage {
    pub(super) fn ok(json: Bytes) -> Self {
        Self { status: Status::Ok, location: None, json }
    }

    fn created(channel: &str, id: &MessageId, json: Bytes) -> Self {
        let location = message_url(channel, id);
        Self { status: Status::Created, location: Some(location), json }
    }
}

impl<'r> Responder<'r, 'static> for EncodedMessage {
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

/// List a channel's messages.
#[utoipa::path(
    tag = "Messages",
    operation_id = "listMessages",
    responses((
        status = 200,
        description = "All that is kept: at most the 100 latest messages, oldest first.",
        body = History,
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/messages" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/messages")]
fn history(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<JsonList, Problem> {
    let history = engine.history(&session, &channel)?;
    let rest = format!("],\"cursor\":\"{}\",\"kept\":{KEPT_MESSAGES}}}", history.cursor);
    Ok(JsonList::of(b"{\"messages\":[", history.messages, rest.into()))
}

/// The description of a message's body and its media types.
const BODY_DESCRIPTION: &str = "\
The message, in any of these forms. Only a multipart form can have files, as parts named `file`. A urlencoded body that does not begin with `text=` is the text itself, undecoded: `curl -d 'Hello'` sends `Hello`.

CR LF and CR in a text become one `\\n` before anything is counted or compared. A text part of a multipart form may name a charset, which has to be UTF-8 as well.

**File names** are kept as they are sent, in `filename*` (RFC 8187; UTF-8 or ISO-8859-1) or, where there is none that can be read, in `filename`: UTF-8 as it is, with `%22`, `%0D` and `%0A` as browsers write them, `\\\"` for a quotation mark, or RFC 2047 words and nothing else. Only the part after the last `/` or `\\` counts. Controls and bidirectional controls go; joiners stay between letters and emoji, variation selectors and tags where they choose a form. A name is at most 255 bytes: a longer one is shortened before its extension.";

/// Send a message.
///
/// Under an id of the server's choice; where a retry must not say it twice, PUT it under an id of
/// your own. A message with files is counted before they are received, and a user sends at most 4
/// such at a time: past that, 429.
#[utoipa::path(
    tag = "Messages",
    operation_id = "sendMessage",
    request_body(
        description = BODY_DESCRIPTION,
        content(
            (inline(TextBody) = "application/json"),
            (inline(String) = "text/plain"),
            (inline(MultipartBody) = "multipart/form-data"),
            (inline(TextBody) = "application/x-www-form-urlencoded"),
        ),
    ),
    responses((
        status = 201,
        description = "The message. It is kept.",
        body = MessageView,
        headers(("Location", description = "The message's address.")),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidText,
            ProblemKind::EmptyMessage,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/messages" -H "Authorization: Bearer $token" -F text='The plan' -F file=@README.md"#)),
    ),
)]
#[post("/channels/<channel>/messages", data = "<body>")]
async fn send(
    session: Session,
    channel: &str,
    body: MessageBody<'_>,
    engine: &State<Engine>,
) -> Result<EncodedMessage, Problem> {
    let named = ChannelRef::from(channel);
    let said = body.read(engine, &session, &named).await?;
    let (id, json) = engine.post(&session, &named, said).await?;
    Ok(EncodedMessage::created(channel, &id, json))
}

/// Send or edit a message under an id of your own.
///
/// A new id in the channel sends a message; the id of the caller's own message edits it. So a retry
/// never posts twice while the message is kept, and a script can keep one line up to date. The same
/// content again changes nothing and sends no event. A body of text alone leaves the message's
/// files as they are, a multipart body replaces both. The id of a message that is gone may be used
/// anew.
#[utoipa::path(
    tag = "Messages",
    operation_id = "putMessage",
    request_body(
        description = BODY_DESCRIPTION,
        content(
            (inline(TextBody) = "application/json"),
            (inline(String) = "text/plain"),
            (inline(MultipartBody) = "multipart/form-data"),
            (inline(TextBody) = "application/x-www-form-urlencoded"),
        ),
    ),
    responses(
        (
            status = 201,
            description = "The message is new.",
            body = MessageView,
            headers(("Location", description = "The message's address.")),
        ),
        (status = 200, description = "The message has this content now.", body = MessageView),
    ),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidMessageId,
            ProblemKind::InvalidText,
            ProblemKind::EmptyMessage,
            ProblemKind::LimitReached,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PUT "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token" -H 'Content-Type: text/plain' -d 'T minus 10'"#)),
    ),
)]
#[put("/channels/<channel>/messages/<id>", data = "<body>")]
async fn replace(
    session: Session,
    channel: &str,
    id: Result<MessageId, InvalidMessageId>,
    body: MessageBody<'_>,
    engine: &State<Engine>,
) -> Result<EncodedMessage, Problem> {
    let id = id.map_err(|error| Problem::invalid(ProblemKind::InvalidMessageId, "id", &error))?;
    let named = ChannelRef::from(channel);
    let said = body.read(engine, &session, &named).await?;
    match engine.put(&session, &named, &id, said).await? {
        Put::Created(json) => Ok(EncodedMessage::created(channel, &id, json)),
        Put::Replaced(json) => Ok(EncodedMessage::ok(json)),
    }
}

/// Get a message.
#[utoipa::path(
    tag = "Messages",
    operation_id = "getMessage",
    responses((status = 200, description = "The message.", body = MessageView)),
    extensions(
        ("x-problems" = json!([ProblemKind::NoSuchMessage])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/messages/<id>")]
fn show(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<EncodedMessage, Problem> {
    Ok(EncodedMessage::ok(engine.message(&session, &channel, &existing_id(id)?)?))
}

/// Delete a message.
///
/// With its files. Its author may, and in a public channel the channel's creator. At once nobody sees
/// it any more, wherever they look. Within 15 seconds whoever deleted it can restore it; then it is
/// erased, and has left the disk a minute after it was deleted. Until then its text and its files
/// count against the limits.
#[utoipa::path(
    tag = "Messages",
    operation_id = "deleteMessage",
    responses((status = 204, description = "The message is gone.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>/messages/<id>")]
async fn remove(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete(&session, &channel, &existing_id(id)?).await?;
    Ok(Status::NoContent)
}

/// Restore a deleted message.
///
/// At its old place, with its `seq`, text, files and reactions. Whoever deleted it may, within 15
/// seconds by the server's clock; who repeats it meanwhile gets the message as it is by then. After
/// that, and for anybody else, there is no such message. Nor is there where another message has the
/// id by now, where the channel keeps 100 later messages, or where 100 others were deleted or restored
/// in it since. Of several under one id that the caller deleted, it is the last.
#[utoipa::path(
    tag = "Messages",
    operation_id = "restoreMessage",
    responses((status = 200, description = "The message.", body = MessageView)),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X POST "$url/api/channels/general/messages/status/restore" -H "Authorization: Bearer $token""#)),
    ),
)]
#[post("/channels/<channel>/messages/<id>/restore")]
async fn restore(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<EncodedMessage, Problem> {
    Ok(EncodedMessage::ok(engine.restore(&session, &channel, &existing_id(id)?).await?))
}

/// Takes a valid id; an invalid one is answered with `no-such-message`, since no message has it.
pub(super) fn existing_id(id: Result<MessageId, InvalidMessageId>) -> Result<MessageId, Problem> {
    id.map_err(|_| Problem::new(ProblemKind::NoSuchMessage))
}

/// React to a message.
///
/// A reaction that is there already changes nothing. Reactions are compared in NFC and without
/// U+FE0F, so `❤️` and `❤` are one: it stays in the form in which it was given first.
#[utoipa::path(
    tag = "Messages",
    operation_id = "addReaction",
    responses((status = 204, description = "The reaction is there.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::InvalidReaction,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PUT "$url/api/channels/general/messages/status/reactions/%F0%9F%9A%80" -H "Authorization: Bearer $token""#)),
    ),
)]
#[put("/channels/<channel>/messages/<id>/reactions/<reaction>")]
async fn react(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    reaction: Result<Reaction, InvalidReaction>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.react(&session, &channel, &existing_id(id)?, &valid_reaction(reaction)?).await?;
    Ok(Status::NoContent)
}

/// Take a reaction back.
///
/// Where there is none, nothing changes.
#[utoipa::path(
    tag = "Messages",
    operation_id = "removeReaction",
    responses((status = 204, description = "The reaction is not there.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::InvalidReaction,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/general/messages/status/reactions/%F0%9F%9A%80" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>/messages/<id>/reactions/<reaction>")]
async fn unreact(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    reaction: Result<Reaction, InvalidReaction>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.unreact(&session, &channel, &existing_id(id)?, &valid_reaction(reaction)?).await?;
    Ok(Status::NoContent)
}

fn valid_reaction(reaction: Result<Reaction, InvalidReaction>) -> Result<Reaction, Problem> {
    reaction.map_err(|error| Problem::invalid(ProblemKind::InvalidReaction, "reaction", &error))
}
