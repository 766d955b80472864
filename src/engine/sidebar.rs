//! The sidebar: the channels that a page shows beside the conversation.

use std::cmp::Reverse;

use super::Engine;
use crate::domain::ids::ChannelId;
use crate::domain::user::Session;
use crate::wire::channel::ChannelView;

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
    /// conversations with unread messages, then the channels with the latest messages.
    #[must_use]
    pub fn sidebar(&self, session: &Session, open: &ChannelId, most: usize) -> Sidebar {
        let channels = self.channels(session);
        let all = channels.snapshots();
        let mut order: Vec<_> = (0..all.len()).collect();
        if all.len() > most {
            order.sort_by_cached_key(|at| {
                let snapshot = &all[*at];
                let waits = || channels.view(*at).is_some_and(|view| view.unread > 0);
                let rank = match &snapshot.channel {
                    channel if channel.id == *open => 0,
                    channel if !channel.is_public() && waits() => 1,
                    _ => 2,
                };
                let last = snapshot.conversation.messages().next_back();
                (rank, Reverse(last.map(|message| message.seq)))
            });
            order.truncate(most);
            order.sort_unstable();
        }
        let shown = |public: bool| {
            order.iter().filter(|at| all[**at].channel.is_public() == public).count()
        };
        let public = all.iter().filter(|snapshot| snapshot.channel.is_public()).count();
        Sidebar {
            more_public: public - shown(true),
            more_direct: all.len() - public - shown(false),
            channels: order.into_iter().filter_map(|at| channels.view(at)).collect(),
        }
    }
}
