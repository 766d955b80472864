//! One-time links: whom they sign in, and the click that spends them.

use rocket::fairing::AdHoc;
use rocket::http::CookieJar;
use rocket::outcome::Outcome;
use rocket::request::{FromRequest, Request};
use rocket::response::{Flash, Redirect};
use rocket::{Route, State, get, post, routes, uri};
use rocket_dyn_templates::{Template, context};

use super::{OwnPage, Refused};
use crate::api::input::{Address, Present};
use crate::api::session::Transport;
use crate::engine::Engine;

pub(super) fn routes() -> Vec<Route> {
    routes![show, follow]
}

/// What is in a link's address, and lets anybody in who reads it.
#[derive(Default)]
struct Secret(String);

/// Takes the secrets out of links' addresses: Rocket writes each request's address into its log.
#[must_use]
pub fn concealed() -> AdHoc {
    AdHoc::on_request("Links' secrets stay out of the log", |request, _| {
        Box::pin(async move {
            let path = request.uri().path();
            let Some(secret) = path.as_str().strip_prefix("/links/").map(str::to_owned) else {
                return;
            };
            request.local_cache(|| Secret(secret));
            request.set_uri(uri!("/links/secret"));
        })
    })
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Secret {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, Self::Error> {
        Outcome::Success(request.local_cache(Secret::default))
    }
}

/// Whom a one-time link signs in; nothing but a click spends it.
#[get("/links/secret")]
fn show(present: Present, secret: &Secret, engine: &State<Engine>) -> Result<Template, Refused> {
    let guest = engine.link(&secret.0)?;
    let user = present.0.map(|session| session.user);
    Ok(Template::render("link", context! { guest, user }))
}

/// Signs this browser in by a one-time link.
#[post("/links/secret")]
async fn follow(
    _own: OwnPage,
    present: Present,
    address: Address,
    transport: Transport,
    secret: &Secret,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, Refused> {
    let signed_in = engine.follow_link(&secret.0, present.0.as_ref(), address.0).await?;
    cookies.add(transport.cookie(signed_in.token));
    let welcome = format!("Welcome aboard, {}.", signed_in.user.display_name);
    Ok(Flash::success(Redirect::to("/"), welcome))
}
