//! Content negotiation: the format of an answer outside `/api`, by the header `Accept` (RFC 9110,
//! section 12.5.1).

use std::convert::Infallible;

use rocket::http::{ContentType, MediaType};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};

/// A format in which pages, channels and refusals outside `/api` are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A page.
    Html,
    /// Text for people and shells.
    Plain,
    /// One JSON value a line.
    Ndjson,
    /// Server-Sent Events.
    EventStream,
}

impl Format {
    /// The formats, the one first that is preferred where a client has no preference: a page is sent
    /// to those alone that ask for HTML.
    const ALL: [Self; 4] = [Self::Plain, Self::Html, Self::Ndjson, Self::EventStream];

    /// The format that the client of this request likes best.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let accept: Vec<_> = request.headers().get("Accept").collect();
        Self::preferred(&accept.join(","))
    }

    /// The format with the highest quality; among equals the one that is named most exactly, then
    /// the one that is named first. Where none is acceptable, as where nothing is said, text.
    fn preferred(accept: &str) -> Self {
        let ranges: Vec<_> = ranges(accept).collect();
        let rated = Self::ALL.into_iter().filter_map(|format| {
            let matching = ranges.iter().enumerate().filter_map(|(at, (range, quality))| {
                Some((format.specificity(range)?, std::cmp::Reverse(at), *quality))
            });
            let (specificity, at, quality) = matching.max_by_key(|it| (it.0, it.1))?;
            (quality > 0).then_some((quality, specificity, at, format))
        });
        // Of equals `max_by_key` takes the last: the list is reversed.
        let rated: Vec<_> = rated.collect();
        let best = rated.into_iter().rev().max_by_key(|it| (it.0, it.1, it.2));
        best.map_or(Self::Plain, |(.., format)| format)
    }

    /// The media type, as answers name it.
    pub(crate) fn content_type(self) -> ContentType {
        match self {
            Self::Html => ContentType::HTML,
            Self::Plain => ContentType::Plain,
            Self::Ndjson => ContentType::new("application", "x-ndjson"),
            Self::EventStream => ContentType::EventStream,
        }
    }

    /// How exactly a media range names this format; `None` where it does not. A parameter other than
    /// the charset UTF-8 names something else.
    fn specificity(self, range: &MediaType) -> Option<u8> {
        let own = self.content_type();
        let foreign = range.params().any(|(name, value)| {
            name != "q" && !(name == "charset" && value.eq_ignore_ascii_case("utf-8"))
        });
        match (range.top().as_str(), range.sub().as_str()) {
            _ if foreign => None,
            ("*", "*") => Some(0),
            (top, "*") => own.top().as_str().eq_ignore_ascii_case(top).then_some(1),
            _ => (own.top() == range.top() && own.sub() == range.sub()).then_some(2),
        }
    }
}

/// The media ranges of an `Accept` header with their qualities in thousandths. What is no media
/// range is left out, and so is one whose quality is no number from 0 to 1.
fn ranges(accept: &str) -> impl Iterator<Item = (MediaType, u16)> {
    let mut quoted = false;
    let members = accept.split(move |sign| {
        quoted ^= sign == '"';
        sign == ',' && !quoted
    });
    members.filter_map(|member| {
        let range: MediaType = member.trim().parse().ok()?;
        let quality = range.params().find(|(name, _)| *name == "q").map(|(_, value)| value);
        let quality = quality.map_or(Some(1_000), thousandths)?;
        Some((range, quality))
    })
}

/// Reads a quality, a number from 0 to 1, in thousandths.
fn thousandths(quality: &str) -> Option<u16> {
    let quality: f32 = quality.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 0 to 1,000"
    )]
    (0.0..=1.0).contains(&quality).then(|| (quality * 1_000.0).round() as u16)
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Format {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self::of(request))
    }
}

/// A guard of the routes of pages: lets those pass who ask for HTML, and leaves the others to the
/// next route.
pub(crate) struct WantsPage;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsPage {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        match Format::of(request) {
            Format::Html => Outcome::Success(Self),
            _ => Outcome::Forward(rocket::http::Status::NotFound),
        }
    }
}

/// A guard of the routes of text: lets those pass who do not ask for HTML, and leaves the others to
/// the next route.
pub(crate) struct WantsText;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for WantsText {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        match Format::of(request) {
            Format::Html => Outcome::Forward(rocket::http::Status::NotFound),
            _ => Outcome::Success(Self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_format_is_sent() {
        use Format::{EventStream, Html, Ndjson, Plain};
        for (accept, format) in [
            ("", Plain),
            ("*/*", Plain),
            ("text/html", Html),
            ("text/html; charset=utf-8", Html),
            ("TEXT/HTML", Html),
            ("text/plain", Plain),
            ("application/x-ndjson", Ndjson),
            ("text/event-stream", EventStream),
            // Firefox, Chrome, Safari, lynx, w3m, wget, HTTPie, an old Java.
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Html),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,\
                 image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                Html,
            ),
            ("text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01", Html),
            ("text/html, text/*;q=0.5, image/*", Html),
            ("application/json, */*;q=0.5", Plain),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Html),
            // Qualities.
            ("text/html;q=0.5, text/plain", Plain),
            ("text/html;q=0.5, */*", Plain),
            ("text/html, */*", Html),
            ("*/*, text/html", Html),
            ("*/*;q=0.1, application/x-ndjson;q=0.2", Ndjson),
            ("text/plain;q=0.2, text/event-stream;q=0.3, text/html;q=0.1", EventStream),
            ("text/html;q=0.123, text/plain;q=0.122", Html),
            ("text/html;level=1;q=1, text/html;q=0.1, text/plain;q=0.2", Plain),
            ("text/html;q=0", Plain),
            ("text/html;q=0, */*;q=0.1", Plain),
            ("text/plain;q=0, text/html;q=0.1", Html),
            ("text/*;q=0.9, text/html;q=0.2, application/x-ndjson;q=0.5", Plain),
            ("text/*, text/plain;q=0.1, application/x-ndjson;q=0.5", Html),
            // Equals: the more exact, then the first.
            ("text/*, application/x-ndjson", Ndjson),
            ("text/plain, text/html", Plain),
            ("text/html, text/plain", Html),
            ("application/x-ndjson, text/html", Ndjson),
            ("text/*", Plain),
            // What cannot be had, or read.
            ("image/png", Plain),
            ("application/json", Plain),
            ("application/xhtml+xml", Plain),
            ("text/html;q=2", Plain),
            ("text/html;q=x, text/event-stream;q=0.1", EventStream),
            ("garbage, text/html", Html),
            ("image/png;a=\"text/html,text/html\"", Plain),
            (",,text/html,", Html),
        ] {
            assert_eq!(Format::preferred(accept), format, "{accept:?}");
        }
    }
}
