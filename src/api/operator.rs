//! What an operator's commands ask of a running server: `/api/operator/…`.
//!
//! They come with the token in the data directory, which is nobody's session. These routes are the
//! commands' own and may change with them, so the description of the API does not have them.

use rocket::http::Status;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, post, put, routes};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::input::bearer_token;
use super::problem::{self, Problem, ProblemKind};
use crate::domain::ids::HookId;
use crate::engine::operator::{ChannelSummary, HookSummary, UserSummary};
use crate::engine::{Engine, EngineError};

/// The path below which these routes are.
pub const BASE: &str = "/api/operator";

pub(super) fn routes() -> Vec<Route> {
    routes![
        users,
        remove_user,
        link,
        channels,
        remove_channel,
        hooks,
        remove_hook,
        pause_hook,
        resume_hook
    ]
}

/// The SHA-256 of the operator's token, in Rocket's state.
pub struct OperatorToken([u8; 32]);

impl OperatorToken {
    /// Remembers this token.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// A guard that lets in who has the operator's token.
struct Operator;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Operator {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Problem> {
        let sent = request.headers().get_one("Authorization").and_then(bearer_token);
        let known = request.rocket().state::<OperatorToken>();
        // Of hashes, how long comparing takes says nothing of the token.
        if let (Some(sent), Some(known)) = (sent, known)
            && OperatorToken::new(sent).0 == known.0
        {
            return Outcome::Success(Self);
        }
        let detail = "this is for the operator's commands alone, which send the token in the data \
                      directory";
        let refused = Problem::new(ProblemKind::SignInRequired).with_detail(detail);
        Outcome::Error(problem::guard_failure(request, refused))
    }
}

/// The problem of an error, in the engine's words: those for users say more of addresses.
fn told(error: EngineError) -> Problem {
    let detail = error.to_string();
    Problem::from(error).with_detail(detail)
}

/// A one-time link, as the server knows it: without its own public address.
#[derive(Debug, Serialize, Deserialize)]
pub struct LinkPath {
    /// The path: `/links/<secret>`.
    pub path: String,
    /// The time until which it can be used, as RFC 3339.
    pub expires_at: String,
}

/// Lists all users.
#[get("/operator/users")]
fn users(_operator: Operator, engine: &State<Engine>) -> Json<Vec<UserSummary>> {
    Json(engine.list_users())
}

/// Removes a user.
#[delete("/operator/users/<name>")]
async fn remove_user(
    _operator: Operator,
    name: &str,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    let name = name.parse().map_err(|_| told(EngineError::NoSuchUser))?;
    engine.remove_user(&name).await.map_err(told)?;
    Ok(Status::NoContent)
}

/// Makes a one-time link for a user.
#[post("/operator/users/<name>/links")]
fn link(
    _operator: Operator,
    name: &str,
    engine: &State<Engine>,
) -> Result<Json<LinkPath>, Problem> {
    let name = name.parse().map_err(|_| told(EngineError::NoSuchUser))?;
    let link = engine.make_link_for(&name).map_err(told)?;
    let path = format!("/links/{}", link.secret);
    Ok(Json(LinkPath { path, expires_at: link.expires_at.to_string() }))
}

/// Lists the public channels.
#[get("/operator/channels")]
fn channels(_operator: Operator, engine: &State<Engine>) -> Json<Vec<ChannelSummary>> {
    Json(engine.list_public_channels())
}

/// Removes a public channel.
#[delete("/operator/channels/<name>")]
async fn remove_channel(
    _operator: Operator,
    name: &str,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    let name = name.parse().map_err(|_| told(EngineError::NoSuchChannel))?;
    engine.remove_channel(&name).await.map_err(told)?;
    Ok(Status::NoContent)
}

/// Lists all hooks.
#[get("/operator/hooks")]
fn hooks(_operator: Operator, engine: &State<Engine>) -> Json<Vec<HookSummary>> {
    Json(engine.list_hooks())
}

/// Removes a hook.
#[delete("/operator/hooks/<id>")]
async fn remove_hook(
    _operator: Operator,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.remove_hook(&id).await.map_err(told)?;
    Ok(Status::NoContent)
}

/// Pauses an outgoing hook.
#[put("/operator/hooks/<id>/pause")]
async fn pause_hook(
    _operator: Operator,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.set_hook_paused(&id, true).await.map_err(told)?;
    Ok(Status::NoContent)
}

/// Lets an outgoing hook go on.
#[delete("/operator/hooks/<id>/pause")]
async fn resume_hook(
    _operator: Operator,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.set_hook_paused(&id, false).await.map_err(told)?;
    Ok(Status::NoContent)
}
