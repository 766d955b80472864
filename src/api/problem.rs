//! The API's one error type, and the catcher that answers with it.

mod kind;

use std::borrow::Cow;
use std::io::Cursor;

use parking_lot::Mutex;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};

pub use self::kind::ProblemKind;
use super::request_id::RequestId;
use crate::domain::message::TextError;
use crate::engine::EngineError;
use crate::wire::problem as wire;
use crate::wire::problem::sentence;

/// A refusal, answered as `application/problem+json` (RFC 9457).
#[derive(Clone, Debug)]
pub struct Problem {
    /// The kind of the problem, which decides status and title.
    pub kind: ProblemKind,
    /// An explanation of this one refusal, in plain English.
    pub detail: Cow<'static, str>,
    /// The input field at fault, where there is one.
    pub field: Option<Cow<'static, str>>,
    headers: Vec<Header<'static>>,
}

impl Problem {
    /// Creates a problem of this kind, with the kind's explanation as its detail.
    #[must_use]
    pub fn new(kind: ProblemKind) -> Self {
        let detail = kind.explanation().into();
        let problem = Self { kind, detail, field: None, headers: Vec::new() };
        match kind {
            ProblemKind::SignInRequired => {
                problem.with_header(Header::new("WWW-Authenticate", "Bearer"))
            }
            ProblemKind::StorageUnavailable | ProblemKind::TooBusy => {
                problem.with_header(Header::new("Retry-After", "2"))
            }
            ProblemKind::RequestTimeout => problem.closing(),
            _ => problem,
        }
    }

    /// Replaces the detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names the input field at fault.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The headers of the answer beside the body's: `Allow`, `Connection`, `Retry-After`,
    /// `WWW-Authenticate`.
    #[must_use]
    pub fn headers(&self) -> &[Header<'static>] {
        &self.headers
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, header: Header<'static>) -> Self {
        self.headers.push(header);
        self
    }

    /// Closes the connection with the answer, for a request whose body may not end where its head
    /// says: the rest must not be read as the next request.
    #[must_use]
    pub(super) fn closing(self) -> Self {
        if self.headers.iter().any(|header| header.name() == "Connection") {
            return self;
        }
        self.with_header(Header::new("Connection", "close"))
    }

    /// The problem as JSON (RFC 9457).
    pub(super) fn json(&self) -> serde_json::Result<Vec<u8>> {
        let (status, slug, title, _) = self.kind.entry();
        serde_json::to_vec(&wire::Problem {
            kind: format!("/problems/{slug}"),
            title,
            status: status.code,
            detail: &self.detail,
            field: self.field.as_deref(),
        })
    }

    /// Creates a `malformed-request` with this detail.
    #[must_use]
    pub fn malformed(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProblemKind::MalformedRequest).with_detail(detail)
    }

    /// Creates a problem for a field whose text breaks a rule; the error is its detail.
    #[must_use]
    pub fn invalid(kind: ProblemKind, field: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(kind).in_field(field).with_detail(sentence(&error))
    }

    /// Creates the problem for a request that no route took, or that Rocket refused with this
    /// status.
    #[must_use]
    pub fn from_status(status: Status, request: &Request<'_>) -> Self {
        let kind = ProblemKind::from_status(status);
        let unknown_method = is_unknown_method(status, request);
        if kind != ProblemKind::NotFound && !unknown_method {
            return Self::new(kind);
        }
        let methods = allowed_methods(request);
        if methods.is_empty() {
            return Self::new(ProblemKind::NotFound);
        }
        let allow = methods.join(", ");
        let detail = if unknown_method {
            format!("This address takes {allow}.")
        } else {
            format!("This address takes {allow}, not {}.", request.method())
        };
        let allow = Header::new("Allow", allow);
        Self::new(ProblemKind::MethodNotAllowed).with_detail(detail).with_header(allow)
    }
}

/// Tells whether Rocket refused this request because it does not know the method. Rocket does not
/// say so: it asks for an answer to a bad request, in whose place stands a `GET` that was given to
/// no route.
fn is_unknown_method(status: Status, request: &Request<'_>) -> bool {
    let given = request.route().is_some();
    status == Status::BadRequest && request.method() == Method::Get && !given
}

/// The methods that the request's address takes, by the mounted routes.
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
            EngineError::SignInRequired => Self::new(ProblemKind::SignInRequired),
            EngineError::NotYours => Self::new(ProblemKind::NotYours).with_detail(detail),
            EngineError::NotAllowed(_) => Self::new(ProblemKind::NotAllowed).with_detail(detail),
            EngineError::NoSuchChannel => Self::new(ProblemKind::NoSuchChannel),
            EngineError::NoSuchUser => Self::new(ProblemKind::NoSuchUser),
            EngineError::NoSuchMessage => Self::new(ProblemKind::NoSuchMessage),
            EngineError::NoSuchAttachment => Self::new(ProblemKind::NoSuchAttachment),
            EngineError::NoSuchSession => Self::new(ProblemKind::NoSuchSession),
            EngineError::NoSuchHook => Self::new(ProblemKind::NoSuchHook),
            EngineError::BadAddress(_) => {
                Self::new(ProblemKind::InvalidText).in_field("url").with_detail(detail)
            }
            EngineError::BadWords => {
                Self::new(ProblemKind::InvalidText).in_field("words").with_detail(detail)
            }
            EngineError::NoSuchLink => Self::new(ProblemKind::NoSuchLink),
            EngineError::EmptyMessage => {
                Self::new(ProblemKind::EmptyMessage).in_field("text").with_detail(detail)
            }
            EngineError::TooLarge(_) => Self::new(ProblemKind::TooLarge).with_detail(detail),
            EngineError::CutOff => Self::malformed(detail),
            EngineError::DisplayNameTaken | EngineError::LooksLikeTakenName => {
                Self::new(ProblemKind::DisplayNameTaken)
                    .in_field("display_name")
                    .with_detail(detail)
            }
            EngineError::ChannelExists => {
                Self::new(ProblemKind::ChannelExists).in_field("name").with_detail(detail)
            }
            EngineError::AlreadySignedIn => {
                Self::new(ProblemKind::AlreadySignedIn).with_detail(detail)
            }
            EngineError::SlowDown { retry_after } => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                let header = Header::new("Retry-After", seconds.max(1).to_string());
                Self::new(ProblemKind::SlowDown).with_detail(detail).with_header(header)
            }
            EngineError::LimitReached(_) => {
                Self::new(ProblemKind::LimitReached).with_detail(detail)
            }
            EngineError::TooBusy | EngineError::Stopping => {
                Self::new(ProblemKind::TooBusy).with_detail(detail)
            }
            EngineError::Defect => Self::new(ProblemKind::InternalError),
            EngineError::FollowerStopped | EngineError::OutcomeUnknown => {
                Self::new(ProblemKind::StorageUnavailable).with_detail(detail)
            }
            EngineError::StorageUnavailable => Self::new(ProblemKind::StorageUnavailable),
        }
    }
}

impl From<TextError> for Problem {
    fn from(error: TextError) -> Self {
        Self::invalid(ProblemKind::InvalidText, "text", &error)
    }
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        record_answer(request, self.kind);
        let body = self.json().map_err(|_| Status::InternalServerError)?;
        let mut response = Response::build();
        response
            .status(self.kind.status())
            // By fairings, too: but none sees the answer to a request that cannot be parsed.
            .header(RequestId::of(request).header())
            .header(ContentType::new("application", "problem+json"))
            .sized_body(body.len(), Cursor::new(body));
        for header in self.headers {
            response.header(header);
        }
        response.ok()
    }
}

/// The problem of a failed guard, kept for the catcher: Rocket drops a failed guard's error before
/// the catcher runs.
#[derive(Default)]
struct GuardProblem(Mutex<Option<Problem>>);

/// Keeps a guard's problem for the catcher, and returns the status to fail with.
pub(crate) fn guard_failure(request: &Request<'_>, problem: Problem) -> (Status, Problem) {
    let kept = request.local_cache(GuardProblem::default);
    *kept.0.lock() = Some(problem.clone());
    (problem.kind.status(), problem)
}

/// The problem that a guard has kept, or else the one that the status stands for.
pub(crate) fn caught(status: Status, request: &Request<'_>) -> Problem {
    let kept = request.local_cache(GuardProblem::default).0.lock().take();
    kept.unwrap_or_else(|| Problem::from_status(status, request))
}

/// The kind of the problem that a request was answered with.
struct AnsweredKind(Option<ProblemKind>);

/// Records, for the metrics, that the request is answered with a problem of this kind.
pub(crate) fn record_answer(request: &Request<'_>, kind: ProblemKind) {
    request.local_cache(|| AnsweredKind(Some(kind)));
}

/// The kind of problem that the request was answered with, if any.
pub(crate) fn recorded_answer(request: &Request<'_>) -> Option<ProblemKind> {
    request.local_cache(|| AnsweredKind(None)).0
}

/// Answers every failure below `/api` with a problem.
#[rocket::catch(default)]
pub(super) fn catcher(status: Status, request: &Request<'_>) -> Problem {
    caught(status, request)
}
