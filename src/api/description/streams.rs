//! Streams, and every event that they tell.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::HttpMethod::Get;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::response::ResponseBuilder;

use super::operation::{Event, Operation, route};
use super::schemas::{named, number, object, text, time_or_null, word};

pub(super) fn operations() -> Vec<Operation> {
    vec![channel(), everywhere()]
}

fn channel() -> Operation {
    let gone = [("id", text("Which message.").into()), ("seq", number("Its place.").into())];
    let name = [("name", text("What it was called.").into())];
    let who = || object("", [("user", named("User"))]).into();
    let moved = || {
        let online = number("How many users listen to the channel now.");
        object("", [("user", named("User")), ("online", online.into())]).into()
    };
    let events = vec![
        Event("message", true, "A new message.", named("Message")),
        Event("message-updated", true, "A message was edited or reacted to.", named("Message")),
        Event(
            "message-deleted",
            true,
            "A message was deleted. One that 100 later ones have pushed out is gone without an event.",
            object("", gone).into(),
        ),
        reset("All that is stored follows as `message`: forget what you have."),
        Event("joined", false, "A user began to listen to the channel.", moved()),
        Event("left", false, "A user's last stream on the channel ended 5 seconds ago.", moved()),
        presence("How many users listen to the channel now."),
        Event("typing", false, "A user is typing.", who()),
        Event("channel-updated", true, "The topic changed.", named("Channel")),
        Event(
            "channel-deleted",
            true,
            "The channel is gone. The stream ends.",
            object("", name).into(),
        ),
        ping(),
    ];
    let operation =
        route(Get, "/channels/{channel}/events", "Streams", "listen", "Listen to a channel");
    stream(operation, events)
        .about(
            "Resuming misses nothing, repeats nothing and keeps the order, across restarts too. \
             What can no longer be resumed (too old, of another channel or store, or no cursor at \
             all) begins with `reset` and all that is stored; never a silent gap, never a 4xx for \
             a cursor. A client that reads too slowly gets a `reset`, too.\n\nIt answers at once, \
             with `retry:` before any event, and ends when the session is signed out (coming back \
             then gives 401), the channel is deleted, or the server stops.",
        )
        .takes(
            ParameterIn::Query,
            "after",
            false,
            "Where to start: an event's id or a history's `cursor`; `0`: everything that is \
             stored, then live; nothing: from now on.",
        )
        .curl(r#"curl -sN "$url/api/channels/general/events?after=0" -H "Authorization: Bearer $token""#)
}

fn everywhere() -> Operation {
    let name = [("name", text("What it was called.").into())];
    let who = || object("", [("user", named("User"))]).into();
    let activity = [
        ("channel", text("As the list of channels names it.").into()),
        ("channel_id", text("Its id.").into()),
        ("unread", number("How many messages the caller has not read there.").into()),
        ("mentions", number("How many of them name the caller.").into()),
        ("last_message_at", time_or_null("When its latest kept message was sent.")),
    ];
    let events = vec![
        Event(
            "channel-created",
            true,
            "There is a new channel, or a direct conversation has its first message.",
            named("Channel"),
        ),
        Event("channel-updated", true, "A channel's topic changed.", named("Channel")),
        Event("channel-deleted", true, "A channel is gone.", object("", name).into()),
        Event(
            "activity",
            true,
            "Something is new in a channel, or it was read on another device.",
            object("", activity).into(),
        ),
        Event("online", false, "A user opened their first stream.", who()),
        Event("offline", false, "A user's last stream ended 5 seconds ago.", who()),
        presence("How many users have a stream now."),
        Event("renamed", false, "A user is called otherwise now.", who()),
        reset("Read the list of channels again: nothing follows."),
        ping(),
    ];
    let operation =
        route(Get, "/events", "Streams", "listenEverywhere", "Listen to what happens everywhere");
    stream(operation, events)
        .about(
            "All that the caller can see: channels, what is unread, who is here. It resumes as a \
             channel's stream does, but a `reset` is followed by nothing: read `/api/channels` \
             again.",
        )
        .takes(
            ParameterIn::Query,
            "after",
            false,
            "Where to start: an event's id; `0` or nothing: from now on.",
        )
        .curl(r#"curl -sN "$url/api/events" -H "Authorization: Bearer $token""#)
}

fn stream(operation: Operation, events: Vec<Event>) -> Operation {
    let body = text(
        "Events in the format of the WHATWG's *Server-sent events*, each with `event`, `data` \
         (JSON on one line) and, where it lasts, `id`. See `x-events`.",
    );
    let content = ContentBuilder::new().schema(Some(body)).build();
    let answer =
        ResponseBuilder::new().description("The stream.").content("text/event-stream", content);
    operation
        .tells(events)
        .takes(
            ParameterIn::Header,
            "Last-Event-ID",
            false,
            "The id of the last event that the client has; an `EventSource` sends it by itself. It \
             goes before `after`.",
        )
        .answers_with(200, answer)
        .header("Cache-Control", "`no-store, no-transform`.")
        .header("X-Accel-Buffering", "`no`: proxies pass each event on at once.")
}

fn reset(about: &'static str) -> Event {
    let why = "The cursor is older than what is kept; it is of another store or channel, or none; or \
               the client read too slowly.";
    let reason = [("reason", word(why, ["too-old", "unknown-cursor", "too-slow"]))];
    Event("reset", true, about, object("", reason).into())
}

fn presence(count: &'static str) -> Event {
    let about = "People came or went where more than 100 are: at most once a second, instead of an \
                 event for each of them. The list tells who is there.";
    Event("presence", false, about, object("", [("online", number(count).into())]).into())
}

fn ping() -> Event {
    let about = "Every 20 seconds, so that a dead connection can be told from a quiet one.";
    Event("ping", false, about, object("", []).into())
}
