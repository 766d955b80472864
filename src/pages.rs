//! The engine as HTML: pages that work before any script arrives.

mod docs;
pub(crate) mod emoji;
mod links;
mod locale;
mod look;
mod preview;
mod prose;
mod views;
mod words;

use rocket::fairing::AdHoc;
use rocket::http::{CookieJar, Header, RawStr, Status};
use rocket::outcome::Outcome;
use rocket::request::{FlashMessage, FromRequest, Request};
use rocket::response::{self, Flash, Redirect, Responder};
use rocket::{Catcher, Route, State, catch, catchers, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde::Serialize;

use self::locale::Locale;
use self::look::Look;
use self::views::{Blank, ChannelLinkView, MessageView, PersonView, Reader};
use crate::api::accept::{Format, WantsPage};
use crate::api::input::{FormFields, Host, OptionalSession, refuse_other_sites};
use crate::api::message_body::MessageBody;
use crate::api::problem::{self, Problem, ProblemKind};
use crate::api::refusal::Refusal;
use crate::api::request_id::RequestId;
use crate::api::session::{BaseUrl, Transport, removal_cookie};
use crate::domain::channel::ChannelRef;
use crate::domain::conversation::KEPT_MESSAGES;
use crate::domain::names::ChannelName;
use crate::domain::user::{Session, User};
use crate::engine::files::FileLimits;
use crate::engine::limits::Cost;
use crate::engine::{ChannelPermissions, Device, Engine, History, SidebarChannel, SignedInAs};
use crate::wire::channel::ChannelView;

/// The routes of all pages and of the forms on them.
#[must_use]
pub fn routes() -> Vec<Route> {
    let pages = routes![
        home,
        channel,
        view,
        sign_in,
        sign_out,
        create_channel,
        send,
        about_problem,
        docs::docs
    ];
    [pages, links::routes()].concat()
}

/// The catcher that answers with an error page.
#[must_use]
pub fn catchers() -> Vec<Catcher> {
    catchers![error_page]
}

/// The content security policy of pages: they may load nothing but what this server serves. A PDF is
/// shown in a frame, of bytes that the page has read itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; media-src 'self'; frame-src blob:; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

/// The permissions policy of pages: every browser feature that they do not use is off.
const PERMISSIONS_POLICY: &str = "accelerometer=(), browsing-topics=(), camera=(), \
     display-capture=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), \
     local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), \
     xr-spatial-tracking=()";

/// A fairing that sets the security headers of pages.
#[must_use]
pub fn headers() -> AdHoc {
    AdHoc::on_response("Page headers", |request, response| {
        Box::pin(async move {
            // An attachment may be HTML, too, and has a stricter policy of its own.
            let policy = response.headers().contains("Content-Security-Policy");
            if !policy && response.content_type().is_some_and(|kind| kind.is_html()) {
                let referrer = if links::holds_secret(request) { "origin" } else { "same-origin" };
                for (name, value) in [
                    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
                    ("Permissions-Policy", PERMISSIONS_POLICY),
                    ("Cross-Origin-Opener-Policy", "same-origin"),
                    ("Cross-Origin-Resource-Policy", "same-origin"),
                    ("Referrer-Policy", referrer),
                    ("Cache-Control", "no-store"),
                ] {
                    response.set_header(Header::new(name, value));
                }
            }
        })
    })
}

/// The largest number of channels, and of users, that a page lists: `static/js/lib/page.js` has the
/// same.
const MAX_LISTED: usize = 100;

/// A flash message, as templates take it.
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

/// The answer with a problem as a page.
struct ErrorPage(Problem);

impl<T: Into<Problem>> From<T> for ErrorPage {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl<'r> Responder<'r, 'static> for ErrorPage {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let (kind, headers) = (self.0.kind, self.0.headers().to_vec());
        problem::record_answer(request, kind);
        let session = OptionalSession::of(request).ok().and_then(|session| session.0);
        let page = Look::of_request(request).page(
            "error",
            context! {
                status: kind.status().code,
                title: kind.title(),
                detail: self.0.detail,
                user: session.map(|session| session.user),
            },
        );
        let mut response = (kind.status(), page).respond_to(request)?;
        response.set_header(RequestId::of(request).header());
        for header in headers {
            response.set_header(header);
        }
        Ok(response)
    }
}

/// A guard that refuses forms that another site sent.
struct SameOrigin;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SameOrigin {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, (Status, Problem), Status> {
        match refuse_other_sites(request) {
            Ok(()) => Outcome::Success(Self),
            Err(problem) => Outcome::Error(problem::guard_failure(request, problem)),
        }
    }
}

/// Serves `general`, from which a script goes on to the channel that the browser remembers; without
/// a session, the sign-in page.
#[get("/", rank = 1)]
#[expect(clippy::too_many_arguments, reason = "each is a guard")]
async fn home(
    _wants_page: WantsPage,
    session: OptionalSession,
    locale: Locale,
    look: Look,
    host: Host<'_>,
    flash: Option<FlashMessage<'_>>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Template, ErrorPage> {
    let general = ChannelName::general();
    match session.0 {
        None => Ok(sign_in_page(look, "/", Notice::of(flash))),
        Some(session) => {
            let general = ChannelRef::Named(general);
            let reader = reader(&session, &locale, look, &host);
            channel_page(engine, &session, &general, &reader, &base, Notice::of(flash), true).await
        }
    }
}

/// Serves a channel's page; without a session, the sign-in page.
#[get("/channels/<name>", rank = 1)]
#[expect(clippy::too_many_arguments, reason = "each is a guard")]
async fn channel(
    _wants_page: WantsPage,
    session: OptionalSession,
    name: &str,
    locale: Locale,
    look: Look,
    host: Host<'_>,
    flash: Option<FlashMessage<'_>>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Template, ErrorPage> {
    match session.0 {
        None => Ok(sign_in_page(look, &channel_path(name), Notice::of(flash))),
        Some(session) => {
            let (named, reader) = (ChannelRef::from(name), reader(&session, &locale, look, &host));
            channel_page(engine, &session, &named, &reader, &base, Notice::of(flash), false).await
        }
    }
}

/// Serves the view of a channel alone, for a page that goes from one channel to another.
#[get("/channels/<name>/view")]
async fn view(
    session: Session,
    name: &str,
    locale: Locale,
    look: Look,
    host: Host<'_>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Template, ErrorPage> {
    engine.count_read(&session, Cost::PAGE)?;
    let reader = reader(&session, &locale, look, &host);
    let view = View::read(engine, &session, &ChannelRef::from(name), &reader, &base).await?;
    Ok(Template::render("view.html", view))
}

/// What is to be seen of a channel, as templates take it.
#[derive(Serialize)]
struct View<'r> {
    user: &'r User,
    channel: ChannelView,
    may: ChannelPermissions,
    here: usize,
    more_here: usize,
    online: Vec<PersonView>,
    messages: Vec<MessageView>,
    kept_words: String,
    locale: &'r Locale,
    cursor: String,
    kept: usize,
    /// The QR code of this server's address: whoever is first is shown how the others get there.
    address_qr: Option<String>,
    /// This server's address.
    address: String,
    /// Whether the other user of a direct conversation is there.
    presence: Option<&'static str>,
}

impl<'r> View<'r> {
    async fn read(
        engine: &Engine,
        session: &'r Session,
        named: &ChannelRef,
        reader: &Reader<'r>,
        base: &BaseUrl,
    ) -> Result<Self, Problem> {
        let (channel, mut online) = engine.channel(session, named).await?;
        let here = online.len();
        online.truncate(MAX_LISTED);
        let History { messages, cursor } = engine.history(session, named)?;
        let messages = views::messages(&messages, channel.unread, reader);
        let greets = channel.name == ChannelName::general().as_str() && messages.is_empty();
        Ok(Self {
            user: &session.user,
            here,
            more_here: here - online.len(),
            online: online.iter().map(|each| PersonView::of(each, reader.id)).collect(),
            kept_words: views::kept_words(&messages, KEPT_MESSAGES, reader.locale),
            messages,
            locale: reader.locale,
            may: engine.permissions(session, named)?,
            presence: channel
                .with
                .as_ref()
                .filter(|with| with.id != session.user.id)
                .map(|with| views::presence_name(engine.presence(&with.id))),
            channel,
            cursor: cursor.to_string(),
            kept: KEPT_MESSAGES,
            address_qr: greets.then(|| base.qr_svg()).flatten(),
            address: base.home(),
        })
    }
}

/// A channel's page, as its template takes it.
#[derive(Serialize)]
struct ChannelPage<'r> {
    me: PersonView,
    channels: Vec<ChannelLinkView>,
    public_count: usize,
    more_direct: usize,
    blank: Blank,
    landing: bool,
    files: FileLimits,
    flash: Option<Notice>,
    #[serde(flatten)]
    view: View<'r>,
}

fn reader<'r>(
    session: &'r Session,
    locale: &'r Locale,
    look: Look,
    host: &'r Host<'_>,
) -> Reader<'r> {
    Reader { id: session.user.id.as_str(), host: host.0, locale, look }
}

async fn channel_page(
    engine: &Engine,
    session: &Session,
    named: &ChannelRef,
    reader: &Reader<'_>,
    base: &BaseUrl,
    flash: Option<Notice>,
    landing: bool,
) -> Result<Template, ErrorPage> {
    engine.count_read(session, Cost::PAGE)?;
    let view = View::read(engine, session, named, reader, base).await?;
    let sidebar = engine.sidebar(session, &view.channel.id, MAX_LISTED)?;
    let open = view.channel.id.as_str();
    let link = |each: &SidebarChannel| {
        let presence = each.view.with.as_ref().map(|with| engine.presence(&with.id));
        ChannelLinkView::of(each, open, reader.id, presence)
    };
    let page = ChannelPage {
        me: PersonView::of(&session.user, reader.id),
        channels: sidebar.channels.iter().map(link).collect(),
        public_count: sidebar.public_count,
        more_direct: sidebar.more_direct,
        blank: Blank::views(),
        landing,
        files: engine.file_limits(),
        flash,
        view,
    };
    Ok(reader.look.page("channel", page))
}

fn sign_in_page(look: Look, next: &str, flash: Option<Notice>) -> Template {
    let error: Option<&str> = None;
    look.page("sign_in", context! { display_name: "", error, is_taken: false, next, flash })
}

/// Signs in, and redirects to the page that was asked for first.
#[post("/sign-in", data = "<form>")]
#[expect(clippy::too_many_arguments, reason = "each is a guard")]
async fn sign_in(
    _same_origin: SameOrigin,
    look: Look,
    session: OptionalSession,
    device: Device,
    transport: Transport,
    form: FormFields,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, (Status, Template)> {
    let (display_name, next) = (form.text("display_name"), local_path(form.text("next")));
    let refused = |problem: Problem| {
        let is_taken = problem.kind == ProblemKind::DisplayNameTaken;
        let error = problem.detail;
        let flash: Option<Notice> = None;
        let page = look.page("sign_in", context! { display_name, error, is_taken, next, flash });
        (problem.kind.status(), page)
    };
    let name = display_name.parse().map_err(|error| {
        let problem = Problem::invalid(ProblemKind::InvalidDisplayName, "display_name", &error);
        refused(problem)
    })?;
    match engine.sign_in(name, session.0.as_ref(), device).await {
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
    _same_origin: SameOrigin,
    session: OptionalSession,
    cookies: &CookieJar<'_>,
    engine: &State<Engine>,
) -> Result<Flash<Redirect>, ErrorPage> {
    if let Some(session) = session.0 {
        engine.sign_out(&session).await?;
    }
    cookies.add(removal_cookie());
    Ok(Flash::success(Redirect::to("/"), "You are signed out. Your name is free again."))
}

/// Creates a channel, and redirects to it.
#[post("/channels", data = "<form>")]
async fn create_channel(
    _same_origin: SameOrigin,
    session: Session,
    form: FormFields,
    engine: &State<Engine>,
) -> Flash<Redirect> {
    let back = |problem: Problem| Flash::error(Redirect::to("/"), problem.detail);
    let name = form
        .text("name")
        .parse()
        .map_err(|error| Problem::invalid(ProblemKind::InvalidChannelName, "name", &error));
    let topic = form
        .text("topic")
        .parse()
        .map_err(|error| Problem::invalid(ProblemKind::InvalidTopic, "topic", &error));
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

/// Sends a message, and redirects to its channel.
#[post("/channels/<name>/messages", data = "<body>")]
async fn send(
    _same_origin: SameOrigin,
    session: Session,
    name: &str,
    body: MessageBody<'_>,
    engine: &State<Engine>,
) -> Result<Redirect, Flash<Redirect>> {
    let back = || Redirect::to(channel_path(name));
    let failed = |problem: Problem| Flash::error(back(), problem.detail);
    let named = ChannelRef::from(name);
    let said = body.read(engine, &session, &named).await.map_err(failed)?;
    let sent = engine.post(&session, &named, said).await;
    sent.map(|_| back()).map_err(|error| failed(error.into()))
}

/// Explains a kind of problem, at the address that a problem's `type` has.
#[get("/problems/<slug>")]
fn about_problem(session: OptionalSession, look: Look, slug: &str) -> Result<Template, ErrorPage> {
    let kind = ProblemKind::ALL.into_iter().find(|kind| kind.slug() == slug);
    let kind = kind.ok_or_else(|| Problem::new(ProblemKind::NotFound))?;
    Ok(look.page(
        "error",
        context! {
            status: kind.status().code,
            title: kind.title(),
            detail: kind.explanation(),
            user: session.0.map(|session| session.user),
        },
    ))
}

/// Answers every failure outside `/api`: with an error page where one is asked for.
#[catch(default)]
fn error_page(status: Status, request: &Request<'_>) -> Result<ErrorPage, Refusal> {
    let problem = problem::caught(status, request);
    match Format::of(request) {
        Format::Html => Ok(ErrorPage(problem)),
        _ => Err(Refusal(problem)),
    }
}

fn channel_path(name: &str) -> String {
    format!("/channels/{}", RawStr::new(name).percent_encode())
}

/// The path to redirect to after signing in: a channel's page, or `/` where anything else was asked
/// for.
fn local_path(next: &str) -> &str {
    let ours = next.starts_with("/channels/") && rocket::http::uri::Origin::parse(next).is_ok();
    if ours { next } else { "/" }
}
