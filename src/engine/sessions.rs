//! Sessions as their users see them: listed, made for scripts, and ended one by one.

use std::cmp::Reverse;

use chrono::Utc;
use foldhash::HashMap;
use parking_lot::Mutex;

use super::commit::{Committer, Decision};
use super::limits::Cost;
use super::log::Expect;
use super::users::{end_sessions, new_session, next_record, secret, settle_bot};
use super::{Engine, EngineError};
use crate::domain::entry::{Key, SessionRecord};
use crate::domain::ids::{Seq, SessionHandle, SessionId};
use crate::domain::names::TokenName;
use crate::domain::time::Timestamp;
use crate::domain::user::{Account, LiveSession, Session};

/// The times at which sessions were last used in this process. The log has them to the day.
#[derive(Debug, Default)]
pub(super) struct SessionUses(Mutex<HashMap<SessionId, Timestamp>>);

impl SessionUses {
    /// Notes that a session is used now.
    pub(super) fn note(&self, session: &SessionId) {
        let now = Timestamp::from(Utc::now());
        let mut uses = self.0.lock();
        match uses.get_mut(session) {
            Some(used_at) => *used_at = now,
            None => drop(uses.insert(session.clone(), now)),
        }
    }

    /// Forgets a session that has ended.
    pub(super) fn forget(&self, session: &SessionId) {
        self.0.lock().remove(session);
    }

    /// The time at which a session was last used in this process, if it was.
    pub(super) fn of(&self, session: &SessionId) -> Option<Timestamp> {
        self.0.lock().get(session).copied()
    }
}

/// A session in a list of its user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSession {
    /// The session, with the time of its last use as far as it is known.
    pub session: LiveSession,
    /// True for the session that asks.
    pub current: bool,
}

/// A new token. Only a hash of it is kept, so it cannot be shown again.
pub struct NewToken {
    /// Its session.
    pub session: ListedSession,
    /// 256 random bits in hexadecimal.
    pub token: String,
}

impl Engine {
    /// Lists the sessions of this user, the one that was used last first.
    ///
    /// # Errors
    ///
    /// When the session is gone, or they read too much.
    pub fn sessions(&self, session: &Session) -> Result<Vec<ListedSession>, EngineError> {
        let sessions = self.core.live.read().account(session)?.sessions.clone();
        self.count_read(session, Cost::of_list(sessions.len()))?;
        let listed = sessions.into_iter().map(|(id, live)| {
            let used_at = self.core.session_uses.of(&id).max(Some(live.used_at));
            let used_at = used_at.unwrap_or(live.used_at);
            ListedSession { current: id == session.id, session: LiveSession { used_at, ..live } }
        });
        let mut listed: Vec<_> = listed.collect();
        listed.sort_by_key(|it| Reverse((it.session.used_at, it.current, it.session.created_at)));
        Ok(listed)
    }

    /// Makes a token for a script of this user: a session under a name. Where it is made for a bot, its
    /// user is one as long as they hold it.
    ///
    /// # Errors
    ///
    /// When the session is gone, they have as many sessions as they may, they do too much, or nothing
    /// can be stored.
    pub async fn create_token(
        &self,
        session: &Session,
        name: TokenName,
        bot: bool,
    ) -> Result<NewToken, EngineError> {
        self.count_change(session)?;
        let token = secret()?;
        let new = SessionRecord { name: Some(name), bot, ..new_session(&token, None) };
        let made = self.commit(|live| self.decide_on_session(live.account(session)?, new.clone()));
        made.await?;
        // The record lacks nothing that would be made of its entry.
        let session = ListedSession { session: new.live(Seq(0), 0), current: false };
        Ok(NewToken { session, token })
    }

    /// Ends one session of this user, and its streams. With their last session their name is free
    /// again. True when it was the session that asks.
    ///
    /// # Errors
    ///
    /// When they have no such session, the session is gone, they do too much, or nothing can be stored;
    /// it is then still live.
    pub async fn end_session(
        &self,
        session: &Session,
        handle: &SessionHandle,
    ) -> Result<bool, EngineError> {
        self.count_change(session)?;
        let id = {
            let live = self.core.live.read();
            let mut sessions = live.account(session)?.sessions.iter();
            let named = sessions.find(|(_, live)| live.handle == *handle);
            named.ok_or(EngineError::NoSuchSession)?.0.clone()
        };
        let committer = Committer { log: &self.log, core: &self.core };
        end_sessions(committer, &session.user.id, |ended| ended.id == id).await?;
        Ok(id == session.id)
    }

    /// The decision to add a session to an account.
    pub(super) fn decide_on_session(
        &self,
        account: &Account,
        session: SessionRecord,
    ) -> Result<Decision<()>, EngineError> {
        if account.sessions.len() >= self.bounds.max_sessions_per_user {
            return Err(EngineError::LimitReached("sessions of this user"));
        }
        let mut record = next_record(account, Some(session));
        settle_bot(&mut record);
        let key = Key::User(account.key.clone());
        Ok(Decision::append(key, record, Expect::At(account.seq)))
    }
}
