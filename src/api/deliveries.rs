//! The route to which programs post, as they would to Slack or Mattermost: `POST /hooks/<secret>`.
//!
//! It is outside of the API: whoever knows the secret may post, and answers are Slack's words.

use std::borrow::Cow;
use std::net::IpAddr;

use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::fairing::AdHoc;
use rocket::http::uri::Origin;
use rocket::http::{ContentType, Header, RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, post, routes};

use super::body::{Body, unmarked};
use super::input::ClientAddress;
use super::problem::{Problem, ProblemKind};
use crate::engine::{Engine, EngineError};
use crate::wire::problem::sentence;
use crate::wire::slack::{HookPost, PayloadError};

/// The routes of deliveries.
pub(super) fn routes() -> Vec<Route> {
    routes![deliver]
}

/// The path to which programs post that know hooks of Matrix bridges in Slack's format, as Apprise does.
const MATRIX_PATH: &str = "/api/v1/matrix/hook/";

/// A fairing that takes what is posted to [`MATRIX_PATH`] for a delivery to `/hooks/`.
pub(super) fn matrix_path() -> AdHoc {
    AdHoc::on_request("Hooks at the path of Matrix bridges", |request, _| {
        Box::pin(async move {
            let path = request.uri().path();
            let secret = path.as_str().strip_prefix(MATRIX_PATH);
            let uri = secret.and_then(|it| Origin::parse_owned(format!("/hooks/{it}")).ok());
            if let Some(uri) = uri {
                request.set_uri(uri);
            }
        })
    })
}

/// A guard with a delivery, whose body has not been read yet. It never fails.
struct Delivery<'r> {
    kind: &'r str,
    address: Option<IpAddr>,
    body: Body<'r>,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Delivery<'r> {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        let kind = request.headers().get_one("Content-Type").unwrap_or_default();
        let ClientAddress(address) = ClientAddress::of(request);
        Outcome::Success(Self { kind, address, body: Body::of(request, data) })
    }
}

/// The answer to a delivery: a status and a word.
struct Answer {
    status: Status,
    word: &'static str,
    retry_after: Option<u64>,
    /// What was wrong, in plain English, for the hook's list of deliveries.
    problem: Option<Cow<'static, str>>,
}

impl Answer {
    const OK: Self = Self { status: Status::Ok, word: "ok", retry_after: None, problem: None };

    fn refused(status: Status, word: &'static str, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { status, word, retry_after: None, problem: Some(problem.into()) }
    }
}

impl From<EngineError> for Answer {
    fn from(error: EngineError) -> Self {
        let problem = sentence(&error);
        match error {
            EngineError::NoSuchHook => Self::refused(Status::NotFound, "no_service", problem),
            EngineError::EmptyMessage => {
                let problem = "There is nothing to show: send `text`, `attachments` or `blocks`.";
                Self::refused(Status::BadRequest, "no_text", problem)
            }
            EngineError::TooLarge(_) => {
                Self::refused(Status::PayloadTooLarge, "too_large", problem)
            }
            EngineError::SlowDown { retry_after } => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                let refused = Self::refused(Status::TooManyRequests, "rate_limited", problem);
                Self { retry_after: Some(seconds.max(1)), ..refused }
            }
            EngineError::TooBusy
            | EngineError::StorageUnavailable
            | EngineError::OutcomeUnknown
            | EngineError::FollowerStopped => {
                let refused = Self::refused(Status::ServiceUnavailable, "unavailable", problem);
                Self { retry_after: Some(2), ..refused }
            }
            _ => Self::refused(Status::InternalServerError, "internal_error", problem),
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let word = match problem.kind {
            ProblemKind::TooLarge => "too_large",
            ProblemKind::RequestTimeout => "timeout",
            _ => "invalid_payload",
        };
        Self::refused(problem.kind.status(), word, problem.detail)
    }
}

impl From<PayloadError> for Answer {
    fn from(error: PayloadError) -> Self {
        let (word, problem) = match error {
            PayloadError::Invalid => (
                "invalid_payload",
                "It is no JSON object, `payload=` with one, or text; or a member is of another type.",
            ),
            PayloadError::TooManyAttachments => {
                ("too_many_attachments", "It has more than 100 attachments.")
            }
            PayloadError::TooManyBlocks => ("invalid_blocks", "It has more than 100 blocks."),
        };
        Self::refused(Status::BadRequest, word, problem)
    }
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut answer = Response::build();
        answer
            .status(self.status)
            .header(ContentType::Plain)
            .header(Header::new("Cache-Control", "no-store"))
            .sized_body(self.word.len(), std::io::Cursor::new(self.word));
        if let Some(seconds) = self.retry_after {
            answer.header(Header::new("Retry-After", seconds.to_string()));
        }
        answer.ok()
    }
}

/// Posts what a program sends to a hook.
#[post("/hooks/<secret>", data = "<delivery>")]
async fn deliver(secret: &str, delivery: Delivery<'_>, engine: &State<Engine>) -> Answer {
    let hook = match engine.incoming_hook(secret, delivery.address) {
        Ok(hook) => hook,
        Err(error) => return error.into(),
    };
    let (bytes, answer) = match delivery.body.bytes().await {
        Ok(body) => {
            let length = body.len() as u64;
            match post_of(delivery.kind, body) {
                Ok(post) => {
                    let posted = engine.post_by_hook(&hook, post).await;
                    (length, posted.map_or_else(Answer::from, |()| Answer::OK))
                }
                Err(error) => (length, error.into()),
            }
        }
        Err(problem) => (0, problem.into()),
    };
    engine.note_delivery(&hook, answer.status.code, answer.problem.as_deref(), bytes);
    answer
}

/// Reads a body by its media type, or where that says little by what it begins with.
fn post_of(kind: &str, body: Vec<u8>) -> Result<HookPost, PayloadError> {
    let mut kind = kind.split(';').map(str::trim);
    let media_type = kind.next().unwrap_or_default().to_ascii_lowercase();
    let text = decoded(body, kind)?;
    let begun = text.trim_start();
    let is_form = media_type == "application/x-www-form-urlencoded";
    let is_json = media_type.ends_with("/json") || media_type.ends_with("+json");
    if is_json || begun.starts_with('{') && (is_form || HookPost::parse(&text).is_ok()) {
        HookPost::parse(&text)
    } else if is_form || begun.starts_with("payload=") {
        HookPost::parse(&form_payload(&text).ok_or(PayloadError::Invalid)?)
    } else if matches!(media_type.as_str(), "" | "text/plain") {
        Ok(HookPost::of_text(&text))
    } else {
        Err(PayloadError::Invalid)
    }
}

/// The field `payload` of a form.
fn form_payload(form: &str) -> Option<String> {
    let mut fields = form.trim().split('&');
    let payload = fields.find_map(|field| field.strip_prefix("payload="))?;
    RawStr::new(payload).url_decode().ok().map(Cow::into_owned)
}

/// The body as text. JSON is UTF-8 whatever its label says; another charset is taken at its word only
/// where it cannot be that.
fn decoded<'k>(
    body: Vec<u8>,
    mut parameters: impl Iterator<Item = &'k str>,
) -> Result<String, PayloadError> {
    let body = match String::from_utf8(body) {
        Ok(text) => return Ok(unmarked(text)),
        Err(error) => error.into_bytes(),
    };
    let charset = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    match charset.as_deref() {
        Some("iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252") => {
            Ok(body.into_iter().map(char::from).collect())
        }
        _ => Err(PayloadError::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: &str, body: &[u8], text: Option<&str>) {
        let post = post_of(kind, body.to_vec()).ok();
        let expected = text.map(HookPost::of_text);
        assert_eq!(post, expected, "{kind}: {}", String::from_utf8_lossy(body));
    }

    #[test]
    fn bodies_are_read_in_every_form() {
        const FORM: &str = "application/x-www-form-urlencoded";
        for (kind, body, text) in [
            ("application/json", r#"{"text": "é"}"#, Some("é")),
            ("application/json; charset=utf-8", r#"{"text": "é"}"#, Some("é")),
            ("application/json;charset=ISO-8859-1", r#"{"text": "é"}"#, Some("é")),
            ("Application/JSON; charset=\"UTF-16\"", r#"{"text": "é"}"#, Some("é")),
            ("text/json", r#"{"text": "é"}"#, Some("é")),
            ("application/vnd.x+json", r#"{"text": "é"}"#, Some("é")),
            ("application/json", "\u{FEFF}{\"text\": \"é\"}", Some("é")),
            ("application/json", "é", None),
            (FORM, "payload=%7B%22text%22%3A+%22%C3%A9+%26%22%7D", Some("é &")),
            (FORM, "payload={\"text\": \"hi there\"}", Some("hi there")),
            (FORM, "channel=x&payload=%7B%22text%22%3A%22a%22%7D&b=c", Some("a")),
            (FORM, r#"{"text": "a & payload=b"}"#, Some("a & payload=b")),
            (FORM, " \n{\"text\": \"a\"}", Some("a")),
            (FORM, "hello", None),
            (FORM, "payload=%FF", None),
            (FORM, "", None),
            ("text/plain", "*hi*", Some("*hi*")),
            ("text/plain; charset=utf-8", "hi", Some("hi")),
            ("text/plain", r#"{"text": "a"}"#, Some("a")),
            ("text/plain", "{not json}", Some("{not json}")),
            ("text/plain", "payload=%7B%22text%22%3A%22a%22%7D", Some("a")),
            ("", "hi", Some("hi")),
            ("", r#"{"text": "a"}"#, Some("a")),
            ("application/octet-stream", r#"{"text": "a"}"#, Some("a")),
            ("application/xml", "<text>a</text>", None),
        ] {
            check(kind, body.as_bytes(), text);
        }
        check("application/json; charset=iso-8859-1", b"{\"text\": \"\xE9\"}", Some("é"));
        check("text/plain; charset=latin1", b"\xE9", Some("é"));
        check("text/plain", b"\xE9", None);
        check("text/plain; charset=utf-8", b"\xE9", None);
    }
}
