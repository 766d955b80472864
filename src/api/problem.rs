//! The one error type of the API.

mod kind;

use std::borrow::Cow;
use std::io::Cursor;

use parking_lot::Mutex;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use serde_json::json;

pub use self::kind::Kind;
use crate::domain::message::TextError;
use crate::engine::EngineError;

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
            // Of what is still to come of such a body nothing can be the next request.
            Kind::RequestTimeout => problem.with(Header::new("Connection", "close")),
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

    /// What the answer's headers say beside the body: `Allow`, `Retry-After`, `WWW-Authenticate`.
    #[must_use]
    pub fn headers(&self) -> &[Header<'static>] {
        &self.headers
    }

    /// The same, with this header.
    #[must_use]
    pub fn with(mut self, header: Header<'static>) -> Self {
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
        Self::new(kind).in_field(field).because(sentence(error))
    }

    /// What is answered where nothing takes the request.
    #[must_use]
    pub fn of_status(status: Status, request: &Request<'_>) -> Self {
        let kind = Kind::of_status(status);
        let unknown_method = has_unknown_method(status, request);
        if kind != Kind::NotFound && !unknown_method {
            return Self::new(kind);
        }
        let methods = allowed_methods(request);
        if methods.is_empty() {
            return Self::new(Kind::NotFound);
        }
        let allow = methods.join(", ");
        let detail = if unknown_method {
            format!("This address takes {allow}.")
        } else {
            format!("This address takes {allow}, not {}.", request.method())
        };
        let allow = Header::new("Allow", allow);
        Self::new(Kind::MethodNotAllowed).because(detail).with(allow)
    }
}

/// Whether Rocket refused this request because it does not know the method. Rocket does not say so:
/// it asks for an answer to a bad request, in whose place stands a `GET` that was given to no route.
fn has_unknown_method(status: Status, request: &Request<'_>) -> bool {
    let given = request.route().is_some();
    status == Status::BadRequest && request.method() == Method::Get && !given
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
            EngineError::NoSuchUser => Self::new(Kind::NoSuchUser),
            EngineError::NoSuchMessage => Self::new(Kind::NoSuchMessage),
            EngineError::NoSuchAttachment => Self::new(Kind::NoSuchAttachment),
            EngineError::NoSuchLink => Self::new(Kind::NoSuchLink),
            EngineError::EmptyMessage => {
                Self::new(Kind::EmptyMessage).in_field("text").because(detail)
            }
            EngineError::TooLarge(_) => Self::new(Kind::TooLarge).because(detail),
            EngineError::CutOff => Self::malformed(detail),
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
            EngineError::Unfollowed => Self::new(Kind::StorageUnavailable).because(detail),
            EngineError::StorageUnavailable => Self::new(Kind::StorageUnavailable),
        }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::invalid(Kind::InvalidText, "text", &error)
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
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        note(request, self.kind);
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

/// The kind of the problem that a request was answered with.
struct Answered(Option<Kind>);

/// Notes that the request is answered with a problem of this kind.
pub(crate) fn note(request: &Request<'_>, kind: Kind) {
    request.local_cache(|| Answered(Some(kind)));
}

/// The kind of the problem that the request was answered with, if with one.
pub(crate) fn answered(request: &Request<'_>) -> Option<Kind> {
    request.local_cache(|| Answered(None)).0
}

/// Whatever was refused below `/api`, by whomever.
#[rocket::catch(default)]
pub(super) fn catcher(status: Status, request: &Request<'_>) -> Problem {
    found(status, request)
}
