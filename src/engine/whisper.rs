//! Whisper: the port for what the nodes of one chat tell each other and nobody keeps.
//!
//! Several processes, *nodes*, can share one log. What lasts reaches each of them through the log; who
//! is present and who types would only burden it, and goes from node to node by whispering.

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::domain::ids::ChannelId;

/// A topic of what nodes tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The users with an open stream of one channel. A node hears it only while it needs to know.
    Presence(ChannelId),
    /// The users who are typing in one channel. It is heard together with its presence.
    Typing(ChannelId),
    /// The users who are online. All nodes hear it, always.
    Online,
    /// Questions about one-time links, and the answers. All nodes hear it, always.
    Links,
}

/// The way from one node to the others, at best effort.
///
/// What is said may be lost, and may come late, twice, or in another order: the engine is prepared for
/// all of it. An implementation promises four things:
///
/// 1. Neither method waits. What cannot be said at once is lost, and a listener that falls behind loses
///    messages instead of collecting them in memory.
/// 2. A question that is said after `hear` returned is not answered before that listener hears: hearing
///    begins before anything that the same node says later is heard by others.
/// 3. A listener hears until its stream is dropped. Where the connection is lost, the same stream goes on
///    once it is back.
/// 4. A body of [`MAX_BODY_BYTES`] arrives whole.
///
/// A node may hear what it said itself, or may not: each body names the node that it comes from.
pub trait Whisper: Send + Sync {
    /// Tells every node that hears this topic.
    fn say(&self, topic: Topic, body: Bytes);

    /// What is said about this topic from now on, for as long as the stream is held.
    fn hear(&self, topic: Topic) -> BoxStream<'static, Bytes>;
}

/// The largest body, in bytes. No node says more, and what is larger is not read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
