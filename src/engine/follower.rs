//! The follower: feeds the log's entries to `apply`, and what they did to the rooms.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use parking_lot::{Mutex, RwLock};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::attendance::see_off;
use super::blobs::Blobs;
use super::held::Held;
use super::log::{Feed, Log};
use super::markers::Markers;
use super::presence::Presence;
use super::room::{Content, Room};
use super::{Core, Live, Outcome, StartError};
use crate::domain::entry::{Entry, Erase, RecordError};
use crate::domain::event::{Event, frame};
use crate::domain::ids::{AttachmentId, Cursor, Epoch, OpId, Seq, SessionId};
use crate::domain::state::State;

/// How many entries are applied under one lock and told in one wake-up.
const BATCH_ENTRIES: usize = 256;

/// How long until what could not be erased is tried again.
const ERASE_AGAIN: Duration = Duration::from_secs(10);

/// The name of the stream of what happens everywhere, as far as epochs are concerned.
const LOBBY: &str = "events";

/// Reads what the log keeps, then goes on following it in the background for as long as the log
/// lives.
pub(super) async fn start(
    log: &Arc<dyn Log>,
    blobs: Arc<dyn Blobs>,
) -> Result<Arc<Core>, StartError> {
    let mut state = State::default();
    let mut feed = log.follow(Seq(0));
    let mut spent = Vec::new();
    let reached = loop {
        match feed.next().await.ok_or(StartError::LogEnded)? {
            // Again what should have been erased long ago, where a crash came first.
            Feed::Entry(entry) => spent.extend(state.apply(&entry)?.spent),
            Feed::CaughtUp(reached) => break reached,
        }
    };
    spent.extend(state.caught_up(reached));
    erase(log, spent);
    let head = state.head();
    let (leavings, leaving) = mpsc::unbounded_channel();
    let (reach, applied) = watch::channel(head);
    let core = Arc::new(Core {
        blobs,
        live: RwLock::new(Live { state, rooms: Held::default(), markers: Held::default() }),
        applied,
        waiting: Mutex::new(Some(HashMap::new())),
        presence: Presence::default(),
        lobby: Arc::new(Room::new(log.epoch().of_stream(LOBBY), head)),
        sessions: Mutex::default(),
        over: CancellationToken::new(),
        listeners: AtomicU32::new(0),
        leavings,
    });
    tokio::spawn(see_off(Arc::downgrade(&core), leaving));
    let follower = Follower { log: Arc::downgrade(log), core: core.clone(), reach };
    let mut batches = feed.ready_chunks(BATCH_ENTRIES);
    tokio::spawn(async move {
        while let Some(batch) = batches.next().await {
            if let Err(error) = follower.apply(batch) {
                log::error!("The log cannot be followed any further: {error}.");
                break;
            }
        }
    });
    Ok(core)
}

struct Follower {
    log: Weak<dyn Log>,
    core: Arc<Core>,
    /// Tells which entry was applied last.
    reach: watch::Sender<Seq>,
}

impl Drop for Follower {
    /// Nothing can change any more, whatever the reason: let those who wait go, and the listeners,
    /// who may find a node that works.
    fn drop(&mut self) {
        self.core.waiting.lock().take();
        self.core.over.cancel();
    }
}

impl Follower {
    fn apply(&self, batch: Vec<Feed>) -> Result<(), RecordError> {
        let mut told = Told::default();
        let mut unknown = None;
        let head = {
            let mut live = self.core.live.write();
            for fed in batch {
                let Feed::Entry(entry) = fed else { continue };
                if let Err(error) = self.apply_entry(&mut live, &entry, &mut told) {
                    unknown = Some(error);
                    break;
                }
            }
            live.state.head()
        };
        // The lock is released: now everybody may look.
        if let Some(log) = self.log.upgrade() {
            erase(&log, told.spent);
        }
        if !told.loose.is_empty() {
            self.core.blobs.remove(told.loose);
        }
        self.reach.send_replace(head);
        told.rooms.iter().for_each(|room| room.wake());
        told.markers.iter().for_each(|markers| markers.wake());
        told.closed.iter().for_each(|room| room.close());
        for session in told.ended {
            // Bound first: cancelling under the lock would wake listeners that want it.
            let over = self.core.sessions.lock().remove(&session);
            over.inspect(CancellationToken::cancel);
        }
        for (op, outcome) in told.outcomes {
            let mut waiting = self.core.waiting.lock();
            let waiters = waiting.as_mut().and_then(|waiting| waiting.remove(&op));
            drop(waiting);
            for waiter in waiters.into_iter().flatten() {
                // Whoever waited may have gone.
                let _ = waiter.send(match &outcome {
                    Some(events) => Outcome::Applied(events.clone()),
                    None => Outcome::Refused,
                });
            }
        }
        unknown.map_or(Ok(()), Err)
    }

    fn apply_entry(
        &self,
        live: &mut Live,
        entry: &Entry,
        told: &mut Told,
    ) -> Result<(), RecordError> {
        let applied = live.state.apply(entry)?;
        for event in &applied.events {
            self.tell(live, entry.seq, event, told);
        }
        told.spent.extend(applied.spent);
        told.loose.extend(applied.loose);
        let outcome = if applied.refused { None } else { Some(applied.events) };
        told.outcomes.push((entry.op, outcome));
        Ok(())
    }

    /// Says an event where it is listened to, encoded once.
    fn tell(&self, live: &mut Live, seq: Seq, event: &Event, told: &mut Told) {
        let lobby = &self.core.lobby;
        let mut everywhere = |content| {
            lobby.say(Some(seq), content);
            add_once(&mut told.rooms, lobby);
        };
        match event {
            Event::Message { channel, .. } | Event::MessageDeleted { channel, .. } => {
                everywhere(Content::Activity(channel.clone()));
            }
            Event::MessageUpdated { .. } => {}
            Event::ChannelCreated(channel) => {
                let event = "channel-created";
                everywhere(Content::Channel { event, channel: channel.clone() });
            }
            Event::ChannelUpdated(channel) => {
                let event = "channel-updated";
                everywhere(Content::Channel { event, channel: channel.clone() });
            }
            Event::ChannelDeleted { .. } => {
                everywhere(Content::Shared(encode(event, lobby.epoch, seq)));
            }
            Event::Renamed(user) => {
                self.core.presence.rename(user);
                let renamed = json!({ "user": user }).to_string();
                everywhere(Content::Shared(frame("renamed", None, renamed.as_bytes())));
            }
            Event::Read(user) => {
                if let Some(markers) = live.markers.get(user) {
                    markers.mark(seq);
                    add_once(&mut told.markers, &markers);
                }
            }
            Event::SessionEnded(session) => {
                told.ended.push(session.clone());
            }
        }
        let room = event.channel().and_then(|channel| live.rooms.get(channel));
        if let Some(room) = room {
            let content = match event {
                Event::ChannelUpdated(channel) => {
                    Content::Channel { event: "channel-updated", channel: channel.clone() }
                }
                shared => Content::Shared(encode(shared, room.epoch, seq)),
            };
            room.say(Some(seq), content);
            add_once(&mut told.rooms, &room);
            if matches!(event, Event::ChannelDeleted { .. }) {
                told.closed.push(room);
            }
        }
    }
}

/// What has to be said and done once the lock is released.
#[derive(Default)]
struct Told {
    rooms: Vec<Arc<Room>>,
    markers: Vec<Arc<Markers>>,
    closed: Vec<Arc<Room>>,
    ended: Vec<SessionId>,
    spent: Vec<Erase>,
    loose: Vec<AttachmentId>,
    outcomes: Vec<(OpId, Option<Vec<Event>>)>,
}

/// Each is woken once, however much was said.
fn add_once<T>(all: &mut Vec<Arc<T>>, one: &Arc<T>) {
    if !all.iter().any(|known| Arc::ptr_eq(known, one)) {
        all.push(one.clone());
    }
}

/// The frame of an event that reads the same for everybody.
///
/// # Panics
///
/// For events that do not: a channel's counts of what is unread differ.
pub(super) fn encode(event: &Event, epoch: Epoch, seq: Seq) -> bytes::Bytes {
    let id = Some(Cursor { epoch, seq });
    match event {
        Event::Message { json, .. } => frame("message", id, json),
        Event::MessageUpdated { json, .. } => frame("message-updated", id, json),
        Event::MessageDeleted { id: message, message: at, .. } => {
            let deleted = json!({ "id": message, "seq": at }).to_string();
            frame("message-deleted", id, deleted.as_bytes())
        }
        Event::ChannelDeleted { name, .. } => {
            let deleted = json!({ "name": name }).to_string();
            frame("channel-deleted", id, deleted.as_bytes())
        }
        other => unreachable!("{other:?} reads differently for each listener"),
    }
}

fn erase(log: &Arc<dyn Log>, spent: Vec<Erase>) {
    if spent.is_empty() {
        return;
    }
    let (log, mut erased) = (Arc::downgrade(log), log.erase(spent.clone()));
    tokio::spawn(async move {
        // Until it is, what marks a name as free stands in its way. The next start does it at the
        // latest.
        while erased.await.is_err() {
            log::warn!("Something that is no longer needed could not be erased from the log yet.");
            sleep(ERASE_AGAIN).await;
            let Some(log) = log.upgrade() else { break };
            erased = log.erase(spent.clone());
        }
    });
}
