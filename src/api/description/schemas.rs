//! What is sent and answered, by name.

use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, KnownFormat, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr};

use crate::api::problem::Kind;
use crate::domain::entry::KEPT_MESSAGES;

type Any = RefOr<Schema>;

/// One of `all`, by its name.
pub(super) fn named(name: &str) -> Any {
    Ref::from_schema_name(name).into()
}

/// A list of these.
pub(super) fn list(items: Any) -> Any {
    ArrayBuilder::new().items(items).into()
}

/// A text that is this.
pub(super) fn text(about: &str) -> ObjectBuilder {
    plain(Type::String, about)
}

/// A whole number that is this, never below 0.
pub(super) fn number(about: &str) -> ObjectBuilder {
    plain(Type::Integer, about).minimum(Some(0))
}

/// An object with these fields, all of them there unless the name ends in `?`.
pub(super) fn object<const N: usize>(about: &str, fields: [(&str, Any); N]) -> ObjectBuilder {
    fields.into_iter().fold(plain(Type::Object, about), |object, (name, schema)| {
        match name.strip_suffix('?') {
            Some(name) => object.property(name, schema),
            None => object.property(name, schema).required(name),
        }
    })
}

/// One of a few words.
pub(super) fn word<const N: usize>(about: &str, words: [&str; N]) -> Any {
    text(about).enum_values(Some(words)).into()
}

fn plain(kind: Type, about: &str) -> ObjectBuilder {
    let about = Some(about).filter(|about| !about.is_empty());
    ObjectBuilder::new().schema_type(kind).description(about)
}

pub(super) fn time(about: &str) -> Any {
    text(about).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
}

/// A time, or `null`.
pub(super) fn time_or_null(about: &str) -> Any {
    plain(Type::String, about)
        .schema_type(SchemaType::Array(vec![Type::String, Type::Null]))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

fn user_or_null(about: &str) -> Any {
    let nothing = ObjectBuilder::new().schema_type(Type::Null);
    AnyOfBuilder::new().item(named("User")).item(nothing).description(Some(about)).into()
}

/// The field of a request in which a user's name is typed.
pub(super) fn display_name() -> Any {
    text(
        "1 to 32 characters after the RFC 8266 Nickname profile, by which names are compared, too: \
         `Ada`, ` ADA ` and `ａｄａ` are one. No control or invisible characters, no `/`, not \
         starting with `@` or `#`.",
    )
    .into()
}

/// The field of a request in which a topic is typed.
pub(super) fn topic() -> Any {
    text("One line of at most 250 characters.").into()
}

/// Each schema that has a name.
pub(super) fn all() -> Vec<(&'static str, Any)> {
    vec![
        ("User", user()),
        ("Session", session()),
        ("Channel", channel()),
        ("Message", message()),
        ("Attachment", attachment()),
        ("Reaction", reaction()),
        ("History", history()),
        ("Problem", problem()),
    ]
}

fn user() -> Any {
    let fields = [
        ("id", text("Who they are, whatever they are called.").into()),
        ("display_name", text("What they are called now.").into()),
    ];
    object("Somebody.", fields).into()
}

fn session() -> Any {
    let token = text("The session's secret. Told once, to whoever has just signed in.");
    object("Who the caller is.", [("user", named("User")), ("token?", token.into())]).into()
}

fn channel() -> Any {
    let with = AllOfBuilder::new().item(named("User"));
    let with =
        with.description(Some("Of a direct conversation: the other one; of notes, oneself."));
    let fields = [
        ("id", text("Which channel, whatever it is called.").into()),
        (
            "name",
            text("A public channel's name; of a direct conversation, `@` and the other one's present display name.").into(),
        ),
        ("kind", word("Who can see it: everybody, or its two users.", ["public", "direct"])),
        ("with?", with.into()),
        ("topic", text("What it is about; empty where there is none.").into()),
        ("created_by", user_or_null("Who created it; `null` for `general` and direct conversations.")),
        (
            "created_at",
            time_or_null("`null` for a direct conversation without a message."),
        ),
        ("last_message_at", time_or_null("When its latest kept message was sent.")),
        ("unread", number("How many kept messages of others come after what the caller has read.").into()),
        ("mentions", number("How many of those name the caller.").into()),
    ];
    object("A channel, as the caller sees it.", fields).into()
}

fn message() -> Any {
    let fields = [
        ("id", text("Its id within the channel.").into()),
        ("seq", number("Orders a channel's messages; never changes, and a later message has a larger one.").into()),
        (
            "channel",
            text("The public channel's name; in a direct conversation `id:` and its id, the same for both.").into(),
        ),
        ("author", named("User")),
        ("text", text("What was sent, trimmed. Empty only when there is a file.").into()),
        (
            "html",
            text("Its safe rendering: CommonMark without raw HTML or images, with strikethrough, bare links linked, line breaks kept.").into(),
        ),
        ("sent_at", time("When it was stored.")),
        ("edited_at", time_or_null("When its content last changed.")),
        ("attachments", list(named("Attachment"))),
        ("reactions", list(named("Reaction"))),
    ];
    object("A message that is kept.", fields).into()
}

fn attachment() -> Any {
    let fields = [
        ("id", text("Which file.").into()),
        ("name", text("What its sender called it.").into()),
        ("media_type", text("What it is, by its bytes, whatever the sender said.").into()),
        ("size", number("In bytes.").into()),
        ("url", text("Where its bytes are, as a path on this server.").into()),
        ("width?", number("Of an image: as it is shown, in pixels.").into()),
        ("height?", number("Of an image: as it is shown, in pixels.").into()),
    ];
    object("A file of a message.", fields).into()
}

fn reaction() -> Any {
    let fields = [
        ("reaction", text("An emoji, or a few characters of text.").into()),
        ("users", list(named("User"))),
    ];
    object("A reaction, with those who gave it, in the order in which they did.", fields).into()
}

fn history() -> Any {
    let fields = [
        ("messages", list(named("Message"))),
        (
            "cursor",
            text("The point in the channel's stream that this is true at: listen `?after=` it.")
                .into(),
        ),
        (
            "kept",
            number("How many messages a channel keeps at most.")
                .minimum(Some(KEPT_MESSAGES))
                .into(),
        ),
    ];
    object("All that a channel keeps, oldest first.", fields).into()
}

fn problem() -> Any {
    // The one that only pages give is no problem of the API.
    let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::NoSuchLink);
    let types = kinds.map(|kind| format!("/problems/{}", kind.slug()));
    let fields = [
        (
            "type",
            text("Which problem: a path that answers with an explanation.")
                .enum_values(Some(types))
                .into(),
        ),
        ("title", text("What it is called.").into()),
        ("status", number("The answer's status.").into()),
        ("detail", text("What went wrong this time, in plain English.").into()),
        ("field?", text("The one input field at fault, if one is.").into()),
    ];
    object("A refusal (RFC 9457).", fields).into()
}
