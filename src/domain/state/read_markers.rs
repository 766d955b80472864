//! Read markers in the state.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::HashMap;

use super::{Applied, EntryHeader, State};
use crate::domain::entry::{ReadMarkerRecord, ReadMarkersRecord};
use crate::domain::event::Event;
use crate::domain::ids::{ChannelId, Seq, UserId};

/// The largest number of read markers that are kept of one user.
const KEPT_READ_MARKERS: usize = 4_000;

/// A read marker: the last message of a channel that a user has read, and the entry that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReadMarker {
    read: Seq,
    by: Seq,
}

/// The read markers of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadMarkers {
    markers: Arc<HashMap<ChannelId, ReadMarker>>,
    /// The last entry that moved a marker.
    last_moved: Seq,
    /// The entry that holds all markers, once there is one.
    entry: Option<Seq>,
    /// The entries of version 1, of one channel each, that no later entry has replaced.
    former: BTreeMap<ChannelId, Seq>,
}

/// A snapshot of a user's read markers in all channels. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ReadPositions {
    since: Seq,
    markers: Arc<HashMap<ChannelId, ReadMarker>>,
    last_moved: Seq,
    /// Those that no entry holds yet.
    pending: HashMap<ChannelId, Seq>,
}

impl ReadPositions {
    /// The last read message of this channel. Messages from before the user's first sign-in count as
    /// read.
    #[must_use]
    pub fn of(&self, channel: &ChannelId) -> Seq {
        let stored = || self.markers.get(channel).map(|marker| marker.read);
        self.pending.get(channel).copied().or_else(stored).unwrap_or(self.since)
    }

    /// Tells whether the user has a marker in this channel.
    #[must_use]
    pub fn has(&self, channel: &ChannelId) -> bool {
        self.pending.contains_key(channel) || self.markers.contains_key(channel)
    }

    /// The same positions with these that no entry holds yet.
    #[must_use]
    pub fn with_pending(self, pending: HashMap<ChannelId, Seq>) -> Self {
        Self { pending, ..self }
    }

    /// The channels with a marker, in no order; some may come twice.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelId> {
        self.markers.keys().chain(self.pending.keys())
    }

    /// The channels whose marker was moved after the entry `seen`, each with the entry that moved it.
    pub fn moved_since(&self, seen: Seq) -> impl Iterator<Item = (Seq, &ChannelId)> {
        let markers = if seen < self.last_moved { Some(&*self.markers) } else { None };
        let moved = markers.into_iter().flatten().filter(move |(_, marker)| marker.by > seen);
        moved.map(|(channel, marker)| (marker.by, channel))
    }

    /// The last entry that moved a marker; 0 where there is none.
    #[must_use]
    pub fn last_moved(&self) -> Seq {
        self.last_moved
    }

    /// Makes a record of the markers of all channels for which `keep` holds. The
    /// [pending](Self::with_pending) ones count as moved by the entry that will hold it. It holds the
    /// latest `KEPT_READ_MARKERS`: an entry has a largest size.
    #[must_use]
    pub fn to_record(&self, keep: impl Fn(&ChannelId) -> bool) -> ReadMarkersRecord {
        let stored =
            self.markers.iter().filter(|(channel, _)| !self.pending.contains_key(*channel));
        let stored = stored.map(|(channel, marker)| (channel, (marker.read, marker.by)));
        let pending = self.pending.iter().map(|(channel, read)| (channel, (*read, Seq(0))));
        let mut markers: Vec<_> =
            stored.chain(pending).filter(|(channel, _)| keep(channel)).collect();
        if markers.len() > KEPT_READ_MARKERS {
            markers.sort_unstable_by_key(|(_, (read, _))| Reverse(*read));
            markers.truncate(KEPT_READ_MARKERS);
        }
        let read = markers.into_iter().map(|(channel, marker)| (channel.clone(), marker));
        ReadMarkersRecord { read: read.collect() }
    }
}

impl State {
    /// The read markers of this user.
    #[must_use]
    pub fn read_positions(&self, user: &UserId) -> ReadPositions {
        let since = self.account(user).map(|account| account.since).unwrap_or_default();
        let stored = self.read_markers.get(user);
        let (markers, last_moved) =
            stored.map(|it| (it.markers.clone(), it.last_moved)).unwrap_or_default();
        ReadPositions { since, markers, last_moved, pending: HashMap::default() }
    }

    /// The entry that holds the read markers of this user, once there is one.
    #[must_use]
    pub fn last_of_read_markers(&self, user: &UserId) -> Option<Seq> {
        self.read_markers.get(user)?.entry
    }

    pub(super) fn apply_read_markers(
        &mut self,
        entry: EntryHeader,
        user: UserId,
        record: ReadMarkersRecord,
    ) -> Applied {
        if self.account(&user).is_none() {
            return entry.refused();
        }
        let marker = |(channel, (read, since))| {
            let by = if since == Seq(0) { entry.seq } else { since };
            (channel, ReadMarker { read, by })
        };
        let markers: HashMap<_, _> = record.read.into_iter().map(marker).collect();
        let moved = markers.iter().filter(|(_, marker)| marker.by == entry.seq);
        let moved = moved.map(|(channel, _)| channel.clone()).collect();
        let before = self.read_markers.insert(
            user.clone(),
            ReadMarkers {
                last_moved: markers.values().map(|marker| marker.by).max().unwrap_or_default(),
                markers: Arc::new(markers),
                entry: Some(entry.seq),
                former: BTreeMap::new(),
            },
        );
        Applied {
            events: vec![Event::Read(user, moved)],
            spent: before.map(ReadMarkers::into_entries).unwrap_or_default(),
            ..Applied::default()
        }
    }

    pub(super) fn apply_read_marker(
        &mut self,
        entry: EntryHeader,
        user: UserId,
        channel: ChannelId,
        record: ReadMarkerRecord,
    ) -> Applied {
        if !entry.lenient {
            return entry.refused();
        }
        let markers = self.read_markers.entry(user).or_default();
        let marker = ReadMarker { read: record.read, by: entry.seq };
        Arc::make_mut(&mut markers.markers).insert(channel.clone(), marker);
        markers.last_moved = entry.seq;
        let superseded = markers.former.insert(channel, entry.seq);
        Applied { spent: superseded.into_iter().collect(), ..Applied::default() }
    }

    /// Drops the read markers of a user who has left, and spends their entries.
    pub(super) fn forget_read_markers_of(&mut self, user: &UserId, applied: &mut Applied) {
        let markers = self.read_markers.remove(user);
        applied.spent.extend(markers.map(ReadMarkers::into_entries).unwrap_or_default());
    }

    pub(super) fn drop_ownerless_read_markers(&mut self, applied: &mut Applied) {
        let ownerless = self.read_markers.keys().filter(|user| self.account(user).is_none());
        let mut ownerless: Vec<_> = ownerless.cloned().collect();
        ownerless.sort();
        for user in ownerless {
            self.forget_read_markers_of(&user, applied);
        }
    }
}

impl ReadMarkers {
    fn into_entries(self) -> Vec<Seq> {
        self.former.into_values().chain(self.entry).collect()
    }
}
