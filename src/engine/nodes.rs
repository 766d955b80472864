//! The nodes of one chat: processes that share a log, and tell each other by
//! [whispering](super::whisper) what never comes into it.
//!
//! Who is present is the matter of [`presence`](super::presence), and one-time links are that of
//! `links`. Limits, streams and their bounds are each node's own.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use foldhash::HashMap;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::links::{Questions, hear_of_links};
use super::presence::{Place, keep_presence};
use super::room::Payload;
use super::whisper::{MAX_BODY_BYTES, Topic, Whisper};
use super::{Core, Engine};
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::User;
use crate::wire::event;

/// Shortest time between two messages that tell other nodes that a user is typing in a channel.
const TYPING_PERIOD: Duration = Duration::from_secs(3);

/// The id of one run of a node: a node that starts again is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct NodeId(Arc<str>);

impl NodeId {
    /// A new id.
    pub(super) fn random() -> Self {
        Self(Uuid::now_v7().simple().to_string().into())
    }
}

/// This node, as one of several.
pub(super) struct Node {
    pub(super) id: NodeId,
    pub(super) whisper: Arc<dyn Whisper>,
    /// The times at which other nodes were last told that a user types in a channel.
    typing_told: Mutex<HashMap<(ChannelId, UserId), Instant>>,
    pub(super) questions: Questions,
    /// Ends the tasks that hear of what concerns everybody.
    _end: DropGuard,
}

/// A user who is typing, as one node tells the others.
#[derive(Serialize, Deserialize)]
struct TypingMessage {
    node: NodeId,
    user: UserId,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes this engine one of several over the same log, which tell each other by this what never comes
    /// into the log: who is present, who types, and which one-time links there are. Without it nothing is
    /// told. Only the first call counts; it must be within a Tokio runtime, and best before any stream is
    /// opened.
    pub fn join(&self, whisper: Arc<dyn Whisper>) {
        let core = &self.core;
        let end = CancellationToken::new();
        let node = Node {
            id: NodeId::random(),
            whisper: whisper.clone(),
            typing_told: Mutex::default(),
            questions: Questions::default(),
            _end: end.clone().drop_guard(),
        };
        if core.node.set(node).is_err() {
            return;
        }
        let heard = core.presence.join();
        let online = whisper.hear(Topic::Online);
        let weak = Arc::downgrade(core);
        spawn_until(
            &end,
            hear_all(online, weak.clone(), |core, body| {
                core.hear_presence(&Place::Anywhere, &body);
            }),
        );
        let links = whisper.hear(Topic::Links);
        spawn_until(&end, hear_of_links(Arc::downgrade(&self.0), links));
        core.perform(heard);
        core.ask_who(&Place::Anywhere);
        tokio::spawn(keep_presence(weak));
    }
}

/// Runs a task until this token is cancelled.
fn spawn_until(end: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let end = end.clone();
    tokio::spawn(async move {
        end.run_until_cancelled(task).await;
    });
}

/// Takes in everything that is said, for as long as the engine lives.
async fn hear_all<T>(
    mut said: BoxStream<'static, T>,
    core: Weak<Core>,
    take_in: impl Fn(&Arc<Core>, T),
) {
    while let Some(heard) = said.next().await {
        let Some(core) = core.upgrade() else { return };
        take_in(&core, heard);
    }
}

impl Core {
    /// Tells whether this is the id of this node.
    pub(super) fn is_node(&self, id: &NodeId) -> bool {
        self.node.get().is_some_and(|node| node.id == *id)
    }

    /// Hears who is present and who types in a channel with other nodes, until this token is cancelled,
    /// and asks them once who is there.
    pub(super) fn hear_channel(self: &Arc<Self>, channel: ChannelId, end: CancellationToken) {
        let Some(node) = self.node.get() else { return };
        let presence = node.whisper.hear(Topic::Presence(channel.clone()));
        let typing = node.whisper.hear(Topic::Typing(channel.clone()));
        let said =
            stream::select(presence.map(|body| (true, body)), typing.map(|body| (false, body)));
        let place = Place::Channel(channel.clone());
        self.ask_who(&place);
        let take_in = move |core: &Arc<Self>, (is_presence, body): (bool, Bytes)| {
            if is_presence {
                core.hear_presence(&place, &body);
            } else {
                core.hear_typing(&channel, &body);
            }
        };
        spawn_until(&end, hear_all(said.boxed(), Arc::downgrade(self), take_in));
    }

    /// Announces to the listeners of a channel that this user is typing.
    pub(super) fn announce_typing(&self, channel: &ChannelId, user: &User) {
        if let Some(room) = self.rooms.get(channel) {
            let frame = event::about_user("typing", &user.into());
            room.push(None, Payload::Shared(frame));
            room.wake();
        }
    }

    /// Tells other nodes that this user is typing, unless they were told just now.
    pub(super) fn tell_typing(&self, channel: &ChannelId, user: &UserId) {
        let Some(node) = self.node.get() else { return };
        if node.may_tell_typing(channel, user) {
            let message = TypingMessage { node: node.id.clone(), user: user.clone() };
            // Neither these types nor memory can fail.
            let body = serde_json::to_vec(&message).unwrap_or_default();
            node.whisper.say(Topic::Typing(channel.clone()), body.into());
        }
    }

    fn hear_typing(&self, channel: &ChannelId, body: &[u8]) {
        let Some(TypingMessage { node, user }) = read(body) else {
            return self.flow.count_ignored_whisper();
        };
        if self.is_node(&node) {
            return;
        }
        let user = self.live.read().state.account(&user).map(|account| account.person.user());
        // Of a user whom this node does not know yet, the next message will tell.
        if let Some(user) = user {
            self.announce_typing(channel, &user);
        }
    }
}

/// Reads a message of another node; `None` if it is none.
pub(super) fn read<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Option<T> {
    if body.len() > MAX_BODY_BYTES {
        return None;
    }
    serde_json::from_slice(body).ok()
}

impl Node {
    fn may_tell_typing(&self, channel: &ChannelId, user: &UserId) -> bool {
        let now = Instant::now();
        let is_recent = |told_at: &Instant| now.duration_since(*told_at) < TYPING_PERIOD;
        let mut told = self.typing_told.lock();
        // Before the map would grow: as many as are left can come before the next time.
        if told.len() == told.capacity() {
            told.retain(|_, told_at| is_recent(told_at));
            let left = told.len();
            told.reserve(left + 1);
        }
        let key = (channel.clone(), user.clone());
        if told.get(&key).is_some_and(is_recent) {
            return false;
        }
        told.insert(key, now);
        true
    }
}
