//! Refusals outside `/api` for whoever does not ask for a page: in the format that they ask for.

use std::io::Cursor;

use rocket::http::{Header, Status};
use rocket::request::Request;
use rocket::response::{self, Responder, Response};

use super::accept::Format;
use super::problem::{Problem, record_answer};
use super::request_id::RequestId;

/// A problem as text, as a line of JSON or as an event. As JSON it is what the API answers with.
pub(crate) struct Refusal(pub(crate) Problem);

impl<T: Into<Problem>> From<T> for Refusal {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl<'r> Responder<'r, 'static> for Refusal {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let Self(problem) = self;
        record_answer(request, problem.kind);
        let format = Format::of(request);
        let json = || problem.json().map_err(|_| Status::InternalServerError);
        let body = match format {
            Format::Ndjson => [&json()?[..], b"\n"].concat(),
            Format::EventStream => [b"event: problem\ndata: ", &json()?[..], b"\n\n"].concat(),
            Format::Html | Format::Plain => {
                format!("{}: {}\n", problem.kind.title(), problem.detail).into_bytes()
            }
        };
        let kind = if format == Format::Html { Format::Plain } else { format }.content_type();
        let mut response = Response::build();
        response
            .status(problem.kind.status())
            .header(RequestId::of(request).header())
            .header(kind)
            .header(Header::new("Cache-Control", "no-store"))
            .header(Header::new("Vary", "Accept"))
            .sized_body(body.len(), Cursor::new(body));
        for header in problem.headers() {
            response.header(header.clone());
        }
        response.ok()
    }
}
