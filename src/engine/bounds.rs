//! Bounds: the largest number of each thing that clients can make.

use std::time::Duration;

/// The largest number of each thing that a client can make. A request past one is refused with
/// [`LimitReached`](super::EngineError::LimitReached), unless the field says otherwise. Where several
/// nodes share a log, each counts its own streams and what is on its way, and all count what is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Open streams of one user. One more ends the oldest of them.
    pub max_streams_per_user: usize,
    /// Open streams in all. One more is refused with [`TooBusy`](super::EngineError::TooBusy).
    pub max_streams: usize,
    /// Public channels.
    pub max_channels: usize,
    /// Public channels that one user created.
    pub max_channels_per_user: usize,
    /// Direct conversations that one user began.
    pub max_directs_per_user: usize,
    /// Hooks of one channel, incoming and outgoing together.
    pub max_hooks_per_channel: usize,
    /// Hooks that one user made.
    pub max_hooks_per_user: usize,
    /// Sessions of one user.
    pub max_sessions_per_user: usize,
    /// Channels for which one user has preferences: starred, hidden, a bell.
    pub max_preferences_per_user: usize,
    /// Reactions of one user to one message.
    pub max_reactions_per_user: usize,
    /// Different reactions to one message.
    pub max_reaction_kinds: usize,
    /// Reactions to one message, everybody's together.
    pub max_reactions: usize,
    /// Bytes of the texts of all messages together that are kept or can be restored, each with its HTML;
    /// one user's may have half of what the others' leave. One more is refused with
    /// [`TooLarge`](super::EngineError::TooLarge).
    pub max_kept_text_bytes: u64,
    /// Time after which an unused session ends.
    pub session_life: Duration,
    /// Time from the start until unused sessions are first looked for.
    pub session_sweep_delay: Duration,
}

impl Default for Bounds {
    /// The defaults of the settings, with room for 960 streams: as many as the usual limit of
    /// 1,024 open files allows.
    fn default() -> Self {
        Self {
            max_streams_per_user: 64,
            max_streams: 960,
            max_channels: 1_000,
            max_channels_per_user: 100,
            max_directs_per_user: 500,
            max_hooks_per_channel: 20,
            max_hooks_per_user: 100,
            max_sessions_per_user: 100,
            max_preferences_per_user: 2_000,
            max_reactions_per_user: 8,
            max_reaction_kinds: 32,
            max_reactions: 300,
            max_kept_text_bytes: 256 * 1024 * 1024,
            session_life: Duration::from_hours(180 * 24),
            session_sweep_delay: Duration::from_hours(24),
        }
    }
}
