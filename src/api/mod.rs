//! The engine as JSON and Server-Sent Events.
//!
//! # Conventions
//!
//! - Everything is below `/api`. Bodies are JSON in UTF-8; unknown fields are ignored; times are
//!   RFC 3339 in UTC with milliseconds.
//! - A route parses its input into types, names its caller by a guard, makes one call into the
//!   engine, and answers. What may be done is the engine's to say.
//! - What is created answers 201 with a `Location`, what is removed 204, and both only when it is
//!   on disk.
//! - Every refusal is a [`problem::Problem`], whoever refused.

mod attachments;
pub(crate) mod body;
mod channels;
pub mod description;
mod events;
pub(crate) mod forwarded;
pub(crate) mod input;
mod messages;
mod multipart;
pub mod problem;
pub(crate) mod said;
mod search;
pub(crate) mod session;
mod stream;

use rocket::fairing::{self, AdHoc, Fairing, Info};
use rocket::form::Form;
use rocket::http::{Header, Method};
use rocket::{Catcher, Data, Request, Route, catchers};

/// Where all of this is mounted.
pub const BASE: &str = "/api";

/// Every route.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        session::routes(),
        channels::routes(),
        messages::routes(),
        attachments::routes(),
        search::routes(),
        events::routes(),
        description::routes(),
    ]
    .concat()
}

/// What answers where no route does, or one refuses.
#[must_use]
pub fn catchers() -> Vec<Catcher> {
    catchers![problem::catcher]
}

/// Keeps answers out of caches: all of them are for one user at one time.
#[must_use]
pub fn uncached() -> AdHoc {
    AdHoc::on_response("API answers stay out of caches", |request, response| {
        Box::pin(async move {
            let ours = request.uri().path().starts_with(BASE);
            if ours && !response.headers().contains("Cache-Control") {
                response.set_header(Header::new("Cache-Control", "no-store"));
            }
        })
    })
}

/// Undoes what Rocket does to posted forms that begin with a field `_method`: here, what is posted
/// as a form is a text, whatever it begins with.
///
/// What the method was before cannot be known: such a form was posted, then, whatever it says; but
/// for putting to where a message can be put, since there is no posting to that address.
pub struct PostedForms;

#[rocket::async_trait]
impl Fairing for PostedForms {
    fn info(&self) -> Info {
        Info { name: "Forms are posted", kind: fairing::Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        let form = request.content_type().is_some_and(|kind| kind.is_form());
        let put = request.method() == Method::Put && !request.uri().path().ends_with("/messages");
        if !form || put {
            return;
        }
        let beginning = String::from_utf8_lossy(data.peek("_method=delete".len()).await);
        if Form::values(&beginning).next().is_some_and(|field| field.name == "_method") {
            request.set_method(Method::Post);
        }
    }
}

/// The address of a channel, by what it is called.
fn channel_url(channel: &str) -> String {
    let name = rocket::http::RawStr::new(channel).percent_encode();
    format!("{BASE}/channels/{name}")
}
