//! The route of search.

use rocket::{Route, State, get, routes};

use super::json_list::JsonList;
use super::problem::{Problem, ProblemKind};
use crate::domain::user::Session;
use crate::engine::Engine;
use crate::wire::message::SearchResults;

pub(super) fn routes() -> Vec<Route> {
    routes![search]
}

/// Search the messages that the caller can read.
///
/// At most 50 messages, newest first, that have all the words, parted by white space, in their text
/// or in a file's name. They are compared in NFKC after case folding, so `strasse` finds `Straße` and
/// `full` finds `ＦＵＬＬ`. Words match within words; past the 16th they are ignored; no words find
/// nothing.
#[utoipa::path(
    tag = "Messages",
    operation_id = "search",
    params(("q" = inline(String), Query, description = "The words.")),
    responses((status = 200, description = "The messages that were found.", body = inline(SearchResults))),
    extensions(
        ("x-problems" = json!([ProblemKind::MalformedRequest, ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s -G "$url/api/search" -H "Authorization: Bearer $token" --data-urlencode q='lift off'"#)),
    ),
)]
#[get("/search?<q>")]
async fn search(
    session: Session,
    q: Option<&str>,
    engine: &State<Engine>,
) -> Result<JsonList, Problem> {
    let missing = || Problem::malformed("`q` is missing.").in_field("q");
    let words = q.ok_or_else(missing)?;
    let found = engine.search(&session, words).await?;
    Ok(JsonList::of(b"{\"messages\":[", found, "]}".into()))
}
