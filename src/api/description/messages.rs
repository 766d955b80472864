//! Messages, their files and reactions, and search.

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::HttpMethod::{Delete, Get, Post, Put};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::response::ResponseBuilder;

use super::operation::{Operation, route};
use super::schemas::{list, named, object, text};
use crate::api::problem::Kind::{
    EmptyMessage, InvalidMessageId, InvalidReaction, InvalidText, MalformedRequest,
    NoSuchAttachment, NoSuchMessage, NotYours, RangeNotSatisfiable, SlowDown, StorageUnavailable,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![history(), send(), replace(), show(), remove(), react(), unreact(), file(), search()]
}

const ONE: &str = "/channels/{channel}/messages/{id}";
const REACTION: &str = "/channels/{channel}/messages/{id}/reactions/{reaction}";

fn history() -> Operation {
    route(
        Get,
        "/channels/{channel}/messages",
        "Messages",
        "history",
        "Read all that a channel keeps",
    )
    .answers(200, "At most the 100 latest messages, oldest first.", named("History"))
    .curl(r#"curl -s "$url/api/channels/general/messages" -H "Authorization: Bearer $token""#)
}

/// Takes a message in any of the forms in which one can be sent.
fn takes_message(operation: Operation) -> Operation {
    let said = || {
        text(
            "1 to 4,000 characters (code points) without NUL, trimmed, as `CommonMark`; fewer only when there is a file.",
        )
    };
    let file = text("A file.").content_media_type("application/octet-stream");
    let form = [("text?", said().into()), ("file?", list(file.into()))];
    operation
        .takes_body(
            "The text, in any of these forms; only a multipart form can have files, at most 10 \
             parts named `file`. A urlencoded body that does not begin with `text=` is the text \
             itself, undecoded: `curl -d 'Hello'` does what one would think.",
            [
                ("application/json", object("", [("text", said().into())]).into()),
                ("text/plain", said().into()),
                ("multipart/form-data", object("", form).into()),
                ("application/x-www-form-urlencoded", object("", [("text", said().into())]).into()),
            ],
        )
        .refuses(&[InvalidText, EmptyMessage, SlowDown, StorageUnavailable])
}

fn send() -> Operation {
    let operation =
        route(Post, "/channels/{channel}/messages", "Messages", "send", "Send a message");
    takes_message(operation)
        .about(
            "Under an id of the server's choice; where sending again must not say it twice, PUT it \
             under an id of your own. A message with files is counted before they are received, and \
             a user sends at most 4 such at a time: past that, 429.",
        )
        .answers(201, "The message. It is kept.", named("Message"))
        .header("Location", "The message's address.")
        .curl(r#"curl -s "$url/api/channels/general/messages" -H "Authorization: Bearer $token" -F text='The plan' -F file=@README.md"#)
}

fn replace() -> Operation {
    takes_message(route(Put, ONE, "Messages", "put", "Send a message under an id of one's own, or edit it"))
        .about(
            "A new id in the channel sends a message; the id of one's own message edits it. So a \
             retry never posts twice while the message is kept, and a script can keep one line up \
             to date. The same content again changes nothing and tells nobody. A body of text alone \
             leaves the message's files as they are, a multipart body replaces both. The id of a \
             message that is gone may be used anew.",
        )
        .answers(201, "The message is new.", named("Message"))
        .header("Location", "The message's address.")
        .answers(200, "The message has this content now.", named("Message"))
        .refuses(&[InvalidMessageId, NotYours])
        .curl(r#"curl -s -X PUT "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token" -H 'Content-Type: text/plain' -d 'T minus 10'"#)
}

fn show() -> Operation {
    route(Get, ONE, "Messages", "message", "Read one message")
        .answers(200, "The message.", named("Message"))
        .refuses(&[NoSuchMessage])
        .curl(r#"curl -s "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token""#)
}

fn remove() -> Operation {
    route(Delete, ONE, "Messages", "deleteMessage", "Delete a message")
        .about("With its files. Its author may, and in a public channel the channel's creator.")
        .answers_nothing(204, "It is gone.")
        .refuses(&[NoSuchMessage, NotYours, SlowDown, StorageUnavailable])
        .curl(r#"curl -s -X DELETE "$url/api/channels/general/messages/status" -H "Authorization: Bearer $token""#)
}

fn reacting(operation: Operation) -> Operation {
    operation.refuses(&[NoSuchMessage, InvalidReaction, SlowDown, StorageUnavailable])
}

fn react() -> Operation {
    reacting(route(Put, REACTION, "Messages", "react", "React to a message"))
        .about("Doing it again changes nothing. A message takes 1,000 reactions: past that, 403.")
        .answers_nothing(204, "The reaction is there.")
        .curl(r#"curl -s -X PUT "$url/api/channels/general/messages/status/reactions/%F0%9F%9A%80" -H "Authorization: Bearer $token""#)
}

fn unreact() -> Operation {
    reacting(route(Delete, REACTION, "Messages", "unreact", "Take a reaction back"))
        .about("Where there is none, nothing changes.")
        .answers_nothing(204, "The reaction is not there.")
        .curl(r#"curl -s -X DELETE "$url/api/channels/general/messages/status/reactions/%F0%9F%9A%80" -H "Authorization: Bearer $token""#)
}

/// A file's bytes as an answer.
fn bytes(about: &str) -> ResponseBuilder {
    let bytes = text("").content_media_type("application/octet-stream");
    let content = ContentBuilder::new().schema(Some(bytes)).build();
    ResponseBuilder::new().description(about).content("*/*", content)
}

fn file() -> Operation {
    const ETAG: &str = "The version of the bytes, for `If-None-Match` and `If-Range`.";
    route(Get, "/attachments/{id}/{filename}", "Messages", "file", "Fetch a message's file")
        .about(
            "For those who can read its message. Images, audio and video that browsers show safely \
             come inline, everything else (HTML and SVG above all) as a download, with `nosniff` \
             and a sandboxing policy.",
        )
        .takes(ParameterIn::Header, "Range", false, "A part, in bytes: `bytes=0-99`. Several at once give the whole file.")
        .takes(ParameterIn::Header, "If-Range", false, "The part is wanted only of this version; else the whole file.")
        .takes(ParameterIn::Header, "If-None-Match", false, "The versions that the client has.")
        .answers_with(200, bytes("The whole file, in its own media type."))
        .header("ETag", ETAG)
        .header("Accept-Ranges", "`bytes`.")
        .header("Content-Disposition", "`inline` or `attachment`, and the file's name.")
        .answers_with(206, bytes("The part that was asked for."))
        .header("Content-Range", "Which bytes of how many.")
        .header("ETag", ETAG)
        .answers_nothing(304, "The client has this version already.")
        .header("ETag", ETAG)
        .refuses(&[NoSuchAttachment, RangeNotSatisfiable, StorageUnavailable])
        .curl(r#"curl -s "$url/api/attachments/$id/README.md" -H "Authorization: Bearer $token" -H 'Range: bytes=0-99'"#)
}

fn search() -> Operation {
    route(Get, "/search", "Messages", "search", "Search wherever one can read")
        .about(
            "At most 50 messages, newest first, that have all the words, parted by white space and \
             in any case, in their text or in a file's name. Words match within words; past the \
             16th they are ignored; no words find nothing.",
        )
        .takes(ParameterIn::Query, "q", true, "The words.")
        .answers(200, "What was found.", object("", [("messages", list(named("Message")))]))
        .refuses(&[MalformedRequest, SlowDown])
        .curl(r#"curl -s -G "$url/api/search" -H "Authorization: Bearer $token" --data-urlencode q='lift off'"#)
}
