//! The one error type of the API, and the one table of what each problem is called.

use std::borrow::Cow;
use std::io::Cursor;

use parking_lot::Mutex;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use serde_json::json;

use crate::domain::message::TextError;
use crate::engine::EngineError;

/// What can go wrong, by its name in the API: the last part of a problem's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    MalformedRequest,
    /// No live session came with the request.
    SignInRequired,
    /// It belongs to somebody else.
    NotYours,
    /// Not allowed, to this user or at all.
    NotAllowed,
    /// No such channel.
    NoSuchChannel,
    /// No such message.
    NoSuchMessage,
    /// Nothing is at this address.
    NotFound,
    /// Something is at this address, but it does not do that.
    MethodNotAllowed,
    /// Somebody holds an equal name.
    DisplayNameTaken,
    /// There is a channel of that name.
    ChannelExists,
    /// Signed in under another name.
    AlreadySignedIn,
    /// More than fits.
    TooLarge,
    /// The body is of a kind that is not understood here.
    UnsupportedMediaType,
    /// No display name.
    InvalidDisplayName,
    /// No channel name.
    InvalidChannelName,
    /// No text that can be kept.
    InvalidText,
    /// Nothing was said.
    EmptyMessage,
    /// No message id.
    InvalidMessageId,
    /// No topic.
    InvalidTopic,
    /// Too fast.
    SlowDown,
    /// A defect of the server.
    InternalError,
    /// Nothing can be stored.
    StorageUnavailable,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::MalformedRequest,
        Self::SignInRequired,
        Self::NotYours,
        Self::NotAllowed,
        Self::NoSuchChannel,
        Self::NoSuchMessage,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::DisplayNameTaken,
        Self::ChannelExists,
        Self::AlreadySignedIn,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidDisplayName,
        Self::InvalidChannelName,
        Self::InvalidText,
        Self::EmptyMessage,
        Self::InvalidMessageId,
        Self::InvalidTopic,
        Self::SlowDown,
        Self::InternalError,
        Self::StorageUnavailable,
    ];

    /// The table: status, slug, title, and what to know about it.
    fn entry(self) -> (Status, &'static str, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => (
                Status::BadRequest,
                "malformed-request",
                "Malformed request",
                "The request could not be read: broken JSON, bytes that are not UTF-8, or a field \
                 that is missing or of another type. `field` names the one at fault.",
            ),
            Self::SignInRequired => (
                Status::Unauthorized,
                "sign-in-required",
                "Sign in first",
                "The request came without a live session. POST a display name to /api/session, \
                 and send the token as `Authorization: Bearer` or keep the cookie.",
            ),
            Self::NotYours => (
                Status::Forbidden,
                "not-yours",
                "Not yours",
                "What the request wants to change belongs to somebody else.",
            ),
            Self::NotAllowed => (
                Status::Forbidden,
                "not-allowed",
                "Not allowed",
                "Nobody may do that, or not this user, or the request was made by another web \
                 site with this browser's cookie.",
            ),
            Self::NoSuchChannel => (
                Status::NotFound,
                "no-such-channel",
                "No such channel",
                "There is no channel of that name or id, or none that this user can see.",
            ),
            Self::NoSuchMessage => (
                Status::NotFound,
                "no-such-message",
                "No such message",
                "The channel keeps no message of that id. Of each channel the last 100 are kept.",
            ),
            Self::NotFound => (
                Status::NotFound,
                "not-found",
                "Not found",
                "Nothing is at this address.",
            ),
            Self::MethodNotAllowed => (
                Status::MethodNotAllowed,
                "method-not-allowed",
                "Method not allowed",
                "Something is at this address, but it does not take this method. `Allow` lists \
                 those that it takes.",
            ),
            Self::DisplayNameTaken => (
                Status::Conflict,
                "display-name-taken",
                "Display name taken",
                "Somebody holds this name, or one that compares equal to it (RFC 8266).",
            ),
            Self::ChannelExists => (
                Status::Conflict,
                "channel-exists",
                "Channel exists",
                "There is a channel of this name already. Names are compared in lower case.",
            ),
            Self::AlreadySignedIn => (
                Status::Conflict,
                "already-signed-in",
                "Already signed in",
                "This session belongs to a user of another name. Rename it with PATCH, or DELETE \
                 it first.",
            ),
            Self::TooLarge => (
                Status::PayloadTooLarge,
                "too-large",
                "Too large",
                "The body is larger than 64 KiB.",
            ),
            Self::UnsupportedMediaType => (
                Status::UnsupportedMediaType,
                "unsupported-media-type",
                "Unsupported media type",
                "The body's Content-Type is missing or not one that is understood here.",
            ),
            Self::InvalidDisplayName => (
                Status::UnprocessableEntity,
                "invalid-display-name",
                "Invalid display name",
                "A display name has 1 to 32 characters, no control or invisible ones, no `/`, and \
                 does not start with `@` or `#` (RFC 8266, Nickname profile).",
            ),
            Self::InvalidChannelName => (
                Status::UnprocessableEntity,
                "invalid-channel-name",
                "Invalid channel name",
                "A channel name has 1 to 64 letters, digits and marks of any script, `-`, `_` and \
                 `.` (RFC 8265, UsernameCaseMapped profile).",
            ),
            Self::InvalidText => (
                Status::UnprocessableEntity,
                "invalid-text",
                "Invalid text",
                "A message has at most 4,000 characters, none of them NUL.",
            ),
            Self::EmptyMessage => (
                Status::UnprocessableEntity,
                "empty-message",
                "Empty message",
                "A message needs some text: white space alone is not enough.",
            ),
            Self::InvalidMessageId => (
                Status::UnprocessableEntity,
                "invalid-message-id",
                "Invalid message id",
                "A message id has 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`.",
            ),
            Self::InvalidTopic => (
                Status::UnprocessableEntity,
                "invalid-topic",
                "Invalid topic",
                "A topic is one line of at most 250 characters.",
            ),
            Self::SlowDown => (
                Status::TooManyRequests,
                "slow-down",
                "Slow down",
                "Too many in too short a time. A user may send 60 messages at once and 10 a \
                 second after that; an address may sign in 30 times at once and once in 2 seconds \
                 after that. `Retry-After` says how many seconds to wait.",
            ),
            Self::InternalError => (
                Status::InternalServerError,
                "internal-error",
                "Internal error",
                "Something went wrong on this side. The server's log says what.",
            ),
            Self::StorageUnavailable => (
                Status::ServiceUnavailable,
                "storage-unavailable",
                "Storage unavailable",
                "Nothing can be stored at the moment, and nothing was. Try again after the \
                 seconds of `Retry-After`.",
            ),
        }
    }

    /// The status that this kind answers with.
    #[must_use]
    pub fn status(self) -> Status {
        self.entry().0
    }

    /// Its name in the API: the last part of `type`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.entry().1
    }

    /// What it is called, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// What to know about it.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.entry().3
    }

    fn of_status(status: Status) -> Self {
        match status.code {
            401 => Self::SignInRequired,
            403 => Self::NotAllowed,
            404 | 422 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMediaType,
            400..500 => Self::MalformedRequest,
            503 => Self::StorageUnavailable,
            _ => Self::InternalError,
        }
    }
}

/// A refusal, answered as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug)]
pub struct Problem {
    /// What went wrong.
    pub kind: Kind,
    /// What went wrong this time, in plain English.
    pub detail: Cow<'static, str>,
    /// The input field at fault.
    pub field: Option<&'static str>,
    headers: Vec<Header<'static>>,
}

impl Problem {
    /// A problem of this kind, in the kind's own words.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let detail = kind.explanation().into();
        let problem = Self { kind, detail, field: None, headers: Vec::new() };
        match kind {
            Kind::SignInRequired => problem.with(Header::new("WWW-Authenticate", "Bearer")),
            Kind::StorageUnavailable => problem.with(Header::new("Retry-After", "2")),
            _ => problem,
        }
    }

    /// The same, in these words.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same, blaming this input field.
    #[must_use]
    pub fn in_field(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    fn with(mut self, header: Header<'static>) -> Self {
        self.headers.push(header);
        self
    }

    /// The request cannot be read, because of this.
    #[must_use]
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::MalformedRequest).because(detail)
    }

    /// The text of a field has not the form of what it should be.
    #[must_use]
    pub fn invalid(kind: Kind, field: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(kind).in_field(field).because(error.to_string())
    }

    /// What is answered where nothing takes the request.
    #[must_use]
    pub fn of_status(status: Status, request: &Request<'_>) -> Self {
        let kind = Kind::of_status(status);
        let methods = allowed_methods(request);
        if kind != Kind::NotFound || methods.is_empty() {
            return Self::new(kind);
        }
        let allow = methods.join(", ");
        let detail = format!("This address takes {allow}, not {}.", request.method());
        let allow = Header::new("Allow", allow);
        Self::new(Kind::MethodNotAllowed).because(detail).with(allow)
    }
}

/// The methods that the request's address would take, by the mounted routes.
fn allowed_methods(request: &Request<'_>) -> Vec<&'static str> {
    let path: Vec<_> = request.uri().path().segments().collect();
    let takes = |route: &&rocket::Route| {
        let pattern: Vec<_> = route.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let catch_all = pattern.last().is_some_and(|last| last.ends_with("..>"));
        let same = |(pattern, part): (&&str, &&str)| pattern.starts_with('<') || pattern == part;
        !catch_all && pattern.len() == path.len() && pattern.iter().zip(&path).all(same)
    };
    let mut methods = Vec::new();
    for route in request.rocket().routes().filter(takes) {
        if route.method == Method::Get {
            methods.push(Method::Head.as_str());
        }
        methods.push(route.method.as_str());
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let detail = sentence(&error);
        match error {
            EngineError::SignInRequired => Self::new(Kind::SignInRequired),
            EngineError::NotYours => Self::new(Kind::NotYours).because(detail),
            EngineError::NotAllowed(_) => Self::new(Kind::NotAllowed).because(detail),
            EngineError::NoSuchChannel => Self::new(Kind::NoSuchChannel),
            EngineError::NoSuchMessage => Self::new(Kind::NoSuchMessage),
            EngineError::DisplayNameTaken => {
                Self::new(Kind::DisplayNameTaken).in_field("display_name").because(detail)
            }
            EngineError::ChannelExists => {
                Self::new(Kind::ChannelExists).in_field("name").because(detail)
            }
            EngineError::AlreadySignedIn => Self::new(Kind::AlreadySignedIn).because(detail),
            EngineError::SlowDown { retry_after } => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                let header = Header::new("Retry-After", seconds.max(1).to_string());
                Self::new(Kind::SlowDown).because(detail).with(header)
            }
            EngineError::StorageUnavailable => Self::new(Kind::StorageUnavailable),
        }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        let kind = match error {
            TextError::Empty => Kind::EmptyMessage,
            TextError::TooLong { .. } | TextError::Nul => Kind::InvalidText,
        };
        Self::new(kind).in_field("text").because(sentence(&error))
    }
}

/// An error's words as a sentence: errors are written without a capital and full stop.
pub(crate) fn sentence(error: &dyn std::error::Error) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let (status, slug, title, _) = self.kind.entry();
        let mut body = json!({
            "type": format!("/problems/{slug}"),
            "title": title,
            "status": status.code,
            "detail": self.detail,
        });
        if let Some(field) = self.field {
            body["field"] = field.into();
        }
        let body = body.to_string();
        let mut response = Response::build();
        response
            .status(status)
            .header(ContentType::new("application", "problem+json"))
            .sized_body(body.len(), Cursor::new(body));
        for header in self.headers {
            response.header(header);
        }
        response.ok()
    }
}

/// Where a guard leaves its problem: Rocket drops a failed guard's error before the catcher runs.
#[derive(Default)]
struct Left(Mutex<Option<Problem>>);

/// Leaves a guard's problem for the catcher, and gives the status to fail with.
pub(crate) fn leave(request: &Request<'_>, problem: Problem) -> (Status, Problem) {
    let left = request.local_cache(Left::default);
    *left.0.lock() = Some(problem.clone());
    (problem.kind.status(), problem)
}

/// The problem that a guard left, or else what the status says.
pub(crate) fn found(status: Status, request: &Request<'_>) -> Problem {
    let left = request.local_cache(Left::default).0.lock().take();
    left.unwrap_or_else(|| Problem::of_status(status, request))
}

/// Whatever was refused below `/api`, by whomever.
#[rocket::catch(default)]
pub(super) fn catcher(status: Status, request: &Request<'_>) -> Problem {
    found(status, request)
}
