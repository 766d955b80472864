//! A server's log and state, with another state that was read back from the log at the last start.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::BoxStream;
use houston::backends::sqlite::Sqlite;
use houston::domain::channel::Channel;
use houston::domain::conversation::Missed;
use houston::domain::entry::{ChangeRecord, DecodedEntry, Entry, Record};
use houston::domain::ids::{ChannelId, Seq};
use houston::domain::message::Message;
use houston::domain::state::{Applied, State};
use houston::engine::log::{Draft, Feed, Log};
use houston::wire::message;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use rocket::tokio::runtime::{Builder, Runtime};
use tempfile::TempDir;

use super::decisions::Decisions;
use super::history::{Action, Burst, Delay, History, Part};
use super::past;
use super::reader::Reader;

/// How many entries are appended at once at most: fewer than the commits that a follower may lag
/// behind.
const MAX_APPENDS: usize = 48;
/// The largest whole of a part that is given as a byte.
const WHOLE: usize = u8::MAX as usize;

/// Something that is wrong with how the log erases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Beside what is spent, the log keeps the last hundred rows of a channel's messages alone.
    TrimByCount,
    /// Messages are trimmed by what is kept of them, but those that were refused count.
    CountRefused,
    /// What was found spent last is erased first.
    EraseOutOfOrder,
    /// A message is erased when it is deleted, although it can be restored.
    EraseDeleted,
}

/// Everything that a property knows of one store.
pub(super) struct World {
    open: Option<(Sqlite, BoxStream<'static, Feed>)>,
    /// Removed after what is open in it.
    directory: TempDir,
    runtime: Runtime,
    /// The state of a server that was never restarted.
    live: State,
    /// The state of the one that was, and goes on.
    replayed: Option<State>,
    /// The entries that are spent and not erased, in order.
    spent: VecDeque<Seq>,
    /// The entries that are not erased.
    kept: BTreeMap<Seq, DecodedEntry>,
    /// The entries to append after so many more bursts.
    delayed: Vec<(Delay, Draft)>,
    decisions: Decisions,
    readers: [Reader; 2],
    /// A listener that is cut off again and again.
    broken_reader: Reader,
    fault: Option<Fault>,
    /// The rows of each channel's messages that the log counts, where it does.
    counted: BTreeMap<ChannelId, BTreeSet<Seq>>,
}

/// What a start finds.
struct Opened {
    state: State,
    spent: Vec<Seq>,
    entries: Vec<DecodedEntry>,
}

/// Runs a history, and checks at each restart that nothing shows of it.
pub(super) fn restarts_show_nothing(history: &History, fault: Option<Fault>) -> TestCaseResult {
    let mut world = World::new(fault);
    match history.past {
        Some(places) => world.inherit(past::entries(places)),
        None => world.begin()?,
    }
    for part in &history.parts {
        for burst in &part.bursts {
            world.run(burst)?;
        }
        world.restart(part)?;
    }
    // Nothing is pending any more: what is left is what is needed.
    let last = world.decisions.erase(world.live.head());
    world.append(vec![last])?;
    world.erase(WHOLE);
    world.restart(&Part { bursts: Vec::new(), cuts: [0; 4] })?;
    prop_assert!(world.spent.is_empty(), "{:?} were not spent before", world.spent);
    world.check_rows()?;
    world.check_concerning()
}

impl World {
    fn new(fault: Option<Fault>) -> Self {
        let memory = Path::new("/dev/shm");
        let directory =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self {
            directory: directory.expect("a temporary directory"),
            runtime: Builder::new_current_thread().build().expect("a runtime"),
            open: None,
            live: State::default(),
            replayed: None,
            spent: VecDeque::new(),
            kept: BTreeMap::new(),
            delayed: Vec::new(),
            decisions: Decisions::new(),
            readers: [Reader::default(), Reader::default()],
            broken_reader: Reader::default(),
            fault,
            counted: BTreeMap::new(),
        }
    }

    /// Begins with `general` and three users.
    fn begin(&mut self) -> TestCaseResult {
        self.live = self.open().state;
        let general = self.decisions.general();
        self.append(vec![general])?;
        for name in [0, 2, 3] {
            let drafts = self.decisions.decide(&self.live, Action::SignIn { name });
            self.append(drafts)?;
        }
        Ok(())
    }

    /// Begins with what somebody else had entered.
    fn inherit(&mut self, entries: Vec<Draft>) {
        let log = Sqlite::open(self.directory.path()).expect("a log");
        let appends: Vec<_> = entries.into_iter().map(|draft| log.append(draft)).collect();
        let appended = self.runtime.block_on(join_all(appends));
        assert!(appended.iter().all(Result::is_ok), "{appended:?}");
        drop(log);
        let Opened { state, spent, entries } = self.open();
        self.live = state;
        self.spent = spent.into();
        self.kept = entries.into_iter().map(|entry| (entry.seq, entry)).collect();
    }

    fn run(&mut self, burst: &Burst) -> TestCaseResult {
        self.erase(burst.erased.into());
        for (left, _) in &mut self.delayed {
            *left -= 1;
        }
        let (due, later) = self.delayed.drain(..).partition(|(left, _)| *left == 0);
        self.delayed = later;
        let due: Vec<_> = due;
        let mut drafts: Vec<_> = due.into_iter().map(|(_, draft)| draft).collect();
        for (action, delay) in &burst.actions {
            let decided = self.decisions.decide(&self.live, *action);
            if *delay == 0 {
                drafts.extend(decided);
            } else {
                self.delayed.extend(decided.into_iter().map(|draft| (*delay, draft)));
            }
        }
        self.append(drafts)?;
        if burst.is_read {
            self.readers[0].read(&self.live)?;
            self.broken_reader.read_part(&self.live, burst.heard)?;
        }
        Ok(())
    }

    /// Appends these, as far as the log takes them, and applies what it took.
    fn append(&mut self, mut drafts: Vec<Draft>) -> TestCaseResult {
        while !drafts.is_empty() {
            let rest = drafts.split_off(drafts.len().min(MAX_APPENDS));
            let (log, feed) = self.open.as_mut().expect("it is open");
            let appends: Vec<_> = drafts.into_iter().map(|draft| log.append(draft)).collect();
            let appended = self.runtime.block_on(join_all(appends)).into_iter().flatten().count();
            let entries = feed.take(appended).collect::<Vec<_>>();
            for next in self.runtime.block_on(entries) {
                let Feed::Entry(entry) = next else { panic!("{next:?} again") };
                self.apply(&entry)?;
            }
            drafts = rest;
        }
        Ok(())
    }

    fn apply(&mut self, entry: &Entry) -> TestCaseResult {
        let decoded = entry.decode().expect("an entry");
        self.kept.insert(entry.seq, decoded.clone());
        let message_of = match &decoded.record {
            Record::Message(channel, _) => Some(channel.clone()),
            _ => None,
        };
        let deleted = match &decoded.record {
            Record::Change(_, message, ChangeRecord::Deleted { .. }) => Some(*message),
            _ => None,
        };
        let applied = self.live.apply(decoded.clone());
        if let Some(replayed) = &mut self.replayed {
            let again = replayed.apply(decoded);
            prop_assert_eq!(&again, &applied, "what {:?} does", entry);
        }
        self.spent.extend(&applied.spent);
        self.trim(entry.seq, message_of, &applied);
        if self.fault == Some(Fault::EraseDeleted) {
            self.erase_rows(deleted.into_iter().collect());
        }
        Ok(())
    }

    /// Erases this part of what is spent.
    fn erase(&mut self, part: usize) {
        let erased = cut(self.spent.len(), part);
        let erased: Vec<_> = if self.fault == Some(Fault::EraseOutOfOrder) {
            self.spent.split_off(self.spent.len() - erased).into_iter().rev().collect()
        } else {
            self.spent.drain(..erased).collect()
        };
        self.erase_rows(erased);
    }

    fn erase_rows(&mut self, rows: Vec<Seq>) {
        for seq in &rows {
            self.kept.remove(seq);
        }
        self.open.as_ref().expect("it is open").0.erase(self.live.head(), rows);
    }

    /// What a log does that trims by itself.
    fn trim(&mut self, seq: Seq, message_of: Option<ChannelId>, applied: &Applied) {
        match self.fault {
            // Its rows go when they are erased.
            Some(Fault::TrimByCount) => {
                self.counted
                    .values_mut()
                    .for_each(|rows| rows.retain(|it| self.kept.contains_key(it)));
            }
            Some(Fault::CountRefused) => {
                let gone = |row: &Seq| *row != seq && applied.spent.contains(row);
                self.counted.values_mut().for_each(|rows| rows.retain(|row| !gone(row)));
            }
            Some(Fault::EraseOutOfOrder | Fault::EraseDeleted) | None => return,
        }
        let Some(channel) = message_of else { return };
        let rows = self.counted.entry(channel).or_default();
        rows.insert(seq);
        if rows.len() > 100 {
            let oldest = rows.pop_first();
            self.erase_rows(oldest.into_iter().collect());
        }
    }

    fn open(&mut self) -> Opened {
        let log = Sqlite::open(self.directory.path()).expect("a log");
        let mut feed = log.follow(Seq(0));
        let mut entries = Vec::new();
        let reached = loop {
            match self.runtime.block_on(feed.next()).expect("the log goes on") {
                Feed::Entry(entry) => entries.push(entry.decode().expect("an entry")),
                Feed::CaughtUp(reached) => break reached,
                Feed::Incomplete => panic!("nobody else erases"),
            }
        };
        self.open = Some((log, feed));
        let (state, spent) = replay(entries.iter().cloned(), reached);
        Opened { state, spent, entries }
    }

    /// Ends the server while erasures are pending, and starts it again.
    fn restart(&mut self, part: &Part) -> TestCaseResult {
        let [on_disk, others @ ..] = part.cuts;
        for other in others {
            self.check_cut(other)?;
        }
        self.erase(on_disk.into());
        self.open = None;
        let Opened { state: replayed, spent, .. } = self.open();
        self.check(&replayed, &spent)?;
        self.check_views(&replayed)?;
        self.readers[0].clone().read(&replayed)?;
        self.broken_reader.clone().read(&replayed)?;
        self.readers[1].read(&replayed)?;
        self.replayed = Some(replayed);
        self.spent = spent.into();
        Ok(())
    }

    /// Checks what a restart would bring with the pending erasures cut elsewhere.
    fn check_cut(&self, part: u8) -> TestCaseResult {
        let erased: BTreeSet<_> =
            self.spent.iter().take(cut(self.spent.len(), part.into())).collect();
        let kept = self.kept.iter().filter(|(seq, _)| !erased.contains(seq));
        let (replayed, spent) = replay(kept.map(|(_, entry)| entry.clone()), self.live.head());
        let pending: Vec<_> = spent.iter().chain(erased).copied().collect();
        self.check(&replayed, &pending)
    }

    /// Checks that a state is the live one, and finds the same spent.
    fn check(&self, replayed: &State, spent: &[Seq]) -> TestCaseResult {
        prop_assert!(
            *replayed == self.live,
            "restarted, it is another state: {:#?}",
            difference(&format!("{:#?}", self.live), &format!("{replayed:#?}"))
        );
        let sorted =
            |spent: &mut dyn Iterator<Item = &Seq>| -> BTreeSet<Seq> { spent.copied().collect() };
        prop_assert_eq!(sorted(&mut spent.iter()), sorted(&mut self.spent.iter()), "what is spent");
        prop_assert_eq!(spent.len(), self.spent.len(), "each is spent once: {:?}", spent);
        Ok(())
    }

    /// Checks that clients see the same in a state as in the live one, and resume the same.
    fn check_views(&self, replayed: &State) -> TestCaseResult {
        for channel in self.live.channels() {
            prop_assert_eq!(history(replayed, channel), history(&self.live, channel));
            self.check_resuming(replayed, &channel.id)?;
        }
        for seen in self.cursors() {
            let (again, before) =
                (replayed.channels_deleted_since(seen), self.live.channels_deleted_since(seen));
            prop_assert_eq!(again, before);
            let renamed = |state: &State| {
                state.renamed_since(seen).map(|(seq, it)| (seq, it.user())).collect::<Vec<_>>()
            };
            prop_assert_eq!(renamed(replayed), renamed(&self.live));
            let later = replayed.public_channels_since(seen).map(|channel| &channel.id);
            let last_event = |id: &ChannelId| replayed.last_event_in(id);
            let mut scanned: Vec<_> = replayed
                .public_channels()
                .map(|channel| &channel.id)
                .filter(|id| last_event(id) > Some(seen))
                .collect();
            scanned.sort_by_key(|id| last_event(id));
            prop_assert_eq!(later.collect::<Vec<_>>(), scanned);
        }
        Ok(())
    }

    fn check_resuming(&self, replayed: &State, channel: &ChannelId) -> TestCaseResult {
        let of = |state: &State, seen| state.conversation(channel).map(|it| it.since(seen));
        for seen in self.cursors() {
            let again = of(replayed, seen);
            // A reset is always right, if not welcome.
            if again != Some(Missed::Gap) {
                prop_assert_eq!(again, of(&self.live, seen));
            }
        }
        Ok(())
    }

    /// Some places in the log.
    fn cursors(&self) -> impl Iterator<Item = Seq> {
        let head = self.live.head().0;
        let step = usize::try_from(head / 16 + 1).expect("a short log");
        (0..=head + 1).step_by(step).map(Seq)
    }

    /// Checks, where no deleted message can be restored, that the channels which concern each user are
    /// those that a look at all channels finds.
    fn check_concerning(&self) -> TestCaseResult {
        for user in self.live.accounts().map(|account| account.person.id()) {
            let concerns = |channel: &&Arc<Channel>| {
                let conversation = self.live.conversation(&channel.id).into_iter();
                let mut messages = conversation.flat_map(|it| it.messages());
                let by_or_naming = |message: &Arc<Message>| {
                    message.author.id() == user || message.content.mentions.contains(user)
                };
                channel.creator() == Some(user) || messages.any(by_or_naming)
            };
            let ids = |channel: &Arc<Channel>| channel.id.clone();
            let found: BTreeSet<_> = self.live.channels().filter(concerns).map(ids).collect();
            let indexed: Vec<_> = self.live.channels_concerning(user).map(ids).collect();
            prop_assert_eq!(indexed.len(), found.len());
            prop_assert_eq!(BTreeSet::from_iter(indexed), found);
        }
        Ok(())
    }

    /// Checks that the log holds no more than what something needs.
    fn check_rows(&self) -> TestCaseResult {
        let channels = self.live.channels().filter_map(|channel| {
            let conversation = self.live.conversation(&channel.id)?;
            // Each message and its change, the remembered deletions, and the channel's own two.
            Some(conversation.messages().len() * 2 + 100 + 2)
        });
        // Each account's two, its read markers and preferences; users and channels that are gone.
        let bound = channels.sum::<usize>() + self.live.accounts().count() * 4 + 100 + 100;
        prop_assert!(self.kept.len() <= bound, "{} rows, not {}", self.kept.len(), bound);
        Ok(())
    }
}

fn replay(entries: impl IntoIterator<Item = DecodedEntry>, reached: Seq) -> (State, Vec<Seq>) {
    let mut state = State::default();
    let mut spent = Vec::new();
    for entry in entries {
        spent.extend(state.apply(entry).spent);
    }
    spent.extend(state.caught_up(reached).spent);
    (state, spent)
}

fn cut(pending: usize, part: usize) -> usize {
    (pending * part).div_ceil(WHOLE)
}

fn history(state: &State, channel: &Channel) -> Vec<String> {
    let conversation = state.conversation(&channel.id).expect("what a channel keeps");
    let jsons = conversation.messages().map(|it| message::json(it, &channel.reference()));
    jsons.map(|json| String::from_utf8(json.into()).expect("JSON is UTF-8")).collect()
}

/// The lines that one of two texts has more often. The order says nothing: maps have none.
fn difference(before: &str, after: &str) -> Vec<String> {
    let mut lines: BTreeMap<&str, i32> = BTreeMap::new();
    for line in before.lines() {
        *lines.entry(line).or_default() -= 1;
    }
    for line in after.lines() {
        *lines.entry(line).or_default() += 1;
    }
    lines.retain(|line, count| *count != 0 && !line.contains("renames"));
    let lines = lines.iter().take(50);
    lines.map(|(line, count)| format!("{count:+} {}", line.trim())).collect()
}
