//! Signing in and out, and names.

use std::net::IpAddr;

use data_encoding::HEXLOWER;
use uuid::Uuid;

use super::log::Expect;
use super::presence::Place;
use super::{Attempt, Engine, EngineError, MAX_DECISIONS, fresh_op};
use crate::domain::entry::{FormerNameRecord, Key, UserRecord, encode};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::names::DisplayName;
use crate::domain::user::{Account, Session, User};

/// Somebody who has just come in, with the secret that proves it from now on. Only its hash is
/// kept: it cannot be told again.
pub struct SignedIn {
    /// Who they are.
    pub user: User,
    /// 256 random bits in hexadecimal.
    pub token: String,
}

/// What signing in came to.
pub enum SignedInAs {
    /// A new session.
    New(SignedIn),
    /// The session that was there already, under the same name.
    Same(User),
}

impl Engine {
    /// The live session that a token belongs to.
    #[must_use]
    pub fn session(&self, token: &str) -> Option<Session> {
        self.core.live.read().state.session(&SessionId::of_token(token))
    }

    /// Claims a free name for a new user with one session.
    ///
    /// # Errors
    ///
    /// When somebody else holds an equal name, `present` is a session under another name, the
    /// address has signed in too often lately, or nothing can be stored.
    pub async fn sign_in(
        &self,
        name: DisplayName,
        present: Option<&Session>,
        address: Option<IpAddr>,
    ) -> Result<SignedInAs, EngineError> {
        if let Some(session) = present {
            let same = session.user.display_name.same_as(&name);
            let same = same.then(|| SignedInAs::Same(session.user.clone()));
            return same.ok_or(EngineError::AlreadySignedIn);
        }
        if let Some(limits) = &self.limits {
            limits.sign_in(address)?;
        }
        let user = User { id: Uuid::now_v7().into(), display_name: name };
        let token = secret()?;
        let key = Key::User(user.display_name.hash());
        for _ in 0..MAX_DECISIONS {
            let since = {
                let live = self.core.live.read();
                if live.state.holder(&user.display_name).is_some() {
                    return Err(EngineError::DisplayNameTaken);
                }
                live.state.head()
            };
            let sessions = vec![SessionId::of_token(&token)];
            let record =
                UserRecord { user: user.clone(), sessions, revision: 0, since, renamed: false };
            let body = encode(&record);
            match self.append(fresh_op(), key.clone(), body, Expect::Absent).await? {
                Attempt::Done(_) => return Ok(SignedInAs::New(SignedIn { user, token })),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Gives the session's user another name; the one they had is free again.
    ///
    /// # Errors
    ///
    /// When somebody else holds an equal name, the session is gone, they do too much, or nothing
    /// can be stored.
    pub async fn rename(&self, session: &Session, name: DisplayName) -> Result<User, EngineError> {
        self.count_change(session)?;
        for _ in 0..MAX_DECISIONS {
            let (record, expect) = {
                let live = self.core.live.read();
                let account = live.account(session)?;
                if account.user.display_name == name {
                    return Ok(account.user.clone());
                }
                let expect = match live.state.holder(&name) {
                    None => Expect::Absent,
                    Some(holder) if holder.user.id == account.user.id => Expect::At(account.seq),
                    Some(_) => return Err(EngineError::DisplayNameTaken),
                };
                let mut record = next_record(account, None);
                record.user.display_name = name.clone();
                record.renamed = true;
                (record, expect)
            };
            let user = record.user.clone();
            let (key, body) = (Key::User(name.hash()), encode(&record));
            match self.append(fresh_op(), key, body, expect).await? {
                Attempt::Done(_) => return Ok(user),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Ends the session and its streams. With a user's last session their name is free again.
    ///
    /// # Errors
    ///
    /// When nothing can be stored; the session is then still live.
    pub async fn sign_out(&self, session: &Session) -> Result<(), EngineError> {
        for _ in 0..MAX_DECISIONS {
            let (record, seq, former) = {
                let live = self.core.live.read();
                let Ok(account) = live.account(session) else { return Ok(()) };
                let mut record = next_record(account, None);
                record.sessions.retain(|id| *id != session.id);
                let leaves = record.sessions.is_empty();
                let former = leaves && account.renamed && live.state.is_shown(&account.user.id);
                (record, account.seq, former)
            };
            let name = record.user.display_name.clone();
            if former {
                self.keep_former_name(&record.user.id, name.clone()).await?;
            }
            let (key, body) = (Key::User(name.hash()), encode(&record));
            match self.append(fresh_op(), key, body, Expect::At(seq)).await? {
                Attempt::Done(_) => return Ok(()),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }

    /// Keeps what somebody who leaves was called last, for what was stored with an earlier name:
    /// messages, reactions, channels, direct conversations.
    async fn keep_former_name(
        &self,
        user: &UserId,
        display_name: DisplayName,
    ) -> Result<(), EngineError> {
        let body = encode(&FormerNameRecord { display_name });
        self.append(fresh_op(), Key::FormerName(user.clone()), body, Expect::Any).await.map(drop)
    }

    /// Everybody who holds a name, by name, with whether they are online.
    #[must_use]
    pub fn users(&self) -> Vec<(User, bool)> {
        let mut users: Vec<_> =
            self.core.live.read().state.accounts().map(|account| account.user.clone()).collect();
        sort_by_name(&mut users);
        let online = |user: &User| self.core.presence.is_online(&user.id);
        users.into_iter().map(|user| (online(&user), user)).map(|(on, user)| (user, on)).collect()
    }

    pub(super) fn here(&self, place: &Place) -> Vec<User> {
        let mut here = self.core.presence.here(place);
        sort_by_name(&mut here);
        here
    }
}

fn sort_by_name(users: &mut [User]) {
    users.sort_by(|a, b| a.display_name.compared().cmp(b.display_name.compared()));
}

/// The account's state as a record, with a new session if one is given, to be changed and stored.
pub(super) fn next_record(account: &Account, new: Option<SessionId>) -> UserRecord {
    UserRecord {
        user: account.user.clone(),
        sessions: account.sessions.iter().cloned().chain(new).collect(),
        revision: account.revision + 1,
        since: account.since,
        renamed: account.renamed,
    }
}

/// 256 bits that nobody can guess, in hexadecimal.
pub(super) fn secret() -> Result<String, EngineError> {
    let mut bits = [0_u8; 32];
    getrandom::fill(&mut bits).map_err(|error| {
        log::error!("The system gives no random numbers: {error}.");
        EngineError::StorageUnavailable
    })?;
    Ok(HEXLOWER.encode(&bits))
}
