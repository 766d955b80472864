//! The state and `apply`, the only way in which it changes.

mod channels;
mod files;
mod messages;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::files::Files;
use self::users::{FormerName, ReadMarker};
use crate::domain::channel::{Channel, Conversation};
use crate::domain::entry::{Entry, Erase, FormerNameRecord, Key, Record, RecordError};
use crate::domain::event::Event;
use crate::domain::ids::{AttachmentId, ChannelId, Seq, SessionId, UserId};
use crate::domain::names::{ChannelName, NameHash};
use crate::domain::user::Account;

/// Everything that lasts, in memory.
///
/// Made by feeding the log's entries to [`State::apply`] in order. After the kept ones,
/// [`State::caught_up`] begins the present: from then on there are events.
#[derive(Debug, Default)]
pub struct State {
    head: Seq,
    live: bool,
    accounts: HashMap<UserId, Account>,
    names: HashMap<NameHash, UserId>,
    sessions: HashMap<SessionId, UserId>,
    former_names: HashMap<UserId, FormerName>,
    channels: HashMap<ChannelId, Channel>,
    directory: BTreeMap<ChannelName, ChannelId>,
    /// The direct conversations of each user.
    directs: HashMap<UserId, BTreeSet<ChannelId>>,
    conversations: HashMap<ChannelId, Conversation>,
    read_markers: HashMap<UserId, HashMap<ChannelId, ReadMarker>>,
    files: Files,
}

/// What an entry did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What listeners are told. Empty while the past is read.
    pub events: Vec<Event>,
    /// What the log need not keep any longer. Erasing it twice, or late, is harmless.
    pub spent: Vec<Erase>,
    /// The files that no message has any longer. Removing them twice, or late, is harmless.
    pub loose: Vec<AttachmentId>,
    /// The entry was decided on a state that was no longer true when it came: it changed nothing,
    /// and whoever appended it has to decide again.
    pub refused: bool,
}

impl Applied {
    fn refused(entry: &Entry) -> Self {
        Self { spent: vec![Erase::One(entry.seq)], refused: true, ..Self::default() }
    }

    fn told(event: Event) -> Self {
        Self { events: vec![event], ..Self::default() }
    }
}

impl State {
    /// Brings one entry into the state. Pure: the same entries make the same state on every node.
    ///
    /// # Errors
    ///
    /// When the entry cannot be understood; the state is then as before, and the server must not
    /// go on.
    pub fn apply(&mut self, entry: &Entry) -> Result<Applied, RecordError> {
        let record = Record::decode(entry)?;
        self.head = entry.seq;
        let mut applied = match record {
            Record::Message(channel, record) => self.apply_message(entry, channel, record),
            Record::Change(channel, message, record) => {
                self.apply_change(entry, &channel, message, record)
            }
            Record::Channel(record) => self.apply_channel(entry, record),
            Record::Direct(record) => self.apply_direct(entry, record),
            Record::User(name, record) => self.apply_user(entry, name, record),
            Record::FormerName(user, record) => {
                let FormerNameRecord { display_name } = record;
                self.former_names.insert(user, FormerName { display_name, by: entry.seq });
                Applied::default()
            }
            Record::ReadMarker(user, channel, record) => {
                self.apply_read_marker(entry, user, channel, record)
            }
        };
        if !self.live {
            applied.events.clear();
        }
        Ok(applied)
    }

    /// Ends the reading of the past, which reached up to this entry: what it left without an owner
    /// is dropped and given back as spent. The files that are kept are then known
    /// ([`State::attachment`]); any others can go.
    ///
    /// An owner may come after what it owns, because of each key only the last entries are kept:
    /// a channel whose topic was changed is found behind its first messages.
    pub fn caught_up(&mut self, reached: Seq) -> Vec<Erase> {
        self.live = true;
        self.head = self.head.max(reached);
        let mut spent = self.forget_lonely_directs().spent;
        let (channels, files) = (&self.channels, &mut self.files);
        self.conversations.retain(|id, conversation| {
            let owned = channels.contains_key(id);
            if !owned {
                spent.push(Erase::Conversation(id.clone()));
                conversation.messages().for_each(|message| drop(files.release(message)));
            }
            owned
        });
        let accounts = &self.accounts;
        for (user, markers) in &mut self.read_markers {
            markers.retain(|channel, _| {
                let owned = accounts.contains_key(user) && channels.contains_key(channel);
                if !owned {
                    spent.push(Erase::Key(Key::ReadMarker(user.clone(), channel.clone())));
                }
                owned
            });
        }
        self.read_markers.retain(|_, markers| !markers.is_empty());
        let former: Vec<_> = self.former_names.keys().cloned().collect();
        spent.extend(self.forget_former_names(&former));
        self.show_last_names();
        spent
    }

    /// The last entry that was applied, or that the past reached.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }
}
