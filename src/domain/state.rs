//! The state, and `apply`, by which alone it changes.
//!
//! `apply` alone also decides which entries are kept. It returns those that nothing needs any longer
//! as *spent*, in such an order that the log may stop erasing them at any point: after any number of
//! erasures, the remaining entries make the same state again. Two rules bring that about:
//!
//! - an entry that others refer to is spent after them (a message before its channel, a conversation
//!   before its users), and a refused entry is spent at once;
//! - the entries that are kept make the state that refuses it whenever a refused entry is applied
//!   again: so the entry that created a channel or claimed a name stays, although later entries hold
//!   all that it does.

mod channels;
mod concerning;
mod files;
mod hooks;
mod messages;
mod preferences;
mod read_markers;
mod users;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use foldhash::HashMap;

use self::channels::DeletedChannel;
use self::concerning::Concerning;
use self::files::Files;
use self::hooks::Hooks;
pub use self::preferences::Preferences;
use self::read_markers::ReadMarkers;
pub use self::read_markers::ReadPositions;
use self::users::{KeyedEntries, KnownUser, Leavings};
use crate::domain::channel::Channel;
use crate::domain::conversation::Conversation;
use crate::domain::entry::{DecodedEntry, Key, Record};
use crate::domain::event::Event;
use crate::domain::ids::{AttachmentId, ChannelId, Seq, SessionId, UserId};
use crate::domain::message::Message;
use crate::domain::names::{ChannelName, Skeleton};
use crate::domain::time::Timestamp;

/// Everything that lasts, in memory: users, channels, messages, read markers, preferences.
///
/// It is made by passing the log's entries to [`State::apply`] in order. After those that the log
/// held at the start, [`State::caught_up`] ends the replay: from then on entries cause events.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    head: Seq,
    live: bool,
    people: HashMap<UserId, KnownUser>,
    leavings: Leavings,
    /// The holder of each name, by its compared form.
    holders: HashMap<Arc<str>, UserId>,
    /// The number of held names that have each skeleton: more than one where look-alikes were
    /// claimed before that was refused.
    skeletons: HashMap<Skeleton, u32>,
    /// The entries of each name, of users and of channels, that the log still holds.
    keyed: KeyedEntries,
    sessions: HashMap<SessionId, UserId>,
    /// The users by the entry that last renamed them.
    renamed: BTreeMap<Seq, UserId>,
    channels: HashMap<ChannelId, Arc<Channel>>,
    directory: BTreeMap<ChannelName, Arc<Channel>>,
    /// The public channels by their [last event](State::last_event_in).
    by_last_event: BTreeMap<Seq, ChannelId>,
    /// The direct conversations of each user.
    directs: HashMap<UserId, BTreeSet<ChannelId>>,
    conversations: HashMap<ChannelId, Arc<Conversation>>,
    deleted_channels: VecDeque<DeletedChannel>,
    read_markers: HashMap<UserId, ReadMarkers>,
    preferences: HashMap<UserId, Preferences>,
    files: Files,
    hooks: Hooks,
    text_bytes: u64,
    text_bytes_of: HashMap<UserId, u64>,
    concerning: Concerning,
    /// The number of messages, those that can be restored among them.
    held_messages: usize,
    /// The channels of the deleted messages that can be restored, by the entry that deleted each.
    restorable: BTreeMap<Seq, ChannelId>,
    /// The last entry of each key that cannot be read.
    unreadable: HashMap<Box<str>, Seq>,
}

/// The effects of an entry on the state.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The events for listeners; none during the replay.
    pub events: Vec<Event>,
    /// The entries that nothing needs any longer, in the order in which they must be erased.
    pub spent: Vec<Seq>,
    /// The files that no message has any longer.
    pub orphaned_files: Vec<AttachmentId>,
    /// Set when the entry was decided on a state that had changed by then: it had no effect, and
    /// whoever appended it has to decide again.
    pub refused: bool,
}

/// The sequence and time of the entry that is being applied.
#[derive(Clone, Copy, Debug)]
struct EntryHeader {
    seq: Seq,
    at: Timestamp,
    /// Set during the replay for entries of version 1, which may refer to a channel or user whose own
    /// entry comes later.
    lenient: bool,
}

impl EntryHeader {
    fn refused(self) -> Applied {
        Applied { spent: vec![self.seq], refused: true, ..Applied::default() }
    }
}

impl State {
    /// Applies one entry to the state. Pure: the same entries make the same state on every node.
    pub fn apply(&mut self, entry: DecodedEntry) -> Applied {
        let DecodedEntry { seq, at, record, is_version_1, .. } = entry;
        self.head = seq;
        let entry = EntryHeader { seq, at, lenient: is_version_1 && !self.live };
        let mut applied = match record {
            Record::Message(channel, record) => self.apply_message(entry, channel, record),
            Record::Change(channel, message, record) => {
                self.apply_change(entry, &channel, message, record)
            }
            Record::Hook(channel, id, record) => self.apply_hook(entry, channel, id, record),
            Record::Erasure(record) => self.apply_erasure(entry, record),
            Record::Channel(name, record) => self.apply_channel(entry, name, record),
            Record::Direct(record) => self.apply_direct(entry, record),
            Record::User(name, record, skeletons) => {
                self.apply_user(entry, name, record, skeletons)
            }
            Record::ReadMarkers(user, record) => self.apply_read_markers(entry, user, record),
            Record::Preferences(user, record) => self.apply_preferences(entry, user, record),
            Record::FormerName(user, record) => self.apply_former_name(entry, user, record),
            Record::ReadMarker(user, channel, record) => {
                self.apply_read_marker(entry, user, channel, record)
            }
        };
        if !self.live {
            applied.events.clear();
        }
        applied
    }

    /// Skips an entry of this key that cannot be read: nothing changes but the head, and what a
    /// writer has to expect of the key.
    pub fn set_aside(&mut self, seq: Seq, key: &str) {
        self.head = seq;
        self.unreadable.insert(key.into(), seq);
    }

    /// What a writer has to expect of a key of the log, where it expects this by what it can read:
    /// an entry that cannot be read may come last.
    #[must_use]
    pub fn last_of_key(&self, key: &Key, readable: Option<Seq>) -> Option<Seq> {
        if self.unreadable.is_empty() {
            return readable;
        }
        readable.max(self.unreadable.get(&*key.to_string()).copied())
    }

    /// Ends the replay, which reached up to this entry. Drops what it left without an owner, and
    /// returns that as spent. This cannot be done earlier: in logs of version 1 an owner may come
    /// after what it owns, and messages may show a user whose leaving came before them.
    pub fn caught_up(&mut self, reached: Seq) -> Applied {
        self.live = true;
        self.head = self.head.max(reached);
        let mut applied = Applied::default();
        self.drop_ownerless_conversations(&mut applied);
        self.drop_ownerless_read_markers(&mut applied);
        self.drop_unreferenced_people(&mut applied);
        applied
    }

    /// The last entry that was applied or skipped, or that the replay reached.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// The number of kept messages of all channels.
    #[must_use]
    pub fn message_count(&self) -> usize {
        self.held_messages - self.restorable.len()
    }

    /// The first deletion of those that can be undone. O(log n).
    #[must_use]
    pub fn first_restorable(&self) -> Option<Seq> {
        self.restorable.first_key_value().map(|(deleted, _)| *deleted)
    }

    /// The size of all kept texts and their HTML, in bytes; of deleted messages too, as long as they
    /// can be restored.
    #[must_use]
    pub fn text_bytes(&self) -> u64 {
        self.text_bytes
    }

    /// The bytes of the kept texts of this user, with their renderings; of deleted messages too, as
    /// long as they can be restored.
    #[must_use]
    pub fn text_bytes_of(&self, user: &UserId) -> u64 {
        self.text_bytes_of.get(user).copied().unwrap_or_default()
    }

    fn count_text(&mut self, message: &Message) {
        self.text_bytes += message.text_bytes();
        *self.text_bytes_of.entry(message.author.id().clone()).or_default() += message.text_bytes();
    }

    fn discount_text(&mut self, message: &Message) {
        self.text_bytes -= message.text_bytes();
        if let Some(bytes) = self.text_bytes_of.get_mut(message.author.id()) {
            *bytes -= message.text_bytes();
            if *bytes == 0 {
                self.text_bytes_of.remove(message.author.id());
            }
        }
    }
}
