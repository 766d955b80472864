//! The list of all events, for the description of the API.

use serde_json::{Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::{
    AboutUser, Activity, Attendance, DeletedChannel, DeletedMessage, Ping, Presence, Reset,
};
use crate::wire::channel::ChannelView;
use crate::wire::message::MessageView;

/// The events of a channel's stream, as its description lists them under `x-events`.
#[must_use]
pub fn of_channel() -> Vec<Value> {
    vec![
        event("message", Id::Yes, "A new message.", named::<MessageView<'_>>()),
        event(
            "message-updated",
            Id::Yes,
            "A message was edited or reacted to, or its previews came or were hidden. Of a large one (from \
             about 4 KiB on) it comes within a second, and several of them as one.",
            named::<MessageView<'_>>(),
        ),
        event(
            "message-deleted",
            Id::Yes,
            "A message was deleted. One that 100 later ones have pushed out is gone without an event.",
            DeletedMessage::schema(),
        ),
        event(
            "message-restored",
            Id::Yes,
            "A deleted message is there again, with its old `seq`: put it in its place by that. Who \
             resumes may get it for a message that they never saw deleted; then it replaces that.",
            named::<MessageView<'_>>(),
        ),
        event(
            "reset",
            Id::Yes,
            "All that is stored follows as `message`: forget what you have.",
            Reset::schema(),
        ),
        event(
            "joined",
            Id::No,
            "A user opened their first stream on the channel.",
            Attendance::schema(),
        ),
        event(
            "left",
            Id::No,
            "A user's last stream on the channel ended 5 seconds ago. A connection that died \
             without a word is noticed within a minute.",
            Attendance::schema(),
        ),
        presence(),
        event("typing", Id::No, "A user is typing.", AboutUser::schema()),
        event("channel-updated", Id::Yes, "The topic changed.", named::<ChannelView>()),
        event(
            "channel-deleted",
            Id::Yes,
            "The channel is gone. The stream ends.",
            DeletedChannel::schema(),
        ),
        ping(),
    ]
}

/// The events of the stream of everything, as its description lists them under `x-events`.
#[must_use]
pub fn of_everything() -> Vec<Value> {
    vec![
        event(
            "channel-created",
            Id::Yes,
            "There is a new channel, or a direct conversation has its first message.",
            named::<ChannelView>(),
        ),
        event(
            "channel-updated",
            Id::Yes,
            "A channel's topic changed, the caller wants it otherwise, or one that they have hidden is \
             shown again.",
            named::<ChannelView>(),
        ),
        event("channel-deleted", Id::Yes, "A channel is gone.", DeletedChannel::schema()),
        event(
            "activity",
            Id::Yes,
            "Something is new in a channel, or it was read on another device.",
            Activity::schema(),
        ),
        event("online", Id::No, "A user opened their first stream.", AboutUser::schema()),
        event("offline", Id::No, "A user's last stream ended 5 seconds ago.", AboutUser::schema()),
        presence(),
        event(
            "renamed",
            Id::No,
            "A user has another display name now, or is a bot or a human again.",
            AboutUser::schema(),
        ),
        event(
            "reset",
            Id::Yes,
            "Nothing follows: read the list of channels again.",
            Reset::schema(),
        ),
        ping(),
    ]
}

fn presence() -> Value {
    let about = "Users came or went where more than 100 are: at most once a second, instead of an \
                 event for each of them. `GET` the channel or the users to know who is there.";
    event("presence", Id::No, about, Presence::schema())
}

fn ping() -> Value {
    let about = "Every 5 seconds, so that both ends can tell a dead connection from a quiet one.";
    event("ping", Id::No, about, Ping::schema())
}

/// The answer whether an event carries an `id`, which moves the client's cursor.
#[derive(PartialEq)]
enum Id {
    Yes,
    No,
}

/// An event for `x-events`, with the schema of its data.
fn event(name: &str, id: Id, about: &str, data: RefOr<Schema>) -> Value {
    json!({ "event": name, "has_id": id == Id::Yes, "description": about, "data": data })
}

/// A reference to a schema that has a name in the description.
fn named<T: ToSchema>() -> RefOr<Schema> {
    Ref::from_schema_name(T::name()).into()
}
