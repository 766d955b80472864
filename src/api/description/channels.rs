//! Channels.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Patch, Post, Put};

use super::operation::{Operation, route};
use super::schemas::{list, named, object, text, topic};
use crate::api::problem::Kind::{
    ChannelExists, InvalidChannelName, InvalidMessageId, InvalidTopic, NoSuchMessage, SlowDown,
    StorageUnavailable,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![channels(), create(), show(), set_topic(), remove(), mark_read(), typing()]
}

fn channels() -> Operation {
    route(Get, "/channels", "Channels", "channels", "List channels")
        .about(
            "Every public channel by name, then the caller's direct conversations, latest first.",
        )
        .answers(200, "The channels.", object("", [("channels", list(named("Channel")))]))
        .curl(r#"curl -s "$url/api/channels" -H "Authorization: Bearer $token""#)
}

fn create() -> Operation {
    let name = text(
        "1 to 64 letters, digits and marks of any script, `-`, `_` and `.`, but not `.` or `..` \
         (RFC 8265, UsernameCaseMapped). Stored in lower case.",
    );
    route(Post, "/channels", "Channels", "createChannel", "Create a public channel")
        .about("However many try at once, exactly one creates it.")
        .takes_json(object("", [("name", name.into()), ("topic?", topic())]))
        .answers(201, "The new channel.", named("Channel"))
        .header("Location", "The channel's address.")
        .refuses(&[ChannelExists, InvalidChannelName, InvalidTopic, SlowDown, StorageUnavailable])
        .curl(r#"curl -s "$url/api/channels" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name": "launch", "topic": "Countdown"}'"#)
}

fn show() -> Operation {
    let fields = [("channel", named("Channel")), ("online", list(named("User")))];
    route(Get, "/channels/{channel}", "Channels", "channel", "Look at a channel, and who is there")
        .about(
            "A direct conversation comes into being with its first message, and is empty before.",
        )
        .answers(200, "The channel, and who listens to it.", object("", fields))
        .curl(r#"curl -s "$url/api/channels/general" -H "Authorization: Bearer $token""#)
}

fn set_topic() -> Operation {
    route(Patch, "/channels/{channel}", "Channels", "setTopic", "Say what a channel is about")
        .about("Its creator may, and in `general` everybody. A direct conversation has no topic.")
        .takes_json(object("", [("topic", topic())]))
        .answers(200, "The channel.", named("Channel"))
        .refuses(&[InvalidTopic, SlowDown, StorageUnavailable])
        .curl(r#"curl -s -X PATCH "$url/api/channels/general" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"topic": "Lift-off"}'"#)
}

fn remove() -> Operation {
    route(Delete, "/channels/{channel}", "Channels", "deleteChannel", "Delete a channel")
        .about(
            "With all that it keeps. Only its creator may; `general` and direct conversations \
             stay. Its streams tell `channel-deleted` and end. One that is created later under the \
             same name is another channel.",
        )
        .answers_nothing(204, "It is gone.")
        .refuses(&[SlowDown, StorageUnavailable])
        .curl(r#"curl -s -X DELETE "$url/api/channels/launch" -H "Authorization: Bearer $token""#)
}

fn mark_read() -> Operation {
    let message = text("The id of the last message that was read.");
    route(Put, "/channels/{channel}/read", "Channels", "markRead", "Mark a channel as read")
        .about("Up to a message. Naming an earlier one marks those after it as unread again.")
        .takes_json(object("", [("message", message.into())]))
        .answers_nothing(204, "Noted, on all of the caller's devices.")
        .refuses(&[NoSuchMessage, InvalidMessageId, StorageUnavailable])
        .curl(r#"curl -s -X PUT "$url/api/channels/general/read" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"message": "status"}'"#)
}

fn typing() -> Operation {
    route(Post, "/channels/{channel}/typing", "Channels", "typing", "Say that one is typing")
        .about("Those who listen to the channel are told `typing`. Nothing of it lasts.")
        .answers_nothing(204, "Told.")
        .refuses(&[SlowDown])
        .curl(r#"curl -s -X POST "$url/api/channels/general/typing" -H "Authorization: Bearer $token""#)
}
