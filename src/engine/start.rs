//! The start: replays the log into the state, then starts the follower.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::blobs::Blobs;
use super::bounds::Bounds;
use super::commit::Decision;
use super::erasures::erase_deleted;
use super::log::{Expect, Feed, Log};
use super::ping_clock::PingClock;
use super::presence::{Presence, conclude_departures};
use super::read_markers::{PendingMarkers, store_markers};
use super::room::Room;
use super::sessions::SessionUses;
use super::statistics::Flow;
use super::users::sweep_sessions;
use super::weak_map::WeakMap;
use super::{Core, Engine, Live, StartError, follower};
use crate::domain::entry::{ChannelRecord, Key};
use crate::domain::ids::{ChannelId, Seq};
use crate::domain::names::{ChannelName, Topic};
use crate::domain::state::State;
use uuid::Uuid;

/// Replays what the log keeps, then starts the tasks that run for as long as the log lives.
pub(super) async fn start(
    log: &Arc<dyn Log>,
    blobs: Arc<dyn Blobs>,
    bounds: &Bounds,
) -> Result<Arc<Core>, StartError> {
    let mut state = State::default();
    let mut feed = log.follow(Seq(0));
    // What rests on something else, and would be spent where that cannot be read.
    let (mut spent, mut ownerless) = (Vec::new(), Vec::new());
    let unreadable = AtomicU64::new(0);
    let reached = loop {
        match feed.next().await.ok_or(StartError::LogEnded)? {
            Feed::Entry(entry) => match entry.decode() {
                Ok(decoded) => {
                    let applied = state.apply(decoded);
                    if applied.refused { &mut ownerless } else { &mut spent }.extend(applied.spent);
                }
                Err(error) => {
                    follower::report(&entry, &error);
                    unreadable.fetch_add(1, Ordering::Relaxed);
                    state.set_aside(entry.seq, &entry.key);
                }
            },
            Feed::CaughtUp(reached) => break reached,
        }
    };
    // With what should have been erased before, where a crash came first. The files of that are not
    // among the known ones, and are removed with the unknown ones.
    ownerless.extend(state.caught_up(reached).spent);
    if unreadable.load(Ordering::Relaxed) == 0 {
        spent.extend(ownerless);
    }
    log.erase(spent);
    let (departures, pending_departures) = mpsc::unbounded_channel();
    let (applied_sender, applied) = watch::channel(state.head());
    let lobby = Arc::new(Room::default());
    let core = Arc::new(Core {
        blobs,
        epoch: log.epoch(),
        starts: log.starts(),
        live: RwLock::new(Live { state }),
        rooms: WeakMap::default(),
        user_rooms: WeakMap::default(),
        applied,
        waiting: Mutex::new(Some(HashMap::new())),
        presence: Presence::new(lobby.clone(), bounds),
        lobby,
        pending_markers: PendingMarkers::default(),
        session_ends: Mutex::default(),
        session_uses: SessionUses::default(),
        end: CancellationToken::new(),
        pings: PingClock::start(),
        unreadable,
        flow: Flow::default(),
        departures,
    });
    tokio::spawn(conclude_departures(Arc::downgrade(&core), pending_departures));
    tokio::spawn(store_markers(Arc::downgrade(&core), Arc::downgrade(log)));
    tokio::spawn(erase_deleted(Arc::downgrade(&core), Arc::downgrade(log)));
    tokio::spawn(sweep_sessions(Arc::downgrade(&core), Arc::downgrade(log), bounds.clone()));
    tokio::spawn(follower::follow(core.clone(), Arc::downgrade(log), feed, applied_sender));
    Ok(core)
}

impl Engine {
    /// Creates the channel that everybody has, unless it is there.
    pub(super) async fn ensure_general(&self) -> Result<(), StartError> {
        let name = ChannelName::general();
        let id = ChannelId::from(Uuid::now_v7());
        let created = self.commit(|live| {
            if live.state.channel_named(&name).is_some() {
                return Ok(Decision::Unchanged(()));
            }
            let record = ChannelRecord::Open {
                id: id.clone(),
                name: name.clone(),
                topic: Topic::default(),
                creator: None,
                created_at: None,
            };
            let expect = Expect::from(live.state.last_of_channel_name(&name));
            Ok(Decision::append(Key::Channel(name.hash()), record, expect))
        });
        created.await.map(drop).map_err(StartError::General)
    }
}
