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
//!    single total order of everything that lasts. An entry that was decided on a state that is no
//!    longer true is refused, by the log or by `apply`, and decided again.
//! 3. The log's follower reads each entry's body, before any lock is taken, and feeds it, in order,
//!    to [`apply`](domain::state::State::apply): a pure function, the only place where state changes
//!    and the only one that decides what is kept. What nothing needs any longer it gives back as
//!    *spent*; the log erases that later, in that order, with other commits, and never trims by
//!    itself.
//! 4. Each event that `apply` gives is pushed to the [rooms](engine::room::Room) of those whom it
//!    concerns: its channel's, the lobby, or the users' own. A frame is encoded once, after the lock
//!    is released. Then the listeners are woken, once for all that the log delivered together and a
//!    few at a time, so that the next message does not wait behind all deliveries of this one.
//! 5. A listener is a position in a room's ring and a backlog before it. Woken, it takes what came
//!    since and writes it as one chunk. What a returning or slow one has missed is worked out from
//!    the state: [`Conversation::since`](domain::conversation::Conversation::since).
//! 6. The request is answered when this node's follower has applied its entry, with what `apply`
//!    made of it.
//!
//! Read markers alone are answered before they are on disk: they are gathered, and appended at most
//! once a second for a user.
//!
//! # Several nodes
//!
//! Several processes, *nodes*, can share one log: each follows it and makes the same state of it. What
//! never comes into the log they tell each other by the port [`Whisper`], at
//! best effort: who is present, and who types. Another node where a user has a stream counts like one
//! more stream, so a user who moves in time neither left nor joined; who comes and who goes is told at
//! once, and whole sets every few seconds, which mend what was lost. The users of a node that says
//! nothing for a while have left. A one-time link is known to the node that made it: another one that is
//! shown it asks the others, and that one gives it away once. Streams, their bounds and rate limits are
//! each node's own. With one process nothing is told.
//!
//! A node may be asked for what another has stored just now: a session, a channel, a message, or what
//! comes after a cursor that it has not reached. Then the request [waits](engine::latest) until the node
//! has caught up with what the log's store had at that moment. Nothing is erased before every node that
//! lives has been given what made it spent; one that was away for longer has a hole in what it was
//! given, finds it, and ends, to be started again.
//!
//! # The life of one message
//!
//! `PUT /api/channels/general/messages/m1` reaches `api::messages::replace`. A guard has made a
//! session of the cookie; the body is read into a [`MessageDraft`](engine::MessageDraft).
//! [`Engine::put`](engine::Engine::put) finds nothing under `m1`, renders the text and appends a
//! [`MessageRecord`](domain::entry::MessageRecord) under the channel's key. The
//! [SQLite](backends::sqlite) writer commits it with whatever else waits, what is spent among it,
//! and gives the entry to the follower. `apply` puts the message into the channel's
//! [`Conversation`](domain::conversation::Conversation), and gives back the entries of the one that
//! falls out; its frame goes into the room's ring; every listener writes the same bytes; the
//! request answers 201 with the JSON that is in the frame.
//!
//! Files come before their message: an [`Admission`](engine::files::Admission) stores each as its
//! bytes arrive, looking at them on the way, and only when all are safe is the message appended
//! that refers to them. `apply` says which files no message has any longer; a start removes what a
//! crash left.
//!
//! Hooks let programs in without a session, and out without one of ours. What is posted to an
//! incoming hook is read as Slack's format and becomes a message whose author is the hook. A
//! person's message waits in the queue of each outgoing hook that wants it, outside of every lock,
//! and the program's answer becomes a message again. The pages that a message links to are fetched
//! once it is sent, and what they say of themselves is kept as a change of it; their pictures are
//! files. Whatever is fetched from elsewhere goes through one [guard](backends::fetch), which
//! connects to public addresses alone.
//!
//! # Code map
//!
//! - [`domain`]: words and rules. No I/O, no clock, no async, no HTTP, no SQL, no JSON of clients.
//! - [`wire`]: the shapes that clients see: views, bodies, frames, cursors, addresses. Each
//!   describes itself.
//! - [`engine`]: the actions that people can take; the ports ([`Log`],
//!   [`Blobs`], [`Fetch`](engine::fetch::Fetch),
//!   [`Whisper`]); rooms and presence.
//! - [`backends`]: the ports' implementations. Nobody else knows which of them run. Those for one node
//!   keep everything in one directory; those of `backends::jetstream` (the feature `cluster`) share
//!   servers of NATS: the log in a stream, where one node [erases](engine::log::Log::erase) for all, the
//!   files in another, and whispers on plain subjects.
//! - [`api`]: the engine as JSON and Server-Sent Events, and their
//!   [description](api::description), which stands at each route.
//! - [`pages`]: the same engine as HTML, and the API's description; [`faces`]: as text, at the same
//!   addresses, by what is asked for; [`assets`]: what pages are made of.
//! - [`metrics`]: statistics for monitors; `logs`: the log of the process, without secrets.
//! - [`commands`]: the `houston` command: what an operator can do by it, and a client of any server.
//! - [`config`]: every setting; `sockets`: limits on connections that Rocket does not set.
//!
//! `domain ← wire ← engine ← backends` and `domain, wire, engine ← api ← pages, faces, metrics`; this
//! file alone knows all. A test keeps it so.
//!
//! # Invariants
//!
//! - **No event and no 2xx before its entry is on disk**, but for read markers.
//! - **A listener sees sequence numbers in order, each once, or a `reset`; never a hole.**
//! - **`apply` reads no clock and does no I/O**; the time is in the entry.
//! - **Starting again gives the state that was there**, wherever a crash cut what was being erased.
//! - **Whatever was written can be read**: rules for input are applied when something comes in, and
//!   never when a record is read. An entry that cannot be read is set aside, counted and reported.
//! - **At most 100 messages per channel** in memory; the log holds, until they are erased, some that
//!   are spent. What falls out takes its edits, reactions and files with it. Deletions and restorations
//!   are remembered, 100 per channel, and 100 deletions of channels, so that a listener who was away
//!   learns of them.
//! - **A deleted message is seen nowhere, and can be restored for 15 seconds**: until then it is kept
//!   with its entries and files, one for each remembered deletion at most, and counts against the
//!   limits. Time alone changes no state: an erasure, an entry as any other, says that it is over.
//! - **Nothing under the state's lock but looking and changing**: bodies are read before it; lists,
//!   histories and searches take what they need, which is shared, and let go; a rename touches one
//!   user.
//! - **Everything has a bound**: rings, frames, names, texts, bodies, files, rates, and whatever else
//!   a client can make. A slow reader costs no memory, and an answer that nobody reads holds no copy.
//! - **A direct conversation leaves no trace on a stream but its two members'**, in time neither: its
//!   events go to their own rooms, and cursors tell the channel's or user's own place in the log.
//! - **No lock is held across `.await`**, but for those that let reactions to a message be decided,
//!   channels be created, and names that look alike be claimed, one by one, and a user search for one
//!   thing at a time; listeners are woken after it is released;
//!   while anybody is served, SQLite, searches and compression run on no async worker.
//! - **Cursors are `<epoch>-<start>-<seq>`**. Each stream has its own epoch, derived from the log's:
//!   another store, channel or stream means a `reset`. The log keeps the list of its starts: a cursor
//!   from a past that was undone, as by restoring a backup, means a `reset`, too.
//! - **No address that is not public is connected to**, however it is written or found and wherever a
//!   redirect leads, unless the operator allows it. A hook's secret is in no log and no metric.
//!
//! # What it does not do
//!
//! It does not keep more than a channel's last hundred messages, does not authenticate people
//! beyond the possession of a session, and does not encrypt end to end: whoever operates the
//! server can read what is said.

pub mod api;
pub mod assets;
pub mod backends;
pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod faces;
mod logs;
pub mod metrics;
pub mod pages;
#[cfg(target_os = "linux")]
mod sockets;
pub mod wire;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::AdHoc;
use rocket::figment::Figment;
use rocket::shield::{Frame, Permission, Shield};
use rocket::{Build, Rocket};

use crate::assets::{Assets, Sources};
use crate::backends::fetch::Fetcher;
use crate::backends::files::{self, Files};
#[cfg(feature = "cluster")]
use crate::backends::jetstream::{
    blobs::SharedFiles,
    connection::{ConnectError, Nats, Options},
    log::{JetStreamLog, Times},
    stream,
    whisper::NatsWhisper,
};
use crate::backends::operator_token;
use crate::backends::sqlite::{OpenError, Sqlite, snapshot};
use crate::config::{Config, SettingError};
use crate::engine::blobs::Blobs;
use crate::engine::bounds::Bounds;
use crate::engine::files::FileLimits;
use crate::engine::limits::Limits;
use crate::engine::log::Log;
use crate::engine::whisper::Whisper;
use crate::engine::{Engine, StartError};
use crate::metrics::Metrics;

/// The reason for which the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// A setting has a wrong value.
    #[error("a setting is wrong")]
    Config(#[from] SettingError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] OpenError),
    /// The NATS servers cannot be used.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// What the NATS servers keep cannot be used.
    #[cfg(feature = "cluster")]
    #[error(transparent)]
    Stream(#[from] stream::OpenError),
    /// The stream of files cannot be used.
    #[cfg(feature = "cluster")]
    #[error("the files in the NATS servers cannot be used")]
    SharedFiles(#[source] std::io::Error),
    /// This program was built without what a cluster needs.
    #[cfg(not(feature = "cluster"))]
    #[error(
        "`cluster` is set, and this program was built without it: leave it out, or build with the \
         feature `cluster`"
    )]
    NoCluster,
    /// The directory of files cannot be used.
    #[error("the directory of files cannot be used")]
    Files(#[source] std::io::Error),
    /// The operator's token cannot be made.
    #[error("the operator's token cannot be written")]
    OperatorToken(#[source] std::io::Error),
    /// The templates or static files cannot be read.
    #[error("the pages in `{}` cannot be read", .directory.display())]
    Pages {
        /// The directory that has them.
        directory: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// No pages can be made of the static files.
    #[error("the static files cannot be used")]
    Assets(#[source] std::io::Error),
    /// Two metrics have the same name.
    #[error("the metrics cannot be counted")]
    Metrics(#[from] prometheus::Error),
    /// The log cannot be read.
    #[error("what is kept cannot be read")]
    Engine(#[from] StartError),
}

/// Builds the server, ready to be launched: the one place that knows every part.
///
/// Opens the data directory and replays the log; must run within a Tokio runtime. Pages are made of
/// the `built_in` sources, unless the setting `pages_dir` names others.
///
/// # Errors
///
/// When a setting is wrong, or the data directory cannot be used or read.
pub async fn rocket(settings: Figment, built_in: Sources) -> Result<Rocket<Build>, SetUpError> {
    let config = Config::from(&settings)?;
    let log_level = settings.extract_inner("log_level").map_err(SettingError::from)?;
    logs::start(log_level, config.log_format);
    let engine = open_engine(&config).await?;
    let token = operator_token::make(&config.data_dir).map_err(SetUpError::OperatorToken)?;
    let metrics = Metrics::new(config.metrics_token.as_deref())?;
    let mut sources = match config.pages_dir {
        None => built_in,
        Some(directory) => {
            Sources::read(&directory).map_err(|source| SetUpError::Pages { directory, source })?
        }
    };
    sources.files.insert(pages::emoji::PATH.to_owned(), pages::emoji::list());
    let assets = Assets::of(&sources.files).map_err(SetUpError::Assets)?;
    let rocket = rocket::custom(assets::without_template_directory(settings))
        .manage(engine)
        .manage(api::operator::OperatorToken::new(&token))
        .manage(api::body::MaxSilence(config.body_silence))
        .mount(api::BASE, api::routes())
        .register(api::BASE, api::catchers())
        .mount("/", api::delivery_routes())
        .mount("/", pages::routes())
        .mount("/", faces::routes())
        .register("/", pages::catchers())
        .mount(assets::BASE, assets::routes())
        .mount("/", metrics::routes())
        .attach(logs::RequestIds)
        .attach(metrics.clone())
        .manage(metrics)
        // `nosniff`, and no frames, on every answer. What Rocket itself would deny by the third of
        // its headers is far less than pages deny.
        .attach(Shield::default().enable(Frame::Deny).disable::<Permission>())
        .attach(assets::templates(sources.templates, &assets))
        .attach(faces::vary())
        .manage(assets)
        .attach(assets::compress_pages())
        .attach(api::NoMethodOverride)
        .attach(api::CatchUp)
        .attach(api::matrix_path())
        .attach(api::no_store())
        .attach(api::renew_sessions())
        .attach(pages::headers())
        .attach(whole_bodies())
        .attach(tell_operator_address(config.data_dir))
        .attach(end_streams_at_shutdown())
        .attach(stop_when_left_behind())
        .attach(keep_read_markers_at_shutdown());
    #[cfg(target_os = "linux")]
    let rocket = rocket.attach(sockets::set_up(config.body_silence, config.answer_silence));
    Ok(rocket)
}

/// Opens the data directory and starts the engine on it. Must be called within a Tokio runtime.
///
/// # Errors
///
/// When the data directory cannot be used or read.
async fn open_engine(config: &Config) -> Result<Engine, SetUpError> {
    let Storage { log, blobs, whisper } = match &config.cluster {
        None => own_storage(config)?,
        Some(servers) => shared_storage(config, servers).await?,
    };
    let limits = config.rate_limits.then(Limits::default);
    let file_limits = FileLimits {
        max_file_bytes: config.max_file_size.as_u64(),
        max_message_files: config.max_message_files,
        max_total_bytes: config.max_total_size.as_u64(),
    };
    let engine = Engine::start(log, blobs, limits, file_limits, bounds_of(config)).await?;
    if let Some(whisper) = whisper {
        engine.join(whisper);
    }
    engine.set_fetch(Arc::new(Fetcher::new(config.outgoing_private)));
    if config.link_previews {
        engine.set_preview_fetch(Arc::new(Fetcher::new(config.link_previews_private)));
    }
    Ok(engine)
}

/// The places where everything that lasts is kept.
struct Storage {
    log: Arc<dyn Log>,
    blobs: Arc<dyn Blobs>,
    /// The way to other nodes, where there are any.
    whisper: Option<Arc<dyn Whisper>>,
}

/// Opens the data directory, for this process alone.
fn own_storage(config: &Config) -> Result<Storage, SetUpError> {
    let log = Sqlite::open(&config.data_dir)?;
    snapshot::remove_left_behind(&config.data_dir).map_err(SetUpError::Files)?;
    let files = config.data_dir.join(files::DIRECTORY);
    let blobs = Files::open(&files).map_err(SetUpError::Files)?;
    Ok(Storage { log: Arc::new(log), blobs: Arc::new(blobs), whisper: None })
}

/// Opens what the NATS servers keep for all nodes.
#[cfg(feature = "cluster")]
async fn shared_storage(config: &Config, servers: &str) -> Result<Storage, SetUpError> {
    std::fs::create_dir_all(&config.data_dir).map_err(SetUpError::Files)?;
    let nats = Nats::connect(&nats_options(config, servers)).await?;
    let log = JetStreamLog::open(&nats, Times::default()).await?;
    let blobs = SharedFiles::open(&nats).await.map_err(SetUpError::SharedFiles)?;
    let whisper = Arc::new(NatsWhisper::over(&nats));
    Ok(Storage { log: Arc::new(log), blobs: Arc::new(blobs), whisper: Some(whisper) })
}

#[cfg(not(feature = "cluster"))]
async fn shared_storage(_: &Config, _: &str) -> Result<Storage, SetUpError> {
    Err(SetUpError::NoCluster)
}

/// The options of a connection to these NATS servers, with the other settings as they are.
#[cfg(feature = "cluster")]
pub(crate) fn nats_options(config: &Config, servers: &str) -> Options {
    Options {
        servers: servers.split(',').map(|server| server.trim().to_owned()).collect(),
        credentials: config.cluster_credentials.clone(),
        ca: config.cluster_ca.clone(),
        prefix: config.cluster_prefix.clone(),
        replicas: config.cluster_replicas,
    }
}

/// The bounds of the engine, from their settings.
fn bounds_of(config: &Config) -> Bounds {
    Bounds {
        max_streams_per_user: config.max_streams_per_user,
        max_streams: config.max_streams,
        max_channels: config.max_channels,
        max_channels_per_user: config.max_channels_per_user,
        max_directs_per_user: config.max_directs_per_user,
        max_hooks_per_channel: config.max_hooks_per_channel,
        max_hooks_per_user: config.max_hooks_per_user,
        max_sessions_per_user: config.max_sessions_per_user,
        max_preferences_per_user: config.max_preferences_per_user,
        max_reactions_per_user: config.max_reactions_per_user,
        max_reaction_kinds: config.max_reaction_kinds,
        max_reactions: config.max_reactions,
        max_kept_text_bytes: config.max_kept_text.as_u64(),
        session_life: Duration::from_hours(u64::from(config.session_days) * 24),
        ..Bounds::default()
    }
}

/// Largest chunk of a body, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// A fairing that sends bodies of known size in as few chunks as [`CHUNK_BYTES`] allows: each chunk
/// passes through a channel between two tasks.
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

/// A fairing that tells an operator's commands where the server listens, in its data directory.
fn tell_operator_address(data: PathBuf) -> AdHoc {
    AdHoc::on_liftoff("Tell the operator's commands the address", move |rocket| {
        Box::pin(async move {
            let (config, tls) = (rocket.config(), rocket.config().tls_enabled());
            let address = match config.address {
                IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                address => address,
            };
            let socket = SocketAddr::new(address, config.port);
            let url = format!("http{}://{socket}", if tls { "s" } else { "" });
            if let Err(error) = operator_token::write_address(&data, &url) {
                log::warn!("An operator's commands will not find this server: {error}.");
            }
        })
    })
}

/// A fairing that stores the gathered read markers at shutdown.
fn keep_read_markers_at_shutdown() -> AdHoc {
    AdHoc::on_shutdown("Keep read markers at shutdown", |rocket| {
        Box::pin(async move {
            if let Some(engine) = rocket.state::<Engine>() {
                engine.flush_read_markers().await;
            }
        })
    })
}

/// A fairing that ends the streams at shutdown: they never end by themselves, and would hold up the
/// exit.
fn end_streams_at_shutdown() -> AdHoc {
    AdHoc::on_liftoff("End streams at shutdown", |rocket| {
        Box::pin(async move {
            let ending = rocket.state::<Engine>().map(Engine::stream_end);
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

/// A fairing that stops a node of several once it has missed entries of the log: started again, it
/// reads them all.
fn stop_when_left_behind() -> AdHoc {
    AdHoc::on_liftoff("Stop a node that was left behind", |rocket| {
        Box::pin(async move {
            let engine = rocket.state::<Engine>().filter(|engine| engine.has_other_nodes());
            let (Some(engine), shutdown) = (engine.cloned(), rocket.shutdown()) else { return };
            rocket::tokio::spawn(async move {
                engine.stream_end().cancelled().await;
                if engine.is_left_behind() {
                    log::error!("This node stops, to be started again and read what it missed.");
                    shutdown.notify();
                }
            });
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_s_default_bounds_are_the_settings_defaults() {
        let config = Config::from(&Config::figment()).expect("settings");
        let streams = Bounds { max_streams: config.max_streams, ..Bounds::default() };
        assert_eq!(bounds_of(&config), streams);
    }
}
