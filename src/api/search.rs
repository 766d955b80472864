//! Search.

use rocket::{Route, State, get, routes};

use super::messages::Encoded;
use super::problem::Problem;
use crate::domain::user::Session;
use crate::engine::Engine;

pub(super) fn routes() -> Vec<Route> {
    routes![search]
}

/// The newest messages that have all the words of `q`, wherever the caller can read.
#[get("/search?<q>")]
fn search(session: Session, q: Option<&str>, engine: &State<Engine>) -> Result<Encoded, Problem> {
    let missing = || Problem::malformed("`q` is missing.").in_field("q");
    let words = q.ok_or_else(missing)?;
    Ok(Encoded::ok(engine.search(&session, words)?))
}
