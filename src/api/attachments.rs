//! The route that serves the files of messages.

use std::io::{Error, SeekFrom};
use std::ops::RangeInclusive;

use http_range_header::RangeUnsatisfiableError::Invalid;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rocket::http::{Header, Method, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, get, routes};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::problem::{Problem, ProblemKind};
use crate::domain::attachment::Attachment;
use crate::domain::ids::AttachmentId;
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::engine::blobs::Blob;
use crate::wire::message::FileBytes;

pub(super) fn routes() -> Vec<Route> {
    routes![file]
}

/// The content security policy of a file that is opened by itself: it can be looked at and do
/// nothing.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; img-src 'self'; media-src 'self'; sandbox; frame-ancestors 'none'";

/// The number of bytes of a file that are read and sent at once.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// The conditional and range headers of a request for a file (RFC 9110, sections 13 and 14).
struct FileRequest {
    range: Option<String>,
    if_range: Option<String>,
    known: KnownVersions,
}

/// The entity tags of the versions that a client has: the value of `If-None-Match`.
pub(super) struct KnownVersions(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for FileRequest {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let header = |name| request.headers().get_one(name).map(str::to_owned);
        // `Range` counts in a GET alone (RFC 9110, section 14.2).
        let range = header("Range").filter(|_| request.method() == Method::Get);
        let known = KnownVersions::of(request);
        Outcome::Success(Self { range, if_range: header("If-Range"), known })
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for KnownVersions {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self::of(request))
    }
}

impl KnownVersions {
    fn of(request: &Request<'_>) -> Self {
        let tags: Vec<_> = request.headers().get("If-None-Match").collect();
        Self(tags.join(","))
    }

    /// Tells whether the client has this version already.
    pub(super) fn has(&self, etag: &str) -> bool {
        let mut tags = self.0.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag == etag)
    }
}

impl FileRequest {
    /// The byte range to send of a file of `size` bytes; `None` stands for the whole file. It is
    /// sent whole, too, when several ranges are asked for: a server may answer so (RFC 9110,
    /// section 14.2).
    fn part(&self, etag: &str, size: u64) -> Result<Option<RangeInclusive<u64>>, Problem> {
        let Some(range) = &self.range else { return Ok(None) };
        if self.if_range.as_ref().is_some_and(|tag| tag != etag) {
            return Ok(None);
        }
        let parsed = http_range_header::parse_range_header(range);
        match parsed.and_then(|ranges| ranges.validate(size)) {
            Ok(parts) => Ok(<[_; 1]>::try_from(parts).ok().map(|[part]| part)),
            Err(Invalid(_)) => Ok(None),
            Err(_) => {
                let all = Header::new("Content-Range", format!("bytes */{size}"));
                Err(Problem::new(ProblemKind::RangeNotSatisfiable).with_header(all))
            }
        }
    }
}

/// The answer with a file or one range of it.
struct FileResponse {
    attachment: Attachment,
    etag: String,
    blob: Box<dyn Blob>,
    part: Option<RangeInclusive<u64>>,
}

/// The answer 304 to a client that has this version of the file.
struct NotModified {
    etag: String,
}

/// Get a message's file.
///
/// For those who can read its message. Images, audio and video that browsers show safely come
/// inline, everything else (HTML and SVG above all, and images without `width` and `height`) as a
/// download, with `nosniff` and a sandboxing policy.
#[utoipa::path(
    tag = "Messages",
    operation_id = "getFile",
    params(
        ("Range" = inline(Option<String>), Header, nullable = false, description = "A part, in bytes: `bytes=0-99`. Several at once give the whole file."),
        ("If-Range" = inline(Option<String>), Header, nullable = false, description = "The part is wanted only of this version; else the whole file."),
        ("If-None-Match" = inline(Option<String>), Header, nullable = false, description = "The versions that the client has."),
    ),
    responses(
        (
            status = 200,
            description = "The whole file, in its own media type.",
            content_type = "*/*",
            body = inline(FileBytes),
            headers(
                ("ETag", description = "The version of the bytes, for `If-None-Match` and `If-Range`."),
                ("Accept-Ranges", description = "`bytes`."),
                ("Content-Disposition", description = "`inline` or `attachment`, and the file's name: in ASCII as `filename`, whole as `filename*` (RFC 6266)."),
            ),
        ),
        (
            status = 206,
            description = "The part that was asked for.",
            content_type = "*/*",
            body = inline(FileBytes),
            headers(
                ("Content-Range", description = "Which bytes of how many."),
                ("ETag", description = "The version of the bytes."),
            ),
        ),
        (
            status = 304,
            description = "The client has this version already.",
            headers(("ETag", description = "The version of the bytes.")),
        ),
    ),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchAttachment,
            ProblemKind::RangeNotSatisfiable,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/attachments/$id/README.md" -H "Authorization: Bearer $token" -H 'Range: bytes=0-99'"#)),
    ),
)]
#[get("/attachments/<id>/<_filename>")]
async fn file(
    session: Session,
    id: &str,
    _filename: &str,
    file_request: FileRequest,
    engine: &State<Engine>,
) -> Result<Result<FileResponse, NotModified>, Problem> {
    let id = AttachmentId::from(id.to_owned());
    let (attachment, mut blob) = engine.attachment(&session, &id).await?;
    let etag = format!("\"{}\"", attachment.sha256);
    if file_request.known.has(&etag) {
        return Ok(Err(NotModified { etag }));
    }
    let part = file_request.part(&etag, attachment.size)?;
    if let Some(part) = &part {
        let sought = blob.seek(SeekFrom::Start(*part.start())).await;
        sought.map_err(unreadable)?;
    }
    Ok(Ok(FileResponse { attachment, etag, blob, part }))
}

fn unreadable(error: Error) -> Problem {
    log::error!("A file cannot be read: {error}.");
    Problem::new(ProblemKind::StorageUnavailable)
}

impl<'r> Responder<'r, 'static> for FileResponse {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let size = self.attachment.size;
        let mut response = Response::build();
        let length = match &self.part {
            None => size,
            Some(part) => {
                let (first, last) = (part.start(), part.end());
                response.status(Status::PartialContent);
                response.raw_header("Content-Range", format!("bytes {first}-{last}/{size}"));
                last - first + 1
            }
        };
        let kind = self.attachment.media_type.to_string();
        response
            .raw_header("Content-Type", kind)
            .raw_header("Content-Length", length.to_string())
            .raw_header("Content-Disposition", disposition(&self.attachment))
            .raw_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            .raw_header("Cross-Origin-Resource-Policy", "same-origin")
            .raw_header("X-Content-Type-Options", "nosniff")
            .raw_header("Accept-Ranges", "bytes")
            .raw_header("Cache-Control", CACHE)
            .raw_header("ETag", self.etag)
            .streamed_body(self.blob.take(length))
            .max_chunk_size(CHUNK_BYTES);
        response.ok()
    }
}

impl<'r> Responder<'r, 'static> for NotModified {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .status(Status::NotModified)
            .raw_header("Cache-Control", CACHE)
            .raw_header("ETag", self.etag)
            .ok()
    }
}

/// The `Cache-Control` of files: a browser may keep one, and asks each time whether it may still be
/// seen.
const CACHE: &str = "private, no-cache";

/// The `Content-Disposition` of a file: shown or saved, and under which name (RFC 6266, RFC 8187).
fn disposition(attachment: &Attachment) -> String {
    let kind = if attachment.is_inline() { "inline" } else { "attachment" };
    let name = attachment.name.as_str();
    let plain =
        |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}
