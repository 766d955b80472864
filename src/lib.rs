//! Houston: a self-hosted team chat whose channels keep their last hundred messages.
//!
//! # Everything flows one way
//!
//! ```text
//!  request → rules → log → apply → room → listeners
//!           (may I?) (kept) (pure) (ring)  (cursors)
//! ```
//!
//! 1. A route parses its input into types, names the caller, and makes one call into the
//!    [`engine`].
//! 2. The engine checks the rules against the present state and appends one entry to the
//!    [log](engine::log::Log). When that returns, the entry is on disk and has its place in the
//!    single total order of everything that lasts.
//! 3. The log's follower feeds each entry, in order, to [`apply`](domain::state::State::apply), a
//!    pure function and the only place where state changes.
//! 4. Each event that `apply` tells is encoded once and said in its [room](engine::room::Room);
//!    then the room's listeners are woken, once for all that the log delivered together and a few
//!    at a time, so that the next message does not wait behind all deliveries of this one.
//! 5. A listener is a position in a room's ring and nothing else. Woken, it takes what came since
//!    and writes it as one chunk. What a returning or slow one has missed is worked out from the
//!    state: [`Conversation::since`](domain::channel::Conversation::since). How far one has read
//!    concerns one's other devices alone: no room says it, their streams of everything look for it
//!    in the state.
//! 6. The request is answered when this node's follower has applied its entry, with what `apply`
//!    made of it.
//!
//! # The life of one message
//!
//! `PUT /api/channels/general/messages/m1` reaches `api::messages::replace`. A guard has made a
//! session of the cookie; the body is read into what is [`Said`](engine::Said).
//! [`Engine::put`](engine::Engine::put) finds nothing under `m1`, renders the text and appends a
//! [`MessageRecord`](domain::entry::MessageRecord) under the channel's key. The
//! [SQLite](backends::sqlite) writer commits it with whatever else waits, lets the 101st message
//! go in the same transaction, and gives the entry to the follower. `apply` puts the message into
//! the channel's [`Conversation`](domain::channel::Conversation); its frame goes into the room's
//! ring; every listener writes the same bytes; the request answers 201 with the JSON that is in
//! the frame.
//!
//! Files come before their message: [`Admission::receive`](engine::files::Admission::receive) stores
//! each as its bytes arrive, looking at them on the way, and only when all are safe is the message appended
//! that refers to them. [`apply`](domain::state::State::apply) says which files no message has any longer; a start removes what a
//! crash left.
//!
//! # Code map
//!
//! - [`domain`]: words and rules. No I/O, no clock, no async, no HTTP, no SQL.
//! - [`engine`]: what people can do; the ports ([`Log`](engine::log::Log),
//!   [`Blobs`](engine::blobs::Blobs)); rooms and presence.
//! - [`backends`]: the ports' implementations. Nobody else knows which of them run.
//! - [`api`]: the engine as JSON and Server-Sent Events, and their
//!   [description](api::description).
//! - [`pages`]: the same engine as HTML, and the API's description; [`assets`]: what pages are made
//!   of.
//! - [`metrics`]: what monitors are told.
//! - [`config`]: every setting; `listening_socket`: room for clients that connect all at
//!   once, and an end for those that are gone; `logs`: the log, without secrets.
//!
//! `domain ← engine ← backends` and `domain, engine ← api ← pages, metrics`; this file alone knows
//! all. A test keeps it so.
//!
//! # Invariants
//!
//! - **No event and no 2xx before its entry is on disk.**
//! - **A listener sees sequence numbers in order, each once, or a `reset`; never a hole.**
//! - **`apply` reads no clock and does no I/O**; the time is in the entry.
//! - **At most 100 messages per channel**, in memory and in the log; what falls out takes its
//!   edits, reactions and files with it. Deletions are remembered, 100 per channel, so that a
//!   listener who was away learns of them.
//! - **Everything has a bound**: rings, frames, names, texts, bodies, files, rates. A slow reader
//!   costs no memory.
//! - **No lock is held across `.await`**, but for the one that lets reactions to a message be
//!   decided one by one; listeners are woken after it is released; while anybody is served, SQLite
//!   and compression run on no async worker.
//! - **Cursors are `<epoch>-<seq>`**, and each stream has its own epoch, derived from the log's:
//!   another store, channel or stream means a `reset`, never a silent gap.
//!
//! # What it does not do
//!
//! It does not keep more than a channel's last hundred messages, does not authenticate people
//! beyond the possession of a session, and does not encrypt end to end: whoever operates the
//! server can read what is said.

pub mod api;
pub mod assets;
pub mod backends;
pub mod config;
pub mod domain;
pub mod engine;
#[cfg(target_os = "linux")]
mod listening_socket;
mod logs;
pub mod metrics;
pub mod pages;

use std::path::Path;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::figment::{self, Figment};
use rocket::shield::{Frame, Permission, Shield};
use rocket::{Build, Rocket};

use crate::assets::Assets;
use crate::backends::files::Files;
use crate::backends::sqlite::{OpenError, Sqlite};
use crate::config::{Config, Token};
use crate::engine::files::FileLimits;
use crate::engine::limits::Limits;
use crate::engine::{Engine, StartError};
use crate::metrics::Metrics;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A setting is not what it should be.
    #[error("a setting is wrong")]
    Config(#[from] Box<figment::Error>),
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The directory of files cannot be used.
    #[error("the directory of files cannot be written")]
    Files(#[source] std::io::Error),
    /// The static files cannot be read.
    #[error("the static files in `static` cannot be read: start it where they are")]
    Assets(#[source] std::io::Error),
    /// Two metrics have one name.
    #[error("the metrics cannot be counted")]
    Metrics(#[from] prometheus::Error),
    /// What is kept cannot be read.
    #[error("what is kept cannot be read")]
    Engine(#[from] StartError),
}

/// The server, ready to be launched: the one place that knows every part.
///
/// Opens the data directory and reads what is kept; must run within a Tokio runtime.
///
/// # Errors
///
/// When a setting is wrong, or the data directory cannot be used or read.
pub async fn rocket(settings: Figment) -> Result<Rocket<Build>, SetUpError> {
    let config = Config::from(&settings)?;
    logs::start(settings.extract_inner("log_level").map_err(Box::new)?);
    let log = Arc::new(Sqlite::open(&config.data_dir)?);
    let limits = config.rate_limits.then(Limits::default);
    let files = config.data_dir.join("files");
    let blobs = Arc::new(Files::open(&files).map_err(SetUpError::Files)?);
    let file_limits = FileLimits {
        max_file_bytes: config.max_file_size.as_u64(),
        max_message_files: config.max_message_files,
        max_total_bytes: config.max_total_size.as_u64(),
    };
    let engine = Engine::start(log, blobs, limits, file_limits).await?;
    let metrics = Metrics::new(config.metrics_token.as_ref().map(Token::as_str))?;
    let assets = Assets::read(Path::new("static")).map_err(SetUpError::Assets)?;
    let rocket = rocket::custom(settings)
        .manage(engine)
        .manage(api::body::MaxSilence(config.body_silence))
        .mount(api::BASE, api::routes())
        .register(api::BASE, api::catchers())
        .mount("/", pages::routes())
        .register("/", pages::catchers())
        .mount(assets::BASE, assets::routes())
        .mount("/", metrics::routes())
        .attach(metrics.clone())
        .manage(metrics)
        // `nosniff`, and no frames, on every answer. What Rocket itself would deny by the third of
        // its headers is far less than pages deny.
        .attach(Shield::default().enable(Frame::Deny).disable::<Permission>())
        .attach(assets::templates(&assets))
        .manage(assets)
        .attach(assets::compressed_pages())
        .attach(api::PostedForms)
        .attach(api::uncached())
        .attach(pages::headers())
        .attach(whole_bodies())
        .attach(end_streams_at_shutdown());
    #[cfg(target_os = "linux")]
    let rocket = rocket.attach(listening_socket::set_up(config.answer_silence));
    Ok(rocket)
}

/// How much of a body goes out as one chunk at most.
const CHUNK_BYTES: usize = 64 * 1024;

/// Sends bodies whose size is known in as few pieces as that allows: each piece passes through a
/// channel between two tasks.
fn whole_bodies() -> AdHoc {
    AdHoc::on_response("Bodies go out whole", |_, response| {
        Box::pin(async move {
            if let Some(bytes) = response.body().preset_size() {
                // One byte more than there is: the end is found without another buffer.
                response.set_max_chunk_size((bytes + 1).min(CHUNK_BYTES));
            }
        })
    })
}

/// Streams never end by themselves: without this they would hold up the exit.
fn end_streams_at_shutdown() -> AdHoc {
    AdHoc::on_liftoff("End streams at shutdown", |rocket| {
        Box::pin(async move {
            let ending = rocket.state::<Engine>().map(Engine::stream_ender);
            let shutdown = rocket.shutdown();
            rocket::tokio::spawn(async move {
                shutdown.await;
                if let Some(ending) = ending {
                    ending.cancel();
                }
            });
        })
    })
}
