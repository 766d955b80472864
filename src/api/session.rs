//! The routes of sessions and users; the session cookie, and its renewal by use.

use bytes::Bytes;
use rocket::fairing::AdHoc;
use rocket::http::{Cookie, CookieJar, Header, SameSite, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::time::Duration;
use rocket::{Route, State, delete, get, patch, post, routes};

use super::forwarded;
use super::input::{OptionalSession, SESSION_COOKIE, UsedSession};
use super::json::JsonBody;
use super::json_list::JsonList;
use super::problem::{Problem, ProblemKind};
use super::qr;
use crate::domain::names::DisplayName;
use crate::domain::user::{Session, User};
use crate::engine::{Device, Engine, SignedInAs};
use crate::wire::session::{CurrentUser, Link, Rename, SignIn, SignedIn, UserList, UserPresence};

pub(super) fn routes() -> Vec<Route> {
    routes![sign_in, current, rename, sign_out, create_link, users]
}

/// Sign in.
///
/// Under a display name that is free: nobody holds it, one that compares equal, or one that looks
/// like it. Where a session comes with the request already: 200 under an equal name, the same user,
/// without a token; 409 under another.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "signIn",
    security(()),
    request_body = inline(SignIn),
    responses(
        (
            status = 201,
            description = "Signed in, with a token for `Authorization: Bearer`.",
            body = inline(SignedIn),
            headers(("Set-Cookie", description = "The same token for browsers, as the cookie `session`.")),
        ),
        (
            status = 200,
            description = "Signed in already under that name.",
            body = inline(SignedIn),
        ),
    ),
    extensions(
        ("x-problems" = json!([
            ProblemKind::DisplayNameTaken,
            ProblemKind::AlreadySignedIn,
            ProblemKind::InvalidDisplayName,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/session" -H 'Content-Type: application/json' -d '{"display_name": "Ada"}'"#)),
    ),
)]
#[post("/session", data = "<body>")]
async fn sign_in(
    session: OptionalSession,
    device: Device,
    transport: Transport,
    body: JsonBody<SignIn>,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<(Status, Json<SignedIn>), Problem> {
    let name = display_name(&body.0.display_name)?;
    match engine.sign_in(name, session.0.as_ref(), device).await? {
        SignedInAs::Same(user) => {
            Ok((Status::Ok, Json(SignedIn { user: user.into(), token: None })))
        }
        SignedInAs::New(signed_in) => {
            cookies.add(transport.cookie(signed_in.token.clone()));
            let body = SignedIn { user: signed_in.user.into(), token: Some(signed_in.token) };
            Ok((Status::Created, Json(body)))
        }
    }
}

/// Get the current session.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "getSession",
    responses((status = 200, description = "The caller.", body = inline(CurrentUser))),
    extensions((
        "x-curl" = json!(r#"curl -s "$url/api/session" -H "Authorization: Bearer $token""#)
    )),
)]
#[get("/session")]
fn current(session: Session) -> Json<CurrentUser> {
    Json(CurrentUser { user: session.user.into() })
}

/// Rename.
///
/// Everybody sees the caller's new display name, on earlier messages too. It must be free, as when
/// signing in; it may look like the present one.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "rename",
    request_body = inline(Rename),
    responses((
        status = 200,
        description = "The caller, under the new name.",
        body = inline(CurrentUser),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::DisplayNameTaken,
            ProblemKind::InvalidDisplayName,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PATCH "$url/api/session" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"display_name": "Ada L."}'"#)),
    ),
)]
#[patch("/session", data = "<body>")]
async fn rename(
    session: Session,
    body: JsonBody<Rename>,
    engine: &State<Engine>,
) -> Result<Json<CurrentUser>, Problem> {
    let name = display_name(&body.0.display_name)?;
    Ok(Json(CurrentUser { user: engine.rename(&session, name).await?.into() }))
}

/// Sign out.
///
/// The session's streams end within a second. With a user's last session their name is free again,
/// and whoever takes it next is another user.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "signOut",
    responses((
        status = 204,
        description = "Signed out.",
        headers(("Set-Cookie", description = "Clears the cookie.")),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::StorageUnavailable])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/session" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/session")]
async fn sign_out(
    session: Session,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.sign_out(&session).await?;
    cookies.add(removal_cookie());
    Ok(Status::NoContent)
}

/// Create a link that signs another device in.
///
/// It signs one other device in as the caller and is spent then; opening it only asks. It is dead
/// after 10 minutes, once this process has ended, or once the user has signed out everywhere.
#[utoipa::path(
    tag = "Sessions",
    operation_id = "createLink",
    responses((
        status = 201,
        description = "The link.",
        body = inline(Link),
        headers(("Location", description = "The link.")),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s -X POST "$url/api/session/links" -H "Authorization: Bearer $token""#)),
    ),
)]
#[post("/session/links")]
fn create_link(
    session: Session,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Created<Json<Link>>, Problem> {
    let link = engine.make_link(&session)?;
    let url = format!("{}/links/{}", base.url, link.secret);
    // A QR code holds far longer addresses than `MAX_HOST_CHARS` allows.
    let qr_svg = qr::svg(&url, "QR code of a link that signs another device in");
    let qr_svg = qr_svg.ok_or_else(|| Problem::new(ProblemKind::InternalError))?;
    let body = Link { url: url.clone(), expires_at: link.expires_at, qr_svg };
    Ok(Created::new(url).body(Json(body)))
}

/// List users.
#[utoipa::path(
    tag = "Users",
    operation_id = "listUsers",
    responses((
        status = 200,
        description = "Every user who holds a name.",
        body = inline(UserList),
    )),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/users" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/users")]
fn users(session: Session, engine: &State<Engine>) -> Result<JsonList, Problem> {
    let users = engine.users(&session)?;
    let json = |(user, online): (User, bool)| {
        let person = UserPresence { user: user.into(), online };
        Bytes::from(serde_json::to_vec(&person).unwrap_or_default())
    };
    Ok(JsonList::lazy(b"{\"users\":[", users.into_iter().map(json), "]}".into()))
}

fn display_name(typed: &str) -> Result<DisplayName, Problem> {
    let invalid = |error| Problem::invalid(ProblemKind::InvalidDisplayName, "display_name", &error);
    typed.parse().map_err(invalid)
}

/// The cookie that removes the session cookie from a browser, also where the request was
/// authenticated by a token.
pub(crate) fn removal_cookie() -> Cookie<'static> {
    let mut cookie = Cookie::build(SESSION_COOKIE).path("/").build();
    cookie.make_removal();
    cookie
}

/// The transport of a request: with or without TLS between the client and this server or the proxy
/// before it.
#[derive(Clone, Copy)]
pub(crate) struct Transport {
    secure: bool,
}

impl Transport {
    /// Finds the transport of a request.
    pub(super) fn of(request: &Request<'_>) -> Self {
        Self { secure: forwarded::is_secure(request) }
    }

    /// The session cookie with this token, valid for a year; `Secure` over TLS.
    pub(crate) fn cookie(self, token: String) -> Cookie<'static> {
        Cookie::build((SESSION_COOKIE, token))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .path("/")
            .max_age(Duration::days(365))
            .build()
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Transport {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Self::of(request))
    }
}

/// A fairing that renews sessions by use: at most once a day it notes the use and sets the cookie
/// anew.
#[must_use]
pub fn renew_sessions() -> AdHoc {
    AdHoc::on_response("Sessions are renewed by use", |request, response| {
        Box::pin(async move {
            let used = request.local_cache(|| None::<UsedSession>);
            let (Some(used), Some(engine)) = (used, request.rocket().state::<Engine>()) else {
                return;
            };
            match engine.renew(&used.session).await {
                Ok(true) => {}
                // Where it cannot be stored now, the next request tries again.
                Ok(false) | Err(_) => return,
            }
            if let Some(token) = &used.cookie
                && !response.headers().contains("Set-Cookie")
            {
                let cookie = Transport::of(request).cookie(token.clone());
                response.adjoin_header(Header::new("Set-Cookie", cookie.to_string()));
            }
        })
    })
}

/// The length of the longest host name that there is (RFC 1035), with a port, in characters.
const MAX_HOST_CHARS: usize = 253 + 6;

/// A guard with the base address of this server, as the request used it:
/// `https://chat.example.org`.
pub(crate) struct BaseUrl {
    url: String,
}

impl BaseUrl {
    /// The address, without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// The QR code of the address, as an SVG image.
    pub(crate) fn qr_svg(&self) -> Option<String> {
        qr::svg(&self.home(), "QR code of this server’s address")
    }

    /// The address of the first page.
    pub(crate) fn home(&self) -> String {
        format!("{}/", self.url)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for BaseUrl {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let scheme = if forwarded::is_secure(request) { "https" } else { "http" };
        let config = request.rocket().config();
        let here = || format!("{}:{}", config.address, config.port);
        let named = forwarded::forwarded_host(request).or_else(|| forwarded::host(request));
        let named = named.filter(|it| it.len() <= MAX_HOST_CHARS).map(str::to_owned);
        let host = named.unwrap_or_else(here);
        Outcome::Success(Self { url: format!("{scheme}://{host}") })
    }
}
