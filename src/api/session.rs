//! Signing in and out, renaming, and who is here.

use qrcode::QrCode;
use rocket::http::{Cookie, CookieJar, SameSite, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::time::Duration;
use rocket::{Route, State, delete, get, patch, post, routes};
use serde::Serialize;

use super::forwarded;
use super::input::{Address, Fields, Present, SESSION_COOKIE};
use super::problem::{Kind, Problem};
use crate::domain::names::DisplayName;
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};
use crate::engine::{Engine, SignedInAs};

pub(super) fn routes() -> Vec<Route> {
    routes![sign_in, whoami, rename, sign_out, make_link, users]
}

/// `{"user": User, "token"?: "…"}`: the token is told once, to whoever signed in.
#[derive(Serialize)]
pub(super) struct SessionBody {
    user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl SessionBody {
    fn of(user: User) -> Json<Self> {
        Json(Self { user, token: None })
    }
}

/// Signs in under a free display name.
#[post("/session", data = "<fields>")]
async fn sign_in(
    present: Present,
    address: Address,
    transport: Transport,
    fields: Fields,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<(Status, Json<SessionBody>), Problem> {
    let name = display_name(fields.text("display_name")?)?;
    match engine.sign_in(name, present.0.as_ref(), address.0).await? {
        SignedInAs::Same(user) => Ok((Status::Ok, SessionBody::of(user))),
        SignedInAs::New(signed_in) => {
            cookies.add(transport.cookie(signed_in.token.clone()));
            let body = SessionBody { user: signed_in.user, token: Some(signed_in.token) };
            Ok((Status::Created, Json(body)))
        }
    }
}

/// Who the caller is.
#[get("/session")]
fn whoami(session: Session) -> Json<SessionBody> {
    SessionBody::of(session.user)
}

/// Gives the caller another name.
#[patch("/session", data = "<fields>")]
async fn rename(
    session: Session,
    fields: Fields,
    engine: &State<Engine>,
) -> Result<Json<SessionBody>, Problem> {
    let name = display_name(fields.text("display_name")?)?;
    Ok(SessionBody::of(engine.rename(&session, name).await?))
}

/// Signs out; with the user's last session their name is free again.
#[delete("/session")]
async fn sign_out(
    session: Session,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.sign_out(&session).await?;
    cookies.add(no_cookie());
    Ok(Status::NoContent)
}

/// `{"url": "…", "expires_at": "…", "qr_svg": "<svg…"}`.
#[derive(Serialize)]
struct LinkBody {
    url: String,
    expires_at: Timestamp,
    qr_svg: String,
}

/// Makes a link that signs one other device in as the caller.
#[post("/session/links")]
fn make_link(
    session: Session,
    site: Site,
    engine: &State<Engine>,
) -> Result<Created<Json<LinkBody>>, Problem> {
    let link = engine.make_link(&session)?;
    let url = format!("{}/links/{}", site.url, link.secret);
    // An address of this length always fits.
    let code = QrCode::new(&url).map_err(|_| Problem::new(Kind::InternalError))?;
    let qr_svg = code.render::<qrcode::render::svg::Color>().min_dimensions(256, 256).build();
    let body = LinkBody { url: url.clone(), expires_at: link.expires_at, qr_svg };
    Ok(Created::new(url).body(Json(body)))
}

/// `{"users": [User + {"online": bool}]}`.
#[derive(Serialize)]
struct UsersBody {
    users: Vec<Person>,
}

#[derive(Serialize)]
struct Person {
    #[serde(flatten)]
    user: User,
    online: bool,
}

/// Everybody who holds a name.
#[get("/users")]
fn users(_session: Session, engine: &State<Engine>) -> Json<UsersBody> {
    let people = engine.users().into_iter().map(|(user, online)| Person { user, online });
    Json(UsersBody { users: people.collect() })
}

fn display_name(typed: &str) -> Result<DisplayName, Problem> {
    let invalid = |error| Problem::invalid(Kind::InvalidDisplayName, "display_name", &error);
    typed.parse().map_err(invalid)
}

/// Ends the browser's cookie, also where it came with a request that was signed otherwise.
pub(crate) fn no_cookie() -> Cookie<'static> {
    let mut cookie = Cookie::build(SESSION_COOKIE).path("/").build();
    cookie.make_removal();
    cookie
}

/// Whether the browser speaks TLS to us, or to a proxy before us.
#[derive(Clone, Copy)]
pub(crate) struct Transport {
    secure: bool,
}

impl Transport {
    /// The cookie that keeps a browser signed in, for a year.
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
        Outcome::Success(Self { secure: forwarded::is_secure(request) })
    }
}

/// The longest host name that there is (RFC 1035), with a port.
const MAX_HOST_CHARS: usize = 253 + 6;

/// Where people reach this server, as the request itself did: `https://chat.example.org`.
struct Site {
    url: String,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Site {
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
