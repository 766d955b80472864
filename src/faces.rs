//! The engine as text: a manual, transcripts, lines of JSON and live tails, at the addresses of the
//! pages, and files sent by `curl -T`.

mod start;

use std::io;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, get, head, put, routes};
use rocket_dyn_templates::{Template, context};
use tokio_util::io::StreamReader;

use self::start::Start;
use crate::api::accept::{Format, WantsText};
use crate::api::file_body::FileBody;
use crate::api::refusal::Refusal;
use crate::api::session::BaseUrl;
use crate::domain::channel::ChannelRef;
use crate::domain::conversation::KEPT_MESSAGES;
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::wire::lines::{Form, Lines, transcript_of};

/// The routes of all text faces, for those requests that the routes of pages leave.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes![manual, channel, channel_head, send, send_named]
}

/// A fairing that tells caches that an answer depends on `Accept`, where it does, and is not for
/// them.
#[must_use]
pub fn vary() -> AdHoc {
    AdHoc::on_response("Answers vary by what is asked for", |request, response| {
        Box::pin(async move {
            let path = request.uri().path();
            if path == "/" || path.starts_with("/channels/") {
                response.set_raw_header("Vary", "Accept");
                if !response.headers().contains("Cache-Control") {
                    response.set_raw_header("Cache-Control", "no-store");
                }
            }
        })
    })
}

/// The size of the buffer of an answer that is sent piece by piece, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;

/// Serves a manual of one page, with this server's address in it.
#[get("/", rank = 2)]
fn manual(base: BaseUrl) -> Template {
    Template::render("manual.txt", context! { url: base.as_str(), kept: KEPT_MESSAGES })
}

/// The answer with a channel as lines, or as its stream: what is there, and what comes.
struct ChannelText {
    format: Format,
    /// The point in the channel's stream at which an answer ends that does end.
    cursor: Option<String>,
    pieces: BoxStream<'static, Bytes>,
}

impl<'r> Responder<'r, 'static> for ChannelText {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        response
            .header(self.format.content_type())
            .raw_header("Cache-Control", "no-store, no-transform")
            .raw_header("X-Accel-Buffering", "no")
            .streamed_body(StreamReader::new(self.pieces.map(Ok::<_, io::Error>)))
            .max_chunk_size(CHUNK_BYTES);
        if let Some(cursor) = self.cursor {
            response.header(Header::new("Cursor", cursor));
        }
        response.ok()
    }
}

/// Serves a channel as text, as lines of JSON or as its stream.
#[get("/channels/<channel>", rank = 2)]
fn channel(
    session: Session,
    channel: ChannelRef,
    format: Format,
    start: Start,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<ChannelText, Refusal> {
    let form = match format {
        Format::EventStream => Form::Frames,
        Format::Ndjson => Form::Json,
        Format::Html | Format::Plain => Form::Transcript,
    };
    let mut lines = Lines::new(form, base.as_str(), start.not_before);
    let translated = move |piece: Bytes| {
        let piece = lines.translate(&piece);
        std::future::ready((!piece.is_empty()).then_some(piece))
    };
    if start.follow.unwrap_or(format == Format::EventStream) {
        let listener = engine.listen(&session, &channel, start.from)?;
        let as_it_is = form == Form::Frames && start.not_before.is_none();
        let pieces =
            if as_it_is { listener.boxed() } else { listener.filter_map(translated).boxed() };
        return Ok(ChannelText { format, cursor: None, pieces });
    }
    let past = engine.catch_up(&session, &channel, start.from)?;
    let cursor = Some(past.cursor().to_string());
    Ok(ChannelText { format, cursor, pieces: stream::iter(past).filter_map(translated).boxed() })
}

/// Answers `HEAD` for a channel as text, without opening a stream.
#[head("/channels/<channel>", rank = 2)]
fn channel_head(
    _wants_text: WantsText,
    session: Session,
    channel: ChannelRef,
    format: Format,
    engine: &State<Engine>,
) -> Result<ChannelText, Refusal> {
    engine.view(&session, &channel)?;
    Ok(ChannelText { format, cursor: None, pieces: stream::empty().boxed() })
}

/// The answer to a file that was sent: the message, as a transcript has it or as JSON.
struct SentFile {
    location: String,
    json: Bytes,
    base: String,
}

impl<'r> Responder<'r, 'static> for SentFile {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let (kind, body) = match Format::of(request) {
            Format::Ndjson => (Format::Ndjson.content_type(), [&self.json[..], b"\n"].concat()),
            _ if request.accept().is_some_and(|it| it.preferred().is_json()) => {
                (ContentType::JSON, self.json.to_vec())
            }
            _ => {
                let line = transcript_of(&self.json, &self.base).unwrap_or_default();
                (ContentType::Plain, line.into_bytes())
            }
        };
        Response::build()
            .status(Status::Created)
            .header(kind)
            .header(Header::new("Location", self.location))
            .raw_header("Cache-Control", "no-store")
            .sized_body(body.len(), io::Cursor::new(body))
            .ok()
    }
}

/// Sends a file without a name as a message: `curl -T file …/channels/general`.
#[put("/channels/<channel>", data = "<body>")]
async fn send(
    session: Session,
    channel: &str,
    body: FileBody<'_>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<SentFile, Refusal> {
    send_file(engine, &session, channel, None, body, &base).await
}

/// Sends a file as a message: `curl -T file …/channels/general/`, to which curl adds the name.
#[put("/channels/<channel>/<filename>", data = "<body>")]
async fn send_named(
    session: Session,
    channel: &str,
    filename: &str,
    body: FileBody<'_>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<SentFile, Refusal> {
    let name = Some(filename).filter(|name| !name.is_empty());
    send_file(engine, &session, channel, name, body, &base).await
}

async fn send_file(
    engine: &Engine,
    session: &Session,
    channel: &str,
    name: Option<&str>,
    body: FileBody<'_>,
    base: &BaseUrl,
) -> Result<SentFile, Refusal> {
    let named = ChannelRef::from(channel);
    let draft = body.read(engine, session, &named, name).await?;
    let (id, json) = engine.post(session, &named, draft).await?;
    let location = crate::api::message_url(channel, &id);
    Ok(SentFile { location, json, base: base.as_str().to_owned() })
}
