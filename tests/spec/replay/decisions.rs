//! Decisions: the entries that the engine would append for what people do, by the state that it
//! knows at that moment.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::Utc;
use houston::domain::channel::{Channel, ChannelKind};
use houston::domain::entry::{
    ChangeRecord, ChannelRecord, DirectRecord, ErasureRecord, HookRecord, Key, MessageRecord,
    PresentRecord, SessionRecord, UserRecord, encode,
};
use houston::domain::hook::{Hook, HookMark, Outgoing};
use houston::domain::ids::{ChannelId, MessageId, OpId, Seq, SessionId, UserId};
use houston::domain::message::{Content, Message};
use houston::domain::names::{ChannelName, DisplayName, Topic};
use houston::domain::preference::{Bell, ChannelPreferences};
use houston::domain::preview::Previews;
use houston::domain::reaction::{Reaction, ReactionGroupRecord};
use houston::domain::state::State;
use houston::domain::time::Timestamp;
use houston::domain::user::{Account, User};
use houston::engine::log::{Draft, Expect};
use serde_json::json;
use uuid::Uuid;

use super::history::Action;

/// Display names, two of them equal.
const DISPLAY_NAMES: [&str; 5] = ["Ada", "ADA", "Bob", "Cy", "Dee"];
const CHANNEL_NAMES: [&str; 2] = ["lunch", "noise"];
const REACTIONS: [&str; 2] = ["👍", "go!"];
/// How many channels of [`Action::Churn`] there are at most.
const MAX_CHURN: usize = 60;

/// Makes decisions, and ids that are never made twice.
pub(super) struct Decisions {
    made: u64,
    display_names: Vec<DisplayName>,
    channel_names: Vec<ChannelName>,
    churned_names: Vec<ChannelName>,
    reactions: Vec<Reaction>,
    /// What was deleted, and by whom, the latest first.
    deleted: VecDeque<(ChannelId, MessageId, UserId)>,
}

impl Decisions {
    pub(super) fn new() -> Self {
        let name = |name: &str| name.parse().expect("a name");
        Self {
            made: 0,
            display_names: DISPLAY_NAMES.map(|it| it.parse().expect("a name")).into(),
            channel_names: CHANNEL_NAMES.map(name).into(),
            churned_names: (0..MAX_CHURN).map(|n| name(&format!("churned{n}"))).collect(),
            reactions: REACTIONS.map(|it| it.parse().expect("a reaction")).into(),
            deleted: VecDeque::new(),
        }
    }

    /// The first entry of every store.
    pub(super) fn general(&mut self) -> Draft {
        self.open(&ChannelName::general(), None, Expect::Absent)
    }

    /// What is appended for an action; nothing where it is not allowed, or there is nothing to do.
    pub(super) fn decide(&mut self, state: &State, action: Action) -> Vec<Draft> {
        match action {
            Action::Fill { channel, messages } => self.fill(state, channel, messages),
            Action::Purge { channel, messages } => self.purge(state, channel, messages),
            Action::Churn { channels } => self.churn(state, channels),
            other => self.decide_one(state, other).into_iter().collect(),
        }
    }

    fn decide_one(&mut self, state: &State, action: Action) -> Option<Draft> {
        match action {
            Action::Put { user, channel, id, has_file } => {
                let me = account(state, user)?;
                let channel = channel_of(state, me, channel)?;
                let id = format!("m{id}").parse().expect("an id");
                self.put(state, me, &channel, id, has_file)
            }
            Action::Edit { channel, message } => {
                let (channel, message) = message_in(state, channel, message)?;
                state.account(message.author.id())?;
                let content = self.content(message.author.id(), false);
                Some(self.edit(state, &channel, &message, content))
            }
            Action::Delete { channel, message } => {
                let (channel, message) = message_in(state, channel, message)?;
                Some(self.delete(state, &channel, &message))
            }
            Action::Restore { deletion } => self.restore(state, deletion),
            Action::Erase { part } => {
                let until = state.head().0 * u64::from(part) / u64::from(u8::MAX);
                Some(self.erase(Seq(until)))
            }
            Action::React { user, channel, message, reaction } => {
                let me = account(state, user)?.person.user();
                let (channel, message) = message_in(state, channel, message)?;
                channel.is_visible_to(&me.id).then(|| {
                    let reaction = pick(&self.reactions, reaction).expect("reactions").clone();
                    self.react(state, &me, &channel, &message, reaction)
                })
            }
            Action::Preview { at, how } => self.preview(state, at, how),
            Action::Create { user, name } => {
                let me = User::clone(&account(state, user)?.person.user());
                let name = pick(&self.channel_names, name)?.clone();
                self.create(state, &name, me)
            }
            Action::Describe { channel } => {
                let channel = public(state, channel)?;
                self.describe(state, &channel)
            }
            Action::Remove { channel } => {
                let channel = public(state, channel)?;
                self.remove(&channel)
            }
            Action::Begin { user, other } => {
                let (me, other) = (account(state, user)?, account(state, other)?);
                self.begin(state, me, other)
            }
            Action::SignIn { name } => {
                let name = pick(&self.display_names, name)?.clone();
                self.sign_in(state, name)
            }
            Action::OpenSession { user } => {
                let me = account(state, user)?;
                let mut record = next_record(me);
                record.sessions.push(self.session());
                settle_bot(&mut record);
                Some(self.append(Key::User(me.key.clone()), encode(&record), Expect::At(me.seq)))
            }
            Action::EndSession { user, all } => {
                let me = account(state, user)?;
                let mut record = next_record(me);
                record.sessions.truncate(if all { 0 } else { record.sessions.len() - 1 });
                settle_bot(&mut record);
                Some(self.append(Key::User(me.key.clone()), encode(&record), Expect::At(me.seq)))
            }
            Action::Rename { user, name } => {
                let me = account(state, user)?;
                let name = pick(&self.display_names, name)?.clone();
                self.rename(state, me, name)
            }
            Action::Prefer { user, channel, how } => {
                let me = account(state, user)?;
                let channel = channel_of(state, me, channel)?;
                self.prefer(state, me, &channel, how)
            }
            Action::Hook { user, channel, hook, how } => {
                let me = account(state, user)?;
                let channel = channel_of(state, me, channel)?;
                self.change_hook(state, me, &channel, hook, how)
            }
            Action::PostByHook { channel, hook, name } => {
                let channel = public(state, channel)?;
                let hook = pick(&hooks_of(state, &channel), hook)?.clone();
                Some(self.post_by_hook(&hook, name))
            }
            Action::Mark { user, channel, message } => {
                let me = account(state, user)?;
                let channel = channel_of(state, me, channel)?;
                let messages: Vec<_> = state.conversation(&channel.id)?.messages().collect();
                let read = pick(&messages, message)?.seq;
                let pending = [(channel.id.clone(), read)].into_iter().collect();
                let positions = state.read_positions(me.person.id()).with_pending(pending);
                let record = positions.to_record(|channel| state.channel(channel).is_some());
                let key = Key::ReadMarkers(me.person.id().clone());
                Some(self.append(key, encode(&record), Expect::Any))
            }
            Action::Fill { .. } | Action::Purge { .. } | Action::Churn { .. } => None,
        }
    }

    fn post_by_hook(&mut self, hook: &Hook, name: u8) -> Draft {
        let id = self.make("h").parse().expect("an id");
        let author = hook.author(pick(&self.display_names, name).cloned());
        let content = self.content(&hook.creator, false);
        let mark = HookMark { icon: name.is_multiple_of(2).then(|| "🚀".into()) };
        let record = MessageRecord { id, author, hook: Some(mark), content };
        self.append(Key::Messages(hook.channel.clone()), encode(&record), Expect::Any)
    }

    fn change_hook(
        &mut self,
        state: &State,
        me: &Account,
        channel: &Channel,
        hook: u8,
        how: u8,
    ) -> Option<Draft> {
        let is_new = how < 2;
        if is_new {
            let (url, words) = ("http://x/".into(), Vec::new());
            let outgoing = Outgoing { url, words, paused: false, problem: None };
            let record = HookRecord::Present {
                name: "CI".parse().expect("a name"),
                secret: self.make("secret").into(),
                creator: me.person.id().clone(),
                created_at: None,
                outgoing: (how == 1).then_some(outgoing),
            };
            let key = Key::Hook(channel.id.clone(), self.make("k").into());
            return Some(self.append(key, encode(&record), Expect::Absent));
        }
        let hook = pick(&hooks_of(state, channel), hook)?.clone();
        let key = Key::Hook(channel.id.clone(), hook.id.clone());
        let record = match &hook.outgoing {
            Some(outgoing) if how == 2 => {
                let outgoing = Outgoing { paused: !outgoing.paused, ..outgoing.clone() };
                HookRecord::of(&Hook { outgoing: Some(outgoing), ..Hook::clone(&hook) })
            }
            _ => HookRecord::Deleted,
        };
        Some(self.append(key, encode(&record), Expect::At(hook.seq)))
    }

    fn prefer(&mut self, state: &State, me: &Account, channel: &Channel, how: u8) -> Option<Draft> {
        let user = me.person.id();
        let preferences = state.preferences(user);
        let present = preferences.of(&channel.id);
        let changed = Seq(0);
        let wanted = match how {
            0 => ChannelPreferences { starred: !present.starred, changed, ..present },
            1 => ChannelPreferences { hidden: Some(Seq(0)), changed, ..present },
            2 => ChannelPreferences { bell: Some(Bell::Nothing), hidden: None, changed, ..present },
            _ => {
                let shown = state.shown_again(user);
                let record = (!shown.is_empty()).then(|| encode(&preferences.to_record(shown)))?;
                let key = Key::Preferences(user.clone());
                return Some(self.append(key, record, preferences.entry().into()));
            }
        };
        let record = encode(&preferences.to_record([(channel.id.clone(), wanted)]));
        let key = Key::Preferences(user.clone());
        Some(self.append(key, record, preferences.entry().into()))
    }

    fn fill(&mut self, state: &State, channel: u8, messages: u8) -> Vec<Draft> {
        let mut accounts = accounts(state);
        let first = usize::from(messages).checked_rem(accounts.len());
        accounts.rotate_left(first.unwrap_or(0));
        let Some(me) = accounts.first() else { return Vec::new() };
        let Some(channel) = channel_of(state, me, channel) else { return Vec::new() };
        let visible = |it: &&&Account| channel.is_visible_to(it.person.id());
        let authors: Vec<_> = accounts.iter().filter(visible).collect();
        let kept = state.conversation(&channel.id).map_or(0, |it| it.messages().len());
        let fill = (0..usize::from(messages).saturating_sub(kept).max(1)).map(|n| {
            let author = authors[n % authors.len()];
            let id = self.make("n").parse().expect("an id");
            self.post(author, &channel, id, false)
        });
        fill.collect()
    }

    fn purge(&mut self, state: &State, channel: u8, messages: u8) -> Vec<Draft> {
        let Some((channel, _)) = message_in(state, channel, 0) else { return Vec::new() };
        let kept = state.conversation(&channel.id).expect("it has messages").messages();
        kept.take(messages.into()).map(|message| self.delete(state, &channel, message)).collect()
    }

    fn churn(&mut self, state: &State, channels: u8) -> Vec<Draft> {
        let Some(me) = account(state, channels) else { return Vec::new() };
        let me = User::clone(&me.person.user());
        let names = self.churned_names.clone();
        let drafts =
            names.iter().take(channels.into()).filter_map(|name| match state.channel_named(name) {
                Some(channel) => self.remove(channel),
                None => self.create(state, name, me.clone()),
            });
        drafts.collect()
    }

    fn put(
        &mut self,
        state: &State,
        me: &Account,
        channel: &Channel,
        id: MessageId,
        has_file: bool,
    ) -> Option<Draft> {
        match state.conversation(&channel.id).and_then(|it| it.message(&id)) {
            None => Some(self.post(me, channel, id, has_file)),
            Some(message) if message.author.id() == me.person.id() => {
                let content = self.content(me.person.id(), has_file);
                Some(self.edit(state, channel, message, content))
            }
            Some(_) => None,
        }
    }

    fn post(&mut self, me: &Account, channel: &Channel, id: MessageId, has_file: bool) -> Draft {
        let author = User::clone(&me.person.user());
        let content = self.content(&author.id, has_file);
        let record = MessageRecord { id, author, hook: None, content };
        self.append(Key::Messages(channel.id.clone()), encode(&record), Expect::Any)
    }

    fn edit(
        &mut self,
        state: &State,
        channel: &Channel,
        message: &Message,
        content: Content,
    ) -> Draft {
        let edited_at = Some(Timestamp::from_millis(self.made.cast_signed()));
        // An edit may leave a link as it is, and with it its preview.
        let mut previews = PresentRecord::of(message).previews;
        if self.made.is_multiple_of(2) {
            previews.shown.clear();
        }
        let present = PresentRecord::of(message);
        let record = PresentRecord { content: Some(content), edited_at, previews, ..present };
        self.change(state, channel, message, &ChangeRecord::Present(record))
    }

    /// Deletes a message: mostly so that its author can undo it.
    fn delete(&mut self, state: &State, channel: &Channel, message: &Message) -> Draft {
        let (id, author) = (message.id.clone(), message.author.id().clone());
        let by = (!self.made.is_multiple_of(8)).then_some(author.clone());
        self.deleted.push_front((channel.id.clone(), id.clone(), author));
        self.change(state, channel, message, &ChangeRecord::Deleted { id, by })
    }

    fn restore(&mut self, state: &State, deletion: u8) -> Option<Draft> {
        let at = usize::from(deletion).checked_rem(self.deleted.len())?;
        let (channel, id, user) = &self.deleted[at];
        let conversation = state.conversation(channel)?;
        let (message, deleted) = conversation.restorable(id, user, Utc::now().into())?;
        let key = Key::Change(channel.clone(), message.seq);
        let record = ChangeRecord::Restored { id: id.clone() };
        Some(self.append(key, encode(&record), Expect::At(deleted)))
    }

    /// Ends the time in which deletions up to this entry could be undone.
    pub(super) fn erase(&mut self, until: Seq) -> Draft {
        self.append(Key::Erasure, encode(&ErasureRecord { until }), Expect::Any)
    }

    fn react(
        &mut self,
        state: &State,
        me: &User,
        channel: &Channel,
        message: &Message,
        reaction: Reaction,
    ) -> Draft {
        let mut record = PresentRecord::of(message);
        let reactions = &mut record.reactions;
        match reactions.iter_mut().find(|reacted| reacted.reaction == reaction) {
            Some(reacted) if reacted.users.iter().any(|user| user.id == me.id) => {
                reacted.users.retain(|user| user.id != me.id);
            }
            Some(reacted) => reacted.users.push(me.clone()),
            None => reactions.push(ReactionGroupRecord { reaction, users: vec![me.clone()] }),
        }
        reactions.retain(|reacted| !reacted.users.is_empty());
        self.change(state, channel, message, &ChangeRecord::Present(record))
    }

    fn preview(&mut self, state: &State, at: (u8, u8), how: u8) -> Option<Draft> {
        let (channel, message) = &message_in(state, at.0, at.1)?;
        let mut record = PresentRecord::of(message);
        let Previews { shown, hidden } = &mut record.previews;
        *hidden = how == 0;
        shown.truncate(if *hidden { 0 } else { 2 });
        if !*hidden {
            let picture = json!({
                "id": self.make("p"), "media_type": "image/png", "size": 7, "sha256": "",
                "width": 3, "height": 2,
            });
            let mut preview = json!({ "url": self.make("https://"), "site": "s", "title": "t" });
            if how > 1 {
                preview["picture"] = picture;
            }
            shown.push(serde_json::from_value(preview).expect("a preview"));
        }
        Some(self.change(state, channel, message, &ChangeRecord::Present(record)))
    }

    fn change(
        &mut self,
        state: &State,
        channel: &Channel,
        message: &Message,
        record: &ChangeRecord,
    ) -> Draft {
        let key = Key::Change(channel.id.clone(), message.seq);
        let conversation = state.conversation(&channel.id).expect("what has the message");
        self.append(key, encode(record), conversation.last_change_of(message).into())
    }

    fn create(&mut self, state: &State, name: &ChannelName, creator: User) -> Option<Draft> {
        let expect = state.last_of_channel_name(name).into();
        let is_free = state.channel_named(name).is_none();
        is_free.then(|| self.open(name, Some(creator), expect))
    }

    fn open(&mut self, name: &ChannelName, creator: Option<User>, expect: Expect) -> Draft {
        let record = ChannelRecord::Open {
            id: ChannelId::from(self.make("c")),
            name: name.clone(),
            topic: Topic::default(),
            creator,
            created_at: None,
        };
        self.append(Key::Channel(name.hash()), encode(&record), expect)
    }

    fn describe(&mut self, state: &State, channel: &Channel) -> Option<Draft> {
        let ChannelKind::Public { name, creator, .. } = &channel.kind else { return None };
        let creator = creator.as_ref().and_then(|creator| state.account(creator));
        let record = ChannelRecord::Open {
            id: channel.id.clone(),
            name: name.clone(),
            topic: self.make("topic").parse().expect("a topic"),
            creator: creator.map(|account| User::clone(&account.person.user())),
            created_at: channel.created_at,
        };
        Some(self.append(Key::Channel(name.hash()), encode(&record), Expect::At(channel.seq())))
    }

    fn remove(&mut self, channel: &Channel) -> Option<Draft> {
        let ChannelKind::Public { name, .. } = &channel.kind else { return None };
        if *name == ChannelName::general() {
            return None;
        }
        let record = ChannelRecord::Deleted { id: channel.id.clone(), name: Some(name.clone()) };
        Some(self.append(Key::Channel(name.hash()), encode(&record), Expect::At(channel.seq())))
    }

    fn begin(&mut self, state: &State, me: &Account, other: &Account) -> Option<Draft> {
        let direct = Channel::direct(me.person.clone(), other.person.clone());
        if state.channel(&direct.id).is_some() {
            return None;
        }
        let record = DirectRecord {
            members: [0, 1].map(|n| User::clone(&direct.members()[n].user())),
            begun_by: Some(me.person.id().clone()),
        };
        Some(self.append(Key::Direct(direct.id), encode(&record), Expect::Absent))
    }

    fn sign_in(&mut self, state: &State, name: DisplayName) -> Option<Draft> {
        if state.holder(&name).is_some() {
            return None;
        }
        let expect = state.last_of_display_name(&name).into();
        let record = UserRecord {
            user: User::new(UserId::from(self.make("u")), name),
            sessions: vec![self.session()],
            revision: 0,
            since: state.head(),
            renamed: None,
        };
        let key = Key::User(record.user.display_name.hash());
        Some(self.append(key, encode(&record), expect))
    }

    fn rename(&mut self, state: &State, me: &Account, name: DisplayName) -> Option<Draft> {
        let holder = state.holder(&name);
        let is_anothers = holder.is_some_and(|holder| holder.person.id() != me.person.id());
        if me.person.user().display_name == name || is_anothers {
            return None;
        }
        let expect = state.last_of_display_name(&name).into();
        let mut record = next_record(me);
        record.user.display_name = name;
        record.renamed = Some(Seq(0));
        let key = Key::User(record.user.display_name.hash());
        Some(self.append(key, encode(&record), expect))
    }

    fn append(&mut self, key: Key, body: String, expect: Expect) -> Draft {
        self.made += 1;
        Draft { op: OpId(Uuid::now_v7()), key, body, expect }
    }

    /// A session as the present version begins it, or as an earlier one did.
    fn session(&mut self) -> SessionRecord {
        let id = SessionId::from(self.make("s"));
        let now = Timestamp::from_millis(self.made.cast_signed());
        let bare = SessionRecord::bare(id, now);
        if self.made.is_multiple_of(3) {
            return bare;
        }
        let (handle, created_at) = (Some(self.make("h").into()), Some(now));
        SessionRecord { handle, created_at, bot: self.made.is_multiple_of(2), ..bare }
    }

    fn content(&mut self, mentioned: &UserId, has_file: bool) -> Content {
        let text = self.make("é");
        let file = json!({
            "id": self.make("f"), "name": "a.txt", "media_type": "text/plain", "size": self.made,
            "sha256": "00",
        });
        Content {
            html: Some(format!("<p>{text}</p>").into()),
            text: text.parse().expect("a text"),
            mentions: [mentioned.clone()].into(),
            attachments: if has_file {
                vec![serde_json::from_value(file).expect("a file")]
            } else {
                Vec::new()
            },
            folded: None,
        }
    }

    fn make(&mut self, prefix: &str) -> String {
        self.made += 1;
        format!("{prefix}{:04}", self.made)
    }
}

/// As the engine does: a user is a bot while they hold a token that was made for one.
fn settle_bot(record: &mut UserRecord) {
    let bot = record.sessions.iter().any(|session| session.bot);
    if !record.sessions.is_empty() && record.user.bot != bot {
        record.user.bot = bot;
        record.renamed = Some(Seq(0));
    }
}

fn next_record(account: &Account) -> UserRecord {
    let sessions = account.sessions.iter();
    let sessions = sessions.map(|(id, session)| SessionRecord::of(id, session));
    UserRecord {
        user: User::clone(&account.person.user()),
        sessions: sessions.collect(),
        revision: account.revision + 1,
        since: account.since,
        renamed: account.renamed,
    }
}

fn pick<T>(things: &[T], n: u8) -> Option<&T> {
    things.get(usize::from(n).checked_rem(things.len())?)
}

/// In the order in which they came.
fn accounts(state: &State) -> Vec<&Account> {
    let mut accounts: Vec<_> = state.accounts().collect();
    accounts.sort_by_key(|account| account.first);
    accounts
}

fn account(state: &State, n: u8) -> Option<&Account> {
    pick(&accounts(state), n).copied()
}

fn public(state: &State, n: u8) -> Option<Arc<Channel>> {
    pick(&state.public_channels().collect::<Vec<_>>(), n).map(|channel| (*channel).clone())
}

/// A channel that the user sees, in the order in which they were created.
fn channel_of(state: &State, me: &Account, n: u8) -> Option<Arc<Channel>> {
    let mut channels: Vec<_> = state.channels_of(me.person.id()).collect();
    channels.sort_by_key(|channel| channel.created);
    pick(&channels, n).map(|channel| (*channel).clone())
}

fn hooks_of(state: &State, channel: &Channel) -> Vec<Arc<Hook>> {
    state.hooks_of(&channel.id).cloned().collect()
}

/// A message of a channel that has some.
fn message_in(state: &State, channel: u8, message: u8) -> Option<(Arc<Channel>, Arc<Message>)> {
    let messages = |channel: &Channel| {
        let conversation = state.conversation(&channel.id);
        conversation.map(|it| it.messages().cloned().collect::<Vec<_>>()).unwrap_or_default()
    };
    let mut channels: Vec<_> = state.channels().filter(|it| !messages(it).is_empty()).collect();
    channels.sort_by_key(|channel| channel.created);
    let channel = (*pick(&channels, channel)?).clone();
    let message = pick(&messages(&channel), message)?.clone();
    Some((channel, message))
}
