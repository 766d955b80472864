//! `apply`: whatever is entered, and however it is read.

use std::collections::BTreeMap;

use houston::domain::channel::{Channel, KEPT_DELETIONS, Missed};
use houston::domain::entry::{
    ChangeRecord, ChannelRecord, DirectRecord, Entry, Erase, KEPT_MESSAGES, Key, MessageRecord,
    UserRecord, encode,
};
use houston::domain::event::Event;
use houston::domain::ids::{ChannelId, MessageId, OpId, Seq, SessionId, UserId};
use houston::domain::message::Content;
use houston::domain::names::{ChannelName, Topic};
use houston::domain::reaction::Reacted;
use houston::domain::state::State;
use houston::domain::time::Timestamp;
use houston::domain::user::User;
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

/// What somebody may do next.
#[derive(Clone, Debug)]
enum Step {
    /// Sends a message under one of a few ids, so that ids repeat.
    Send(u8),
    /// Edits the n-th kept message.
    Edit(usize),
    /// Deletes the n-th kept message.
    Delete(usize),
    /// Says what the channel is about: then its record comes behind its messages.
    Describe,
    /// A listener reads what it has missed.
    Read,
    /// Something happens elsewhere: sequences have gaps.
    Elsewhere,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => any::<u8>().prop_map(Step::Send),
        2 => any::<usize>().prop_map(Step::Edit),
        3 => any::<usize>().prop_map(Step::Delete),
        1 => Just(Step::Describe),
        1 => Just(Step::Read),
        1 => Just(Step::Elsewhere),
    ];
    prop::collection::vec(step, 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A listener that reads at any time ends up with exactly what is kept, was told each thing
    /// once and in order, or that there is a gap; and a state that is read back from the log says
    /// the same.
    #[test]
    fn a_reader_ends_up_with_what_is_kept(steps in steps()) {
        let mut house = House::new();
        let mut reader = Reader::default();
        for step in steps {
            house.take(&step);
            prop_assert!(house.kept().len() <= KEPT_MESSAGES);
            if matches!(step, Step::Read) {
                let again = house.read_back();
                for state in [&house.state, &again] {
                    let mut reader = reader.clone();
                    reader.read(state, &house)?;
                    prop_assert_eq!(&reader.view, &house.kept());
                }
                reader.read(&house.state, &house)?;
            }
        }
        prop_assert_eq!(House::kept_by(&house.read_back()), house.kept());
        prop_assert!(house.log.len() <= KEPT_MESSAGES * 2 + KEPT_DELETIONS + 3);
    }

    /// The same entries make the same state and the same events on every node.
    #[test]
    fn apply_gives_the_same_everywhere(steps in steps()) {
        let (mut here, mut there) = (House::new(), House::new());
        for step in &steps {
            prop_assert_eq!(here.take(step), there.take(step));
        }
        prop_assert_eq!(here.kept(), there.kept());
    }
}

#[test]
fn a_deletion_is_remembered_though_the_channel_s_record_comes_behind_it() {
    let mut house = House::new();
    house.take(&Step::Send(1));
    let mut reader = Reader::default();
    reader.read(&house.state, &house).expect("a reader");
    house.take(&Step::Delete(0));
    house.take(&Step::Describe);
    reader.read(&house.read_back(), &house).expect("a reader");
    assert_eq!(reader.view, house.kept());
}

/// One of the two has left, which could not be erased, and the other's account was written anew
/// since: it is read behind the leaving.
#[test]
fn a_direct_conversation_is_kept_for_who_is_left_of_its_two() {
    let (ada, bob) = (ada(), User { id: UserId::from("2".to_owned()), ..ada() });
    let bob = User { display_name: "Bob".parse().expect("a name"), ..bob };
    let id = Channel::direct(ada.clone(), bob.clone()).id;
    let direct = DirectRecord { members: [ada.clone(), bob.clone()] };
    let message = MessageRecord {
        id: "m1".parse().expect("an id"),
        author: ada.clone(),
        content: content(1),
    };
    let account = |user: &User, sessions| {
        let record =
            UserRecord { user: user.clone(), sessions, revision: 1, since: Seq(0), renamed: false };
        (Key::User(user.display_name.hash()), encode(&record))
    };
    let log = [
        (Key::Direct(id.clone()), encode(&direct)),
        (Key::Messages(id.clone()), encode(&message)),
        account(&bob, Vec::new()),
        account(&ada, vec![SessionId::of_token("secret")]),
    ];
    let mut state = State::default();
    let mut spent = Vec::new();
    for (seq, (key, body)) in (1..).zip(log) {
        let (at, op) = (Timestamp::from_millis(1), OpId(Uuid::from_u128(u128::from(seq))));
        let entry = Entry { seq: Seq(seq), at, op, key, body };
        spent.extend(state.apply(&entry).expect("an entry").spent);
    }
    spent.extend(state.caught_up(Seq(4)));

    assert_eq!(spent, [Erase::One(Seq(3))], "Bob's name is free");
    let kept = state.conversation(&id).map(|conversation| conversation.messages().count());
    assert_eq!((kept, state.channels_of(&ada.id).count()), (Some(1), 1));
}

/// Somebody is renamed while a reaction of theirs is on its way to the log.
#[test]
fn a_reaction_shows_its_giver_as_they_are_called_when_it_is_applied() {
    let mut house = House::new();
    house.take(&Step::Send(1));
    let messages = |house: &House| house.state.conversation(&channel()).expect("it").clone();
    let message = messages(&house).messages().next().expect("a message").seq;
    let countess = User { display_name: "Countess".parse().expect("a name"), ..ada() };
    let key = Key::User(countess.display_name.hash());
    let sessions = vec![SessionId::of_token("secret")];
    let user = countess.clone();
    let record = UserRecord { user, sessions, revision: 1, since: Seq(0), renamed: true };
    house.enter(key, encode(&record));

    let reaction = "👍".parse().expect("a reaction");
    let reactions = vec![Reacted { reaction, users: vec![ada()] }];
    let change = ChangeRecord::Present { content: None, edited_at: None, reactions };
    house.enter(Key::Change(channel(), message), encode(&change));

    let shown = messages(&house).messages().next().expect("a message").clone();
    assert_eq!(shown.reactions[0].users, [countess]);
}

/// One channel's state with the log that it would be read back from.
struct House {
    state: State,
    log: Vec<Entry>,
    next: u64,
}

impl House {
    fn new() -> Self {
        let mut state = State::default();
        state.caught_up(Seq(0));
        let mut house = Self { state, log: Vec::new(), next: 1 };
        house.open_channel(None);
        let user = ada();
        let key = Key::User(user.display_name.hash());
        let sessions = vec![SessionId::of_token("secret")];
        let record = UserRecord { user, sessions, revision: 0, since: Seq(0), renamed: false };
        house.enter(key, encode(&record));
        house
    }

    fn open_channel(&mut self, created_at: Option<Timestamp>) -> Vec<Event> {
        let (id, name) = (channel(), ChannelName::general());
        let key = Key::Channel(name.hash());
        let (topic, creator) = (Topic::default(), None);
        self.enter(key, encode(&ChannelRecord::Open { id, name, topic, creator, created_at }))
    }

    fn take(&mut self, step: &Step) -> Vec<Event> {
        let pick = |n: usize| {
            let conversation = self.state.conversation(&channel()).expect("the channel");
            let messages: Vec<_> = conversation.messages().collect();
            let message = messages.get(n.checked_rem(messages.len())?)?;
            Some((message.seq, message.id.clone()))
        };
        let (key, body) = match step {
            Step::Send(n) => {
                let id: MessageId = format!("m{n}").parse().expect("an id");
                let taken = self.state.conversation(&channel()).expect("it").message(&id).is_some();
                if taken {
                    return Vec::new();
                }
                let record = MessageRecord { id, author: ada(), content: content(self.next) };
                (Key::Messages(channel()), encode(&record))
            }
            Step::Edit(n) => {
                let Some((message, _)) = pick(*n) else { return Vec::new() };
                let edited_at = Some(Timestamp::from_millis(1));
                let (content, reactions) = (Some(content(self.next)), Vec::new());
                let change = ChangeRecord::Present { content, edited_at, reactions };
                (Key::Change(channel(), message), encode(&change))
            }
            Step::Delete(n) => {
                let Some((message, id)) = pick(*n) else { return Vec::new() };
                (Key::Change(channel(), message), encode(&ChangeRecord::Deleted { id }))
            }
            Step::Describe => return self.open_channel(Some(Timestamp::from_millis(1))),
            Step::Elsewhere => {
                self.next += 1;
                return Vec::new();
            }
            Step::Read => return Vec::new(),
        };
        self.enter(key, body)
    }

    fn enter(&mut self, key: Key, body: String) -> Vec<Event> {
        let (seq, op) = (Seq(self.next), OpId(Uuid::from_u128(u128::from(self.next))));
        let at = Timestamp::from_millis(self.next.cast_signed());
        let entry = Entry { seq, at, op, key, body };
        self.next += 1;
        let applied = self.state.apply(&entry).expect("an entry");
        assert!(!applied.refused, "{entry:?}");
        self.keep(entry);
        for spent in &applied.spent {
            self.log.retain(|kept| !matches!(spent, Erase::One(seq) if kept.seq == *seq));
        }
        applied.events
    }

    /// As the log would.
    fn keep(&mut self, entry: Entry) {
        let key = entry.key.clone();
        self.log.push(entry);
        let seqs: Vec<_> =
            self.log.iter().filter(|kept| kept.key == key).map(|kept| kept.seq).collect();
        for fallen in &seqs[..seqs.len().saturating_sub(key.kept())] {
            let change = Key::Change(channel(), *fallen);
            let message = matches!(key, Key::Messages(_));
            self.log.retain(|kept| kept.seq != *fallen && !(message && kept.key == change));
        }
    }

    fn read_back(&self) -> State {
        let mut state = State::default();
        for entry in &self.log {
            state.apply(entry).expect("an entry");
        }
        state.caught_up(Seq(self.next - 1));
        state
    }

    fn kept(&self) -> BTreeMap<String, (u64, String)> {
        Self::kept_by(&self.state)
    }

    fn kept_by(state: &State) -> BTreeMap<String, (u64, String)> {
        let conversation = state.conversation(&channel()).expect("the channel");
        let messages = conversation.messages();
        messages.map(|it| (it.id.to_string(), (it.seq.0, it.content.text.to_string()))).collect()
    }
}

/// What somebody has on their screen.
#[derive(Clone, Default)]
struct Reader {
    seen: Seq,
    view: BTreeMap<String, (u64, String)>,
}

impl Reader {
    fn read(&mut self, state: &State, house: &House) -> Result<(), TestCaseError> {
        let of = state.channel(&channel()).expect("the channel");
        let conversation = state.conversation(&channel()).expect("the channel");
        match conversation.since(self.seen, of) {
            Missed::Gap => self.view = house.kept(),
            Missed::Events(events) => {
                prop_assert!(events.is_sorted_by(|(a, _), (b, _)| a < b), "{:?}", events);
                for (seq, event) in events {
                    prop_assert!(seq > self.seen);
                    self.hear(event);
                }
                // Nobody tells what falls out: it is older than all that is kept.
                if let Some(oldest) = conversation.messages().next() {
                    self.view.retain(|_, (seq, _)| *seq >= oldest.seq.0);
                }
            }
        }
        self.seen = Seq(house.next - 1);
        Ok(())
    }

    fn hear(&mut self, event: Event) {
        let said = |json: &[u8]| {
            let message: Value = serde_json::from_slice(json).expect("JSON");
            let text = |field: &str| message[field].as_str().expect("a text").to_owned();
            (text("id"), (message["seq"].as_u64().expect("a number"), text("text")))
        };
        match event {
            Event::Message { json, .. } | Event::MessageUpdated { json, .. } => {
                self.view.extend([said(&json)]);
            }
            Event::MessageDeleted { id, .. } => {
                assert!(self.view.remove(id.as_str()).is_some(), "{id} was on the screen");
            }
            Event::ChannelUpdated(_) => {}
            other => panic!("{other:?} did not happen"),
        }
    }
}

fn channel() -> ChannelId {
    ChannelId::from("c".to_owned())
}

fn ada() -> User {
    User { id: UserId::from("1".to_owned()), display_name: "Ada".parse().expect("a name") }
}

fn content(n: u64) -> Content {
    let text = n.to_string().parse().expect("a text");
    Content { text, html: format!("<p>{n}</p>"), mentions: Vec::new(), attachments: Vec::new() }
}
