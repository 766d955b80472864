//! Hooks: making, listing and deleting them, and the messages that programs post to them.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::Utc;
use data_encoding::{BASE64, HEXLOWER};
use uuid::Uuid;

use super::commit::{Committed, Decision, fresh_op};
use super::draft::{content_as, refuse_empty};
use super::files::{ReceivedFile, claim, release_unclaimed};
use super::log::Expect;
use super::{Engine, EngineError, Live};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::entry::{HookRecord, Key, MessageRecord};
use crate::domain::event::Event;
use crate::domain::hook::{Delivery, Hook, HookMark, HookSecret, Outgoing, SecretHash};
use crate::domain::ids::{HookId, MessageId, UserId};
use crate::domain::message::Content;
use crate::domain::names::DisplayName;
use crate::domain::text::layout;
use crate::domain::text::shortcodes::emoji_named;
use crate::domain::user::{Session, User};
use crate::wire::slack::HookPost;

/// Largest number of words of an outgoing hook.
const MAX_WORDS: usize = 20;
/// Longest word of an outgoing hook, in characters.
const MAX_WORD_CHARS: usize = 64;
/// Longest address that an outgoing hook posts to, in bytes.
const MAX_URL_BYTES: usize = 2_000;

/// A hook as a user sees it.
#[derive(Clone, Debug)]
pub struct ListedHook {
    /// The hook.
    pub hook: Arc<Hook>,
    /// The reference of its channel that is the same for everybody.
    pub channel: String,
    /// The user who made it, unless they have left.
    pub creator: Option<User>,
    /// True where this user may delete it, and so may see its secrets.
    pub is_manageable: bool,
}

/// An outgoing hook to be made.
#[derive(Clone, Debug)]
pub struct NewOutgoing {
    /// The address to post to.
    pub url: String,
    /// The words of which a message has to begin with one; none for every message.
    pub words: Vec<String>,
}

impl Engine {
    /// Lists the incoming hooks of a channel, or the outgoing ones, oldest first.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, or the session is gone.
    pub fn hooks(
        &self,
        session: &Session,
        named: &ChannelRef,
        outgoing: bool,
    ) -> Result<Vec<ListedHook>, EngineError> {
        let live = self.core.live.read();
        live.account(session)?;
        let channel = live.find(named, session)?;
        let hooks = live.state.hooks_of(&channel.id);
        let listed = hooks.filter(|hook| hook.outgoing.is_some() == outgoing);
        Ok(listed.map(|hook| live.listed(hook, &channel, session)).collect())
    }

    /// Finds one hook of a channel.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it has no such hook, or the session is gone.
    pub fn hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &HookId,
        outgoing: bool,
    ) -> Result<ListedHook, EngineError> {
        let live = self.core.live.read();
        let (channel, hook) = live.find_hook(session, named, id, outgoing)?;
        Ok(live.listed(&hook, &channel, session))
    }

    /// Makes a hook of a channel: an incoming one, or an outgoing one that posts to an address.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, there are as many hooks as there can be, the
    /// address is none to post to, the session is gone, they do too much, or nothing can be stored.
    pub async fn create_hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        name: DisplayName,
        outgoing: Option<NewOutgoing>,
    ) -> Result<ListedHook, EngineError> {
        self.count_change(session)?;
        let outgoing = outgoing.map(|new| self.checked(new)).transpose()?;
        let secret = secret(outgoing.is_some())?;
        let channel = self.core.live.read().find(named, session)?;
        // From here on by its id: the name may pass to another channel or user meanwhile.
        let named = ChannelRef::Id(channel.id.clone());
        if channel.created_at.is_none() {
            self.begin(session, &named).await?;
        }
        let id = HookId::from(Uuid::now_v7());
        let _lock = self.creation_lock.lock().await;
        let created = self.commit(|live| {
            let creator = live.account(session)?.person.id().clone();
            let channel = live.find(&named, session)?;
            if live.state.hooks_of(&channel.id).count() >= self.bounds.max_hooks_per_channel {
                return Err(EngineError::LimitReached("hooks of this channel"));
            }
            if live.state.hook_count_of(&creator) >= self.bounds.max_hooks_per_user {
                return Err(EngineError::LimitReached("hooks of yours"));
            }
            let record = HookRecord::Present {
                name: name.clone(),
                secret: secret.clone(),
                creator,
                created_at: None,
                outgoing: outgoing.clone(),
            };
            let key = Key::Hook(channel.id.clone(), id.clone());
            Ok::<Decision<()>, _>(Decision::append(key, record, Expect::Absent))
        });
        created.await?;
        self.hook(session, &named, &id, outgoing.is_some())
    }

    /// Deletes a hook. What it wrote stays.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it has no such hook, the hook is somebody else's,
    /// the session is gone, they do too much, or nothing can be stored.
    pub async fn delete_hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &HookId,
        outgoing: bool,
    ) -> Result<(), EngineError> {
        self.count_change(session)?;
        let deleted = self.commit(|live| {
            let hook = live.own_hook(session, named, id, outgoing)?;
            let key = Key::Hook(hook.channel.clone(), id.clone());
            Ok::<Decision<()>, _>(Decision::append(key, HookRecord::Deleted, Expect::At(hook.seq)))
        });
        deleted.await?;
        self.outgoing.forget(id);
        Ok(())
    }

    /// Pauses an outgoing hook, or lets it go on.
    ///
    /// # Errors
    ///
    /// Those of [`delete_hook`](Self::delete_hook).
    pub async fn pause_hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &HookId,
        paused: bool,
    ) -> Result<ListedHook, EngineError> {
        self.count_change(session)?;
        let changed = self.commit(|live| {
            let hook = live.own_hook(session, named, id, true)?;
            Ok(decide_on_pause(&hook, paused, None))
        });
        changed.await?;
        self.follow_pause(id, paused);
        self.hook(session, named, id, true)
    }

    /// Drops what waits for a hook that was paused, or lets one that goes on make its next attempt.
    pub(super) fn follow_pause(&self, id: &HookId, paused: bool) {
        if paused {
            self.outgoing.forget(id);
        } else {
            self.outgoing.wake(id);
        }
    }

    /// Pauses a hook whose deliveries fail, at last for this problem, unless it has gone.
    pub(super) async fn pause_failing(
        &self,
        hook: &Hook,
        problem: &str,
    ) -> Result<(), EngineError> {
        let paused = self.commit(|live| {
            let present = live.state.hook(&hook.channel, &hook.id);
            let present = present.ok_or(EngineError::NoSuchHook)?;
            Ok(decide_on_pause(present, true, Some(problem)))
        });
        paused.await.map(drop)
    }

    /// The incoming hook of a secret. Counts a delivery to it, or a try of what is none's.
    ///
    /// # Errors
    ///
    /// When it is no hook's, or too much came to it or from the address lately.
    pub fn incoming_hook(
        &self,
        secret: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<Hook>, EngineError> {
        let hash = SecretHash::of(secret);
        let hook = self.core.live.read().state.hook_by_secret(&hash).cloned();
        if let Some(limits) = &self.limits {
            match &hook {
                Some(hook) => limits.post(&hook.id.as_author(), address).inspect_err(|_| {
                    note(hook, Some(429), Some("Too many at once: wait a moment."), 0);
                })?,
                None => limits.unknown_hook(address)?,
            }
        }
        hook.ok_or(EngineError::NoSuchHook)
    }

    /// Notes a delivery to a hook among its latest.
    pub fn note_delivery(&self, hook: &Hook, status: u16, problem: Option<&str>, bytes: u64) {
        self.counters.count_delivery(problem.is_some());
        note(hook, Some(status), problem, bytes);
    }

    /// Posts what a program sent to a hook.
    ///
    /// # Errors
    ///
    /// When there is nothing to show, the hook has gone, there is no room for it, or nothing can be
    /// stored.
    pub async fn post_by_hook(&self, hook: &Hook, post: HookPost) -> Result<(), EngineError> {
        let name = post.username.and_then(|name| DisplayName::cleaned(&name));
        let icon = post.icon.and_then(|icon| emoji_of(&icon));
        let (text, rendered) = layout::compose(post.sections, &self.names());
        let content = content_as(text, rendered);
        let mark = HookMark { icon: icon.map(Into::into) };
        let events = self.write_by_hook(hook, name, mark, content, &mut []).await?;
        if !post.without_previews {
            self.fetch_previews(hook, &events);
        }
        Ok(())
    }

    /// Stores a message of a hook, with the files that its content has. Returns the events of that.
    pub(super) async fn write_by_hook(
        &self,
        hook: &Hook,
        name: Option<DisplayName>,
        mark: HookMark,
        content: Content,
        files: &mut [ReceivedFile],
    ) -> Result<Vec<Event>, EngineError> {
        refuse_empty(&content.text, content.attachments.len())?;
        self.refuse_without_room(&hook.id.as_author(), content.text_bytes(), 0)?;
        let id = MessageId::from(Uuid::now_v7());
        let op = fresh_op();
        let written = self.commit(|live| {
            let present = live.state.hook(&hook.channel, &hook.id);
            let present = present.ok_or(EngineError::NoSuchHook)?;
            let record = MessageRecord {
                id: id.clone(),
                author: present.author(name.clone()),
                hook: Some(mark.clone()),
                content: content.clone(),
            };
            claim(files, &content);
            let key = Key::Messages(hook.channel.clone());
            Ok::<Decision<()>, _>(Decision::append_as(op, key, record, Expect::Any))
        });
        let written = written.await;
        release_unclaimed(files, &written);
        let Committed::Applied(events) = written? else { return Ok(Vec::new()) };
        self.store_shown_again(&events).await;
        self.counters.count_message();
        Ok(events)
    }

    /// The outgoing hooks that want the message which these events posted, with its channel.
    pub(super) fn wanting(&self, events: &[Event]) -> Vec<Arc<Hook>> {
        let posted = events.iter().find_map(|event| match event {
            Event::MessagePosted(channel, message) => Some((channel, message)),
            _ => None,
        });
        let Some((channel, message)) = posted else { return Vec::new() };
        if message.author.user().bot {
            return Vec::new();
        }
        let text = message.content.text.as_str();
        let wants = |hook: &&Arc<Hook>| {
            hook.outgoing.as_ref().is_some_and(|outgoing| !outgoing.paused && outgoing.wants(text))
        };
        self.core.live.read().state.hooks_of(&channel.id).filter(wants).cloned().collect()
    }

    fn checked(&self, new: NewOutgoing) -> Result<Outgoing, EngineError> {
        let Some(fetch) = self.fetch.get() else {
            return Err(EngineError::NotAllowed("this server posts to no other"));
        };
        let NewOutgoing { url, words } = new;
        if url.len() > MAX_URL_BYTES {
            return Err(EngineError::BadAddress("an address has at most 2,000 characters".into()));
        }
        fetch.check(&url).map_err(|error| EngineError::BadAddress(error.to_string()))?;
        let is_long = |word: &String| word.trim().chars().count() > MAX_WORD_CHARS;
        if words.len() > MAX_WORDS || words.iter().any(is_long) {
            return Err(EngineError::BadWords);
        }
        let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
        let words = words.map(Into::into).collect();
        Ok(Outgoing { url: url.into(), words, paused: false, problem: None })
    }
}

/// Notes a delivery among the latest of a hook.
pub(super) fn note(hook: &Hook, status: Option<u16>, problem: Option<&str>, bytes: u64) {
    let problem = problem.map(ToOwned::to_owned);
    hook.deliveries.add(Delivery { at: Utc::now().into(), status, problem, bytes });
}

/// The entry that pauses an outgoing hook, for this problem if for one, or lets it go on.
pub(super) fn decide_on_pause(hook: &Hook, paused: bool, problem: Option<&str>) -> Decision<()> {
    match &hook.outgoing {
        Some(outgoing) if outgoing.paused != paused => {
            let problem = problem.map(Into::into);
            let outgoing = Outgoing { paused, problem, ..outgoing.clone() };
            let changed = Hook { outgoing: Some(outgoing), ..hook.clone() };
            let key = Key::Hook(hook.channel.clone(), hook.id.clone());
            Decision::append(key, HookRecord::of(&changed), Expect::At(hook.seq))
        }
        _ => Decision::Unchanged(()),
    }
}

/// A new secret: 128 random bits in the alphabet of Mattermost's addresses, or 256 as Standard Webhooks
/// writes keys.
fn secret(is_key: bool) -> Result<HookSecret, EngineError> {
    let bits = HEXLOWER.decode(super::users::secret()?.as_bytes()).unwrap_or_default();
    let secret = if is_key {
        format!("whsec_{}", BASE64.encode(&bits))
    } else {
        data_encoding::BASE32_NOPAD.encode(&bits[..bits.len() / 2]).to_ascii_lowercase()
    };
    Ok(secret.into())
}

/// The emoji of `:tada:` or 🎉.
fn emoji_of(icon: &str) -> Option<&'static str> {
    let icon = icon.trim();
    let name = icon.trim_matches(':').split("::").next().unwrap_or_default();
    emoji_named(name).or_else(|| emojis::get(icon).map(emojis::Emoji::as_str))
}

impl Live {
    fn find_hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &HookId,
        outgoing: bool,
    ) -> Result<(Arc<Channel>, Arc<Hook>), EngineError> {
        self.account(session)?;
        let channel = self.find(named, session)?;
        let hook = self.state.hook(&channel.id, id);
        let hook = hook.filter(|hook| hook.outgoing.is_some() == outgoing);
        let hook = hook.ok_or(EngineError::NoSuchHook)?.clone();
        Ok((channel, hook))
    }

    /// A hook that this user may change.
    fn own_hook(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &HookId,
        outgoing: bool,
    ) -> Result<Arc<Hook>, EngineError> {
        let (channel, hook) = self.find_hook(session, named, id, outgoing)?;
        let may = self.may_manage(&hook, &channel, &session.user.id);
        if may { Ok(hook) } else { Err(EngineError::NotYours) }
    }

    /// Tells whether a user may delete a hook of a channel that they see: who made it, the channel's
    /// creator, both users of a direct conversation, and anybody where none of those is a user any more.
    pub(super) fn may_manage(&self, hook: &Hook, channel: &Channel, user: &UserId) -> bool {
        if !channel.is_public() {
            return true;
        }
        let owners = [Some(&hook.creator), channel.creator()];
        let mut owners = owners.into_iter().flatten().filter(|it| self.state.account(it).is_some());
        let mut nobody = true;
        owners.any(|owner| {
            nobody = false;
            owner == user
        }) || nobody
    }

    fn listed(&self, hook: &Arc<Hook>, channel: &Channel, session: &Session) -> ListedHook {
        let creator = self.state.account(&hook.creator);
        ListedHook {
            hook: hook.clone(),
            channel: channel.reference().into_owned(),
            creator: creator.map(|account| User::clone(&account.person.user())),
            is_manageable: self.may_manage(hook, channel, &session.user.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_icon_is_an_emoji_or_its_name() {
        for (icon, emoji) in [
            (":tada:", Some("🎉")),
            ("fire", Some("🔥")),
            (" :+1: ", Some("👍")),
            (":wave::skin-tone-2:", Some("👋")),
            ("🚀", Some("🚀")),
            (":nothing_of_that_name:", None),
            ("https://a.example/i.png", None),
            ("fire!", None),
            ("", None),
        ] {
            assert_eq!(emoji_of(icon), emoji, "{icon:?}");
        }
    }

    #[test]
    fn secrets_are_of_their_alphabets() {
        let incoming = secret(false).expect("random numbers");
        let allowed = |c: char| c.is_ascii_lowercase() || ('2'..='7').contains(&c);
        assert_eq!(incoming.reveal().len(), 26);
        assert!(incoming.reveal().chars().all(allowed));
        let key = secret(true).expect("random numbers");
        let bits = BASE64.decode(key.reveal().strip_prefix("whsec_").expect("a key").as_bytes());
        assert_eq!(bits.map(|bits| bits.len()), Ok(32));
    }
}
