//! Problems (RFC 9457), as clients see them.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// A refusal (RFC 9457), as `application/problem+json`.
#[derive(Serialize, ToSchema)]
pub struct Problem<'a> {
    /// The kind of the problem: a path that answers with an explanation.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind's name in plain English.
    pub title: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// An explanation of this one refusal, in plain English.
    pub detail: &'a str,
    /// The one input field at fault, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<&'a str>,
}

/// Formats what is wrong as a sentence: errors are written without a capital and full stop.
#[must_use]
pub fn sentence(error: &dyn fmt::Display) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}
