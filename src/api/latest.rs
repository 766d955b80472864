//! The fairing that lets a node catch up with others before a request is answered.

use std::io::Cursor;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Cookie, Method, RawStr, Status};
use rocket::response::Response;
use rocket::{Data, Request};

use super::input::{SESSION_COOKIE, bearer_token, resume_of};
use super::problem::{Problem, ProblemKind};
use crate::domain::channel::ChannelRef;
use crate::domain::ids::{AttachmentId, MessageId};
use crate::engine::latest::References;
use crate::engine::{Engine, Resume};

/// First segments of addresses at which no session is asked for. Monitors and operators show tokens
/// of their own there, which no node knows as a session's.
const WITHOUT_SESSION: [&str; 5] = ["healthz", "readyz", "metrics", "static", "operator"];

/// A fairing that waits for what a request refers to where this node does not know it yet, though
/// another may: the session, the channel, the message, the file, the hook, the cursor. Where it cannot
/// be known, the API answers 503, and not that there is no such thing. Without other nodes it does
/// nothing.
pub struct CatchUp;

/// Set in the local cache of a request that refers to something of which this node cannot know whether
/// it is there.
struct IsUnsure(bool);

#[rocket::async_trait]
impl Fairing for CatchUp {
    fn info(&self) -> Info {
        Info { name: "Catch up with other nodes", kind: Kind::Request | Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let engine = request.rocket().state::<Engine>();
        if let Some(engine) = engine.filter(|engine| engine.has_other_nodes()) {
            let is_known = await_references_of(request, engine).await;
            request.local_cache(|| IsUnsure(!is_known));
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let is_denied = matches!(response.status(), Status::Unauthorized | Status::NotFound);
        let is_api = request.uri().path().starts_with(super::BASE);
        if !is_denied || !is_api || !request.local_cache(|| IsUnsure(false)).0 {
            return;
        }
        let detail = "This server is cut off from what it shares with others, and cannot tell at \
                      present.";
        let problem = Problem::new(ProblemKind::StorageUnavailable).with_detail(detail);
        let Ok(body) = problem.json() else { return };
        // In place, for the headers that others have set.
        response.set_status(problem.kind.status());
        response.remove_header("WWW-Authenticate");
        for header in problem.headers() {
            response.set_header(header.clone());
        }
        response.set_sized_body(body.len(), Cursor::new(body));
    }
}

/// Waits for what this request refers to: see [`Engine::await_references`].
async fn await_references_of(request: &Request<'_>, engine: &Engine) -> bool {
    let path = request.uri().path();
    let mut segments = path.raw_segments().skip_while(|segment| *segment == "api");
    let first = segments.next();
    if first.is_some_and(|first| WITHOUT_SESSION.iter().any(|it| first == *it)) {
        return true;
    }
    let bearer = request.headers().get("Authorization").find_map(bearer_token);
    let cookie = request.cookies().get(SESSION_COOKIE);
    let (channel, message) = match first {
        Some(first) if first == "channels" => {
            let channel = segments.next().map(|named| ChannelRef::from(&*decoded(named)));
            // An id that is put is mostly a new one.
            let is_old = request.method() != Method::Put || path.raw_segments().count() > 5;
            let messages = segments.next().filter(|next| is_old && *next == "messages");
            let message = messages.and_then(|_| segments.next());
            (channel, message.and_then(|id| decoded(id).parse::<MessageId>().ok()))
        }
        _ => (None, None),
    };
    let mut named_by = |families: &[&str]| {
        let is_one = first.is_some_and(|first| families.iter().any(|family| first == *family));
        is_one.then(|| segments.next().map(decoded)).flatten()
    };
    let file = named_by(&["attachments", "previews"]);
    let file = file.map(|id| AttachmentId::from(id.into_owned()));
    let hook = named_by(&["hooks"]);
    let after = match resume_of(request) {
        Resume::After(cursor) => Some(cursor),
        _ => None,
    };
    let references = References {
        token: bearer.or_else(|| cookie.map(Cookie::value)),
        channel: channel.as_ref(),
        message: message.as_ref(),
        file: file.as_ref(),
        hook: hook.as_deref(),
        after,
    };
    engine.await_references(references).await
}

fn decoded(segment: &RawStr) -> std::borrow::Cow<'_, str> {
    segment.percent_decode_lossy()
}
