//! One-time links, with which somebody takes another device along.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use chrono::Utc;
use parking_lot::Mutex;

use super::log::Expect;
use super::people::{SignedIn, next_record, secret};
use super::{Attempt, Engine, EngineError, MAX_DECISIONS, fresh_op};
use crate::domain::entry::{Key, encode};
use crate::domain::ids::{SessionId, UserId, sha256_hex};
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};

/// How long a link can be used.
const LIFE: Duration = Duration::from_mins(10);
/// How many links of one user can be used at a time: a further one ends the oldest.
const MAX_LINKS: usize = 10;
/// On how many devices a user can be at once.
const MAX_SESSIONS: usize = 100;

/// The links that can still be used, by the SHA-256 of their secrets. They last no longer than the
/// process.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<String, Link>>);

#[derive(Clone)]
struct Link {
    user: UserId,
    expires_at: Timestamp,
}

/// A link just made.
pub struct NewLink {
    /// What is in its address. Only a hash is kept: it cannot be told again.
    pub secret: String,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

impl Links {
    fn add(&self, id: String, link: Link) {
        let (now, mut links) = (Timestamp::from(Utc::now()), self.0.lock());
        links.retain(|_, link| now < link.expires_at);
        let of_user = || links.iter().filter(|(_, other)| other.user == link.user);
        if of_user().count() >= MAX_LINKS {
            let oldest = of_user().min_by_key(|(_, link)| link.expires_at);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                links.remove(&oldest);
            }
        }
        links.insert(id, link);
    }

    fn usable(&self, id: &str) -> Option<Link> {
        let link = self.0.lock().get(id).cloned();
        link.filter(|link| Timestamp::from(Utc::now()) < link.expires_at)
    }
}

fn id_of(secret: &str) -> String {
    sha256_hex(&[b"link ", secret.as_bytes()])
}

impl Engine {
    /// Makes a link that signs one other device in as the session's user.
    ///
    /// # Errors
    ///
    /// When the session is gone, they do too much, or the system gives no random numbers.
    pub fn make_link(&self, session: &Session) -> Result<NewLink, EngineError> {
        self.count_change(session)?;
        let user = self.core.live.read().account(session)?.user.id.clone();
        let secret = secret()?;
        let expires_at = Timestamp::from(Utc::now() + LIFE);
        self.links.add(id_of(&secret), Link { user, expires_at });
        Ok(NewLink { secret, expires_at })
    }

    /// Whom a link signs in. Looking does not spend it.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used.
    pub fn link(&self, secret: &str) -> Result<User, EngineError> {
        let link = self.links.usable(&id_of(secret)).ok_or(EngineError::NoSuchLink)?;
        let live = self.core.live.read();
        let account = live.state.account(&link.user).ok_or(EngineError::NoSuchLink)?;
        Ok(account.user.clone())
    }

    /// Spends a link on a new session of its user, in place of the one that the device had.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used, the address has signed in too often lately, its
    /// user is on too many devices, or nothing can be stored.
    pub async fn follow_link(
        &self,
        secret: &str,
        present: Option<&Session>,
        address: Option<IpAddr>,
    ) -> Result<SignedIn, EngineError> {
        self.link(secret)?;
        if let Some(limits) = &self.limits {
            limits.sign_in(address)?;
        }
        let spent = self.links.0.lock().remove(&id_of(secret)).ok_or(EngineError::NoSuchLink)?;
        let signed_in = self.add_session(&spent.user).await;
        if signed_in.is_err() {
            // Nobody came in by it: it can be tried again.
            self.links.add(id_of(secret), spent);
        }
        let signed_in = signed_in?;
        if let Some(present) = present
            && let Err(error) = self.sign_out(present).await
        {
            // They are in all the same, and the other session is still theirs to end elsewhere.
            ::log::warn!("A session that was replaced by a link lives on: {error}.");
        }
        Ok(signed_in)
    }

    async fn add_session(&self, user: &UserId) -> Result<SignedIn, EngineError> {
        let token = secret()?;
        for _ in 0..MAX_DECISIONS {
            let (record, seq) = {
                let live = self.core.live.read();
                let account = live.state.account(user).ok_or(EngineError::NoSuchLink)?;
                if account.sessions.len() >= MAX_SESSIONS {
                    return Err(EngineError::NotAllowed("you are on too many devices"));
                }
                (next_record(account, Some(SessionId::of_token(&token))), account.seq)
            };
            let user = record.user.clone();
            let (key, body) = (Key::User(user.display_name.hash()), encode(&record));
            match self.append(fresh_op(), key, body, Expect::At(seq)).await? {
                Attempt::Done(_) => return Ok(SignedIn { user, token }),
                Attempt::Again => {}
            }
        }
        Err(EngineError::StorageUnavailable)
    }
}
