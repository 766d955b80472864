//! Request guards and parameters: sessions, addresses, cursors, ids, forms. Each becomes a type
//! here, once.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::IpAddr;
use std::str::Utf8Error;

use rocket::Request;
use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::{ContentType, Method, RawStr};
use rocket::outcome::Outcome;
use rocket::request::{FromParam, FromRequest, Outcome as RequestOutcome};

use super::body::Body;
use super::forwarded;
use super::problem::{Problem, ProblemKind, guard_failure};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{InvalidMessageId, MessageId};
use crate::domain::reaction::{InvalidReaction, Reaction};
use crate::domain::user::Session;
use crate::engine::{Engine, Resume};

/// The name of the cookie that holds a session's token.
pub(crate) const SESSION_COOKIE: &str = "session";

/// The session that authenticated a request, and the cookie value if the session came by cookie.
pub(super) struct UsedSession {
    pub(super) session: Session,
    pub(super) cookie: Option<String>,
}

/// A guard with the caller's session, if a live one came with the request.
///
/// Fails only when another site made the request with this browser's cookie.
pub(crate) struct OptionalSession(pub(crate) Option<Session>);

impl OptionalSession {
    pub(crate) fn of(request: &Request<'_>) -> Result<Self, Problem> {
        let engine = request.rocket().state::<Engine>().expect("the engine is managed");
        let session = |token: &str, is_cookie: bool| {
            let ClientAddress(address) = ClientAddress::of(request);
            let session = engine.session(token).map(|session| Session { address, ..session })?;
            let cookie = is_cookie.then(|| token.to_owned());
            request.local_cache(|| Some(UsedSession { session: session.clone(), cookie }));
            Some(session)
        };
        // Other schemes are ignored: a proxy in front may ask for a password of its own.
        if let Some(token) = request.headers().get("Authorization").find_map(bearer_token) {
            return Ok(Self(session(token, false)));
        }
        let Some(cookie) = request.cookies().get(SESSION_COOKIE) else { return Ok(Self(None)) };
        refuse_other_sites(request)?;
        Ok(Self(session(cookie.value(), true)))
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750); `None` for another scheme. The
/// scheme's name is case-insensitive. The token may be empty, which no session has.
pub(crate) fn bearer_token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a request that changes something and that another site made, as the browser reports it
/// by `Sec-Fetch-Site` or `Origin`. A proxy may have changed the host that `Origin` is compared
/// with: `Sec-Fetch-Site` counts first.
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
    if own { Ok(()) } else { Err(Problem::new(ProblemKind::NotAllowed).with_detail(detail)) }
}

/// Tells whether an origin (RFC 6454) has the host that the request was sent to.
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
impl<'r> FromRequest<'r> for OptionalSession {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Problem> {
        match Self::of(request) {
            Ok(session) => Outcome::Success(session),
            Err(problem) => Outcome::Error(guard_failure(request, problem)),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Problem> {
        match OptionalSession::of(request) {
            Ok(OptionalSession(Some(session))) => Outcome::Success(session),
            Ok(OptionalSession(None)) => {
                Outcome::Error(guard_failure(request, Problem::new(ProblemKind::SignInRequired)))
            }
            Err(problem) => Outcome::Error(guard_failure(request, problem)),
        }
    }
}

/// The client's address, as far as it is known.
pub(super) struct ClientAddress(pub(super) Option<IpAddr>);

impl ClientAddress {
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self(forwarded::address(request))
    }
}

/// A guard with the host that the client asked for, with the port if it is not the usual one; empty
/// where it was not told.
pub(crate) struct Host<'r>(pub(crate) &'r str);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Host<'r> {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Infallible> {
        let host = forwarded::forwarded_host(request).or_else(|| forwarded::host(request));
        Outcome::Success(Self(host.unwrap_or_default()))
    }
}

/// A guard with the position at which a stream starts: the header `Last-Event-ID`, else `?after=`,
/// else now.
#[rocket::async_trait]
impl<'r> FromRequest<'r> for Resume {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Infallible> {
        Outcome::Success(resume_of(request))
    }
}

/// The position at which the request's stream starts.
pub(super) fn resume_of(request: &Request<'_>) -> Resume {
    let header = request.headers().get_one("Last-Event-ID").filter(|id| !id.is_empty());
    let query = || request.query_value::<&str>("after").and_then(Result::ok);
    match header.or_else(query) {
        None => Resume::Now,
        Some("0") => Resume::Start,
        Some(cursor) => cursor.parse().map_or(Resume::Unknown, Resume::After),
    }
}

impl<'r> FromParam<'r> for ChannelRef {
    type Error = Infallible;

    /// Reads a reference to a channel. It never fails: what can name no channel is not found later.
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

/// The decoded fields of an `application/x-www-form-urlencoded` body, as pages post it.
pub(crate) struct FormFields(Vec<(String, String)>);

impl FormFields {
    /// The value of the first field of this name; empty where there is none.
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
impl<'r> FromData<'r> for FormFields {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match Self::read(request, data).await {
            Ok(form) => Outcome::Success(form),
            Err(problem) => Outcome::Error(guard_failure(request, problem)),
        }
    }
}

/// The media type of the request's body; an error when its charset is not UTF-8.
pub(super) fn media_type(request: &Request<'_>) -> Result<Option<ContentType>, Problem> {
    let kind = request.headers().get_one("Content-Type").and_then(content_type);
    kind.as_ref().map_or(Ok(()), in_utf8)?;
    Ok(kind)
}

/// Parses the value of a `Content-Type` header. White space before a semicolon, and one at the end,
/// are allowed (RFC 9110, section 5.6.6), which Rocket does not know. No charset or boundary has a
/// semicolon in it.
pub(super) fn content_type(header: &str) -> Option<ContentType> {
    let parts = header.split(';').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(";").parse().ok()
}

/// Refuses a media type with a charset other than UTF-8.
pub(super) fn in_utf8(kind: &ContentType) -> Result<(), Problem> {
    kind.param("charset").map_or(Ok(()), utf8_label)
}

/// Refuses the name of a charset other than UTF-8.
pub(super) fn utf8_label(charset: &str) -> Result<(), Problem> {
    if is_utf8_label(charset.trim()) {
        return Ok(());
    }
    let detail = "Only UTF-8 is understood here.";
    Err(Problem::new(ProblemKind::UnsupportedMediaType).with_detail(detail))
}

/// Tells whether a charset of this name is UTF-8, of which ASCII is a subset.
pub(super) fn is_utf8_label(charset: &str) -> bool {
    ["utf-8", "utf8", "us-ascii"].iter().any(|name| charset.eq_ignore_ascii_case(name))
}

pub(super) fn unsupported(understood: &str) -> Problem {
    Problem::new(ProblemKind::UnsupportedMediaType)
        .with_detail(format!("Understood here: {understood}."))
}
