//! The outcomes of fetches for previews, and how many there were of each.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::fetch::FetchError;

/// The outcome of fetching a page or a picture. Nothing of an address is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is something to show.
    Found,
    /// The page has no title, or wants no preview.
    NothingToShow,
    /// It is no HTML, or no picture that is shown in place.
    WrongType,
    /// It is compressed, although that was not asked for: nothing is unpacked.
    Encoded,
    /// The picture is too large, or there is no room for it.
    TooLarge,
    /// The status is none of success.
    BadStatus,
    /// It took too long.
    TooSlow,
    /// The address cannot be asked.
    BadAddress,
    /// The address is not public.
    NotPublic,
    /// The host is not found.
    NoSuchHost,
    /// There were too many redirects, or one to nowhere.
    BadRedirect,
    /// It cannot be connected to.
    NoConnection,
    /// The answer cannot be read.
    NoAnswer,
    /// It was not asked, because the user caused too many fetches lately.
    Limited,
    /// It was not asked, because too much waited.
    Dropped,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 15] = [
        Self::Found,
        Self::NothingToShow,
        Self::WrongType,
        Self::Encoded,
        Self::TooLarge,
        Self::BadStatus,
        Self::TooSlow,
        Self::BadAddress,
        Self::NotPublic,
        Self::NoSuchHost,
        Self::BadRedirect,
        Self::NoConnection,
        Self::NoAnswer,
        Self::Limited,
        Self::Dropped,
    ];

    /// The name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Found => "ok",
            Self::NothingToShow => "nothing-to-show",
            Self::WrongType => "wrong-type",
            Self::Encoded => "encoded",
            Self::TooLarge => "too-large",
            Self::BadStatus => "bad-status",
            Self::TooSlow => "too-slow",
            Self::BadAddress => "bad-address",
            Self::NotPublic => "not-public",
            Self::NoSuchHost => "no-such-host",
            Self::BadRedirect => "bad-redirect",
            Self::NoConnection => "no-connection",
            Self::NoAnswer => "no-answer",
            Self::Limited => "limited",
            Self::Dropped => "dropped",
        }
    }
}

impl From<FetchError> for Outcome {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::BadAddress => Self::BadAddress,
            FetchError::NotPublic => Self::NotPublic,
            FetchError::NoSuchHost => Self::NoSuchHost,
            FetchError::BadRedirect => Self::BadRedirect,
            FetchError::NoConnection(_) => Self::NoConnection,
            FetchError::NoAnswer(_) => Self::NoAnswer,
            FetchError::TooSlow => Self::TooSlow,
        }
    }
}

impl From<io::Error> for Outcome {
    /// The outcome of a body that broke off.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::TooSlow } else { Self::NoAnswer }
    }
}

/// The number of fetches of each outcome since the process started.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Outcome::ALL.len()]);

impl Counts {
    pub(super) fn count(&self, outcome: Outcome, fetches: usize) {
        let place = Outcome::ALL.iter().position(|it| *it == outcome);
        if let Some(count) = place.and_then(|at| self.0.get(at)) {
            count.fetch_add(fetches as u64, Ordering::Relaxed);
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Outcome, u64)> {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        Outcome::ALL.into_iter().zip(counts)
    }
}
