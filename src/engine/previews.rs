//! Previews of links: fetched after a message was sent, and told as a change of it.
//!
//! A message with links waits in a task of its own until its author's turn comes, and then asks for what
//! is not known from the last minute. What waits is in memory alone: when the server stops, it is not
//! fetched. What was found is kept in the entry of the message's changes, and pictures among the files.

mod answer;
mod outcome;
mod page;
mod recent;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use futures::future::{BoxFuture, join_all};
use futures::{FutureExt, stream};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use url::Url;

use self::answer::{FoundPage, FoundPicture, Room, page_of, picture_of, request};
use self::outcome::Counts;
pub use self::outcome::Outcome;
use self::recent::Recent;
use super::commit::{Committed, Decision};
use super::fetch::Fetch;
use super::files::{ReceivedFile, release_unclaimed};
use super::weak_map::WeakMap;
use super::{Engine, EngineError, Live, Parts};
use crate::domain::channel::{Channel, ChannelRef};
use crate::domain::entry::{ChangeRecord, PresentRecord};
use crate::domain::event::Event;
use crate::domain::hook::Hook;
use crate::domain::ids::{MessageId, UserId};
use crate::domain::message::Message;
use crate::domain::preview::{Picture, Preview, Previews};
use crate::domain::text::links::{address_of, previewed_links};
use crate::domain::user::Session;

/// Largest size of the pictures of the last minute, which are held in memory, in KiB.
const MAX_HELD_KIB: usize = 24 * 1024;
/// Largest size of those that were fetched for one user, in KiB.
const MAX_HELD_OF_USER_KIB: usize = 8 * 1024;
/// Largest number of messages whose links are fetched at a time.
const MAX_AT_A_TIME: usize = 8;
/// Largest number of messages of one user whose links are fetched at a time.
const MAX_OF_USER_AT_A_TIME: usize = 2;
/// Largest number of messages whose links are fetched or wait for that. One user's may be half of what
/// those of others leave.
const MAX_WAITING: usize = 256;
/// Size of the pieces in which a picture is stored, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// The fetches for previews that wait, are under way, or were done within the last minute.
pub(super) struct PreviewFetches {
    /// What fetches them; none where links have no previews.
    fetch: OnceLock<Arc<dyn Fetch>>,
    waiting: Mutex<HashMap<UserId, usize>>,
    turns: Semaphore,
    turns_of: WeakMap<UserId, Semaphore>,
    pages: Recent<Option<Arc<FoundPage>>>,
    pictures: Recent<Option<Arc<FoundPicture>>>,
    /// The room for pictures in memory, in KiB.
    room: Arc<Semaphore>,
    room_of: WeakMap<UserId, Semaphore>,
    /// Held while a page is read: hostile ones together take no more than one processor.
    reading: Semaphore,
    page_counts: Counts,
    picture_counts: Counts,
}

impl Default for PreviewFetches {
    fn default() -> Self {
        Self {
            fetch: OnceLock::new(),
            waiting: Mutex::default(),
            turns: Semaphore::new(MAX_AT_A_TIME),
            turns_of: WeakMap::default(),
            pages: Recent::default(),
            pictures: Recent::default(),
            room: Arc::new(Semaphore::new(MAX_HELD_KIB)),
            room_of: WeakMap::default(),
            reading: Semaphore::new(1),
            page_counts: Counts::default(),
            picture_counts: Counts::default(),
        }
    }
}

/// The preview of a link, still without its picture.
struct Found {
    preview: Preview,
    picture: Option<Arc<FoundPicture>>,
}

/// A place among the messages that wait, until it is dropped.
struct Place {
    fetches: Arc<PreviewFetches>,
    user: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.fetches.waiting.lock();
        if let Some(theirs) = waiting.get_mut(&self.user) {
            *theirs -= 1;
            if *theirs == 0 {
                waiting.remove(&self.user);
            }
        }
    }
}

/// A user on whose behalf something is fetched, and the address that they are at.
#[derive(Clone)]
pub(super) struct Cause {
    pub(super) user: UserId,
    pub(super) address: Option<IpAddr>,
}

impl From<&Session> for Cause {
    fn from(session: &Session) -> Self {
        Self { user: session.user.id.clone(), address: session.address }
    }
}

impl From<&Hook> for Cause {
    /// The user who made the hook: with many hooks they cause no more.
    fn from(hook: &Hook) -> Self {
        Self { user: hook.creator.clone(), address: None }
    }
}

/// A message whose links are looked up.
struct Job {
    engine: Weak<Parts>,
    fetches: Arc<PreviewFetches>,
    fetch: Arc<dyn Fetch>,
    cause: Cause,
    channel: Arc<Channel>,
    message: Arc<Message>,
    /// The links of the message, in their order.
    links: Vec<Box<str>>,
}

impl Engine {
    /// Lets links have previews from now on, which are fetched by this; without it there are none.
    pub fn set_preview_fetch(&self, fetch: Arc<dyn Fetch>) {
        let _ = self.previews.fetch.set(fetch);
    }

    /// The number of pages and of pictures that were fetched for previews since the start, by outcome.
    #[must_use]
    pub fn preview_fetches(&self) -> Vec<(&'static str, Outcome, u64)> {
        let of = |what, counts: &Counts| {
            counts.all().map(move |(outcome, count)| (what, outcome, count)).collect::<Vec<_>>()
        };
        let fetches = &self.previews;
        [of("page", &fetches.page_counts), of("picture", &fetches.picture_counts)].concat()
    }

    /// Begins to fetch the previews that a message has not, of the links in it, where these events
    /// posted, changed or restored one. Never waits.
    pub(super) fn fetch_previews(&self, cause: impl Into<Cause>, events: &[Event]) {
        let found = events.iter().find_map(|event| match event {
            Event::MessagePosted(channel, message)
            | Event::MessageUpdated(channel, message)
            | Event::MessageRestored(channel, message) => Some((channel, message)),
            _ => None,
        });
        let fetch = self.previews.fetch.get();
        let (Some((channel, message)), Some(fetch)) = (found, fetch) else { return };
        // A text that is one paragraph as it is has no links.
        let Some(html) = message.content.html.as_ref() else { return };
        if message.hides_previews() {
            return;
        }
        let links = previewed_links(html);
        let wanted = links.iter().filter(|link| !has(message.previews(), link)).count();
        if wanted == 0 {
            return;
        }
        let job = Job {
            engine: Arc::downgrade(&self.0),
            fetches: self.previews.clone(),
            fetch: fetch.clone(),
            cause: cause.into(),
            channel: channel.clone(),
            message: message.clone(),
            links,
        };
        match self.previews.place_for(&job.cause.user) {
            Some(place) => {
                let end = self.core.end.clone();
                tokio::spawn(async move {
                    end.run_until_cancelled(job.run()).await;
                    drop(place);
                });
            }
            None => self.previews.page_counts.count(Outcome::Dropped, wanted),
        }
    }

    /// Hides the previews of a message for everybody, for good: they are gone, and edits fetch no others.
    /// Its author may; where a hook wrote it, whoever may delete that.
    ///
    /// # Errors
    ///
    /// When there is no such channel for this user, it keeps no such message, the message is somebody
    /// else's, they do too much, the session is gone, or nothing can be stored.
    pub async fn hide_previews(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
    ) -> Result<(), EngineError> {
        self.change_previews(session, named, id, Previews { shown: Vec::new(), hidden: true }).await
    }

    /// Lets a message have previews again, which are fetched anew.
    ///
    /// # Errors
    ///
    /// Those of [`hide_previews`](Self::hide_previews).
    pub async fn show_previews(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
    ) -> Result<(), EngineError> {
        self.change_previews(session, named, id, Previews::default()).await
    }

    async fn change_previews(
        &self,
        session: &Session,
        named: &ChannelRef,
        id: &MessageId,
        previews: Previews,
    ) -> Result<(), EngineError> {
        let decide = |live: &Live| {
            live.account(session)?;
            let (channel, message) = live.find_message(named, session, id)?;
            if !live.is_theirs(&channel, &message, &session.user.id) {
                return Err(EngineError::NotYours);
            }
            if message.hides_previews() == previews.hidden {
                return Ok(Decision::Unchanged(()));
            }
            let record =
                PresentRecord { previews: previews.clone(), ..PresentRecord::of(&message) };
            Ok(live.change_of(&channel, &message, ChangeRecord::Present(record)))
        };
        if let Decision::Unchanged(()) = decide(&self.core.live.read())? {
            return Ok(());
        }
        self.count_post(session)?;
        if let Committed::Applied(events) = self.commit(decide).await? {
            self.fetch_previews(session, &events);
        }
        Ok(())
    }

    /// Keeps what was found of a message's links, unless the message has another text by now or hides it.
    async fn keep_previews(&self, job: &Job, found: Vec<Found>) -> Result<(), EngineError> {
        if job.wanting(&self.core.live.read()).is_none() {
            return Ok(());
        }
        let author = job.message.author.id();
        let bytes = found.iter().map(|found| found.preview.text_bytes()).sum();
        self.refuse_without_room(author, bytes, 0)?;
        let mut files = Vec::new();
        let mut previews = Vec::new();
        for Found { mut preview, picture } in found {
            if let Some(picture) = picture {
                preview.picture = self.store_picture(author, &picture.bytes, &mut files).await;
            }
            previews.push(preview);
        }
        let kept = self.commit(|live| {
            let Some(message) = job.wanting(live) else { return Ok(Decision::Unchanged(())) };
            let of_link = |link: &str| {
                let mut all = message.previews().iter().chain(&previews);
                all.find(|preview| *preview.url == *link).cloned()
            };
            let shown: Vec<_> = job.links.iter().filter_map(|link| of_link(link)).collect();
            if shown == message.previews() {
                return Ok(Decision::Unchanged(()));
            }
            for file in &files {
                let is_its = |preview: &Preview| {
                    preview.picture.as_ref().is_some_and(|it| it.id == file.attachment().id)
                };
                file.claim(shown.iter().any(is_its));
            }
            let previews = Previews { shown, hidden: false };
            let record = PresentRecord { previews, ..PresentRecord::of(message) };
            Ok(live.change_of(&job.channel, message, ChangeRecord::Present(record)))
        });
        let kept = kept.await;
        release_unclaimed(&mut files, &kept);
        kept.map(drop)
    }

    /// Stores a picture of a preview, if there is room for it.
    async fn store_picture(
        &self,
        author: &UserId,
        bytes: &Bytes,
        files: &mut Vec<ReceivedFile>,
    ) -> Option<Picture> {
        let pieces = (0..bytes.len()).step_by(PIECE_BYTES);
        let pieces = pieces.map(|at| Ok(bytes.slice(at..bytes.len().min(at + PIECE_BYTES))));
        let pieces: Vec<_> = pieces.collect();
        let stored = self.receive_picture(author, stream::iter(pieces)).await;
        let Ok(file) = stored else {
            self.previews.picture_counts.count(Outcome::TooLarge, 1);
            return None;
        };
        let picture = Picture::of(file.attachment());
        files.push(file);
        picture
    }
}

fn has(previews: &[Preview], link: &str) -> bool {
    previews.iter().any(|preview| *preview.url == *link)
}

impl PreviewFetches {
    fn place_for(self: &Arc<Self>, user: &UserId) -> Option<Place> {
        let mut waiting = self.waiting.lock();
        let all: usize = waiting.values().sum();
        let theirs = waiting.get(user).copied().unwrap_or_default();
        if theirs >= (MAX_WAITING - (all - theirs)) / 2 {
            return None;
        }
        *waiting.entry(user.clone()).or_default() += 1;
        Some(Place { fetches: self.clone(), user: user.clone() })
    }
}

impl Job {
    async fn run(self) {
        let theirs = self.cause.user.clone();
        let make = || Semaphore::new(MAX_OF_USER_AT_A_TIME);
        let theirs = self.fetches.turns_of.get_or_make(theirs, make);
        // Until all is stored. Neither is ever closed.
        let _theirs = theirs.acquire().await;
        let _turn = self.fetches.turns.acquire().await;
        let wanted = self.links.iter().filter(|link| !has(self.message.previews(), link));
        let found = join_all(wanted.map(|link| self.look_up(link))).await;
        let found: Vec<_> = found.into_iter().flatten().collect();
        let Some(engine) = self.engine.upgrade().map(Engine) else { return };
        if found.is_empty() {
            return;
        }
        if let Err(error) = engine.keep_previews(&self, found).await {
            ::log::info!("Previews of a message are not kept: {error}.");
        }
    }

    /// The message, where it still has the text of then and shows previews.
    fn wanting<'l>(&self, live: &'l Live) -> Option<&'l Arc<Message>> {
        let message = live.state.conversation(&self.channel.id)?.message_at(self.message.seq)?;
        let same = message.content.text == self.message.content.text;
        (same && !message.hides_previews()).then_some(message)
    }

    async fn look_up(&self, link: &str) -> Option<Found> {
        let counts = &self.fetches.page_counts;
        let address = address_of(link)?;
        // Also what is known already counts: it is stored anew, and who may fetch no more shall not learn
        // by it what others had fetched.
        if !self.may_fetch() {
            counts.count(Outcome::Limited, 1);
            return None;
        }
        let page = self.fetches.pages.get(address.as_str(), || Some(self.fetch_page(&address)));
        let Some(page) = page.await else {
            counts.count(Outcome::Dropped, 1);
            return None;
        };
        let page = page?;
        let picture = match &page.picture {
            Some(address) => self.look_up_picture(address).await,
            None => None,
        };
        let FoundPage { site, title, description, .. } = &*page;
        let [site, title, description] = [site, title, description].map(Clone::clone);
        let preview = Preview { url: link.into(), site, title, description, picture: None };
        Some(Found { preview, picture })
    }

    async fn look_up_picture(&self, address: &Url) -> Option<Arc<FoundPicture>> {
        let picture = self.fetches.pictures.get(address.as_str(), || {
            let make = || Semaphore::new(MAX_HELD_OF_USER_KIB);
            let theirs = self.fetches.room_of.get_or_make(self.cause.user.clone(), make);
            Some(self.fetch_picture(address, Room::take(&self.fetches.room, &theirs)?))
        });
        let picture = picture.await;
        if picture.is_none() {
            self.fetches.picture_counts.count(Outcome::Dropped, 1);
        }
        picture?
    }

    /// Counts a fetch against the limits of whoever caused it.
    fn may_fetch(&self) -> bool {
        let Some(engine) = self.engine.upgrade() else { return false };
        let Cause { user, address } = &self.cause;
        engine.limits.as_ref().is_none_or(|limits| limits.preview(user, *address).is_ok())
    }

    fn fetch_page(&self, address: &Url) -> BoxFuture<'static, Option<Arc<FoundPage>>> {
        let answer = self.fetch.fetch(request(address, "text/html, application/xhtml+xml"));
        let fetches = self.fetches.clone();
        async move {
            let page = async { page_of(answer.await?, &fetches.reading).await };
            counted(page.await, &fetches.page_counts)
        }
        .boxed()
    }

    fn fetch_picture(
        &self,
        address: &Url,
        room: Room,
    ) -> BoxFuture<'static, Option<Arc<FoundPicture>>> {
        let accept = "image/avif, image/webp, image/png, image/jpeg, image/gif";
        let answer = self.fetch.fetch(request(address, accept));
        let fetches = self.fetches.clone();
        async move {
            let picture = async { picture_of(answer.await?, room).await };
            counted(picture.await, &fetches.picture_counts)
        }
        .boxed()
    }
}

fn counted<T>(result: Result<T, Outcome>, counts: &Counts) -> Option<Arc<T>> {
    counts.count(result.as_ref().map_or_else(|outcome| *outcome, |_| Outcome::Found), 1);
    result.ok().map(Arc::new)
}
