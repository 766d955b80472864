//! Presence among several nodes: telling the others who is here, and taking in what they tell.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::audience::Audience;
use super::elsewhere::{Move, TooMany};
use super::message::{MAX_USERS, PresenceMessage, parts_of};
use super::{Change, Departure, Effects, Inner, Place, Presence, PresentUser, Said};
use crate::domain::ids::{ChannelId, UserId};
use crate::domain::user::User;
use crate::engine::Core;
use crate::engine::nodes::NodeId;
use crate::engine::room::Room;

/// Interval between two sets of each place.
const SET_PERIOD: Duration = Duration::from_secs(5);
/// Interval between two looks for what is due, and shortest time between two long answers about a place.
const TICK: Duration = Duration::from_secs(1);
/// Time from the moment at which this node begins to hear of a place until all others have answered who
/// is there. Whom they tell until then was there before.
pub(in crate::engine) const SETTLING: Duration = Duration::from_millis(200);
/// Largest number of users who are looked up under one lock of the state.
const AT_ONCE: usize = 64;
/// Largest number of users of silent nodes who are removed under one lock.
const EXPIRED_AT_ONCE: usize = 1_000;

/// The answers to other nodes that ask who is in a place.
#[derive(Debug, Default)]
pub(super) struct Answers {
    given_at: HashMap<Place, Instant>,
    due: HashSet<Place>,
}

impl Presence {
    /// Begins to tell other nodes. Channels that have streams already are heard from now on.
    pub(in crate::engine) fn join(&self) -> Effects {
        let mut inner = self.inner.lock();
        let mut effects = Effects::default();
        inner.joined_at = Some(Instant::now());
        let places: Vec<_> = inner.audiences.keys().cloned().collect();
        for place in places {
            inner.hear_from_others(&place, &mut effects);
        }
        effects
    }

    /// The other nodes that run, as far as they are heard.
    pub(in crate::engine) fn nodes(&self) -> HashSet<NodeId> {
        self.inner.lock().elsewhere.nodes()
    }

    /// Notes that somebody looks at who is in a channel, and hears of it for a while. Returns the time
    /// from which on that is known; `None` where there are no other nodes.
    fn look(
        &self,
        channel: &ChannelId,
        room: impl FnOnce() -> Arc<Room>,
    ) -> Option<(Instant, Effects)> {
        let mut inner = self.inner.lock();
        inner.joined_at?;
        let mut effects = Effects::default();
        let place = Place::Channel(channel.clone());
        inner.audiences.entry(place.clone()).or_insert_with(|| Audience::of(room())).look();
        inner.hear_from_others(&place, &mut effects);
        let since = inner.audiences.get(&place)?.heard_since()?;
        Some((since + SETTLING, effects))
    }

    /// True when a question about a place is to be answered at once: not where the answer is long and was
    /// given just now, but in a moment together with others.
    fn is_asked(&self, place: &Place) -> bool {
        let mut inner = self.inner.lock();
        let given_at = inner.answers.given_at.get(place);
        let is_short = inner.audiences.get(place).is_none_or(|it| it.streams() <= MAX_USERS);
        let at_once = is_short || given_at.is_none_or(|at| at.elapsed() >= TICK);
        if !at_once {
            inner.answers.due.insert(place.clone());
        }
        at_once
    }

    /// This node's set of a place as messages; none where it does not hear of it.
    fn own_set(&self, place: &Place) -> Vec<Said> {
        let (version, users) = {
            let mut inner = self.inner.lock();
            inner.answers.due.remove(place);
            let set = match (place, inner.audiences.get(place)) {
                (_, Some(audience)) => audience.own_set(),
                // Nobody is online.
                (Place::Anywhere, None) => (inner.version, Vec::new()),
                (Place::Channel(_), None) => return Vec::new(),
            };
            inner.answers.given_at.insert(place.clone(), Instant::now());
            set
        };
        parts_of(version, &users)
    }

    /// The places about which others have asked in the meantime.
    fn due(&self) -> Vec<Place> {
        self.inner.lock().answers.due.iter().cloned().collect()
    }

    /// The places of which this node tells its set.
    fn told_places(&self) -> Vec<Place> {
        let inner = self.inner.lock();
        let channels = inner.audiences.iter().filter(|(_, it)| it.heard_since().is_some());
        [Place::Anywhere].into_iter().chain(channels.map(|(place, _)| place.clone())).collect()
    }

    /// Takes in what a node said of a place. Returns the users for whom that may change something, and
    /// whether they come now rather than were there already.
    fn hear(
        &self,
        place: &Place,
        node: &NodeId,
        said: Said,
    ) -> Result<(Vec<UserId>, bool), TooMany> {
        let mut inner = self.inner.lock();
        let since = match place {
            Place::Anywhere => inner.joined_at,
            Place::Channel(_) => inner.audiences.get(place).and_then(Audience::heard_since),
        };
        let Some(since) = since else { return Ok((Vec::new(), false)) };
        let comes = matches!(said, Said::Came(_)) || since.elapsed() >= SETTLING;
        Ok((inner.elsewhere.hear(place, node, said, Instant::now())?, comes))
    }

    /// Lets users enter or leave a place as a node has told.
    fn settle<'u>(
        &self,
        place: &Place,
        node: &NodeId,
        users: impl IntoIterator<Item = &'u UserId>,
        comes: bool,
        account: impl Fn(&UserId) -> Option<User>,
        effects: &mut Effects,
    ) {
        let mut inner = self.inner.lock();
        for id in users {
            let user = account(id);
            match inner.elsewhere.settle(place, node, id, user.is_some()) {
                Some(Move::Enter) => {
                    if let Some(user) = user {
                        inner.enter_elsewhere(place, &self.lobby, user, comes, effects);
                    }
                }
                Some(Move::Exit) => inner.exit_elsewhere(place, id, effects),
                None => {}
            }
        }
        self.count_strangers(&inner);
    }

    /// Users of other nodes whom the state did not know when they were told.
    fn strangers(&self) -> Vec<(UserId, Vec<(Place, NodeId)>)> {
        if self.strangers.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        self.inner.lock().elsewhere.strangers()
    }

    /// Lets a user whom the state knows by now enter the places where they were told to be.
    fn introduce(&self, user: &User, places: &[(Place, NodeId)]) -> Effects {
        self.inner.lock().elsewhere.is_known(&user.id);
        let mut effects = Effects::default();
        for (place, node) in places {
            self.settle(place, node, [&user.id], true, |_| Some(user.clone()), &mut effects);
        }
        effects
    }

    /// Removes some of the users of nodes that are silent. Returns whether there may be more.
    fn expire(&self) -> (Effects, bool) {
        let mut inner = self.inner.lock();
        let mut effects = Effects::default();
        let expired = inner.elsewhere.expire(Instant::now(), EXPIRED_AT_ONCE);
        let more = expired.len() >= EXPIRED_AT_ONCE;
        for (place, user) in expired {
            inner.exit_elsewhere(&place, &user, &mut effects);
        }
        self.count_strangers(&inner);
        (effects, more)
    }

    /// Stops hearing of channels of which nobody here wants to know.
    fn stop_hearing(&self) {
        let mut inner = self.inner.lock();
        let now = Instant::now();
        let is_over =
            |audience: &Audience| audience.heard_since().is_some() && !audience.is_needed(now);
        let over = inner.audiences.iter().filter(|(_, audience)| is_over(audience));
        let over: Vec<_> = over.map(|(place, _)| place.clone()).collect();
        for place in &over {
            inner.forget_place(place);
        }
        inner.answers.given_at.retain(|_, at| now.duration_since(*at) < TICK);
    }

    fn count_strangers(&self, inner: &Inner) {
        self.strangers.store(inner.elsewhere.stranger_count(), Ordering::Release);
    }
}

impl Inner {
    /// Begins to hear of a channel from other nodes, if there are any and that has not begun.
    pub(super) fn hear_from_others(&mut self, place: &Place, effects: &mut Effects) {
        let (Some(_), Place::Channel(channel)) = (self.joined_at, place) else { return };
        let end = self.audiences.get_mut(place).and_then(Audience::begin_hearing);
        effects.heard.extend(end.map(|end| (channel.clone(), end)));
    }

    /// Numbers a change of who has streams of this node in a place, and tells other nodes of it.
    pub(super) fn tell_others(
        &mut self,
        place: &Place,
        user: &UserId,
        what: fn(Change) -> Said,
        effects: &mut Effects,
    ) {
        self.version += 1;
        let version = self.version;
        if let Some(audience) = self.audiences.get_mut(place) {
            audience.set_version(version);
        }
        if self.joined_at.is_some() {
            let said = what(Change { user: user.clone(), version });
            effects.told.push((place.clone(), said));
        }
    }

    fn enter_elsewhere(
        &mut self,
        place: &Place,
        lobby: &Arc<Room>,
        user: User,
        comes: bool,
        effects: &mut Effects,
    ) {
        if *place == Place::Anywhere {
            self.audiences.entry(Place::Anywhere).or_insert_with(|| Audience::of(lobby.clone()));
        }
        let Some(audience) = self.audiences.get_mut(place) else { return };
        let (id, is_new) = (user.id.clone(), !audience.has(&user.id));
        let announcement = audience.enter_elsewhere(&id, comes);
        if is_new {
            self.users.entry(id.clone()).or_insert_with(|| PresentUser::of(user)).places += 1;
        }
        if let Some(announcement) = announcement {
            self.announce(place, Some(&id), announcement, effects);
        }
    }

    fn exit_elsewhere(&mut self, place: &Place, user: &UserId, effects: &mut Effects) {
        let audience = self.audiences.get_mut(place);
        if let Some(moves) = audience.and_then(|audience| audience.exit_elsewhere(user)) {
            effects.departures.push(Departure { place: place.clone(), user: user.clone(), moves });
        }
    }

    /// Forgets who is in a place that nobody here looks at.
    fn forget_place(&mut self, place: &Place) {
        self.elsewhere.forget(place);
        let Some(audience) = self.audiences.remove(place) else { return };
        for user in audience.users() {
            self.discount_place(user);
        }
    }
}

impl Core {
    /// Waits until it is known who is in a channel with other nodes; not at all where there are none.
    pub(in crate::engine) async fn look_at_presence(self: &Arc<Self>, channel: &ChannelId) {
        let room = || self.rooms.get_or_make(channel.clone(), Room::default);
        if let Some((settled_at, effects)) = self.presence.look(channel, room) {
            self.perform(effects);
            tokio::time::sleep_until(settled_at).await;
        }
    }

    /// Asks the other nodes who is in a place.
    pub(in crate::engine) fn ask_who(&self, place: &Place) {
        self.tell(place, [Said::Who]);
    }

    /// Tells the other nodes something about a place, if there are any.
    pub(super) fn tell(&self, place: &Place, all: impl IntoIterator<Item = Said>) {
        let Some(node) = self.node.get() else { return };
        for said in all {
            let message = PresenceMessage { node: node.id.clone(), said };
            node.whisper.say(place.topic(), message.to_bytes());
        }
    }

    /// Takes in what was said about the presence in a place.
    pub(in crate::engine) fn hear_presence(self: &Arc<Self>, place: &Place, body: &[u8]) {
        let Some(PresenceMessage { node, said }) = PresenceMessage::read(body) else {
            return self.flow.count_ignored_whisper();
        };
        if self.is_node(&node) {
            return;
        }
        if said == Said::Who {
            if self.presence.is_asked(place) {
                self.tell(place, self.presence.own_set(place));
            }
            return;
        }
        let Ok((users, comes)) = self.presence.hear(place, &node, said) else {
            return self.flow.count_ignored_whisper();
        };
        for some in users.chunks(AT_ONCE) {
            let mut effects = Effects::default();
            {
                // While the state is held: a rename that is applied later finds the user present.
                let live = self.live.read();
                let account = |id: &UserId| {
                    live.state.account(id).map(|account| User::clone(&account.person.user()))
                };
                self.presence.settle(place, &node, some, comes, account, &mut effects);
            }
            self.perform(effects);
        }
    }

    /// Shows users who were heard of before the state knew them, once it does.
    pub(in crate::engine) fn introduce_strangers(self: &Arc<Self>) {
        for (user, places) in self.presence.strangers() {
            let effects = {
                let live = self.live.read();
                let Some(account) = live.state.account(&user) else { continue };
                self.presence.introduce(&account.person.user(), &places)
            };
            self.perform(effects);
        }
    }

    async fn tell_sets(&self, places: Vec<Place>) {
        for (n, place) in places.into_iter().enumerate() {
            self.tell(&place, self.presence.own_set(&place));
            if n % AT_ONCE == 0 {
                yield_now().await;
            }
        }
    }
}

/// Tells other nodes who is with this one, and removes those who were with nodes that have gone, for as
/// long as the engine lives.
pub(in crate::engine) async fn keep_presence(core: Weak<Core>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // At the start at once: so the others know of this node.
    let mut told_at: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let Some(core) = core.upgrade() else { return };
        core.presence.stop_hearing();
        loop {
            let (effects, more) = core.presence.expire();
            core.perform(effects);
            if !more {
                break;
            }
            yield_now().await;
        }
        let due = if told_at.is_none_or(|at| at.elapsed() >= SET_PERIOD) {
            told_at = Some(Instant::now());
            core.presence.told_places()
        } else {
            core.presence.due()
        };
        core.tell_sets(due).await;
    }
}
