//! The description of this API in `OpenAPI` 3.1: `GET /api/openapi.json`, and what `GET /api/docs`
//! is drawn from.
//!
//! Each route is described where it stands, by `#[utoipa::path]`: the first paragraph of its doc
//! comment is its title, the rest its text. Path and method are those of Rocket's own attribute
//! below. Each body describes itself in [`wire`](crate::wire), by `utoipa::ToSchema`. This module
//! puts them together, and adds what is true of many routes: below [`BASE`], the parts of paths,
//! and the problems that follow from what a route takes.
//!
//! Extensions say what `OpenAPI` has no words for. `x-problems` lists the [`ProblemKind`]s that a route
//! names itself; here they become answers, and the list goes. `x-events` lists the events of a
//! stream, each `{"event", "has_id", "description", "data"}` with a schema in `data`.
//! `x-curl` is an example, where `$url` is the server and `$token` the session's; here it becomes
//! `x-codeSamples`. All texts are `CommonMark`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use rocket::http::{ContentType, Status};
use rocket::{Route, get, routes};
use serde_json::{Value, json};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{
    AllOfBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, PathItem, Ref, RefOr, Required};
use utoipa::{Modify, OpenApi as _};

use super::input::SESSION_COOKIE;
use super::problem::ProblemKind;
use super::{
    BASE, attachments, channels, events, hooks, messages, previews, search, session, sessions,
};
use crate::wire::channel::{BellView, ChannelKindView, ChannelView, MineView};
use crate::wire::event::ResetReason;
use crate::wire::hook::{HookView, OutgoingHookView};
use crate::wire::message::{AttachmentView, History, MessageView, PreviewView, ReactionView};
use crate::wire::problem::Problem;
use crate::wire::session::{SessionKind, SessionView};
use crate::wire::user::UserView;

pub(super) fn routes() -> Vec<Route> {
    routes![openapi]
}

/// Get this description, for programs.
#[utoipa::path(
    tag = "About",
    operation_id = "getDescription",
    security(()),
    responses((
        status = 200,
        description = "A description in OpenAPI 3.1.",
        content_type = "application/json",
        body = Object,
    )),
    extensions(("x-curl" = json!(r#"curl -s "$url/api/openapi.json""#))),
)]
#[get("/openapi.json")]
fn openapi() -> (ContentType, &'static str) {
    (ContentType::JSON, json())
}

/// Get this description as a page.
#[utoipa::path(
    get,
    path = "/docs",
    tag = "About",
    operation_id = "getDocs",
    security(()),
    responses((
        status = 200,
        description = "The page.",
        content_type = "text/html",
        body = inline(String),
    )),
    extensions(("x-curl" = json!(r#"curl -s "$url/api/docs""#))),
)]
#[expect(dead_code, reason = "the route is `pages::docs`; the API knows no pages")]
fn docs() {}

/// The whole description as JSON, made when it is first asked for.
///
/// # Panics
///
/// Never: a description is plain data.
#[must_use]
pub fn json() -> &'static str {
    static JSON: LazyLock<String> =
        LazyLock::new(|| Description::openapi().to_json().expect("a description is JSON"));
    &JSON
}

/// The introduction of the description: facts about the whole API, read first and above the routes.
const CONVENTIONS: &str = "\
Team chat on your own server. The page uses this API and nothing else: whatever it can do, a script can do.

**Who is asking.** `POST /api/session` gives a token. Send it as `Authorization: Bearer <token>`; browsers keep it as the cookie `session`, which counts where no Bearer token is sent. Everything but `POST /api/session`, `/api/openapi.json` and `/api/docs` needs one. A request that changes something and comes with the cookie is refused with 403 `not-allowed` when another site made it: `Sec-Fetch-Site: same-origin` settles that, else `Origin` is compared with the host.

**Bodies** are JSON in UTF-8 (a charset called `utf-8`, `utf8` or `us-ascii`, in any case; another is refused with 415; a leading byte order mark is dropped) unless said otherwise, and unknown fields are ignored. A body is at most 64 KiB, its files not counted. One that comes to a halt for 30 seconds is given up with 408 `request-timeout` where an answer is still possible, and so is one that takes longer than a minute and a second more for each 16 KiB. A client that takes nothing of its answer for 60 seconds is cut off, and so is one that begins a request and does not go on. Fields may be added to what is answered.

**Times** are RFC 3339 in UTC with milliseconds, `2026-11-23T09:30:00.123Z`, and always the server's. Ids, cursors and event ids are opaque strings.

**201 and 204 mean kept**: it is on disk before the answer, and before anybody sees it. Not so where nothing is to be kept for long: a read marker is on disk within a second, `typing` is gone after a few, and a one-time link is held in memory for its minutes.

**Refusals** are `application/problem+json` (RFC 9457), whoever refused; `type` is a path that answers with an explanation. Beside those listed at each route: an address where nothing is gives 404 `not-found`, another method than those listed gives 405 `method-not-allowed` with `Allow`. `HEAD` is answered wherever `GET` is.

**`X-Request-Id`** is in every answer: the operator finds by it what the log says of the request. Where the setting `ip_header` says that there is a front server, and it sends an id, that one is taken.

**Rates.** A user may send 60 messages at once and 10 a second after that, edits and reactions included; a message with files is counted before its files are received, and a user sends at most 4 such at a time. A user may make 600 other changes at once and 50 a second after that, links and typing included; and read 600 units at once and 60 a second after that. Moving a read marker is a unit; so is a list of channels or users, with one more for each 100 in it, a history, with one more for each 64 KiB, the opening of a stream, which counts what it begins with in the same way (a channel's as a history, the other's as a list), and a search, with one more for each 10,000 messages that are kept; a page is two. All users of one address together may do ten times as much. An address may sign in 30 times at once and once in 2 seconds after that; of a name that is taken, or looks like one, only the first attempt in a minute counts as that, and the others against that name alone. The addresses of one IPv6 subnet (/64) count as one. Past that: 429 `slow-down`, with `Retry-After` in seconds. An operator can turn the rates off (`rate_limits`), but not the limit of 4.

**Bounds.** There is a limit to how much there may be of everything, as far as the operator has not set others. Past it: 403 `limit-reached`, or 413 `too-large` for bytes.

- Characters (code points) of a text: 4,000. Files of a message: 10, of 25 MiB each.
- All files together: 1 GiB, of one user half of what the others leave. All texts together, each with its HTML: 256 MiB, of one user half of what the others leave.
- Messages of a channel: the latest 100 are kept. When the 101st comes, the first is gone with its files, and no event says so.
- Public channels: 1,000, of one creator 100. Direct conversations that one user began: 500.
- Channels that a user has starred, hidden or given a bell: 2,000.
- Reactions to a message: 300, of one user 8, different ones 32.
- Hooks of a channel, incoming and outgoing together: 20. Hooks that one user made: 100.
- Sessions of a user: 100. A session ends when it was not used for 180 days.
- Streams of a user: 64. One more ends the oldest of them. Past the streams that the server can serve: 503 `too-busy`.

**As text.** `GET /` and `GET /channels/<channel>` answer by `Accept`. `text/html` gets the pages. Whoever does not ask for HTML gets `text/plain`: at `/` a manual (no session is needed), of a channel a transcript, a line a message: `2026-11-23 09:30:00Z Ada: text`, its further lines, and its files by their address, indented by two spaces. `application/x-ndjson` gets a `Message` a line, `text/event-stream` the channel's stream, which begins with all that is stored. `?since=` is a time ago (`10m`), a cursor or `all`, the default; the header `Cursor` says where an answer ends; with `?follow=0` a stream ends there, too. `?follow=1` goes on with what comes: as text messages, restored and edited ones too; as JSON those and the ones that were reacted to, and `{\"event\": \"message-deleted\", \"id\", \"seq\"}` and `{\"event\": \"channel-deleted\", \"name\"}`. Where something may be missing there is a line that begins with `#`, or `{\"event\":\"reset\"}`, and all that is kept follows. A live tail counts as a stream; after half a minute of silence it has an empty line. `PUT /channels/<channel>/<filename>` (or without a name) with a file as its body, of whatever `Content-Type`, sends it as a message: 201, with `Location`; doing it again sends it again. Refusals come in the same format.

**Outside `/api`** there are, too, open to all, `GET /healthz` (200 while the process runs) and `GET /readyz` (200, or 503 with the reasons, a line each, while nothing can be kept or the server is about to stop); `POST /hooks/<secret>`, for whoever knows the secret (see *Create an incoming hook*); and `GET /metrics` (numbers in Prometheus' text format), for programs on the server's machine, and for those elsewhere that send the setting `metrics_token` as Bearer token.";

/// The description of every route, put together by utoipa and completed by its modifiers.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Houston", description = CONVENTIONS, license(name = "MIT", identifier = "MIT")),
    paths(
        session::sign_in, session::current, session::rename, session::sign_out,
        session::create_link, session::users,
        sessions::list, sessions::create, sessions::end,
        channels::list, channels::create, channels::show, channels::set_topic, channels::remove,
        channels::mark_read, channels::set_mine, channels::typing,
        messages::history, messages::send, messages::replace, messages::show, messages::remove,
        messages::restore, messages::react, messages::unreact,
        attachments::file, previews::hide, previews::show, previews::picture, search::search,
        events::channel, events::everything,
        hooks::list, hooks::create, hooks::show, hooks::remove,
        hooks::list_outgoing, hooks::create_outgoing, hooks::show_outgoing, hooks::set_paused,
        hooks::remove_outgoing,
        openapi, docs,
    ),
    tags(
        (name = "Sessions", description = "Coming in and going out. A display name is all it takes, and it belongs to whoever holds a live session for it."),
        (name = "Users", description = "The users who are here."),
        (name = "Channels", description = "The places for messages: public channels, and direct conversations between two users."),
        (name = "Messages", description = "The latest 100 messages of each channel, with their files and reactions."),
        (name = "Streams", description = "What happens, the moment it has happened, as Server-Sent Events."),
        (name = "Hooks", description = "Addresses at which programs post to a channel as they would to Slack or Mattermost, and programs that are told of its messages."),
        (name = "About", description = "This description."),
    ),
    components(schemas(
        UserView, ChannelView, ChannelKindView, MineView, BellView, MessageView<'_>, AttachmentView<'_>, PreviewView<'_>,
        ReactionView<'_>,
        History<'_>, HookView, OutgoingHookView, SessionView, SessionKind, ResetReason, Problem<'_>,
    )),
    servers((url = "/", description = "The server that serves this description.")),
    security(("bearer" = []), ("cookie" = [])),
    modifiers(&SecuritySchemes, &CommonProblems, &CompletePaths),
)]
struct Description;

/// A modifier that describes the ways to send a session's token: Bearer and cookie.
struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, api: &mut OpenApi) {
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "Set by `POST /api/session`: `HttpOnly`, `SameSite=Lax`, for a year, renewed by use; \
             `Secure` over TLS.",
        );
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The `token` that `POST /api/session` answers with (RFC 6750)."))
            .build();
        let components = components(api);
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// A modifier that adds the problems of no route in particular, and the list of them all.
struct CommonProblems;

impl Modify for CommonProblems {
    fn modify(&self, api: &mut OpenApi) {
        let components = components(api);
        for (name, kind) in [
            ("NotFound", ProblemKind::NotFound),
            ("MethodNotAllowed", ProblemKind::MethodNotAllowed),
        ] {
            let answer = problem_answer(kind.status(), &BTreeSet::from([kind.slug()]));
            components.responses.insert(name.to_owned(), answer.into());
        }
        // `no-such-link` is left out: only a page answers with it.
        let kinds = ProblemKind::ALL.into_iter().filter(|kind| *kind != ProblemKind::NoSuchLink);
        let types = kinds.map(|kind| problem_type(kind.slug()).into());
        if let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem")
            && let Some(RefOr::T(Schema::Object(kind))) = problem.properties.get_mut("type")
        {
            kind.enum_values = Some(types.collect());
        }
    }
}

/// A modifier that adds to each route what follows from its path, method and body.
struct CompletePaths;

impl Modify for CompletePaths {
    fn modify(&self, api: &mut OpenApi) {
        let paths = std::mem::take(&mut api.paths.paths).into_iter().map(|(path, mut item)| {
            // Rocket marks unused parameters by an underscore.
            let path = format!("{BASE}{}", path.replace("{_", "{"));
            for (reads, operation) in operations(&mut item) {
                complete(&path, reads, operation);
            }
            (path, item)
        });
        api.paths.paths = paths.collect();
    }
}

/// The operations at a path, each with `true` if it only reads.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, post, put, patch, delete, .. } = item;
    let changes = [post, put, patch, delete].into_iter().flatten();
    get.iter_mut().map(|get| (true, get)).chain(changes.map(|operation| (false, operation)))
}

fn complete(path: &str, reads: bool, operation: &mut Operation) {
    operation.summary = operation.summary.take().map(|title| title.trim_end_matches('.').into());
    let parameters = operation.parameters.take().unwrap_or_default();
    let in_path = |parameter: &Parameter| parameter.parameter_in == ParameterIn::Path;
    let rest = parameters.into_iter().filter(|it| !matches!(it, RefOr::T(it) if in_path(it)));
    let parts = path.split(['{', '}']).skip(1).step_by(2);
    let parts = parts.map(|name| path_parameter(path, name).into());
    operation.parameters = Some(parts.chain(rest).collect::<Vec<_>>()).filter(|it| !it.is_empty());
    let extensions = operation.extensions.get_or_insert_default();
    let curl = extensions.remove("x-curl").unwrap_or_default();
    let sample = json!([{ "lang": "Shell", "label": "curl", "source": curl }]);
    extensions.insert("x-codeSamples".into(), sample);
    if let Some(events) = extensions.get("x-events").and_then(Value::as_array)
        && let Some(RefOr::T(answer)) = operation.responses.responses.get_mut("200")
        && let Some(RefOr::T(content)) = answer.content.get_mut("text/event-stream")
    {
        content.schema = Some(event_schema(events).into());
    }
    let named = extensions.remove("x-problems").unwrap_or_default();
    let named: Vec<_> = named.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut of_status: BTreeMap<Status, BTreeSet<&str>> = BTreeMap::new();
    for kind in ProblemKind::ALL {
        if named.contains(&kind.slug()) || is_implied(kind, path, reads, operation, &named) {
            of_status.entry(kind.status()).or_default().insert(kind.slug());
        }
    }
    for (status, slugs) in of_status {
        let answer = problem_answer(status, &slugs);
        operation.responses.responses.insert(status.code.to_string(), answer.into());
    }
}

/// The schema of an event of a stream. A version of `OpenAPI` in which one could say that a stream is a
/// sequence comes after 3.1, where clients take the schema of `text/event-stream` to be that of each event.
fn event_schema(events: &[Value]) -> Schema {
    let each = events.iter().map(|event| {
        let data =
            serde_json::from_value(event["data"].clone()).expect("the catalogue has schemas");
        let data = text("")
            .content_media_type("application/json")
            .content_schema(Some::<RefOr<Schema>>(data));
        let object = ObjectBuilder::new()
            .property("event", text("").enum_values(Some([event["event"].clone()])))
            .property("data", data)
            .required("event")
            .required("data");
        if event["has_id"] == true {
            object.property("id", text("")).required("id")
        } else {
            object
        }
    });
    each.fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// Tells whether a route can answer with this kind of problem because of its path, method or body.
/// `named` are the slugs that the route lists itself.
fn is_implied(
    kind: ProblemKind,
    path: &str,
    reads: bool,
    operation: &Operation,
    named: &[&str],
) -> bool {
    match kind {
        ProblemKind::InternalError => true,
        ProblemKind::SignInRequired => operation.security.is_none(),
        ProblemKind::NotAllowed => !reads,
        ProblemKind::NoSuchChannel | ProblemKind::NoSuchUser => path.contains("{channel}"),
        ProblemKind::MalformedRequest
        | ProblemKind::RequestTimeout
        | ProblemKind::TooLarge
        | ProblemKind::UnsupportedMediaType => operation.request_body.is_some(),
        // A change that is appended to the log may lose against concurrent ones again and again.
        ProblemKind::TooBusy => !reads && named.contains(&ProblemKind::StorageUnavailable.slug()),
        _ => false,
    }
}

/// The description of all refusals with one status, for these reasons.
fn problem_answer(status: Status, slugs: &BTreeSet<&str>) -> Response {
    let kinds = ProblemKind::ALL.into_iter().filter(|kind| slugs.contains(kind.slug()));
    let explained = kinds.map(|kind| format!("- `{}`: {}", kind.slug(), kind.explanation()));
    let types = text("").enum_values(Some(slugs.iter().map(|slug| problem_type(slug))));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name("Problem"))
        .item(ObjectBuilder::new().property("type", types));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let answer = ResponseBuilder::new()
        .description(explained.collect::<Vec<_>>().join("\n"))
        .content("application/problem+json", content);
    match status.code {
        401 => answer.header("WWW-Authenticate", header("`Bearer`.")),
        405 => answer.header("Allow", header("The methods that are taken here.")),
        416 => answer.header("Content-Range", header("`bytes */` and the file's length.")),
        429 | 503 => answer.header("Retry-After", header("How many seconds to wait.")),
        _ => answer,
    }
    .build()
}

/// The `type` of a problem.
fn problem_type(slug: &str) -> String {
    format!("/problems/{slug}")
}

/// The description of a path parameter.
fn path_parameter(path: &str, name: &str) -> Parameter {
    let is_message = name == "id" && path.contains("/messages/");
    let schema = text("").min_length(Some(1));
    let schema = match name {
        _ if is_message => schema.pattern(Some("^[A-Za-z0-9_-]{1,64}$")).examples(["status"]),
        "channel" => schema.examples(["general"]),
        "filename" => schema.examples(["README.md"]),
        "reaction" => schema.examples(["🚀"]),
        _ => schema,
    };
    let about = match name {
        "channel" => {
            "A public channel's name; or `@` and a display name, for the direct conversation with \
             that user (oneself too: notes); or `id:` and a channel's id, for either. \
             Percent-encoded where it has characters that need it. To anybody but its two users a \
             direct conversation does not exist."
        }
        "id" if is_message => "The message's id: 1 to 64 of `A-Z a-z 0-9 _ -`.",
        "id" if path.contains("/hooks/") || path.contains("/outgoing/") => {
            "The hook's id, as the list gives it."
        }
        "id" if path.contains("/sessions/") => "The session's id, as the list gives it.",
        "id" => "The file's id.",
        "filename" => "A name for the file. Any name leads to it.",
        "reaction" => {
            "One emoji, or up to 16 visible characters of text without spaces at the ends. \
             Percent-encoded."
        }
        _ => "",
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn header(about: &str) -> Header {
    let mut header = Header::new(text(""));
    header.description = Some(about.into());
    header
}

fn text(about: &str) -> ObjectBuilder {
    let about = Some(about).filter(|about| !about.is_empty());
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).description(about)
}

fn components(api: &mut OpenApi) -> &mut Components {
    api.components.get_or_insert_default()
}
