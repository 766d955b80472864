//! Messages as clients see them.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::url;
use super::user::UserView;
use crate::domain::attachment::{Attachment, FileName};
use crate::domain::ids::{AttachmentId, MessageId, Seq};
use crate::domain::media_type::MediaType;
use crate::domain::message::{Message, Text};
use crate::domain::preview::Preview;
use crate::domain::reaction::{Reaction, ReactionGroup};
use crate::domain::time::Timestamp;

/// A message that is kept.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView<'a> {
    /// The message's id within the channel.
    #[schema(value_type = String)]
    id: &'a MessageId,
    /// The message's place in the channel. It never changes, and a later message has a larger one.
    #[schema(value_type = u64)]
    seq: Seq,
    /// The public channel's name; in a direct conversation `id:` and its id, the same for both.
    channel: &'a str,
    /// The author, under their present name; or the hook, under the name that came with the message.
    author: UserView,
    /// The text as it was sent, trimmed, its lines ended by `\n`. Empty only where there is a file.
    #[schema(value_type = String)]
    text: &'a Text,
    /// The text's safe rendering, at most 32 KiB: `CommonMark` with GitHub's tables, task lists and
    /// strikethrough, without raw HTML or images, with line breaks kept. Bare addresses (`http`,
    /// `https`, `mailto`), mentions (`@Ada`, `<a data-user="…">` but in quotations; `@here`,
    /// `<span data-here>`), channels (`#general`) and emoji (`:tada:`) are found in the text as it was
    /// written, outside code. Code has its language in `<pre data-language>`. What would show nothing, is
    /// a link to nowhere, or would be longer is shown as it was written. In a hook's message an attachment
    /// is a `<section>`, whose `data-hue` (0 to 23) is the hue of its colour in 24ths of the circle of
    /// OKLCH; fields are a `<dl>` of `<div>`s (`data-wide` where one has both columns), small print is a
    /// `<footer>`.
    html: Cow<'a, str>,
    /// The time at which it was stored.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// The time of its latest edit; `null` where it was never edited.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    edited_at: Option<Timestamp>,
    /// The files, in the order in which they were sent.
    attachments: Vec<AttachmentView<'a>>,
    /// The reactions, in the order of the first of each.
    reactions: Vec<ReactionView<'a>>,
    /// The previews of its links, in the order of these: at most three. They come after the message, told as
    /// `message-updated`: the server fetches each page (within 2 seconds, 512 KiB of HTML, no link twice
    /// within a minute) unless it was told not to. Links in code, in quotations and in the cards of hooks
    /// have none, nor have pages without a title, or with `nosnippet` in `<meta name="robots">`. An edit
    /// drops those of links that are gone, and fetches those of links that are new.
    previews: Vec<PreviewView<'a>>,
    /// `true` once its author has hidden its previews; else it is left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    previews_hidden: bool,
    /// Only where a hook wrote it: `author` is the hook then, no user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, inline)]
    hook: Option<HookMarkView<'a>>,
}

/// The mark of a message that a hook wrote.
#[derive(Serialize, ToSchema)]
pub struct HookMarkView<'a> {
    /// An emoji to show in place of a picture, where the sender chose one (`icon_emoji`).
    #[schema(required = true)]
    icon: Option<&'a str>,
}

/// What a page that a message links to said of itself when the message was sent. All texts are one line
/// of plain text.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub struct PreviewView<'a> {
    /// The link, as it is in `html`.
    url: &'a str,
    /// The host and, after ` · `, what the page calls its site where it does: at most 60 characters each.
    site: &'a str,
    /// The title, at most 200 characters.
    title: &'a str,
    /// The description, at most 400 characters; may be empty.
    description: &'a str,
    /// The picture, where the page has one of at most 2 MiB that is shown in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, inline)]
    picture: Option<PictureView>,
}

/// The picture of a preview.
#[derive(Serialize, ToSchema)]
pub struct PictureView {
    /// The address of the bytes, as a path on this server: nobody who reads the message is known to the
    /// page's server.
    url: String,
    /// The width, in pixels, as the server measured it.
    width: u32,
    /// The height, in pixels.
    height: u32,
}

/// A file of a message.
#[derive(Serialize, ToSchema)]
#[schema(as = Attachment)]
pub struct AttachmentView<'a> {
    /// The file's id.
    #[schema(value_type = String)]
    id: &'a AttachmentId,
    /// The file's name, as its sender gave it, without controls. In a text with names of other
    /// writing directions, isolate it.
    #[schema(value_type = String)]
    name: &'a FileName,
    /// The media type, by the file's bytes, whatever the sender said.
    #[schema(value_type = String)]
    media_type: &'a MediaType,
    /// The size, in bytes.
    size: u64,
    /// The address of the bytes, as a path on this server.
    url: String,
    /// The width of an image as it is shown, in pixels. Only an image that is meant to be shown in
    /// place has it: PNG, JPEG, GIF, WebP, AVIF or BMP, of at most 32,767 pixels a side and 134,217,728
    /// in all. Of orientations, that of Exif counts in a JPEG alone, and `irot` in an AVIF.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    width: Option<u32>,
    /// The height of an image as it is shown, in pixels; it is there where `width` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    height: Option<u32>,
}

/// A reaction, with the users who gave it.
#[derive(Serialize, ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionView<'a> {
    /// An emoji, or a few characters of text.
    #[schema(value_type = String)]
    reaction: &'a Reaction,
    /// The users who gave it, in the order in which they did.
    users: Vec<UserView>,
}

/// All messages that a channel keeps.
#[derive(ToSchema)]
pub struct History<'a> {
    /// The messages, at most `kept` of them, oldest first.
    pub messages: Vec<MessageView<'a>>,
    /// The point in the channel's stream at which this list is true: listen `?after=` it.
    pub cursor: String,
    /// The number of messages that a channel keeps at most.
    #[schema(minimum = 1)]
    pub kept: usize,
}

/// The messages that a search has found.
#[derive(ToSchema)]
pub struct SearchResults<'a> {
    /// The messages, newest first.
    pub messages: Vec<MessageView<'a>>,
}

/// A message's body as JSON or as a form: its text alone.
#[derive(Deserialize, ToSchema)]
pub struct TextBody {
    /// 1 to 4,000 characters (code points) without NUL, as `CommonMark`. CR LF and CR become `\n`,
    /// and white space at both ends is trimmed, before they are counted. Empty only where the message
    /// has a file already.
    #[schema(examples("T minus 10, **and counting**"))]
    pub text: String,
}

/// A message's body as `multipart/form-data`: its text, its files, or both.
#[derive(ToSchema)]
pub struct MultipartBody {
    /// At most 4,000 characters (code points) without NUL, as `CommonMark`. CR LF and CR become `\n`,
    /// and white space at both ends is trimmed, before they are counted. It can be left out where
    /// there is a file.
    #[schema(nullable = false)]
    pub text: Option<String>,
    /// The files, at most 10.
    #[schema(inline, nullable = false)]
    pub file: Option<Vec<FileBytes>>,
}

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, content_media_type = "application/octet-stream")]
pub struct FileBytes(pub Vec<u8>);

impl<'a> From<&'a Attachment> for AttachmentView<'a> {
    fn from(attachment: &'a Attachment) -> Self {
        Self {
            id: &attachment.id,
            name: &attachment.name,
            media_type: &attachment.media_type,
            size: attachment.size,
            url: url::attachment(attachment),
            width: attachment.dimensions.map(|it| it.width),
            height: attachment.dimensions.map(|it| it.height),
        }
    }
}

impl<'a> From<&'a Preview> for PreviewView<'a> {
    fn from(preview: &'a Preview) -> Self {
        let picture = preview.picture.as_ref().map(|picture| PictureView {
            url: url::picture(&picture.id),
            width: picture.dimensions.width,
            height: picture.dimensions.height,
        });
        let Preview { url, site, title, description, .. } = preview;
        Self { url, site, title, description, picture }
    }
}

impl<'a> From<&'a ReactionGroup> for ReactionView<'a> {
    fn from(group: &'a ReactionGroup) -> Self {
        let users = group.users.iter().map(|person| UserView::from(&**person)).collect();
        Self { reaction: &group.reaction, users }
    }
}

/// Encodes a message as JSON. The bytes are cached in the message and shared by all who receive it,
/// until it changes or a name that it shows does.
///
/// `channel` is the channel's [reference](crate::domain::channel::Channel::reference).
///
/// # Panics
///
/// Never: a message always has a JSON form.
#[must_use]
pub fn json(message: &Message, channel: &str) -> Bytes {
    message.rendered(|| {
        let view = MessageView {
            id: &message.id,
            seq: message.seq,
            channel,
            author: (&*message.author).into(),
            text: &message.content.text,
            html: message.content.html(),
            sent_at: message.sent_at,
            edited_at: message.edited_at,
            attachments: message.content.attachments.iter().map(Into::into).collect(),
            reactions: message.reactions.iter().map(Into::into).collect(),
            previews: message.previews().iter().map(Into::into).collect(),
            previews_hidden: message.hides_previews(),
            hook: message.hook.as_ref().map(|mark| HookMarkView { icon: mark.icon.as_deref() }),
        };
        serde_json::to_vec(&view).expect("plain data").into()
    })
}
