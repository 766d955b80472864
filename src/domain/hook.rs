//! Hooks: addresses at which programs post to a channel, and programs that are told of its messages.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::ids::{ChannelId, HookId, Seq, UserId, sha256_hex};
use crate::domain::names::DisplayName;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// A hook of a channel. It goes with its channel, not with the user who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The id.
    pub id: HookId,
    /// The channel that it belongs to.
    pub channel: ChannelId,
    /// The name under which it writes, unless a delivery brings another.
    pub name: DisplayName,
    /// What it has where it posts to a program; `None` where programs post to it.
    pub outgoing: Option<Outgoing>,
    /// The secret: of an incoming hook the end of its address, of an outgoing one the key of its
    /// signatures.
    pub secret: HookSecret,
    /// The user who made it.
    pub creator: UserId,
    /// The time at which it was made.
    pub created_at: Timestamp,
    /// Its last entry: a change is appended on the condition that it still is.
    pub seq: Seq,
    /// The time of its last entry. A hook that is paused has been since then: nothing else of it changes.
    pub changed_at: Timestamp,
    /// Its latest deliveries.
    pub deliveries: Arc<Deliveries>,
}

impl Hook {
    /// The author of a message that the hook writes under this name, or its own.
    #[must_use]
    pub fn author(&self, name: Option<DisplayName>) -> User {
        let display_name = name.unwrap_or_else(|| self.name.clone());
        User { id: self.id.as_author(), display_name, bot: true }
    }
}

/// What only an outgoing hook has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The address that it posts to. It may hold a secret of the program's.
    pub url: Arc<str>,
    /// The words of which a message has to begin with one; none for every message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// True when it posts nothing until somebody says that it shall.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// What was wrong at last where it is paused because its program took no message; `None` where
    /// somebody paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Arc<str>>,
}

impl Outgoing {
    /// The host that it posts to, with its port where it is no usual one: all of the address that is
    /// surely no secret.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = Url::parse(&self.url).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Tells whether a message of this text is posted. A word that ends in a letter or digit has to end
    /// there in the text, too.
    #[must_use]
    pub fn wants(&self, text: &str) -> bool {
        let begins = |word: &String| {
            let Some(rest) = text.strip_prefix(word.as_str()) else { return false };
            let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            !(is_letter(word.chars().next_back()) && is_letter(rest.chars().next()))
        };
        self.words.is_empty() || self.words.iter().any(begins)
    }
}

/// The secret of a hook. It is kept as it is, because who may delete a hook may see it again; nothing
/// ever prints it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HookSecret(Arc<str>);

impl HookSecret {
    /// The secret as text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The hash by which an incoming hook is found.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

impl From<String> for HookSecret {
    fn from(secret: String) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookSecret(…)")
    }
}

/// The SHA-256 of a secret. A look-up by it takes a time that tells nothing of the secrets there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(String);

impl SecretHash {
    /// The hash of what may be a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(sha256_hex(&[b"hook ", secret.as_bytes()]))
    }
}

/// The mark of a message that a hook wrote, beside its content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookMark {
    /// An emoji to show in place of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<Arc<str>>,
}

/// A delivery: what came to an incoming hook, or an attempt to post to an outgoing one's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The time at which it was answered, or given up.
    pub at: Timestamp,
    /// The status that it was answered with; `None` where there was no answer.
    pub status: Option<u16>,
    /// What was wrong with it.
    pub problem: Option<String>,
    /// The size of its body.
    pub bytes: u64,
}

/// The latest deliveries of a hook, newest first. They are in memory alone, and no part of the hook:
/// all compare equal.
#[derive(Debug, Default)]
pub struct Deliveries(Mutex<VecDeque<Delivery>>);

impl Deliveries {
    /// Largest number of deliveries that are remembered.
    pub const MAX: usize = 10;

    /// Adds one, and forgets the oldest where there are too many.
    pub fn add(&self, delivery: Delivery) {
        let mut deliveries = self.0.lock();
        deliveries.truncate(Self::MAX - 1);
        deliveries.push_front(delivery);
    }

    /// The deliveries, newest first.
    #[must_use]
    pub fn latest(&self) -> Vec<Delivery> {
        self.0.lock().iter().cloned().collect()
    }
}

impl PartialEq for Deliveries {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Deliveries {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = HookSecret::from("s3cret".to_owned());
        assert!(!format!("{secret:?} {secret:#?}").contains("s3cret"));
        assert_eq!(secret.hash(), SecretHash::of("s3cret"));
    }

    #[test]
    fn words_are_looked_for_at_the_beginning_and_whole() {
        for (words, text, wanted) in [
            (&[][..], "anything", true),
            (&["!deploy"], "!deploy now", true),
            (&["!deploy"], "!deploy", true),
            (&["!deploy"], "please !deploy", false),
            (&["!deploy"], "!deployment", false),
            (&["build:"], "build:42", true),
            (&["ci", "ok?"], "ok?yes", true),
            (&["ci"], "city", false),
            (&["建"], "建设", false),
            (&["ci"], "CI", false),
        ] {
            let words = words.iter().map(|&word| word.to_owned()).collect();
            let hook = Outgoing { url: "http://x/".into(), words, paused: false, problem: None };
            assert_eq!(hook.wants(text), wanted, "{text:?} by {:?}", hook.words);
        }
    }

    #[test]
    fn the_ten_latest_deliveries_are_remembered() {
        let deliveries = Deliveries::default();
        for bytes in 0..12 {
            let at = Timestamp::from_millis(0);
            deliveries.add(Delivery { at, status: Some(200), problem: None, bytes });
        }
        let bytes: Vec<_> = deliveries.latest().iter().map(|it| it.bytes).collect();
        assert_eq!(bytes, (2..12).rev().collect::<Vec<_>>());
    }
}
