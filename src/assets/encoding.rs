//! Compression of static files and pages, on threads where nobody else waits behind it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::io::{Cursor, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rocket::fairing::AdHoc;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use tokio::task::spawn_blocking;

/// A content coding (RFC 9110, section 8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// GZIP (RFC 1952).
    Gzip,
}

/// Compresses bytes, as much as possible where the result serves many, or quickly for one answer.
/// It takes a tenth of a second for a whole stylesheet, and some milliseconds for a channel's page.
fn encode(bytes: &[u8], encoding: Encoding, for_many: bool) -> Vec<u8> {
    let encoded = match encoding {
        Encoding::Brotli => {
            let quality = if for_many { 11 } else { 4 };
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, quality, 22);
            writer.write_all(bytes).map(|()| writer.into_inner())
        }
        Encoding::Gzip => {
            let level = if for_many { Compression::best() } else { Compression::fast() };
            let mut writer = GzEncoder::new(Vec::new(), level);
            writer.write_all(bytes).and_then(|()| writer.finish())
        }
    };
    encoded.expect("memory takes any bytes")
}

/// Compresses bytes on a blocking thread, where nobody else waits behind it.
pub(super) async fn encode_in_background(
    bytes: Bytes,
    encoding: Encoding,
    for_many: bool,
) -> Bytes {
    let encoded = spawn_blocking(move || encode(&bytes, encoding, for_many)).await;
    encoded.expect("compressing never panics").into()
}

impl Encoding {
    /// The best coding that the client accepts, by `Accept-Encoding`.
    fn accepted(request: &Request<'_>) -> Option<Self> {
        let accepted = request.headers().get("Accept-Encoding").collect::<Vec<_>>().join(",");
        let takes = |name: &str| {
            accepted.split(',').any(|offer| {
                let (coding, weight) = offer.split_once(';').unwrap_or((offer, ""));
                let refused = matches!(weight.replace(' ', "").as_str(), "q=0" | "q=0.0");
                coding.trim().eq_ignore_ascii_case(name) && !refused
            })
        };
        if takes("br") {
            Some(Self::Brotli)
        } else if takes("gzip") {
            Some(Self::Gzip)
        } else {
            None
        }
    }

    /// The name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// A guard with the best coding that the client accepts, if any.
pub(super) struct AcceptedEncoding(pub(super) Option<Encoding>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for AcceptedEncoding {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self(Encoding::accepted(request)))
    }
}

/// A fairing that compresses pages for clients that accept it.
#[must_use]
pub fn compress_pages() -> AdHoc {
    AdHoc::on_response("Compressed pages", |request, response| {
        Box::pin(async move {
            let is_page = response.content_type().is_some_and(|kind| kind.is_html());
            // Attachments have a length, and are sent as they are.
            if !is_page || response.headers().contains("Content-Length") {
                return;
            }
            let Some(encoding) = Encoding::accepted(request) else { return };
            let Ok(bytes) = response.body_mut().to_bytes().await else { return };
            let encoded = encode_in_background(bytes.into(), encoding, false).await;
            response.set_raw_header("Content-Encoding", Cow::Borrowed(encoding.name()));
            let vary = response.headers().get_one("Vary").map(|vary| format!("{vary}, "));
            let vary = format!("{}Accept-Encoding", vary.unwrap_or_default());
            response.set_raw_header("Vary", vary);
            response.set_sized_body(encoded.len(), Cursor::new(encoded));
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_the_same() {
        use std::io::Read;
        let bytes = "houston ".repeat(100).into_bytes();
        let gzip = encode(&bytes, Encoding::Gzip, true);
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_end(&mut read).expect("gzip");
        assert!(read == bytes && gzip.len() < bytes.len());
        let brotli = encode(&bytes, Encoding::Brotli, false);
        let mut read = Vec::new();
        brotli::Decompressor::new(&brotli[..], 4096).read_to_end(&mut read).expect("brotli");
        assert!(read == bytes && brotli.len() < bytes.len());
    }
}
