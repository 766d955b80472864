//! The same engine as HTML: pages that work before any script arrives.

mod docs;
mod links;

use rocket::fairing::AdHoc;
use rocket::http::{CookieJar, Header, RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::{FlashMessage, FromRequest, Request};
use rocket::response::{self, Flash, Redirect, Responder};
use rocket::{Catcher, Route, State, catch, catchers, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde::Serialize;
use serde_json::Value;

use crate::api::input::{Address, Form, Present, refuse_other_sites};
use crate::api::problem::{self, Kind, Problem};
use crate::api::said::Unread;
use crate::api::session::{Transport, no_cookie};
use crate::domain::channel::ChannelRef;
use crate::domain::names::ChannelName;
use crate::domain::user::Session;
use crate::engine::{Engine, SignedInAs};

/// Every page, and what they post to.
#[must_use]
pub fn routes() -> Vec<Route> {
    let pages =
        routes![home, channel, sign_in, sign_out, create_channel, send, about_problem, docs::docs];
    [pages, links::routes()].concat()
}

/// What answers where no page does.
#[must_use]
pub fn catchers() -> Vec<Catcher> {
    catchers![error_page]
}

/// What a page may load and do: nothing but what this server serves.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// What a page may ask a browser for: nothing that it does not use.
const PERMISSIONS_POLICY: &str = "accelerometer=(), browsing-topics=(), camera=(), \
     display-capture=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), \
     local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), \
     xr-spatial-tracking=()";

/// Sets the headers that keep pages safe. `X-Frame-Options` and `nosniff` are on every answer.
#[must_use]
pub fn headers() -> AdHoc {
    AdHoc::on_response("Page headers", |_, response| {
        Box::pin(async move {
            // A file that somebody sent may be HTML, too, and brings a stricter policy of its own.
            let policy = response.headers().contains("Content-Security-Policy");
            if !policy && response.content_type().is_some_and(|kind| kind.is_html()) {
                for (name, value) in [
                    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
                    ("Permissions-Policy", PERMISSIONS_POLICY),
                    ("Cross-Origin-Opener-Policy", "same-origin"),
                    ("Cross-Origin-Resource-Policy", "same-origin"),
                    ("Referrer-Policy", "same-origin"),
                    ("Cache-Control", "no-store"),
                ] {
                    response.set_header(Header::new(name, value));
                }
            }
        })
    })
}

/// A message for the next page, as templates take it.
#[derive(Serialize)]
struct Notice {
    kind: String,
    text: String,
}

impl Notice {
    fn of(flash: Option<FlashMessage<'_>>) -> Option<Self> {
        flash.map(|flash| Self { kind: flash.kind().into(), text: flash.message().into() })
    }
}

/// A problem as a page.
struct Refused(Problem);

impl<T: Into<Problem>> From<T> for Refused {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl<'r> Responder<'r, 'static> for Refused {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let (kind, headers) = (self.0.kind, self.0.headers().to_vec());
        problem::note(request, kind);
        let session = Present::of(request).ok().and_then(|present| present.0);
        let page = Template::render(
            "error",
            context! {
                status: kind.status().code,
                title: kind.title(),
                detail: self.0.detail,
                user: session.map(|session| session.user),
            },
        );
        let mut response = (kind.status(), page).respond_to(request)?;
        for header in headers {
            response.set_header(header);
        }
        Ok(response)
    }
}

/// A form that one of our own pages sent.
struct OwnPage;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for OwnPage {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, (Status, Problem), Status> {
        match refuse_other_sites(request) {
            Ok(()) => Outcome::Success(Self),
            Err(problem) => Outcome::Error(problem::leave(request, problem)),
        }
    }
}

/// The channel that everybody has, or the one that the browser remembers; or the way in.
#[get("/")]
fn home(
    present: Present,
    flash: Option<FlashMessage<'_>>,
    engine: &State<Engine>,
) -> Result<Template, Refused> {
    let general = ChannelName::general();
    match present.0 {
        None => Ok(way_in("/", Notice::of(flash))),
        Some(session) => {
            let general = ChannelRef::Named(general);
            channel_page(engine, &session, &general, Notice::of(flash), true)
        }
    }
}

/// One channel.
#[get("/channels/<name>")]
fn channel(
    present: Present,
    name: &str,
    flash: Option<FlashMessage<'_>>,
    engine: &State<Engine>,
) -> Result<Template, Refused> {
    match present.0 {
        None => Ok(way_in(&channel_path(name), Notice::of(flash))),
        Some(session) => {
            channel_page(engine, &session, &ChannelRef::from(name), Notice::of(flash), false)
        }
    }
}

fn channel_page(
    engine: &Engine,
    session: &Session,
    named: &ChannelRef,
    flash: Option<Notice>,
    landing: bool,
) -> Result<Template, Refused> {
    let (channel, online) = engine.channel(session, named)?;
    let history = engine.history(session, named)?;
    let history: Value = serde_json::from_slice(&history).unwrap_or_default();
    Ok(Template::render(
        "channel",
        context! {
            user: &session.user,
            channels: engine.channels(session),
            channel,
            online,
            messages: &history["messages"],
            cursor: &history["cursor"],
            kept: &history["kept"],
            landing,
            files: engine.file_limits(),
            flash,
        },
    ))
}

fn way_in(next: &str, flash: Option<Notice>) -> Template {
    let error: Option<&str> = None;
    Template::render("sign_in", context! { display_name: "", error, next, flash })
}

/// Signs in and goes on to where one wanted to go.
#[post("/sign-in", data = "<form>")]
async fn sign_in(
    _own: OwnPage,
    present: Present,
    address: Address,
    transport: Transport,
    form: Form,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, (Status, Template)> {
    let (display_name, next) = (form.text("display_name"), own_path(form.text("next")));
    let refused = |problem: Problem| {
        let error = problem.detail;
        let flash: Option<Notice> = None;
        let page = Template::render("sign_in", context! { display_name, error, next, flash });
        (problem.kind.status(), page)
    };
    let name = display_name.parse().map_err(|error| {
        let problem = Problem::invalid(Kind::InvalidDisplayName, "display_name", &error);
        refused(problem)
    })?;
    match engine.sign_in(name, present.0.as_ref(), address.0).await {
        Ok(SignedInAs::New(signed_in)) => {
            cookies.add(transport.cookie(signed_in.token));
            let welcome = format!("Welcome aboard, {}.", signed_in.user.display_name);
            Ok(Flash::success(Redirect::to(next.to_owned()), welcome))
        }
        Ok(SignedInAs::Same(user)) => {
            let welcome = format!("Welcome back, {}.", user.display_name);
            Ok(Flash::success(Redirect::to(next.to_owned()), welcome))
        }
        Err(error) => Err(refused(error.into())),
    }
}

/// Signs out.
#[post("/sign-out")]
async fn sign_out(
    _own: OwnPage,
    present: Present,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, Refused> {
    if let Some(session) = present.0 {
        engine.sign_out(&session).await?;
    }
    cookies.add(no_cookie());
    Ok(Flash::success(Redirect::to("/"), "You are signed out. Your name is free again."))
}

/// Creates a channel and goes there.
#[post("/channels", data = "<form>")]
async fn create_channel(
    _own: OwnPage,
    session: Session,
    form: Form,
    engine: &State<Engine>,
) -> Flash<Redirect> {
    let back = |problem: Problem| Flash::error(Redirect::to("/"), problem.detail);
    let name = form
        .text("name")
        .parse()
        .map_err(|error| Problem::invalid(Kind::InvalidChannelName, "name", &error));
    let topic = form
        .text("topic")
        .parse()
        .map_err(|error| Problem::invalid(Kind::InvalidTopic, "topic", &error));
    let (name, topic) = match (name, topic) {
        (Ok(name), Ok(topic)) => (name, topic),
        (Err(problem), _) | (_, Err(problem)) => return back(problem),
    };
    let created = engine.create_channel(&session, name, topic).await;
    match created {
        Ok(channel) => {
            let to = Redirect::to(channel_path(channel.name.as_str()));
            Flash::success(to, format!("#{} is yours. Say something.", channel.name))
        }
        Err(error) => back(error.into()),
    }
}

/// Sends a message and shows the channel with it.
#[post("/channels/<name>/messages", data = "<body>")]
async fn send(
    _own: OwnPage,
    session: Session,
    name: &str,
    body: Unread<'_>,
    engine: &State<Engine>,
) -> Result<Redirect, Flash<Redirect>> {
    let back = || Redirect::to(channel_path(name));
    let failed = |problem: Problem| Flash::error(back(), problem.detail);
    let named = ChannelRef::from(name);
    let said = body.read(engine, &session, &named).await.map_err(failed)?;
    let sent = engine.post(&session, &named, said).await;
    sent.map(|_| back()).map_err(|error| failed(error.into()))
}

/// What a problem's `type` leads to.
#[get("/problems/<slug>")]
fn about_problem(present: Present, slug: &str) -> Result<Template, Refused> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.slug() == slug);
    let kind = kind.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Template::render(
        "error",
        context! {
            status: kind.status().code,
            title: kind.title(),
            detail: kind.explanation(),
            user: present.0.map(|session| session.user),
        },
    ))
}

/// Whatever was refused outside `/api`, by whomever.
#[catch(default)]
fn error_page(status: Status, request: &Request<'_>) -> Refused {
    Refused(problem::found(status, request))
}

fn channel_path(name: &str) -> String {
    format!("/channels/{}", RawStr::new(name).percent_encode())
}

/// A path of ours to go on to; anything else leads home.
fn own_path(next: &str) -> &str {
    let ours = next.starts_with("/channels/") && rocket::http::uri::Origin::parse(next).is_ok();
    if ours { next } else { "/" }
}
