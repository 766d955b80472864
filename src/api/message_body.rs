//! The body of a message in any of the media types that it can be sent in.

use std::borrow::Cow;

use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::RawStr;
use rocket::outcome::Outcome;
use rocket::request::Request;

use super::body::{Body, unmarked};
use super::input::{media_type, unsupported};
use super::json;
use super::multipart;
use super::problem::{Problem, guard_failure};
use crate::domain::channel::ChannelRef;
use crate::domain::message::Text;
use crate::domain::user::Session;
use crate::engine::{Engine, MessageDraft};
use crate::wire::message::TextBody;

/// The media types that are understood, for the problem when another was sent.
const MEDIA_TYPES: &str = "application/json, text/plain, multipart/form-data and \
     application/x-www-form-urlencoded";

/// A guard with the body of a message, which has not been read yet.
pub(crate) struct MessageBody<'r> {
    format: BodyFormat,
    body: Body<'r>,
}

enum BodyFormat {
    Json,
    Plain,
    Urlencoded,
    Multipart { boundary: String },
}

impl BodyFormat {
    fn of(request: &Request<'_>) -> Result<Self, Problem> {
        let kind = media_type(request)?.ok_or_else(|| unsupported(MEDIA_TYPES))?;
        if kind.is_json() {
            Ok(Self::Json)
        } else if kind.is_plain() {
            Ok(Self::Plain)
        } else if kind.is_form() {
            Ok(Self::Urlencoded)
        } else if kind.is_form_data() {
            let boundary = kind.param("boundary").filter(|it| !it.is_empty());
            let lacking = || Problem::malformed("`Content-Type` says no boundary.");
            Ok(Self::Multipart { boundary: boundary.ok_or_else(lacking)?.to_owned() })
        } else {
            Err(unsupported(MEDIA_TYPES))
        }
    }
}

impl MessageBody<'_> {
    /// Reads the body. Files are stored as they come, for a message that this user is about to send
    /// to this channel.
    pub(crate) async fn read(
        self,
        engine: &Engine,
        session: &Session,
        channel: &ChannelRef,
    ) -> Result<MessageDraft, Problem> {
        let text = match self.format {
            BodyFormat::Json => json::parsed::<TextBody>(&self.body.text().await?)?.text,
            BodyFormat::Plain => self.body.text().await?,
            BodyFormat::Urlencoded => form_text(self.body.text().await?)?,
            BodyFormat::Multipart { boundary } => {
                let admission = engine.admit_upload(session, channel).map_err(Problem::from);
                let limits = engine.file_limits();
                return multipart::read(self.body, boundary, limits, admission).await;
            }
        };
        Ok(text.parse::<Text>()?.into())
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for MessageBody<'r> {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match BodyFormat::of(request) {
            Ok(format) => Outcome::Success(Self { format, body: Body::of(request, data) }),
            Err(problem) => Outcome::Error(guard_failure(request, problem)),
        }
    }
}

/// The text of a urlencoded body: its field `text`, or, where it does not begin with that, the body
/// itself, since `curl -d 'hi'` sends it under a form's type.
fn form_text(form: String) -> Result<String, Problem> {
    let Some(value) = form.strip_prefix("text=") else { return Ok(form) };
    let value = value.split_once('&').map_or(value, |(value, _)| value);
    let decoded = RawStr::new(value).url_decode().map(Cow::into_owned);
    let text = decoded.map_err(|_| Problem::malformed("`text` is not UTF-8.").in_field("text"))?;
    Ok(unmarked(text))
}
