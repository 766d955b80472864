//! The page of a one-time link, and the form on it that signs in.

use rocket::http::CookieJar;
use rocket::request::Request;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};

use super::look::Look;
use super::{ErrorPage, SameOrigin};
use crate::api::input::OptionalSession;
use crate::api::session::Transport;
use crate::engine::{Device, Engine};

pub(super) fn routes() -> Vec<Route> {
    routes![show, follow]
}

/// Tells whether the address of this request is a one-time link. What its page loads must not get
/// that address as referrer, since front servers write referrers into their logs.
pub(super) fn holds_secret(request: &Request<'_>) -> bool {
    request.uri().path().starts_with("/links/")
}

/// Serves the page that says whom a one-time link signs in. Only the form on it spends the link.
#[get("/links/<secret>")]
async fn show(
    session: OptionalSession,
    look: Look,
    secret: &str,
    engine: &State<Engine>,
) -> Result<Template, ErrorPage> {
    let guest = engine.link(secret).await?;
    let user = session.0.map(|session| session.user);
    Ok(look.page("link", context! { guest, user }))
}

/// Signs this browser in by a one-time link.
#[post("/links/<secret>")]
async fn follow(
    _same_origin: SameOrigin,
    session: OptionalSession,
    device: Device,
    transport: Transport,
    secret: &str,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, ErrorPage> {
    let signed_in = engine.follow_link(secret, session.0.as_ref(), device).await?;
    cookies.add(transport.cookie(signed_in.token));
    let welcome = format!("Welcome aboard, {}.", signed_in.user.display_name);
    Ok(Flash::success(Redirect::to("/"), welcome))
}
