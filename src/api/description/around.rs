//! The description itself.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::HttpMethod::Get;
use utoipa::openapi::response::ResponseBuilder;

use super::operation::{Operation, route};
use super::schemas::{object, text};

pub(super) fn operations() -> Vec<Operation> {
    vec![openapi(), docs()]
}

fn openapi() -> Operation {
    route(Get, "/openapi.json", "About", "openapi", "This API, for programs")
        .open()
        .answers(200, "A description in OpenAPI 3.1.", object("", []))
        .curl(r#"curl -s "$url/api/openapi.json""#)
}

fn docs() -> Operation {
    let page = ContentBuilder::new().schema(Some(text(""))).build();
    let answer = ResponseBuilder::new().description("The page.").content("text/html", page);
    route(Get, "/docs", "About", "docs", "This API, for people")
        .open()
        .answers_with(200, answer)
        .curl(r#"curl -s "$url/api/docs""#)
}
