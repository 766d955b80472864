//! The sidebar: the channels that a page shows beside the conversation.

use std::cmp::Reverse;
use std::sync::Arc;

use foldhash::HashSet;

use super::channels::LISTED_AT_ONCE;
use super::reader::Reader;
use super::{Engine, EngineError};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::ids::ChannelId;
use crate::domain::user::Session;
use crate::wire::channel::{ChannelSnapshot, ChannelView};

/// The largest number of public channels of which the sidebar shows all. Where there are more, it
/// shows those that the user has been to.
const FEW_CHANNELS: usize = 30;

/// A selection of a user's channels, with the number of those that are left out.
pub struct Sidebar {
    /// The starred channels, then the others; of both the public ones by name, then direct
    /// conversations, latest first, one without a message before all.
    pub channels: Vec<SidebarChannel>,
    /// Number of all public channels.
    pub public_count: usize,
    /// Number of direct conversations that are left out.
    pub more_direct: usize,
}

/// A channel of the sidebar.
pub struct SidebarChannel {
    /// The channel.
    pub view: ChannelView,
    /// Whether the user has been to it: also among many public channels, it would be listed.
    pub visited: bool,
}

impl Engine {
    /// Selects the channels for the sidebar of a user.
    ///
    /// These are in it, but for the [hidden](ChannelSnapshot::is_hidden) ones, starred or not:
    ///
    /// - the starred channels;
    /// - of the public channels those that the user has been to: that they created, in which they have
    ///   a read marker, or in which a kept message is theirs or, unread, names them; all, while there
    ///   are at most `FEW_CHANNELS`;
    /// - the direct conversations.
    ///
    /// The open channel is always in it, hidden or not, also a direct conversation that has no message
    /// yet. Where that makes more than `most`, these come first: the open one, starred ones, those that
    /// call the user (unread messages name them, or are in a direct conversation), and those in which
    /// something happened last.
    ///
    /// # Errors
    ///
    /// When the session is gone.
    pub fn sidebar(
        &self,
        session: &Session,
        open: &ChannelId,
        most: usize,
    ) -> Result<Sidebar, EngineError> {
        let Candidates { reader, channels, public_count, direct_count } =
            self.candidates(session)?;
        let reader = &reader;
        let mut shown = Vec::new();
        for some in channels.chunks(LISTED_AT_ONCE) {
            let live = self.core.live.read();
            let channels = some.iter().filter_map(|id| live.state.channel(id));
            let channels = channels.filter(|channel| channel.is_visible_to(reader.me.id()));
            let snapshots = channels.map(|channel| live.snapshot(channel, reader));
            let all = public_count <= FEW_CHANNELS;
            shown.extend(snapshots.filter(|it| is_listed(it, reader, open, all)));
        }
        if !shown.iter().any(|snapshot| snapshot.channel.id == *open) {
            let live = self.core.live.read();
            let begun = live.state.find(&ChannelRef::Id(open.clone()), reader.me.id());
            shown.extend(begun.map(|channel| live.snapshot(&channel, reader)));
        }
        if shown.len() > most {
            shown.sort_by_cached_key(|snapshot| {
                let activity = snapshot.conversation.last_activity();
                (rank(snapshot, reader, open), Reverse(activity.max(snapshot.channel.seq())))
            });
            shown.truncate(most);
        }
        let is_begun_direct = |snapshot: &&ChannelSnapshot| {
            !snapshot.channel.is_public() && snapshot.channel.created_at.is_some()
        };
        let direct_shown = shown.iter().filter(is_begun_direct).count();
        shown.sort_by(|one, other| place(one).cmp(&place(other)));
        Ok(Sidebar {
            public_count,
            more_direct: direct_count.saturating_sub(direct_shown),
            channels: shown
                .iter()
                .map(|snapshot| SidebarChannel {
                    view: snapshot.view(&reader.me),
                    visited: has_visited(snapshot, reader),
                })
                .collect(),
        })
    }
}

/// The channels that a user's sidebar is chosen from.
struct Candidates {
    reader: Reader,
    /// The direct conversations, and the public channels: all of few, of many those that the user has
    /// something to do with.
    channels: Vec<ChannelId>,
    /// Number of all public channels.
    public_count: usize,
    /// Number of direct conversations.
    direct_count: usize,
}

impl Engine {
    fn candidates(&self, session: &Session) -> Result<Candidates, EngineError> {
        let live = self.core.live.read();
        let state = &live.state;
        let reader = self.core.reader_of(&live, session)?;
        let me = reader.me.id();
        let ids = |channel: &Arc<Channel>| channel.id.clone();
        let mut channels: HashSet<_> = state.directs_of(me).map(ids).collect();
        let direct_count = channels.len();
        let public_count = state.public_channels().len();
        if public_count <= FEW_CHANNELS {
            channels.extend(state.public_channels().map(ids));
        } else {
            channels.extend(state.channels_concerning(me).map(ids));
            drop(live);
            channels.extend(reader.positions.channels().cloned());
            channels.extend(reader.preferences.channels().map(|(id, _)| id.clone()));
        }
        let channels = channels.into_iter().collect();
        Ok(Candidates { reader, channels, public_count, direct_count })
    }
}

/// Tells whether a channel belongs into this reader's sidebar, if there is room.
fn is_listed(snapshot: &ChannelSnapshot, reader: &Reader, open: &ChannelId, all: bool) -> bool {
    let ChannelSnapshot { channel, preferences, .. } = snapshot;
    if channel.id == *open {
        return true;
    }
    if snapshot.is_hidden(&reader.me) {
        return false;
    }
    all || !channel.is_public() || preferences.starred || has_visited(snapshot, reader)
}

/// Tells whether this reader has been to a public channel, or was named in it.
fn has_visited(snapshot: &ChannelSnapshot, reader: &Reader) -> bool {
    let ChannelSnapshot { channel, conversation, .. } = snapshot;
    channel.creator() == Some(reader.me.id())
        || reader.positions.has(&channel.id)
        || conversation.has_message_by(&reader.me)
        || snapshot.unread(&reader.me).1 > 0
}

/// The rank of a channel where there is no room for all: the lowest come first.
fn rank(snapshot: &ChannelSnapshot, reader: &Reader, open: &ChannelId) -> u8 {
    let (unread, mentions) = snapshot.unread(&reader.me);
    let calls = if snapshot.channel.is_public() { mentions > 0 } else { unread > 0 };
    match snapshot {
        it if it.channel.id == *open => 0,
        it if it.preferences.starred => 1,
        _ if calls => 2,
        _ => 3,
    }
}

/// The place of a channel in the sidebar, as a value to sort by.
fn place(snapshot: &ChannelSnapshot) -> impl Ord {
    let ChannelSnapshot { channel, conversation, preferences, .. } = snapshot;
    let last_message = conversation.messages().next_back().map(|message| message.seq);
    let is_begun = channel.created_at.is_some();
    (!preferences.starred, !channel.is_public(), channel.name(), is_begun, Reverse(last_message))
}
