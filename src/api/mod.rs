//! The HTTP API: the engine as JSON and Server-Sent Events.
//!
//! # Conventions
//!
//! - Everything is below `/api`. Bodies are JSON in UTF-8; unknown fields are ignored; times are
//!   RFC 3339 in UTC with milliseconds.
//! - A route parses its input into types, names its caller by a guard, makes one call into the
//!   engine, and answers. What may be done is the engine's to say.
//! - What is created answers 201 with a `Location`, what is removed 204, and both only when it is
//!   on disk: but for read markers, which follow within a second, and for what is never stored.
//! - Every refusal is a [`problem::Problem`], whoever refused.

pub(crate) mod accept;
mod attachments;
pub(crate) mod body;
mod channels;
mod deliveries;
pub mod description;
mod device;
mod events;
pub(crate) mod file_body;
pub(crate) mod forwarded;
mod hooks;
pub(crate) mod input;
mod json;
mod json_list;
mod latest;
pub(crate) mod message_body;
mod messages;
mod multipart;
pub mod operator;
mod part_head;
mod previews;
pub mod problem;
pub(crate) mod qr;
pub(crate) mod refusal;
pub(crate) mod request_id;
mod search;
pub(crate) mod session;
mod sessions;
pub(crate) mod stream;

pub use self::latest::CatchUp;
pub use self::session::renew_sessions;
use rocket::fairing::{self, AdHoc, Fairing, Info};
use rocket::form::Form;
use rocket::http::{Header, Method};
use rocket::{Catcher, Data, Request, Route, catchers};

use crate::domain::ids::MessageId;

/// The path below which the API is mounted.
pub const BASE: &str = "/api";

/// Every route of the API.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        session::routes(),
        sessions::routes(),
        channels::routes(),
        messages::routes(),
        attachments::routes(),
        previews::routes(),
        search::routes(),
        events::routes(),
        hooks::routes(),
        description::routes(),
        operator::routes(),
    ]
    .concat()
}

/// The route of what programs post to hooks, which is outside of the API.
#[must_use]
pub fn delivery_routes() -> Vec<Route> {
    deliveries::routes()
}

/// A fairing that takes what is posted to hooks at the path of Matrix bridges.
#[must_use]
pub fn matrix_path() -> AdHoc {
    deliveries::matrix_path()
}

/// The catcher that answers what no route took, and failures of guards, with a
/// [`problem::Problem`].
#[must_use]
pub fn catchers() -> Vec<Catcher> {
    catchers![problem::catcher]
}

/// A fairing that keeps answers out of caches: all of them are for one user at one time.
#[must_use]
pub fn no_store() -> AdHoc {
    AdHoc::on_response("API answers are not cached", |request, response| {
        Box::pin(async move {
            let ours = request.uri().path().starts_with(BASE);
            if ours && !response.headers().contains("Cache-Control") {
                response.set_header(Header::new("Cache-Control", "no-store"));
            }
        })
    })
}

/// A fairing that undoes Rocket's method override: a form that begins with a field `_method` is
/// routed by that method, but here it is a text like any other.
///
/// Rocket does not tell the original method, so it is taken to be `POST`. Only a `PUT` stays one where
/// it may be genuine: at the address of a message, to which nothing is posted, and at that of a channel
/// or file, unless the form says `put` itself.
pub struct NoMethodOverride;

#[rocket::async_trait]
impl Fairing for NoMethodOverride {
    fn info(&self) -> Info {
        Info { name: "No method override", kind: fairing::Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        let form = request.content_type().is_some_and(|kind| kind.is_form());
        let path = request.uri().path();
        let put = request.method() == Method::Put && !path.ends_with("/messages");
        let is_genuine = put && path.starts_with(BASE);
        if !form || is_genuine {
            return;
        }
        let beginning = String::from_utf8_lossy(data.peek("_method=delete".len()).await);
        let method = Form::values(&beginning).next().filter(|field| field.name == "_method");
        if method.is_some_and(|field| !put || field.value.eq_ignore_ascii_case("put")) {
            request.set_method(Method::Post);
        }
    }
}

/// The path of a message in the API.
pub(crate) fn message_url(channel: &str, id: &MessageId) -> String {
    format!("{}/messages/{id}", channel_url(channel))
}

/// The path of a channel in the API, by its name, `@name` or `id:…` reference.
fn channel_url(channel: &str) -> String {
    let name = rocket::http::RawStr::new(channel).percent_encode();
    format!("{BASE}/channels/{name}")
}
