//! The routes of previews: hiding those of a message, and their pictures.

use rocket::http::Status;
use rocket::request::Request;
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, delete, get, put, routes};
use tokio::io::AsyncReadExt;

use super::attachments::{CHUNK_BYTES, KnownVersions};
use super::messages::existing_id;
use super::problem::{Problem, ProblemKind};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{AttachmentId, InvalidMessageId, MessageId};
use crate::domain::preview::Picture;
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::engine::blobs::Blob;
use crate::wire::message::FileBytes;

pub(super) fn routes() -> Vec<Route> {
    routes![hide, show, picture]
}

/// Hide a message's previews.
///
/// For everybody: they and their pictures are gone, which is told as `message-updated`, and edits fetch no
/// others. Whoever wrote the message may; where a hook did, whoever may delete that. What is hidden
/// already changes nothing.
#[utoipa::path(
    tag = "Messages",
    operation_id = "hidePreviews",
    responses((status = 204, description = "The message has no previews, and will have none.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/general/messages/status/previews" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>/messages/<id>/previews")]
async fn hide(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.hide_previews(&session, &channel, &existing_id(id)?).await?;
    Ok(Status::NoContent)
}

/// Show a message's previews again.
///
/// Of a message whose previews were hidden, by whoever may hide them. They are fetched anew, and come as
/// `message-updated`. Where they are not hidden, nothing changes and nothing is fetched.
#[utoipa::path(
    tag = "Messages",
    operation_id = "showPreviews",
    responses((status = 204, description = "The message may have previews.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchMessage,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PUT "$url/api/channels/general/messages/status/previews" -H "Authorization: Bearer $token""#)),
    ),
)]
#[put("/channels/<channel>/messages/<id>/previews")]
async fn show(
    session: Session,
    channel: ChannelRef,
    id: Result<MessageId, InvalidMessageId>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.show_previews(&session, &channel, &existing_id(id)?).await?;
    Ok(Status::NoContent)
}

/// The content security policy of a picture that is opened by itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// The `Cache-Control` of pictures: a browser asks each time whether one may still be seen.
const CACHE: &str = "private, no-cache";

/// The answer with a picture; without its bytes for a client that has them.
struct PictureResponse {
    picture: Picture,
    blob: Option<Box<dyn Blob>>,
}

/// Get the picture of a preview.
///
/// A copy that this server made when the message was sent, for those who can read the message. It is an
/// image that browsers show safely (no SVG), and goes with its message: ask for it each time.
#[utoipa::path(
    tag = "Messages",
    operation_id = "getPreviewPicture",
    params(
        ("If-None-Match" = inline(Option<String>), Header, nullable = false, description = "The versions that the client has."),
    ),
    responses(
        (
            status = 200,
            description = "The picture, in its own media type.",
            content_type = "*/*",
            body = inline(FileBytes),
            headers(
                ("ETag", description = "The version of the bytes, for `If-None-Match`."),
                ("Cache-Control", description = "`no-cache`: ask each time, by `If-None-Match`, whether it may still be seen."),
            ),
        ),
        (
            status = 304,
            description = "The client has this picture already.",
            headers(("ETag", description = "The version of the bytes.")),
        ),
    ),
    extensions(
        ("x-problems" = json!([ProblemKind::NoSuchAttachment, ProblemKind::StorageUnavailable])),
        ("x-curl" = json!(r#"curl -s "$url/api/previews/$id" -H "Authorization: Bearer $token" -o picture"#)),
    ),
)]
#[get("/previews/<id>")]
async fn picture(
    session: Session,
    id: &str,
    known: KnownVersions,
    engine: &State<Engine>,
) -> Result<PictureResponse, Problem> {
    let id = AttachmentId::from(id.to_owned());
    let (picture, blob) = engine.preview_picture(&session, &id).await?;
    let blob = (!known.has(&etag(&picture))).then_some(blob);
    Ok(PictureResponse { picture, blob })
}

fn etag(picture: &Picture) -> String {
    format!("\"{}\"", picture.sha256)
}

impl<'r> Responder<'r, 'static> for PictureResponse {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let Self { picture, blob } = self;
        let mut response = Response::build();
        response.raw_header("Cache-Control", CACHE).raw_header("ETag", etag(&picture));
        let Some(blob) = blob else { return response.status(Status::NotModified).ok() };
        response
            .raw_header("Content-Type", picture.media_type.to_string())
            .raw_header("Content-Length", picture.size.to_string())
            .raw_header("Content-Disposition", "inline")
            .raw_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            .raw_header("Cross-Origin-Resource-Policy", "same-origin")
            .raw_header("X-Content-Type-Options", "nosniff")
            .streamed_body(blob.take(picture.size))
            .max_chunk_size(CHUNK_BYTES);
        response.ok()
    }
}
