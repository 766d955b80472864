//! The start: replays the log into the state, then starts the follower.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use futures::StreamExt;
use futures::stream::BoxStream;
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

/// Number of times that the log is read because entries were erased meanwhile.
const MAX_REPLAYS: usize = 5;

/// The state that was made of the log, and what comes after it.
struct Replay {
    state: State,
    feed: BoxStream<'static, Feed>,
    /// The number of entries that could not be read.
    unreadable: u64,
}

/// Replays what the log keeps, and gives it what is spent.
async fn replay(log: &Arc<dyn Log>) -> Result<Replay, StartError> {
    for _ in 0..MAX_REPLAYS {
        if let Some(replay) = try_replay(log).await? {
            return Ok(replay);
        }
    }
    Err(StartError::LogChanging)
}

/// Replays what the log keeps; `None` where entries were erased meanwhile.
async fn try_replay(log: &Arc<dyn Log>) -> Result<Option<Replay>, StartError> {
    let mut state = State::default();
    let mut feed = log.follow(Seq(0));
    // In the order in which every node finds them, each with whether its entry was refused: such rest
    // on something else, and would be spent where that cannot be read.
    let mut found = Vec::new();
    let mut unreadable = 0;
    let reached = loop {
        match feed.next().await.ok_or(StartError::LogEnded)? {
            Feed::Entry(entry) => match entry.decode() {
                Ok(decoded) => {
                    let applied = state.apply(decoded);
                    found.extend(applied.spent.into_iter().map(|seq| (seq, applied.refused)));
                }
                Err(error) => {
                    follower::report(&entry, &error);
                    unreadable += 1;
                    state.set_aside(entry.seq, &entry.key);
                }
            },
            Feed::CaughtUp(reached) => break reached,
            Feed::Incomplete => return Ok(None),
        }
    };
    // With what should have been erased before, where a crash came first. The files of that are not
    // among the known ones, and are removed with the unknown ones.
    found.extend(state.caught_up(reached).spent.into_iter().map(|seq| (seq, true)));
    found.retain(|(_, rests)| unreadable == 0 || !rests);
    log.erase(reached, found.into_iter().map(|(seq, _)| seq).collect());
    Ok(Some(Replay { state, feed, unreadable }))
}

/// Replays what the log keeps, then starts the tasks that run for as long as the log lives.
pub(super) async fn start(
    log: &Arc<dyn Log>,
    blobs: Arc<dyn Blobs>,
    bounds: &Bounds,
) -> Result<Arc<Core>, StartError> {
    let Replay { state, feed, unreadable } = replay(log).await?;
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
        node: OnceLock::new(),
        pending_markers: PendingMarkers::default(),
        session_ends: Mutex::default(),
        session_uses: SessionUses::default(),
        end: CancellationToken::new(),
        pings: PingClock::start(),
        unreadable: AtomicU64::new(unreadable),
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
