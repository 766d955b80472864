//! The description itself.

use utoipa::openapi::path::HttpMethod::Get;

use super::operation::{Operation, route};
use super::schemas::object;

pub(super) fn operations() -> Vec<Operation> {
    vec![openapi()]
}

fn openapi() -> Operation {
    route(Get, "/openapi.json", "About", "openapi", "This API, for programs")
        .open()
        .answers(200, "A description in OpenAPI 3.1.", object("", []))
        .curl(r#"curl -s "$url/api/openapi.json""#)
}
