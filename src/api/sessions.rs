//! The routes of a user's sessions: list, create a token, end.

use rocket::http::{CookieJar, Status};
use rocket::request::FromParam;
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, post, routes};

use super::json::JsonBody;
use super::problem::{Problem, ProblemKind};
use super::session::removal_cookie;
use crate::domain::ids::SessionHandle;
use crate::domain::names::TokenName;
use crate::domain::user::Session;
use crate::engine::{Engine, ListedSession};
use crate::wire::session::{CreateToken, CreatedToken, SessionKind, SessionList, SessionView};

pub(super) fn routes() -> Vec<Route> {
    routes![list, create, end]
}

/// List the caller's sessions.
///
/// The one that was used last comes first.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "listSessions",
    responses((
        status = 200,
        description = "Every live session of the caller.",
        body = inline(SessionList),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/sessions" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/sessions")]
fn list(session: Session, engine: &State<Engine>) -> Result<Json<SessionList>, Problem> {
    let sessions = engine.sessions(&session)?.into_iter().map(view).collect();
    Ok(Json(SessionList { sessions }))
}

/// Create a token for a script.
///
/// It acts as the caller, and can do all that they can. Like any session it ends when it was not used
/// for `session_days`. With `"bot": true` the caller is shown as a bot, as long as they hold a token
/// that was made so: sign a script in under a name of its own for that.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "createToken",
    request_body = inline(CreateToken),
    responses((
        status = 201,
        description = "The token, told this once.",
        body = inline(CreatedToken),
        headers(("Location", description = "The session's address, at which it can be ended.")),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidText,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/sessions" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name": "backup script"}'"#)),
    ),
)]
#[post("/sessions", data = "<body>")]
async fn create(
    session: Session,
    body: JsonBody<CreateToken>,
    engine: &State<Engine>,
) -> Result<Created<Json<CreatedToken>>, Problem> {
    let CreateToken { name, bot } = body.0;
    let name: TokenName =
        name.parse().map_err(|error| Problem::invalid(ProblemKind::InvalidText, "name", &error))?;
    let made = engine.create_token(&session, name, bot).await?;
    let body = CreatedToken { session: view(made.session), token: made.token };
    let address = format!("/api/sessions/{}", body.session.id);
    Ok(Created::new(address).body(Json(body)))
}

/// End a session.
///
/// Its streams end within a second. Ending the one that asks is signing out. With a user's last session
/// their name is free again, and whoever takes it next is another user.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "endSession",
    responses((status = 204, description = "The session has ended.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchSession,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/sessions/$id" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/sessions/<id>")]
async fn end(
    session: Session,
    id: SessionHandle,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    if engine.end_session(&session, &id).await? {
        cookies.add(removal_cookie());
    }
    Ok(Status::NoContent)
}

impl<'r> FromParam<'r> for SessionHandle {
    type Error = std::convert::Infallible;

    /// Reads a session's id. It never fails: what is none is not found later.
    fn from_param(id: &'r str) -> Result<Self, Self::Error> {
        Ok(Self::from(id.to_owned()))
    }
}

fn view(ListedSession { session, current }: ListedSession) -> SessionView {
    let kind = if session.name.is_some() { SessionKind::Token } else { SessionKind::Browser };
    SessionView {
        id: session.handle,
        kind,
        name: session.name,
        client: session.client,
        created_at: session.created_at,
        last_used_at: session.used_at,
        current,
    }
}
