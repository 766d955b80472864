//! The description of this API in `OpenAPI` 3.1: `GET /api/openapi.json`, and what `GET /api/docs`
//! is drawn from.
//!
//! It is built here, with utoipa's builders, and not by annotations at the routes: most of what a
//! client must know (which problems a route answers with, what resuming means, what each event
//! says) is longer than the route itself, and a route is read more often than its description.
//! Nothing but a test keeps the two together, so there is one (`tests/spec/description.rs`): each
//! mounted route is described, nothing else is, and real answers fit the described schemas.
//!
//! - `operation`: the words in which a route is described, and what is true of many of them;
//! - `session`, `channels`, `messages`, `around`, `streams`: the routes;
//! - `schemas`: what is sent and answered, by name.
//!
//! Two extensions say what `OpenAPI` has no words for: `x-events` lists the events of a stream, each
//! `{"event", "has_id", "description", "data"}` with a schema in `data`; `x-codeSamples` holds a
//! command with curl. All texts are `CommonMark`.

mod around;
mod channels;
mod messages;
mod operation;
mod schemas;
mod session;
mod streams;

use std::sync::LazyLock;

use rocket::http::ContentType;
use rocket::{Route, get, routes};
use utoipa::openapi::info::{InfoBuilder, LicenseBuilder};
use utoipa::openapi::path::PathsBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, OpenApi, OpenApiBuilder};

use self::operation::{Operation, problem_answer};
use super::input::SESSION_COOKIE;
use super::problem::Kind;

pub(super) fn routes() -> Vec<Route> {
    routes![openapi]
}

/// This API, for programs.
#[get("/openapi.json")]
fn openapi() -> (ContentType, &'static str) {
    (ContentType::JSON, json())
}

/// The whole description as JSON, made when it is first asked for.
///
/// # Panics
///
/// Never: a description is plain data.
#[must_use]
pub fn json() -> &'static str {
    static JSON: LazyLock<String> =
        LazyLock::new(|| document().to_json().expect("a description is JSON"));
    &JSON
}

/// The sections, in the order in which one meets them.
const SECTIONS: [(&str, &str); 6] = [
    (
        "Sessions",
        "Coming in and going out. A display name is all it takes, and it belongs to whoever holds a live session for it.",
    ),
    ("Users", "Who else is here."),
    (
        "Channels",
        "Where messages are: public channels, and direct conversations between two users.",
    ),
    ("Messages", "The latest 100 of each channel, with their files and reactions."),
    ("Streams", "What happens, the moment it has happened, as Server-Sent Events."),
    ("About", "This description."),
];

/// What is true of every route.
const CONVENTIONS: &str = "\
Team chat on your own server. The page uses this API and nothing else: whatever it can do, a script can do.

**Who is asking.** `POST /api/session` gives a token. Send it as `Authorization: Bearer <token>`; browsers keep it as the cookie `session`, which counts where no Bearer token is sent. Everything but `POST /api/session`, `/api/openapi.json` and `/api/docs` needs one. A request that changes something and comes with the cookie is refused with 403 `not-allowed` when another site made it: `Sec-Fetch-Site: same-origin` settles that, else `Origin` is compared with the host.

**Bodies** are JSON in UTF-8 (a charset called `utf-8`, `utf8` or `us-ascii`; a leading byte order mark is dropped) unless said otherwise, and unknown fields are ignored. A body is at most 64 KiB, its files not counted. Fields may be added to what is answered.

**Times** are RFC 3339 in UTC with milliseconds, `2026-11-23T09:30:00.123Z`, and always the server's. Ids, cursors and event ids are opaque strings.

**201 and 204 mean kept**: it is on disk before the answer, and before anybody sees it.

**Refusals** are `application/problem+json` (RFC 9457), whoever refused; `type` is a path that answers with an explanation. Beside those listed at each route: an address where nothing is gives 404 `not-found`, another method than those listed gives 405 `method-not-allowed` with `Allow`. `HEAD` is answered wherever `GET` is.

**Rates.** A user may send 60 messages at once and 10 a second after that, edits and reactions included; a message with files is counted before its files are received, and a user sends at most 4 such at a time. A user may make 600 other changes at once and 50 a second after that, links, typing and searches included; how far one has read is not counted. An address may sign in 30 times at once and once in 2 seconds after that; the addresses of one IPv6 subnet (/64) count as one. Past that: 429 `slow-down`, with `Retry-After` in seconds. An operator can turn the rates off (`rate_limits`), but not the limit of 4.

**Limits.** A text has 4,000 characters (code points), a message 10 files of 25 MiB each, and all files together 1 GiB, as far as the operator has not set others. A body that comes to a halt for 30 s is given up with 408 `request-timeout`, and so is one that takes longer than a minute and a second more for each 16 KiB. Of each channel the latest 100 messages are kept; when the 101st comes, the first is gone with its files, and no event says so.

**Outside `/api`**: `GET /healthz` (200 while the process runs) and `GET /readyz` (200, or 503 once nothing can change any more until the server is started again), open to all; and `GET /metrics` (numbers in Prometheus' text format), for programs on the server's machine, and for those elsewhere that send the setting `metrics_token` as Bearer token.";

/// Every route, in the order in which they are shown.
fn operations() -> Vec<Operation> {
    [
        session::operations(),
        channels::operations(),
        messages::operations(),
        streams::operations(),
        around::operations(),
    ]
    .concat()
}

/// The whole description.
fn document() -> OpenApi {
    let license = LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build();
    let info = InfoBuilder::new()
        .title("Houston")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(CONVENTIONS))
        .license(Some(license));
    let mut paths = PathsBuilder::new().build();
    for operation in operations() {
        let (path, method) = (operation.path(), operation.method());
        paths.add_path_operation(path, vec![method], operation.build());
    }
    let tags =
        SECTIONS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    let cookie = ApiKeyValue::with_description(
        SESSION_COOKIE,
        "Set by `POST /api/session`: `HttpOnly`, `SameSite=Lax`, for a year; `Secure` over TLS.",
    );
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `token` that `POST /api/session` answers with (RFC 6750)."))
        .build();
    let components = schemas::all()
        .into_iter()
        .fold(ComponentsBuilder::new(), |all, (name, schema)| all.schema(name, schema))
        .response("NotFound", problem_answer(404, &[Kind::NotFound]))
        .response("MethodNotAllowed", problem_answer(405, &[Kind::MethodNotAllowed]))
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .tags(Some(tags))
        .components(Some(components))
        .security(Some(["bearer", "cookie"].map(|name| SecurityRequirement::new(name, [""; 0]))))
        .build()
}
