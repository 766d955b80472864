//! The sidebar: the channels that a page shows beside the conversation.

use std::cmp::Reverse;

use super::{Engine, EngineError};
use crate::domain::ids::ChannelId;
use crate::domain::user::Session;
use crate::wire::channel::{ChannelSnapshot, ChannelView};

/// A selection of a user's channels, with the number of those that are left out.
pub struct Sidebar {
    /// Public channels by name, then direct conversations, latest first.
    pub channels: Vec<ChannelView>,
    /// Number of public channels that are left out.
    pub more_public: usize,
    /// Number of direct conversations that are left out.
    pub more_direct: usize,
}

impl Engine {
    /// Selects at most `most` channels for the sidebar of a user: the open one first, then direct
    /// conversations with unread messages, then the channels in which something happened last.
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
        let (me, public_count, public, directs) = {
            let live = self.core.live.read();
            let reader = self.core.reader_of(&live, session)?;
            let snapshot = |channel: &_| live.snapshot(channel, &reader);
            let opened = live.state.channel(open).filter(|channel| channel.is_public());
            let others = live.state.latest_public_channels().filter(|it| it.id != *open);
            let public: Vec<_> =
                opened.into_iter().chain(others).take(most).map(snapshot).collect();
            let directs: Vec<_> = live.state.directs_of(reader.me.id()).map(snapshot).collect();
            (reader.me, live.state.public_channels().len(), public, directs)
        };
        let direct_count = directs.len();
        let mut shown = [public, directs].concat();
        if shown.len() > most {
            shown.sort_by_cached_key(|snapshot| {
                let rank = match &snapshot.channel {
                    channel if channel.id == *open => 0,
                    channel if !channel.is_public() && snapshot.unread(&me).0 > 0 => 1,
                    _ => 2,
                };
                let activity = snapshot.conversation.last_activity();
                (rank, Reverse(activity.max(snapshot.channel.seq())))
            });
            shown.truncate(most);
        }
        let (mut public, mut directs): (Vec<_>, Vec<_>) =
            shown.into_iter().partition(|snapshot| snapshot.channel.is_public());
        public.sort_by(|one, other| one.channel.name().cmp(&other.channel.name()));
        directs.sort_by_key(|direct: &ChannelSnapshot| {
            Reverse(direct.conversation.messages().next_back().map(|message| message.seq))
        });
        Ok(Sidebar {
            more_public: public_count - public.len(),
            more_direct: direct_count - directs.len(),
            channels: public.iter().chain(&directs).map(|it| it.view(&me)).collect(),
        })
    }
}
