//! Users: signing in and out, display names, and the lifetimes of sessions.

use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::Utc;
use data_encoding::HEXLOWER;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::bounds::Bounds;
use super::commit::{Committed, Committer, Decision};
use super::limits::Cost;
use super::log::{Expect, Log};
use super::presence::Place;
use super::{Core, Engine, EngineError, Live};
use crate::domain::entry::{Key, SessionRecord, UserRecord};
use crate::domain::ids::{Seq, SessionId, UserId};
use crate::domain::names::{DisplayName, Skeletons};
use crate::domain::time::Timestamp;
use crate::domain::user::{Account, LiveSession, Session, User};

/// Whether a user is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPresence {
    /// The user has an open stream, or had one just now.
    Online,
    /// The user has none.
    Offline,
    /// The user signed out everywhere.
    Gone,
}

/// Shortest time between two records of the use of a session.
const RENEWAL_PERIOD: Duration = Duration::from_hours(24);
/// Time between two searches for unused sessions.
const SWEEP_PERIOD: Duration = Duration::from_hours(1);
/// The difference between the wall clock and the time that has passed, since the start, from which
/// on no session is ended: the clock has jumped.
const MAX_CLOCK_JUMP: Duration = Duration::from_mins(10);

/// A new session: its user, and the token by which its requests are recognised. Only a hash of the
/// token is kept, so it cannot be shown again.
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// 256 random bits in hexadecimal.
    pub token: String,
}

/// The device that signs in, as far as its request tells.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// The browser and system, or the program, in words: `Firefox on Windows`.
    pub client: Option<Arc<str>>,
}

/// The result of signing in.
pub enum SignedInAs {
    /// A new session.
    New(SignedIn),
    /// The session that the request had already, under the same name.
    Same(User),
}

impl Engine {
    /// Finds the live session of a token, and notes that it is used.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<Session> {
        let live = self.core.live.read();
        let session = live.state.session(&SessionId::of_token(token))?;
        // While the state is held: what is noted of a session goes after its end was applied.
        self.core.session_uses.note(&session.id);
        Some(session)
    }

    /// Signs a new user in: claims a free name, with one session.
    ///
    /// # Errors
    ///
    /// When somebody else holds an equal name or one that looks like it, `present` is a session under another name, the
    /// address has signed in too often lately, or nothing can be stored.
    pub async fn sign_in(
        &self,
        name: DisplayName,
        present: Option<&Session>,
        device: Device,
    ) -> Result<SignedInAs, EngineError> {
        if let Some(session) = present {
            let same = session.user.display_name.same_as(&name);
            let same = same.then(|| SignedInAs::Same(session.user.clone()));
            return same.ok_or(EngineError::AlreadySignedIn);
        }
        let skeletons = name.skeletons();
        let Device { address, client } = device;
        if let Some(limits) = &self.limits {
            if self.core.live.read().check_free(&name, &skeletons, None).is_err() {
                limits.taken_name(address, &name)?;
            } else {
                limits.sign_in(address)?;
            }
        }
        let user = User::new(Uuid::now_v7().into(), name);
        let token = secret()?;
        let session = new_session(&token, client);
        let _reservation = self.name_locks.reserve(&skeletons).await;
        let signed_in = self.commit(|live| {
            live.check_free(&user.display_name, &skeletons, None)?;
            let record = UserRecord {
                user: user.clone(),
                sessions: vec![session.clone()],
                revision: 0,
                since: live.state.head(),
                renamed: None,
            };
            let expect = Expect::from(live.state.last_of_display_name(&user.display_name));
            let key = Key::User(user.display_name.hash());
            Ok::<Decision<()>, _>(Decision::append(key, record, expect))
        });
        signed_in.await?;
        Ok(SignedInAs::New(SignedIn { user, token }))
    }

    /// Renames the session's user; the former name is free again.
    ///
    /// # Errors
    ///
    /// When somebody else holds an equal name or one that looks like it, the session is gone, they do too much, or nothing
    /// can be stored.
    pub async fn rename(&self, session: &Session, name: DisplayName) -> Result<User, EngineError> {
        self.count_change(session)?;
        let skeletons = name.skeletons();
        let _reservation = self.name_locks.reserve(&skeletons).await;
        let renamed = self.commit(|live| {
            let account = live.account(session)?;
            if account.person.user().display_name == name {
                return Ok(Decision::Unchanged(()));
            }
            live.check_free(&name, &skeletons, Some(account.person.id()))?;
            let mut record = next_record(account, None);
            record.user.display_name = name.clone();
            record.renamed = Some(Seq(0));
            let expect = Expect::from(live.state.last_of_display_name(&name));
            Ok(Decision::append(Key::User(name.hash()), record, expect))
        });
        renamed.await?;
        Ok(User { display_name: name, ..session.user.clone() })
    }

    /// Ends the session and its streams. With a user's last session their name is free again.
    ///
    /// # Errors
    ///
    /// When nothing can be stored; the session is then still live.
    pub async fn sign_out(&self, session: &Session) -> Result<(), EngineError> {
        let committer = Committer { log: &self.log, core: &self.core };
        end_sessions(committer, &session.user.id, |ended| ended.id == session.id).await
    }

    /// Renews a session: records its use, unless that was recorded less than a day ago. True when
    /// it was recorded: then its cookie has to be renewed, too.
    ///
    /// # Errors
    ///
    /// When nothing can be stored.
    pub async fn renew(&self, session: &Session) -> Result<bool, EngineError> {
        let due = |account: &Account, now: Timestamp| {
            let noted = account.sessions.get(&session.id);
            noted.is_some_and(|noted| {
                age(noted.used_at, now) >= RENEWAL_PERIOD || is_in_the_future(noted.used_at, now)
            })
        };
        let now = Timestamp::from(Utc::now());
        let is_due = |account| due(account, now);
        if !self.core.live.read().state.account(&session.user.id).is_some_and(is_due) {
            return Ok(false);
        }
        let renewed = self.commit(|live| {
            let account = live.state.account(&session.user.id).filter(|account| due(account, now));
            let Some(account) = account else { return Ok(Decision::Unchanged(())) };
            let mut record = next_record(account, None);
            for noted in record.sessions.iter_mut().filter(|it| it.id == session.id) {
                noted.used_at = now;
            }
            let key = Key::User(account.key.clone());
            Ok(Decision::append(key, record, Expect::At(account.seq)))
        });
        Ok(matches!(renewed.await?, Committed::Applied(_)))
    }

    /// Lists all users, sorted by name; `true` for those who are online.
    ///
    /// # Errors
    ///
    /// When this user reads too much.
    pub fn users(&self, session: &Session) -> Result<Vec<(User, bool)>, EngineError> {
        let count = self.core.live.read().state.account_count();
        self.count_read(session, Cost::of_list(count))?;
        let people: Vec<_> =
            self.core.live.read().state.accounts().map(|account| account.person.clone()).collect();
        let mut users: Vec<_> = people.iter().map(|person| User::clone(&person.user())).collect();
        sort_by_name(&mut users);
        let online = self.core.presence.online();
        let with_presence = |user: User| {
            let is_online = online.contains(&user.id);
            (user, is_online)
        };
        Ok(users.into_iter().map(with_presence).collect())
    }

    /// Tells whether a user is online, or no user any more.
    #[must_use]
    pub fn presence(&self, user: &UserId) -> UserPresence {
        match self.core.live.read().state.account(user) {
            None => UserPresence::Gone,
            Some(_) if self.core.presence.is_online(user) => UserPresence::Online,
            Some(_) => UserPresence::Offline,
        }
    }

    /// The users with a stream in this place, sorted by name.
    pub(super) fn users_in(&self, place: &Place) -> Vec<User> {
        let mut users = self.core.presence.users_in(place);
        sort_by_name(&mut users);
        users
    }
}

impl Live {
    /// Refuses a name that somebody other than this user holds, or that looks like one of theirs.
    fn check_free(
        &self,
        name: &DisplayName,
        skeletons: &Skeletons,
        user: Option<&UserId>,
    ) -> Result<(), EngineError> {
        let is_other = |holder: &Account| Some(holder.person.id()) != user;
        if self.state.holder(name).is_some_and(is_other) {
            return Err(EngineError::DisplayNameTaken);
        }
        if self.state.resembles_held_name(skeletons, user) {
            return Err(EngineError::LooksLikeTakenName);
        }
        Ok(())
    }
}

/// Ends these sessions of a user, if any are live, and corrects the times of others that a wrong
/// clock noted.
pub(super) async fn end_sessions(
    committer: Committer<'_>,
    user: &UserId,
    ended: impl Fn(&SessionRecord) -> bool,
) -> Result<(), EngineError> {
    let signed_out = committer.commit(|live| {
        let Some(account) = live.state.account(user) else { return Ok(Decision::Unchanged(())) };
        let mut record = next_record(account, None);
        record.sessions.retain(|session| !ended(session));
        settle_bot(&mut record);
        let now = Timestamp::from(Utc::now());
        let from_the_future = |session: &&mut SessionRecord| is_in_the_future(session.used_at, now);
        let mut corrected = false;
        for session in record.sessions.iter_mut().filter(from_the_future) {
            (session.used_at, corrected) = (now, true);
        }
        if record.sessions.len() == account.sessions.len() && !corrected {
            return Ok(Decision::Unchanged(()));
        }
        let key = Key::User(account.key.clone());
        Ok(Decision::append(key, record, Expect::At(account.seq)))
    });
    signed_out.await.map(drop)
}

/// Ends the sessions that were unused for their lifetime, periodically, for as long as the engine
/// lives.
///
/// Not at once: a start with a wrong clock would end them all. And not after the clock has jumped.
pub(super) async fn sweep_sessions(core: Weak<Core>, log: Weak<dyn Log>, bounds: Bounds) {
    let (started, started_at) = (Instant::now(), Timestamp::from(Utc::now()));
    sleep(bounds.session_sweep_delay).await;
    loop {
        let (Some(core), Some(log)) = (core.upgrade(), log.upgrade()) else { return };
        let now = Timestamp::from(Utc::now());
        if age(started_at, now).abs_diff(started.elapsed()) < MAX_CLOCK_JUMP {
            let committer = Committer { log: &log, core: &core };
            if let Err(error) = end_unused_sessions(committer, bounds.session_life).await {
                log::warn!("Sessions that nobody uses cannot be ended yet: {error}.");
            }
        }
        drop((core, log));
        sleep(SWEEP_PERIOD).await;
    }
}

async fn end_unused_sessions(
    committer: Committer<'_>,
    lifetime: Duration,
) -> Result<(), EngineError> {
    let now = Timestamp::from(Utc::now());
    let is_unused = |used_at: Timestamp| age(used_at, now) >= lifetime;
    let concerns = |session: &LiveSession| {
        is_unused(session.used_at) || is_in_the_future(session.used_at, now)
    };
    let users: Vec<_> = {
        let live = committer.core.live.read();
        let unused =
            live.state.accounts().filter(|account| account.sessions.values().any(concerns));
        unused.map(|account| account.person.id().clone()).collect()
    };
    let mut result = Ok(());
    for user in users {
        let ended = end_sessions(committer, &user, |session| is_unused(session.used_at)).await;
        result = result.and(ended);
    }
    result
}

/// True for a moment that only a wrong clock can have noted.
fn is_in_the_future(noted: Timestamp, now: Timestamp) -> bool {
    age(now, noted) > RENEWAL_PERIOD
}

/// The time between two moments; zero where the clock went back.
fn age(then: Timestamp, now: Timestamp) -> Duration {
    let millis = now.as_millis().saturating_sub(then.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

fn sort_by_name(users: &mut [User]) {
    users.sort_by(|a, b| a.display_name.compared().cmp(b.display_name.compared()));
}

/// The record of a session of this token that begins now.
pub(super) fn new_session(token: &str, client: Option<Arc<str>>) -> SessionRecord {
    let now = Timestamp::from(Utc::now());
    SessionRecord {
        handle: Some(Uuid::now_v7().into()),
        created_at: Some(now),
        client,
        ..SessionRecord::bare(SessionId::of_token(token), now)
    }
}

/// The record that follows the account's present one, with a new session if one is given.
pub(super) fn next_record(account: &Account, new: Option<SessionRecord>) -> UserRecord {
    let sessions = account.sessions.iter().map(|(id, session)| SessionRecord::of(id, session));
    UserRecord {
        user: User::clone(&account.person.user()),
        sessions: sessions.chain(new).collect(),
        revision: account.revision + 1,
        since: account.since,
        renamed: account.renamed,
    }
}

/// Makes the user of a record a bot as long as they hold a token that was made for one. A user who
/// leaves stays what they were.
pub(super) fn settle_bot(record: &mut UserRecord) {
    let bot = record.sessions.iter().any(|session| session.bot);
    if !record.sessions.is_empty() && record.user.bot != bot {
        record.user.bot = bot;
        record.renamed = Some(Seq(0));
    }
}

/// 256 random bits in hexadecimal.
pub(super) fn secret() -> Result<String, EngineError> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits).map_err(|error| {
        log::error!("The system gives no random numbers: {error}.");
        EngineError::Defect
    })?;
    Ok(HEXLOWER.encode(&bits))
}
