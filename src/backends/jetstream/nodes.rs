//! The nodes that read the log at present, and how far each of them has read.
//!
//! Each node says so in a short message ([`Beat`]) about each second, over core NATS on `PREFIX.n`,
//! which is stored nowhere. [Erasing](super::erase) rests on it.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use log::warn;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::connection::Nats;
use super::erase::Spent;
use super::log::Times;
use crate::domain::ids::Seq;

/// Number of beats for which a node listens before it erases anything: by then it has heard of every
/// other node that lives.
const BEATS_LISTENED: u32 = 3;
/// Name of the beats' subject below the prefix.
const SUBJECT: &str = "n";

/// The id of a node, as two numbers for JSON.
type NodeId = (u64, u64);

/// What a node says of itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Beat {
    /// The node's id, another one for each opening of the log. Those of later openings are greater.
    id: NodeId,
    /// The last entry that the slowest of its followers has given out: 0 for one that has begun to
    /// read, none where nobody reads.
    given: Option<Seq>,
    /// All that entries up to this one made spent is erased.
    erased: Seq,
}

/// The nodes, this one among them.
pub(super) struct Nodes {
    id: NodeId,
    times: Times,
    others: Mutex<HashMap<NodeId, (Instant, Beat)>>,
    /// The last entry that each follower of this node has given out.
    followers: Mutex<HashMap<Uuid, Seq>>,
    listening: Mutex<Listening>,
    /// Asks for a beat before its time.
    hurry: Notify,
    /// Woken whenever something may be erased that could not before.
    pub(super) progress: Notify,
}

/// The time in which nothing was missed of what others say.
struct Listening {
    since: Instant,
    /// The last look at it. A process that was stopped has none of late.
    looked: Instant,
}

impl Nodes {
    pub(super) fn new(times: Times) -> Self {
        let now = Instant::now();
        Self {
            id: Uuid::now_v7().as_u64_pair(),
            times,
            others: Mutex::default(),
            followers: Mutex::default(),
            listening: Mutex::new(Listening { since: now, looked: now }),
            hurry: Notify::new(),
            progress: Notify::new(),
        }
    }

    /// Says and hears beats until the log is closed.
    pub(super) async fn run(
        self: Arc<Self>,
        nats: Nats,
        spent: Arc<Spent>,
        end: CancellationToken,
    ) {
        end.run_until_cancelled(async {
            loop {
                self.listen(&nats, &spent).await;
                sleep(self.times.beat).await;
            }
        })
        .await;
    }

    async fn listen(&self, nats: &Nats, spent: &Spent) {
        let subject = nats.subject(SUBJECT);
        let mut beats = match nats.client().subscribe(subject.clone()).await {
            Ok(beats) => beats,
            Err(error) => return warn!("The other nodes cannot be heard: {error}."),
        };
        let mut ticks = interval(self.times.beat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => self.look(nats.is_connected()),
                () = self.hurry.notified() => {}
                beat = beats.next() => {
                    let Some(beat) = beat else { return };
                    self.hear(&beat.payload, spent);
                    continue;
                }
            }
            if nats.is_connected() {
                let beat = Beat { id: self.id, given: self.given(), erased: spent.erased() };
                let beat = serde_json::to_vec(&beat).unwrap_or_default();
                // It fails only where the client is closed.
                let _ = nats.client().publish(subject.clone(), beat.into()).await;
            }
        }
    }

    /// Begins to listen anew after a time in which others may not have been heard.
    fn look(&self, connected: bool) {
        let now = Instant::now();
        let mut listening = self.listening.lock();
        if !connected || now - listening.looked > self.times.beat * 2 {
            listening.since = now;
        }
        listening.looked = now;
        drop(listening);
        self.others.lock().retain(|_, (heard, _)| now - *heard < self.times.silence);
        self.progress.notify_one();
    }

    fn hear(&self, beat: &[u8], spent: &Spent) {
        let Ok(beat) = serde_json::from_slice::<Beat>(beat) else { return };
        if beat.id == self.id {
            return;
        }
        spent.note_erased_by_others(beat.erased);
        let known = self.others.lock().insert(beat.id, (Instant::now(), beat));
        if known.is_none() {
            // A node that has just begun need not wait for the next beat.
            self.hurry.notify_one();
        }
        self.progress.notify_one();
    }

    /// Tells whether this node may erase now what this entry made spent: it is the one that erases, has
    /// heard all others of late, and all have read that far.
    pub(super) fn may_erase(&self, cause: Seq) -> bool {
        let now = Instant::now();
        {
            let listening = self.listening.lock();
            let listened = now - listening.since >= self.times.beat * BEATS_LISTENED;
            if !listened || now - listening.looked > self.times.beat * 2 {
                return false;
            }
        }
        let has_read = |given: Option<Seq>| given.is_none_or(|given| given >= cause);
        let others = self.others.lock();
        let mut living = others.values().filter(|(heard, _)| now - *heard < self.times.silence);
        living.all(|(_, beat)| beat.id > self.id && has_read(beat.given)) && has_read(self.given())
    }

    /// The number of other nodes that live.
    pub(super) fn other_nodes(&self) -> usize {
        self.others.lock().len()
    }

    /// The last entry that the slowest follower of this node has given out.
    pub(super) fn given(&self) -> Option<Seq> {
        self.followers.lock().values().min().copied()
    }
}

/// The place of one follower among all that read, until it is dropped.
pub(super) struct Place {
    nodes: Arc<Nodes>,
    id: Uuid,
}

impl Place {
    /// Takes a place after this entry, and says so at once: nothing is erased before the follower any
    /// more.
    pub(super) fn take(nodes: Arc<Nodes>, after: Seq) -> Self {
        let place = Self { nodes, id: Uuid::now_v7() };
        place.nodes.followers.lock().insert(place.id, after);
        place.nodes.hurry.notify_one();
        place
    }

    /// Notes that everything up to this entry was given out.
    pub(super) fn note(&self, given: Seq) {
        self.nodes.followers.lock().insert(self.id, given);
        self.nodes.progress.notify_one();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.nodes.followers.lock().remove(&self.id);
        self.nodes.progress.notify_one();
    }
}
