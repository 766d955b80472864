//! Catching up on demand: each of several nodes may be asked for what another one has stored just
//! now, and would not know it yet.

use std::time::Duration;

use tokio::time::timeout;

use super::Engine;
use crate::domain::channel::ChannelRef;
use crate::domain::hook::SecretHash;
use crate::domain::ids::{AttachmentId, MessageId, SessionId};
use crate::wire::cursor::Cursor;

/// The longest time that a request waits until this node has caught up. A request that refers to nothing
/// unknown never waits.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The things that a request refers to.
#[derive(Clone, Copy, Debug, Default)]
pub struct References<'a> {
    /// The token of a session.
    pub token: Option<&'a str>,
    /// The channel that the session's user means.
    pub channel: Option<&'a ChannelRef>,
    /// A message in that channel.
    pub message: Option<&'a MessageId>,
    /// A file of a message, or the picture of a preview.
    pub file: Option<&'a AttachmentId>,
    /// The secret of an incoming hook.
    pub hook: Option<&'a str>,
    /// The point in a stream after which to go on.
    pub after: Option<Cursor>,
}

impl Engine {
    /// True where other processes append to the log, too.
    #[must_use]
    pub fn has_other_nodes(&self) -> bool {
        self.log.latest().is_some()
    }

    /// True where other nodes go on, and this one has stopped following them: it has to be started
    /// again.
    #[must_use]
    pub fn is_left_behind(&self) -> bool {
        self.has_other_nodes() && self.core.waiting.lock().is_none()
    }

    /// Waits for what a request refers to, if it is not known here: until everything is applied
    /// that was stored, by whatever node, when this was called, or for a few seconds at most. False
    /// where it is not known then, and another node may know it: the store that they share does not
    /// answer, or this node is cut off from it.
    pub async fn await_references(&self, references: References<'_>) -> bool {
        if self.knows(references) {
            return true;
        }
        let Some(latest) = self.log.latest() else { return true };
        let caught_up = async { self.core.applied(latest.await?).await };
        timeout(MAX_WAIT, caught_up).await.is_ok_and(|caught_up| caught_up.is_some())
    }

    fn knows(&self, references: References<'_>) -> bool {
        let References { token, channel, message, file, hook, after } = references;
        let (token, hook) = (token.map(SessionId::of_token), hook.map(SecretHash::of));
        let live = self.core.live.read();
        let has_file =
            |id| live.state.attachment(id).is_some() || live.state.preview_picture(id).is_some();
        if hook.is_some_and(|hook| live.state.hook_by_secret(&hook).is_none())
            || file.is_some_and(|id| !has_file(id))
        {
            return false;
        }
        if after.is_some_and(|cursor| cursor.seq > live.state.head()) {
            return false;
        }
        let Some(token) = token else { return true };
        let Some(session) = live.state.session(&token) else { return false };
        let Some(channel) = channel else { return true };
        let Ok(channel) = live.find(channel, &session) else { return false };
        let conversation = live.state.conversation(&channel.id);
        let has = |id| conversation.is_some_and(|it| it.message(id).is_some());
        message.is_none_or(has)
    }
}
