//! The servers that are measured.

use crate::Result;
use crate::peers::{axum, limit, rocket};

/// One of the servers. All speak the same protocol to the load, which is Houston's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// The server itself, durable.
    Houston,
    /// An epoll loop that writes the same bytes, once for each listener and message.
    Limit,
    /// The same, but all messages that wait go out in one write.
    Coalescing,
    /// Rocket's own `EventStream`.
    Rocket,
    /// Rocket with frames that are made once, and nothing of Houston's engine.
    Bare,
    /// axum's `Sse` over a broadcast channel.
    Axum,
}

impl Contender {
    pub(crate) const ALL: [Self; 6] =
        [Self::Houston, Self::Limit, Self::Coalescing, Self::Rocket, Self::Bare, Self::Axum];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Houston => "houston",
            Self::Limit => "limit",
            Self::Coalescing => "coalescing",
            Self::Rocket => "rocket",
            Self::Bare => "bare",
            Self::Axum => "axum",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.ok_or_else(|| format!("there is no server {name}").into())
    }

    /// Is this server, until the process is ended.
    pub(crate) fn serve(self, port: u16) -> Result<()> {
        match self {
            Self::Houston => Err("Houston has a binary of its own".into()),
            Self::Limit => limit::serve(port, limit::Writing::Each),
            Self::Coalescing => limit::serve(port, limit::Writing::Together),
            Self::Rocket => rocket::serve(port, rocket::events()),
            Self::Bare => rocket::serve(port, rocket::chunks()),
            Self::Axum => axum::serve(port),
        }
    }
}
