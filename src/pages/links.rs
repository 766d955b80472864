//! One-time links: whom they sign in, and the click that spends them.

use rocket::http::CookieJar;
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};

use super::{OwnPage, Refused};
use crate::api::input::{Address, Present};
use crate::api::session::Transport;
use crate::engine::Engine;

pub(super) fn routes() -> Vec<Route> {
    routes![show, follow]
}

/// Whom a one-time link signs in; nothing but a click spends it.
#[get("/links/<secret>")]
fn show(present: Present, secret: &str, engine: &State<Engine>) -> Result<Template, Refused> {
    let guest = engine.link(secret)?;
    let user = present.0.map(|session| session.user);
    Ok(Template::render("link", context! { guest, user }))
}

/// Signs this browser in by a one-time link.
#[post("/links/<secret>")]
async fn follow(
    _own: OwnPage,
    present: Present,
    address: Address,
    transport: Transport,
    secret: &str,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, Refused> {
    let signed_in = engine.follow_link(secret, present.0.as_ref(), address.0).await?;
    cookies.add(transport.cookie(signed_in.token));
    let welcome = format!("Welcome aboard, {}.", signed_in.user.display_name);
    Ok(Flash::success(Redirect::to("/"), welcome))
}
