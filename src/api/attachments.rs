//! Files of messages.

use std::io::{Error, SeekFrom};
use std::ops::RangeInclusive;

use http_range_header::RangeUnsatisfiableError::Invalid;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rocket::http::{Header, Method, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::{self, Responder, Response};
use rocket::{Route, State, get, routes};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::problem::{Kind, Problem};
use crate::domain::attachment::Attachment;
use crate::domain::ids::AttachmentId;
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::engine::blobs::Blob;

pub(super) fn routes() -> Vec<Route> {
    routes![file]
}

/// What a file may do when it is opened by itself: be looked at.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; img-src 'self'; media-src 'self'; sandbox; frame-ancestors 'none'";

/// How much of a file is read and sent at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a request wants of a file: all of it, a part, or to know whether it has changed.
struct Wanted {
    range: Option<String>,
    if_range: Option<String>,
    /// The versions that the client has.
    known: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Wanted {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let header = |name| request.headers().get_one(name).map(str::to_owned);
        // Of a part there is no head (RFC 9110, section 14.2).
        let range = header("Range").filter(|_| request.method() == Method::Get);
        let known: Vec<_> = request.headers().get("If-None-Match").collect();
        Outcome::Success(Self { range, if_range: header("If-Range"), known: known.join(",") })
    }
}

impl Wanted {
    /// Whether the client has this version already.
    fn has(&self, etag: &str) -> bool {
        let mut known = self.known.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
        known.any(|tag| tag == "*" || tag == etag)
    }

    /// The part that is wanted, of a file of this many bytes; all of it when none is, or when
    /// several are: a server may answer so (RFC 9110, section 14.2).
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
                Err(Problem::new(Kind::RangeNotSatisfiable).with(all))
            }
        }
    }
}

/// A file, or a part of it.
struct File {
    attachment: Attachment,
    etag: String,
    blob: Box<dyn Blob>,
    part: Option<RangeInclusive<u64>>,
}

/// Nothing new.
struct Unchanged {
    etag: String,
}

/// The bytes of a file, for those who can read its message. Its name in the address is for people.
#[get("/attachments/<id>/<_filename>")]
async fn file(
    session: Session,
    id: &str,
    _filename: &str,
    wanted: Wanted,
    engine: &State<Engine>,
) -> Result<Result<File, Unchanged>, Problem> {
    let id = AttachmentId::from(id.to_owned());
    let (attachment, mut blob) = engine.attachment(&session, &id).await?;
    let etag = format!("\"{}\"", attachment.sha256);
    if wanted.has(&etag) {
        return Ok(Err(Unchanged { etag }));
    }
    let part = wanted.part(&etag, attachment.size)?;
    if let Some(part) = &part {
        let sought = blob.seek(SeekFrom::Start(*part.start())).await;
        sought.map_err(unreadable)?;
    }
    Ok(Ok(File { attachment, etag, blob, part }))
}

fn unreadable(error: Error) -> Problem {
    log::error!("A file cannot be read: {error}.");
    Problem::new(Kind::StorageUnavailable)
}

impl<'r> Responder<'r, 'static> for File {
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

impl<'r> Responder<'r, 'static> for Unchanged {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .status(Status::NotModified)
            .raw_header("Cache-Control", CACHE)
            .raw_header("ETag", self.etag)
            .ok()
    }
}

/// A browser may keep a file, and asks each time whether it may still be seen.
const CACHE: &str = "private, no-cache";

/// Whether a browser shows the file or saves it, and under which name (RFC 6266, RFC 8187).
fn disposition(attachment: &Attachment) -> String {
    let kind = if attachment.media_type.is_shown() { "inline" } else { "attachment" };
    let name = attachment.name.as_str();
    let plain =
        |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}
