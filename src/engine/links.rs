//! One-time links, which sign another device in as the same user.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use parking_lot::Mutex;

use super::users::{Device, SignedIn, new_session, secret};
use super::{Engine, EngineError};
use crate::domain::ids::{UserId, sha256_hex};
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};

/// Time for which a link can be used.
const LINK_LIFE: Duration = Duration::from_mins(10);
/// Largest number of usable links of one user: one more ends the oldest.
const MAX_LINKS: usize = 10;

/// The links that can still be used, by the SHA-256 of their secrets. They last no longer than the
/// process.
#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<String, Link>>);

#[derive(Clone)]
struct Link {
    user: UserId,
    expires_at: Timestamp,
}

/// A new one-time link.
pub struct NewLink {
    /// The secret in its address. Only a hash is kept: it cannot be shown again.
    pub secret: String,
    /// The time until which it can be used.
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
        let user = self.core.live.read().account(session)?.person.id().clone();
        self.add_link(user)
    }

    pub(super) fn add_link(&self, user: UserId) -> Result<NewLink, EngineError> {
        let secret = secret()?;
        let expires_at = Timestamp::from(Utc::now() + LINK_LIFE);
        self.links.add(id_of(&secret), Link { user, expires_at });
        Ok(NewLink { secret, expires_at })
    }

    /// The user whom a link signs in. Looking does not spend it.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used.
    pub fn link(&self, secret: &str) -> Result<User, EngineError> {
        let link = self.links.usable(&id_of(secret)).ok_or(EngineError::NoSuchLink)?;
        let live = self.core.live.read();
        let account = live.state.account(&link.user).ok_or(EngineError::NoSuchLink)?;
        Ok(User::clone(&account.person.user()))
    }

    /// Signs a device in by a link: spends it on a new session of its user, in place of the session
    /// that the device had.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used, the address has used too many lately, its
    /// user has as many sessions as they may, or nothing can be stored.
    pub async fn follow_link(
        &self,
        secret: &str,
        present: Option<&Session>,
        device: Device,
    ) -> Result<SignedIn, EngineError> {
        self.link(secret)?;
        if let Some(limits) = &self.limits {
            limits.link(device.address)?;
        }
        let spent = self.links.0.lock().remove(&id_of(secret)).ok_or(EngineError::NoSuchLink)?;
        let signed_in = self.add_session(&spent.user, device.client).await;
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

    async fn add_session(
        &self,
        user: &UserId,
        client: Option<Arc<str>>,
    ) -> Result<SignedIn, EngineError> {
        let token = secret()?;
        let session = new_session(&token, client);
        let added = self.commit(|live| {
            let account = live.state.account(user).ok_or(EngineError::NoSuchLink)?;
            self.decide_on_session(account, session.clone())
        });
        added.await?;
        let live = self.core.live.read();
        let account = live.state.account(user).ok_or(EngineError::NoSuchLink)?;
        Ok(SignedIn { user: User::clone(&account.person.user()), token })
    }
}
