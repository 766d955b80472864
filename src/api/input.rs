//! What comes in: sessions, bodies, parameters. Each becomes a type here, once.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::str::Utf8Error;

use rocket::Request;
use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::{ContentType, Method, RawStr};
use rocket::outcome::Outcome;
use rocket::request::{FromParam, FromRequest, Outcome as RequestOutcome};
use serde_json::{Map, Value};

use super::body::Body;
use super::forwarded;
use super::problem::{Kind, Problem, leave};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{InvalidMessageId, MessageId};
use crate::domain::reaction::{InvalidReaction, Reaction};
use crate::domain::user::Session;
use crate::engine::{Engine, From};

/// The cookie that holds a session's token.
pub(crate) const SESSION_COOKIE: &str = "session";

/// The caller's session, if a live one came with the request.
///
/// Fails only when another site made the request with this browser's cookie.
pub(crate) struct Present(pub(crate) Option<Session>);

impl Present {
    pub(crate) fn of(request: &Request<'_>) -> Result<Self, Problem> {
        let engine = request.rocket().state::<Engine>().expect("the engine is managed");
        // Any other scheme is somebody else's: a proxy's that asks for a password of its own.
        if let Some(token) = request.headers().get("Authorization").find_map(bearer_token) {
            return Ok(Self(engine.session(token)));
        }
        let Some(cookie) = request.cookies().get(SESSION_COOKIE) else { return Ok(Self(None)) };
        refuse_other_sites(request)?;
        Ok(Self(engine.session(cookie.value())))
    }
}

/// The token of an `Authorization` header of this scheme (RFC 6750), whose name is
/// case-insensitive; an empty one is nobody's.
pub(crate) fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a request that changes something and that, by the browser's own word, another site
/// made. A proxy may have changed the host that `Origin` is compared with: `Sec-Fetch-Site` counts
/// first.
pub(crate) fn refuse_other_sites(request: &Request<'_>) -> Result<(), Problem> {
    if matches!(request.method(), Method::Get | Method::Head | Method::Options) {
        return Ok(());
    }
    let own = match request.headers().get_one("Sec-Fetch-Site") {
        Some("same-origin") => true,
        Some("same-site" | "cross-site") => false,
        _ => request.headers().get("Origin").all(|origin| is_own(request, origin)),
    };
    let detail = "Another web site made this request with your browser's cookie.";
    if own { Ok(()) } else { Err(Problem::new(Kind::NotAllowed).because(detail)) }
}

/// Whether this origin (RFC 6454) has the host that the request was sent to.
fn is_own(request: &Request<'_>, origin: &str) -> bool {
    let Some((scheme, origin)) = origin.split_once("://") else { return false };
    let default_port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let bare = |host: &str| {
        let host = host.to_ascii_lowercase();
        host.strip_suffix(default_port).map(str::to_owned).unwrap_or(host)
    };
    let hosts = [forwarded::forwarded_host(request), forwarded::host(request)];
    hosts.into_iter().flatten().any(|host| bare(host) == bare(origin))
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Present {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Problem> {
        match Self::of(request) {
            Ok(present) => Outcome::Success(present),
            Err(problem) => Outcome::Error(leave(request, problem)),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Problem> {
        match Present::of(request) {
            Ok(Present(Some(session))) => Outcome::Success(session),
            Ok(Present(None)) => Outcome::Error(leave(request, Problem::new(Kind::SignInRequired))),
            Err(problem) => Outcome::Error(leave(request, problem)),
        }
    }
}

/// Where the request came from, as far as that is known.
pub(crate) struct Address(pub(crate) Option<IpAddr>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Address {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Infallible> {
        Outcome::Success(Self(forwarded::address(request)))
    }
}

/// Where a stream starts: the header `Last-Event-ID`, else `?after=`, else now.
#[rocket::async_trait]
impl<'r> FromRequest<'r> for From {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Infallible> {
        let header = request.headers().get_one("Last-Event-ID").filter(|id| !id.is_empty());
        let query = || request.query_value::<&str>("after").and_then(Result::ok);
        Outcome::Success(match header.or_else(query) {
            None => Self::Now,
            Some("0") => Self::Start,
            Some(cursor) => cursor.parse().map_or(Self::Unknown, Self::After),
        })
    }
}

impl<'r> FromParam<'r> for ChannelRef {
    type Error = Infallible;

    /// Whatever it is, it names a channel or nothing: what names nothing is not found.
    fn from_param(named: &'r str) -> Result<Self, Infallible> {
        Ok(Self::from(named))
    }
}

impl<'r> FromParam<'r> for MessageId {
    type Error = InvalidMessageId;

    fn from_param(id: &'r str) -> Result<Self, InvalidMessageId> {
        id.parse()
    }
}

impl<'r> FromParam<'r> for Reaction {
    type Error = InvalidReaction;

    fn from_param(typed: &'r str) -> Result<Self, InvalidReaction> {
        typed.parse()
    }
}

/// The fields of a JSON object.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// The text of this field.
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, Problem> {
        let missing = || Problem::malformed(format!("`{field}` is missing.")).in_field(field);
        self.optional_text(field)?.ok_or_else(missing)
    }

    /// The text of this field, if it is there.
    pub(crate) fn optional_text(&self, field: &'static str) -> Result<Option<&str>, Problem> {
        match self.0.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => {
                Err(Problem::malformed(format!("`{field}` must be a string.")).in_field(field))
            }
        }
    }

    async fn read(request: &Request<'_>, data: Data<'_>) -> Result<Self, Problem> {
        let json = media_type(request)?.filter(|kind| kind.is_json());
        json.ok_or_else(|| unsupported("application/json"))?;
        Self::parse(&Body::of(request, data).text().await?)
    }

    pub(super) fn parse(body: &str) -> Result<Self, Problem> {
        match serde_json::from_str(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(Problem::malformed("The body must be a JSON object.")),
            Err(error) => Err(Problem::malformed(format!("The body is not JSON: {error}."))),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Fields {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match Self::read(request, data).await {
            Ok(fields) => Outcome::Success(fields),
            Err(problem) => Outcome::Error(leave(request, problem)),
        }
    }
}

/// The fields of a form as a page without scripts posts it.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The text of the first field of this name, empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    async fn read(request: &Request<'_>, data: Data<'_>) -> Result<Self, Problem> {
        let form = media_type(request)?.filter(|kind| kind.is_form());
        form.ok_or_else(|| unsupported("application/x-www-form-urlencoded"))?;
        let body = Body::of(request, data).text().await?;
        let decoded = |text: &str| RawStr::new(text).url_decode().map(Cow::into_owned);
        let field = |field: &str| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            Ok((decoded(name)?, decoded(value)?))
        };
        let fields: Result<_, Utf8Error> = body.split('&').map(field).collect();
        fields.map(Self).map_err(|_| Problem::malformed("A field of the form is not UTF-8."))
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Form {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match Self::read(request, data).await {
            Ok(form) => Outcome::Success(form),
            Err(problem) => Outcome::Error(leave(request, problem)),
        }
    }
}

/// The type of the request's body; an error when it is in another encoding than UTF-8.
pub(super) fn media_type<'r>(request: &'r Request<'_>) -> Result<Option<&'r ContentType>, Problem> {
    let Some(kind) = request.content_type() else { return Ok(None) };
    // A text in ASCII is one in UTF-8, too.
    let utf8 = |charset: &str| {
        ["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name))
    };
    match kind.param("charset") {
        Some(charset) if !utf8(charset) => {
            let detail = "Only UTF-8 is understood here.";
            Err(Problem::new(Kind::UnsupportedMediaType).because(detail))
        }
        _ => Ok(Some(kind)),
    }
}

pub(super) fn unsupported(understood: &str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType).because(format!("Understood here: {understood}."))
}
