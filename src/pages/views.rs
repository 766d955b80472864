//! What partials show: views of messages, files, reactions, people and channels, with every value
//! that is derived of what the API tells.
//!
//! Each has its twin in `static/js` (`message-view.js`, `people.js`, `sidebar.js`), of the same
//! names: one partial is drawn with either, and a browser test compares what comes of both.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::locale::Locale;
use super::look::Look;
use super::preview::{Preview, PreviewView, PreviewsView};
use super::prose;
use super::words::{hue, initials, is_emoji_alone, kind_words, size_words, who_words};
use crate::domain;
use crate::domain::url::segment;
use crate::engine::{SidebarChannel, UserPresence};
use crate::wire::channel::{BellView, ChannelKindView, ChannelView};

/// Messages of one author this close together are one run.
const MAX_PAUSE_IN_RUN: TimeDelta = TimeDelta::minutes(5);

/// The reader of a page, as far as what it shows depends on them.
pub(super) struct Reader<'r> {
    /// The reader's id.
    pub(super) id: &'r str,
    /// The host that they asked for, as browsers tell it: with the port if it is not the usual one.
    pub(super) host: &'r str,
    /// The way in which they write times.
    pub(super) locale: &'r Locale,
    /// The look that they have chosen.
    pub(super) look: Look,
}

/// A user in a message's JSON, and in the attribute of a reaction.
#[derive(Deserialize, Serialize)]
struct User {
    id: String,
    display_name: String,
    #[serde(default, skip_serializing)]
    bot: bool,
}

/// A message's JSON.
#[derive(Deserialize)]
struct Message {
    id: String,
    seq: u64,
    author: User,
    text: String,
    html: String,
    sent_at: DateTime<Utc>,
    edited_at: Option<DateTime<Utc>>,
    attachments: Vec<Attachment>,
    reactions: Vec<Reaction>,
    previews: Vec<Preview>,
    #[serde(default)]
    previews_hidden: bool,
    #[serde(default)]
    hook: Option<HookMark>,
}

/// The mark of a hook's message in its JSON.
#[derive(Deserialize)]
struct HookMark {
    icon: Option<String>,
}

/// A file in a message's JSON.
#[derive(Deserialize)]
struct Attachment {
    id: String,
    name: String,
    media_type: String,
    size: u64,
    url: String,
    width: Option<u32>,
    height: Option<u32>,
}

/// A reaction in a message's JSON.
#[derive(Deserialize)]
struct Reaction {
    reaction: String,
    users: Vec<User>,
}

/// A message as its partial shows it.
#[derive(Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own")]
pub(super) struct MessageView {
    id: String,
    seq: u64,
    /// The author's id; of a hook with the name under which it wrote, so that its runs have one name.
    author_id: String,
    author: String,
    /// The address of a conversation with the author; a hook has none.
    author_href: Option<String>,
    initials: String,
    hue: u32,
    /// The text as it was written.
    text: String,
    html: String,
    sent_at: String,
    clock: String,
    sent_words: String,
    edited_at: Option<String>,
    edited_words: Option<String>,
    is_own: bool,
    is_bot: bool,
    /// Whether it names the reader, and is not theirs.
    is_mention: bool,
    is_emoji_alone: bool,
    files: Vec<FileView>,
    reactions: Vec<ReactionView>,
    #[serde(flatten)]
    previews: PreviewsView,
    /// Whether it goes on with the run of the message before it.
    continues: bool,
    /// The day that begins with it, if one does.
    day: Option<DayView>,
    /// Whether it is the first that the reader has not seen.
    is_first_new: bool,
}

/// A day as the line above its first message shows it.
#[derive(Default, Serialize)]
pub(super) struct DayView {
    date: String,
    day: String,
}

/// A file as its partial shows it.
#[derive(Default, Serialize)]
pub(super) struct FileView {
    /// The id of the `<template>` that draws it: by its kind.
    template: &'static str,
    key: String,
    name: String,
    url: String,
    width: Option<u32>,
    height: Option<u32>,
    /// The kind of a card's file that browsers can show over the page: `text` or `pdf`.
    look: Option<&'static str>,
    /// Kind and size in words.
    about: String,
}

/// A reaction as its partial shows it.
#[derive(Default, Serialize)]
pub(super) struct ReactionView {
    key: String,
    reaction: String,
    /// Its users as JSON, for scripts.
    users: String,
    who: String,
    title: String,
    count: usize,
    /// Whether the reader gave it, as `aria-pressed` tells it.
    pressed: &'static str,
}

/// Somebody as their partial shows them.
#[derive(Default, Serialize)]
pub(super) struct PersonView {
    id: String,
    name: String,
    initials: String,
    hue: u32,
    href: String,
    aside: &'static str,
    is_bot: bool,
}

/// A channel as its link in the sidebar shows it.
#[derive(Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own")]
pub(super) struct ChannelLinkView {
    id: String,
    name: String,
    kind: &'static str,
    /// The other user of a direct conversation.
    user: String,
    presence: Option<&'static str>,
    presence_words: &'static str,
    href: String,
    label: String,
    last_at: String,
    unread: usize,
    mentions: usize,
    bell: Option<BellView>,
    starred: bool,
    hidden: bool,
    /// Whether the reader has been to it.
    visited: bool,
    current: Option<&'static str>,
    is_unread: bool,
    calls: bool,
    count: usize,
    unit: &'static str,
}

/// Views without values: what partials draw inside `<template>`.
#[derive(Default, Serialize)]
pub(super) struct Blank {
    message: MessageView,
    day: DayView,
    file: FileView,
    reaction: ReactionView,
    preview: PreviewView,
    preview_with_picture: PreviewView,
    person: PersonView,
    channel_link: ChannelLinkView,
}

impl Blank {
    /// The blank views of all partials.
    pub(super) fn views() -> Self {
        Self { preview_with_picture: PreviewView::blank_with_picture(), ..Self::default() }
    }
}

/// Makes the views of a channel's messages from their JSON, oldest first. `unread` is the number of
/// others' messages that the reader has not seen.
pub(super) fn messages<M: AsRef<[u8]>>(
    history: &[M],
    unread: usize,
    reader: &Reader<'_>,
) -> Vec<MessageView> {
    let parsed = history.iter().filter_map(|json| serde_json::from_slice(json.as_ref()).ok());
    let messages: Vec<Message> = parsed.collect();
    let is_others = |message: &&Message| message.author.id != reader.id;
    let mut new = messages.iter().filter(is_others).map(|message| message.seq).rev().take(unread);
    let first_new = new.by_ref().last();
    let mut before: Option<(String, DateTime<Utc>, NaiveDate)> = None;
    let mut views = Vec::with_capacity(messages.len());
    for message in &messages {
        let day = reader.locale.day(message.sent_at);
        let begins_day = before.as_ref().is_none_or(|(_, _, other)| *other != day);
        let is_first_new = first_new == Some(message.seq);
        let view = MessageView::of(message, reader);
        let continues = before.is_some_and(|(author, sent_at, _)| {
            author == view.author_id && message.sent_at - sent_at < MAX_PAUSE_IN_RUN
        });
        before = Some((view.author_id.clone(), message.sent_at, day));
        views.push(MessageView {
            continues: continues && !begins_day && !is_first_new,
            day: begins_day.then(|| DayView::of(day, reader.locale)),
            is_first_new,
            ..view
        });
    }
    views
}

/// How much of a conversation is kept, in words: so many of so many, since when, and whether there is no
/// more room.
pub(super) fn kept_words(messages: &[MessageView], kept: usize, locale: &Locale) -> String {
    let count = messages.len();
    let oldest = messages.first().and_then(|oldest| oldest.sent_at.parse().ok());
    let since = oldest.map(|at| format!(", since {}", locale.brief_words(at))).unwrap_or_default();
    let end = if count < kept { "" } else { ". The oldest goes next." };
    format!("{count} of {kept} kept{since}{end}")
}

impl MessageView {
    fn of(message: &Message, reader: &Reader<'_>) -> Self {
        let Message { id, author, html, sent_at, edited_at, .. } = message;
        let html = prose::readable(html, reader.id, reader.host);
        let is_own = author.id == reader.id;
        let hook = message.hook.as_ref();
        let icon = hook.and_then(|hook| hook.icon.clone());
        let author_id = match hook {
            Some(_) => format!("{} {}", author.id, author.display_name),
            None => author.id.clone(),
        };
        Self {
            id: id.clone(),
            seq: message.seq,
            author_id,
            author: author.display_name.clone(),
            author_href: hook.is_none().then(|| person_href(&author.display_name)),
            initials: icon.unwrap_or_else(|| initials(&author.display_name)),
            hue: hue(&author.id),
            text: message.text.clone(),
            is_mention: !is_own && prose::names_reader(&html),
            is_emoji_alone: is_emoji_alone(&html),
            html,
            sent_at: rfc3339(*sent_at),
            clock: reader.locale.clock_words(*sent_at),
            sent_words: reader.locale.full_words(*sent_at),
            edited_at: edited_at.map(rfc3339),
            edited_words: edited_at.map(|at| format!("Edited {}", reader.locale.full_words(at))),
            is_own,
            is_bot: author.bot,
            files: message.attachments.iter().map(FileView::of).collect(),
            reactions: message.reactions.iter().map(|it| ReactionView::of(it, reader)).collect(),
            previews: PreviewsView::of(&message.previews, message.previews_hidden, is_own),
            ..Self::default()
        }
    }
}

impl DayView {
    fn of(day: NaiveDate, locale: &Locale) -> Self {
        Self { date: day.to_string(), day: locale.day_words(day) }
    }
}

impl FileView {
    fn of(file: &Attachment) -> Self {
        let template = match file.media_type.split('/').next() {
            // Only where its size is known, so that nothing moves when it arrives.
            Some("image") if file.width.is_some() => "file-image",
            Some("video") => "file-video",
            Some("audio") => "file-audio",
            _ => "file-card",
        };
        let kind = kind_words(&file.name, &file.media_type);
        Self {
            template,
            key: file.id.clone(),
            name: file.name.clone(),
            url: file.url.clone(),
            width: file.width,
            height: file.height,
            look: match file.media_type.as_str() {
                "text/plain" => Some("text"),
                "application/pdf" => Some("pdf"),
                _ => None,
            },
            about: format!("{kind} · {}", size_words(file.size)),
        }
    }
}

impl ReactionView {
    fn of(given: &Reaction, reader: &Reader<'_>) -> Self {
        let names: Vec<_> = given.users.iter().map(|user| user.display_name.as_str()).collect();
        let who = who_words(&names);
        let is_given = given.users.iter().any(|user| user.id == reader.id);
        Self {
            key: given.reaction.clone(),
            reaction: given.reaction.clone(),
            users: serde_json::to_string(&given.users).unwrap_or_default(),
            title: format!("{who} {}", given.reaction),
            who,
            count: given.users.len(),
            pressed: if is_given { "true" } else { "false" },
        }
    }
}

impl PersonView {
    /// The view of a user, as this reader sees them.
    pub(super) fn of(user: &domain::user::User, reader: &str) -> Self {
        let (id, name) = (user.id.as_str(), user.display_name.as_str());
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            initials: initials(name),
            hue: hue(id),
            href: person_href(name),
            aside: if id == reader { "you" } else { "Message" },
            is_bot: user.bot,
        }
    }
}

impl ChannelLinkView {
    /// The view of a channel, as the reader of this id sees it beside the channel that is open. The
    /// address of a direct conversation is its id, until a script knows that its name leads to it.
    pub(super) fn of(
        listed: &SidebarChannel,
        open: &str,
        reader: &str,
        presence: Option<UserPresence>,
    ) -> Self {
        let SidebarChannel { view: channel, visited } = listed;
        let ChannelView { id, name, with, unread, mentions, mine, .. } = channel;
        let is_public = channel.kind == ChannelKindView::Public;
        let user = with.as_ref().map_or("", |user| user.id.as_str());
        let is_open = id.as_str() == open;
        let shown = if is_open { 0 } else { *unread };
        let names_reader = is_public && *mentions > 0;
        let unit = match mentions {
            1 if names_reader => " mention",
            _ if names_reader => " mentions",
            _ => " unread",
        };
        Self {
            id: id.to_string(),
            name: name.clone(),
            kind: if is_public { "public" } else { "direct" },
            user: user.to_owned(),
            presence: presence.map(|it| if user == reader { "notes" } else { presence_name(it) }),
            presence_words: match presence {
                Some(_) if user == reader => "",
                Some(UserPresence::Online) => ", online",
                Some(UserPresence::Offline) => ", offline",
                Some(UserPresence::Gone) => ", signed out for good",
                None => "",
            },
            href: if is_public {
                format!("/channels/{}", segment(name))
            } else {
                format!("/channels/id:{id}")
            },
            label: match name.strip_prefix('@') {
                Some(_) if user == reader => "Notes to self".to_owned(),
                Some(name) if !is_public => name.to_owned(),
                _ => name.clone(),
            },
            last_at: channel.last_message_at.map(|at| at.to_string()).unwrap_or_default(),
            unread: *unread,
            mentions: *mentions,
            bell: Some(mine.bell),
            starred: mine.starred,
            hidden: mine.hidden,
            visited: *visited,
            current: is_open.then_some("page"),
            is_unread: shown > 0,
            calls: shown > 0 && (names_reader || !is_public),
            count: if names_reader && !is_open { *mentions } else { shown },
            unit,
        }
    }
}

/// The name of a presence in `data-presence`.
pub(super) fn presence_name(presence: UserPresence) -> &'static str {
    match presence {
        UserPresence::Online => "online",
        UserPresence::Offline => "offline",
        UserPresence::Gone => "gone",
    }
}

/// The address of the reader's direct conversation with somebody of this name.
fn person_href(name: &str) -> String {
    format!("/channels/@{}", segment(name))
}

/// A time as the API writes it.
fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
