//! The body of a request that is a file, as `curl -T` sends it: its bytes and nothing else.

use std::io;

use futures::StreamExt;
use rocket::data::{Data, FromData, Outcome as DataOutcome};
use rocket::http::ContentType;
use rocket::outcome::Outcome;
use rocket::request::Request;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::body::Body;
use super::problem::{Problem, ProblemKind};
use crate::domain::attachment::FileName;
use crate::domain::channel::ChannelRef;
use crate::domain::message::Text;
use crate::domain::user::Session;
use crate::engine::{Engine, MessageDraft};

/// The number of bytes of a body that are read at once.
const CHUNK_BYTES: usize = 32 * 1024;
/// The name of a file that was sent without one; an extension by its bytes follows.
const NAMELESS: &str = "file";

/// A guard with a body that is a file, which has not been read yet. Whatever `Content-Type` says,
/// the file's bytes tell what it is, as with every upload.
pub(crate) struct FileBody<'r>(Body<'r>);

impl FileBody<'_> {
    /// Stores the file as it comes, for a message that this user is about to send to this channel.
    pub(crate) async fn read(
        self,
        engine: &Engine,
        session: &Session,
        channel: &ChannelRef,
        name: Option<&str>,
    ) -> Result<MessageDraft, Problem> {
        let Self(body) = self;
        let max_bytes = engine.file_limits().max_file_bytes;
        let admission = engine.admit_upload(session, channel).map_err(Problem::from);
        let admission = match admission {
            Ok(_) if body.length().is_some_and(|length| length > max_bytes) => {
                let detail = format!("A file has at most {max_bytes} bytes here.");
                Err(Problem::new(ProblemKind::TooLarge).with_detail(detail))
            }
            admission => admission,
        };
        let admission = match admission {
            Ok(admission) => admission,
            Err(problem) => return Err(body.refuse(problem).await),
        };
        let mut body = body.reader(max_bytes);
        let received = {
            // One byte more than may come: it is what tells a file that is too large.
            let bytes = (&mut body).take(max_bytes.saturating_add(1));
            let chunks = ReaderStream::with_capacity(bytes, CHUNK_BYTES);
            let chunks = chunks.map(|chunk| chunk.map_err(io::Error::other));
            let given = FileName::from(name.unwrap_or(NAMELESS).to_owned());
            admission.receive(given, chunks).await
        };
        // The admission ends here, before what is left of a refused body is read.
        drop(admission);
        let mut file = match received {
            Ok(file) => file,
            Err(error) => return Err(body.refuse(error.into()).await),
        };
        if name.is_none() {
            if file.attachment().size == 0 {
                return Err(Problem::new(ProblemKind::EmptyMessage));
            }
            let kind: Option<ContentType> = file.attachment().media_type.to_string().parse().ok();
            if let Some(extension) = kind.as_ref().and_then(|kind| kind.extension()) {
                file.rename(FileName::from(format!("{NAMELESS}.{extension}")));
            }
        }
        let text: Text = "".parse()?;
        Ok(MessageDraft { text, files: Some(vec![file]) })
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for FileBody<'r> {
    type Error = Problem;

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> DataOutcome<'r, Self> {
        Outcome::Success(Self(Body::of(request, data)))
    }
}
