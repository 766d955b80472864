//! One-time links, which sign another device in as the same user.
//!
//! A link is in the memory of the node that made it, which decides who uses it. Other nodes ask it:
//! see [`questions`].

mod questions;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use parking_lot::Mutex;

use self::questions::Intent;
pub(super) use self::questions::{Questions, hear_of_links};
use super::users::{Device, SignedIn, new_session, secret};
use super::{Engine, EngineError};
use crate::domain::ids::{UserId, sha256_hex};
use crate::domain::time::Timestamp;
use crate::domain::user::{Session, User};

/// Time for which a link can be used.
const LINK_LIFE: Duration = Duration::from_mins(10);
/// Largest number of usable links of one user: one more ends the oldest.
const MAX_LINKS: usize = 10;

/// The links that this node made. They last no longer than the process.
#[derive(Default)]
pub(super) struct Links(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// Those that can still be used, by the SHA-256 of their secrets.
    usable: HashMap<String, Link>,
    /// Those that another node uses, each with the question by which it asked.
    given: HashMap<String, (Arc<str>, Link)>,
}

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
        let (now, mut inner) = (Timestamp::from(Utc::now()), self.0.lock());
        inner.given.retain(|_, (_, link)| now < link.expires_at);
        let links = &mut inner.usable;
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
        let link = self.0.lock().usable.get(id).cloned();
        link.filter(Link::is_usable)
    }

    /// Takes a link out, to use it here.
    fn take(&self, id: &str) -> Option<Link> {
        self.0.lock().usable.remove(id).filter(Link::is_usable)
    }

    /// Gives a link to another node that asks by this question: once, and again to the same question.
    fn give(&self, id: &str, question: &Arc<str>) -> Option<Link> {
        let mut inner = self.0.lock();
        if let Some(link) = inner.usable.remove(id) {
            inner.given.insert(id.to_owned(), (question.clone(), link));
        }
        let (asked, link) = inner.given.get(id)?;
        (asked == question && link.is_usable()).then(|| link.clone())
    }
}

impl Link {
    fn is_usable(&self) -> bool {
        Timestamp::from(Utc::now()) < self.expires_at
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

    /// The user whom a link signs in. Looking does not spend it. Where this node has not made it, the
    /// others are asked, for two seconds at most.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used, or too many such questions wait.
    pub async fn link(&self, secret: &str) -> Result<User, EngineError> {
        let id = id_of(secret);
        let link = match self.links.usable(&id) {
            Some(link) => link,
            None => self.ask_for_link(&id, Intent::Look).await?,
        };
        let live = self.core.live.read();
        let account = live.state.account(&link.user).ok_or(EngineError::NoSuchLink)?;
        Ok(User::clone(&account.person.user()))
    }

    /// Signs a device in by a link, whichever node made it: spends it on a new session of its user, in
    /// place of the session that the device had.
    ///
    /// # Errors
    ///
    /// When it is no link that can still be used, the address has used too many lately, its
    /// user has as many sessions as they may, too many questions to other nodes wait, or nothing can be
    /// stored.
    pub async fn follow_link(
        &self,
        secret: &str,
        present: Option<&Session>,
        device: Device,
    ) -> Result<SignedIn, EngineError> {
        self.link(secret).await?;
        if let Some(limits) = &self.limits {
            limits.link(device.address)?;
        }
        let id = id_of(secret);
        let spent = match self.links.take(&id) {
            Some(link) => link,
            None => self.ask_for_link(&id, Intent::Use).await?,
        };
        let signed_in = self.add_session(&spent.user, device.client).await;
        if signed_in.is_err() {
            // Nobody came in by it: it can be tried again, and is a link of this node from now on.
            self.links.add(id, spent);
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
