//! What somebody says, in any of the forms in which a message can be sent.

use std::borrow::Cow;

use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::RawStr;
use rocket::outcome::Outcome;
use rocket::request::Request;

use super::body::Body;
use super::input::{Fields, media_type, unsupported};
use super::multipart;
use super::problem::{Problem, leave};
use crate::domain::channel::ChannelRef;
use crate::domain::message::Text;
use crate::domain::user::Session;
use crate::engine::{Engine, Said};

/// All forms, for those who sent another.
const UNDERSTOOD: &str = "application/json, text/plain, multipart/form-data and \
     application/x-www-form-urlencoded";

/// The body of a message, not read yet.
pub(crate) struct Unread<'r> {
    form: Form,
    body: Body<'r>,
}

enum Form {
    Json,
    Plain,
    Urlencoded,
    Multipart { boundary: String },
}

impl Form {
    fn of(request: &Request<'_>) -> Result<Self, Problem> {
        let kind = media_type(request)?.ok_or_else(|| unsupported(UNDERSTOOD))?;
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
            Err(unsupported(UNDERSTOOD))
        }
    }
}

impl Unread<'_> {
    /// Reads it. Files are stored as they come, for a message that this user is about to send to
    /// this channel.
    pub(crate) async fn read(
        self,
        engine: &Engine,
        session: &Session,
        channel: &ChannelRef,
    ) -> Result<Said, Problem> {
        let text = match self.form {
            Form::Json => Fields::parse(&self.body.text().await?)?.text("text")?.to_owned(),
            Form::Plain => self.body.text().await?,
            Form::Urlencoded => form_text(self.body.text().await?)?,
            Form::Multipart { boundary } => {
                let admission = engine.admit_upload(session, channel).map_err(Problem::from);
                let limits = engine.file_limits();
                return multipart::read(self.body, boundary, limits, admission).await;
            }
        };
        Ok(text.parse::<Text>()?.into())
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Unread<'r> {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        match Form::of(request) {
            Ok(form) => Outcome::Success(Self { form, body: Body::of(request, data) }),
            Err(problem) => Outcome::Error(leave(request, problem)),
        }
    }
}

/// The text in a form, or the form as the text: `curl -d 'hi'` sends it under a form's type.
fn form_text(form: String) -> Result<String, Problem> {
    let Some(value) = form.strip_prefix("text=") else { return Ok(form) };
    let value = value.split_once('&').map_or(value, |(value, _)| value);
    let decoded = RawStr::new(value).url_decode().map(Cow::into_owned);
    decoded.map_err(|_| Problem::malformed("`text` is not UTF-8.").in_field("text"))
}
