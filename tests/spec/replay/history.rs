//! Random histories: what people do at once, and how far erasing gets meanwhile.

use proptest::prelude::*;

use super::past::Places;

/// A history of a server that is restarted at the end of each part.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// Where version 1 had put its entries, if it made the store.
    pub(super) past: Option<Places>,
    pub(super) parts: Vec<Part>,
}

/// What happens between two starts.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) bursts: Vec<Burst>,
    /// The places where the pending erasures are cut at the restart, in 255ths of all of them. What
    /// is on disk is cut at the first place.
    pub(super) cuts: [u8; 4],
}

/// Actions that are all decided on the same state, and appended together.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    /// The part of the pending erasures that is carried out before, in 255ths.
    pub(super) erased: u8,
    pub(super) actions: Vec<(Action, Delay)>,
    /// Whether listeners read on after it.
    pub(super) is_read: bool,
    /// The part of what it missed that another listener reads then before it is cut off, in 255ths.
    pub(super) heard: u8,
}

/// The number of bursts after which an entry is appended that was decided on before them.
pub(super) type Delay = u8;

/// An action of somebody. The numbers choose among what is there, by the remainder.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// Posts as many messages as a channel lacks to have so many, or one.
    Fill { channel: u8, messages: u8 },
    /// Puts a message under one of a few ids, which edits the user's own message of that id.
    Put { user: u8, channel: u8, id: u8, has_file: bool },
    /// Edits a message.
    Edit { channel: u8, message: u8 },
    /// Deletes a message.
    Delete { channel: u8, message: u8 },
    /// Restores a message that was deleted.
    Restore { deletion: u8 },
    /// Erases what was deleted up to a part of the log, in 255ths.
    Erase { part: u8 },
    /// Deletes the oldest messages.
    Purge { channel: u8, messages: u8 },
    /// Reacts to a message, or takes the reaction back.
    React { user: u8, channel: u8, message: u8, reaction: u8 },
    /// Keeps a preview of a message in a channel, with or without a picture, or hides all.
    Preview { at: (u8, u8), how: u8 },
    /// Creates a channel under one of a few names.
    Create { user: u8, name: u8 },
    /// Changes a channel's topic.
    Describe { channel: u8 },
    /// Deletes a channel.
    Remove { channel: u8 },
    /// Creates many channels, or deletes those.
    Churn { channels: u8 },
    /// Begins a direct conversation.
    Begin { user: u8, other: u8 },
    /// Claims one of a few names.
    SignIn { name: u8 },
    /// Opens another session.
    OpenSession { user: u8 },
    /// Ends one session of a user, or all of them.
    EndSession { user: u8, all: bool },
    /// Takes another of a few names.
    Rename { user: u8, name: u8 },
    /// Stars, hides or shows a channel, or stores that a message has shown it again.
    Prefer { user: u8, channel: u8, how: u8 },
    /// Makes a hook, pauses it or lets it go on, or deletes it.
    Hook { user: u8, channel: u8, hook: u8, how: u8 },
    /// Posts by a hook, under one of a few names.
    PostByHook { channel: u8, hook: u8, name: u8 },
    /// Moves a read marker.
    Mark { user: u8, channel: u8, message: u8 },
}

/// Histories of one or two parts, some of them of a store that version 1 made.
pub(super) fn histories() -> impl Strategy<Value = History> {
    let part = (prop::collection::vec(bursts(), 0..18), any::<[u8; 4]>());
    let part = part.prop_map(|(bursts, cuts)| Part { bursts, cuts });
    let inherited = prop::option::weighted(0.2, any::<Places>());
    (inherited, prop::collection::vec(part, 1..=2))
        .prop_map(|(past, parts)| History { past, parts })
}

fn bursts() -> impl Strategy<Value = Burst> {
    let delay = prop_oneof![4 => Just(0), 1 => 1..6_u8];
    let erased = prop_oneof![4 => Just(0), 2 => any::<u8>(), 1 => Just(255)];
    let actions = prop::collection::vec((actions(), delay), 1..12);
    (erased, actions, any::<bool>(), any::<u8>())
        .prop_map(|(erased, actions, is_read, heard)| Burst { erased, actions, is_read, heard })
}

fn actions() -> impl Strategy<Value = Action> {
    let few = || 0..4_u8;
    let some = any::<u8>;
    // What is about to fall out, or anything.
    let message = || prop_oneof![1 => 0..3_u8, 1 => any::<u8>()];
    prop_oneof![
        3 => (0..2_u8, 90..=105_u8)
            .prop_map(|(channel, messages)| Action::Fill { channel, messages }),
        10 => (some(), few(), few(), any::<bool>()).prop_map(|(user, channel, id, has_file)| {
            Action::Put { user, channel, id, has_file }
        }),
        6 => (few(), message()).prop_map(|(channel, message)| Action::Edit { channel, message }),
        8 => (few(), message()).prop_map(|(channel, message)| Action::Delete { channel, message }),
        10 => prop_oneof![3 => Just(0), 1 => some()]
            .prop_map(|deletion| Action::Restore { deletion }),
        2 => prop_oneof![1 => Just(255), 2 => some()].prop_map(|part| Action::Erase { part }),
        1 => (few(), 1..=110_u8)
            .prop_map(|(channel, messages)| Action::Purge { channel, messages }),
        8 => (some(), few(), message(), 0..2_u8).prop_map(|(user, channel, message, reaction)| {
            Action::React { user, channel, message, reaction }
        }),
        8 => ((few(), message()), 0..4_u8).prop_map(|(at, how)| Action::Preview { at, how }),
        3 => (some(), few()).prop_map(|(user, name)| Action::Create { user, name }),
        3 => some().prop_map(|channel| Action::Describe { channel }),
        2 => some().prop_map(|channel| Action::Remove { channel }),
        1 => (1..=60_u8).prop_map(|channels| Action::Churn { channels }),
        4 => (some(), some()).prop_map(|(user, other)| Action::Begin { user, other }),
        6 => some().prop_map(|name| Action::SignIn { name }),
        4 => some().prop_map(|user| Action::OpenSession { user }),
        6 => (some(), any::<bool>()).prop_map(|(user, all)| Action::EndSession { user, all }),
        6 => (some(), some()).prop_map(|(user, name)| Action::Rename { user, name }),
        5 => (some(), few(), 0..4_u8).prop_map(|(user, channel, how)| {
            Action::Prefer { user, channel, how }
        }),
        4 => (some(), few(), some(), 0..4_u8).prop_map(|(user, channel, hook, how)| {
            Action::Hook { user, channel, hook, how }
        }),
        4 => (few(), some(), some()).prop_map(|(channel, hook, name)| {
            Action::PostByHook { channel, hook, name }
        }),
        4 => (some(), few(), message()).prop_map(|(user, channel, message)| {
            Action::Mark { user, channel, message }
        }),
    ]
}
