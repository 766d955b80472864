//! The table of all kinds of problems: status, slug, title and explanation of each.

use rocket::http::Status;
use serde::{Serialize, Serializer};

/// The kind of a problem. Its name in the API is the last part of a problem's `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request cannot be read.
    MalformedRequest,
    /// No live session came with the request.
    SignInRequired,
    /// The thing to change belongs to somebody else.
    NotYours,
    /// The request is not allowed, to this user or to anybody, or another site made it.
    NotAllowed,
    /// A bound on how many there may be is reached.
    LimitReached,
    /// There is no such channel, or none that the caller can see.
    NoSuchChannel,
    /// No user has the name in an `@name` reference.
    NoSuchUser,
    /// The channel keeps no message with this id.
    NoSuchMessage,
    /// There is no such file, or none that the caller can see.
    NoSuchAttachment,
    /// The one-time link does not exist, or no longer works.
    NoSuchLink,
    /// The caller has no such session.
    NoSuchSession,
    /// The channel has no such hook, or none that the caller can see.
    NoSuchHook,
    /// No route has this path.
    NotFound,
    /// The path has routes, but none for this method.
    MethodNotAllowed,
    /// Another user holds an equal display name, or one that looks like it.
    DisplayNameTaken,
    /// A channel of that name exists.
    ChannelExists,
    /// The session belongs to a user of another name.
    AlreadySignedIn,
    /// The request body came to a halt, or took too long.
    RequestTimeout,
    /// The body, a file, or all files together are too large.
    TooLarge,
    /// The media type of the body is missing or not understood.
    UnsupportedMediaType,
    /// The requested range lies outside of the file.
    RangeNotSatisfiable,
    /// The display name breaks a rule.
    InvalidDisplayName,
    /// The channel name breaks a rule.
    InvalidChannelName,
    /// The text is too long or has a NUL, the name of a token breaks a rule, or hooks cannot post to the
    /// address.
    InvalidText,
    /// The message has neither text nor file.
    EmptyMessage,
    /// The message id breaks a rule.
    InvalidMessageId,
    /// The reaction breaks a rule.
    InvalidReaction,
    /// The topic breaks a rule.
    InvalidTopic,
    /// A rate limit is reached.
    SlowDown,
    /// The server has a defect; its log has the cause.
    InternalError,
    /// The log or the files cannot be written or read at present.
    StorageUnavailable,
    /// The server has no free stream, or a change kept losing against concurrent ones.
    TooBusy,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 32] = [
        Self::MalformedRequest,
        Self::SignInRequired,
        Self::NotYours,
        Self::NotAllowed,
        Self::LimitReached,
        Self::NoSuchChannel,
        Self::NoSuchUser,
        Self::NoSuchMessage,
        Self::NoSuchAttachment,
        Self::NoSuchLink,
        Self::NoSuchSession,
        Self::NoSuchHook,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::DisplayNameTaken,
        Self::ChannelExists,
        Self::AlreadySignedIn,
        Self::RequestTimeout,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::InvalidDisplayName,
        Self::InvalidChannelName,
        Self::InvalidText,
        Self::EmptyMessage,
        Self::InvalidMessageId,
        Self::InvalidReaction,
        Self::InvalidTopic,
        Self::SlowDown,
        Self::InternalError,
        Self::StorageUnavailable,
        Self::TooBusy,
    ];

    /// The row of the table: status, slug, title, explanation.
    #[expect(clippy::too_many_lines, reason = "a table, an entry a kind")]
    pub(super) fn entry(self) -> (Status, &'static str, &'static str, &'static str) {
        match self {
            Self::MalformedRequest => (
                Status::BadRequest,
                "malformed-request",
                "Malformed request",
                "The request could not be read: broken JSON, bytes that are not UTF-8, or a field \
                 that is missing or of another type. `field` names the one at fault.",
            ),
            Self::SignInRequired => (
                Status::Unauthorized,
                "sign-in-required",
                "Sign in first",
                "The request came without a live session. POST a display name to /api/session, \
                 and send the token as `Authorization: Bearer` or keep the cookie.",
            ),
            Self::NotYours => (
                Status::Forbidden,
                "not-yours",
                "Not yours",
                "What the request wants to change belongs to somebody else.",
            ),
            Self::NotAllowed => (
                Status::Forbidden,
                "not-allowed",
                "Not allowed",
                "Nobody may do that, or not this user, or the request was made by another web \
                 site with this browser's cookie.",
            ),
            Self::LimitReached => (
                Status::Forbidden,
                "limit-reached",
                "Limit reached",
                "There is as much of something as this server allows: channels, direct \
                 conversations, hooks, sessions, preferences, or reactions. `detail` says of what. Whoever \
                 runs the server can raise the limit in its settings.",
            ),
            Self::NoSuchChannel => (
                Status::NotFound,
                "no-such-channel",
                "No such channel",
                "There is no channel of that name or id, or none that this user can see.",
            ),
            Self::NoSuchUser => (
                Status::NotFound,
                "no-such-user",
                "No such user",
                "Nobody holds the name after the `@`: they may be called otherwise now, or have \
                 left. What was said with them is still there under `id:` and the channel's id.",
            ),
            Self::NoSuchMessage => (
                Status::NotFound,
                "no-such-message",
                "No such message",
                "The channel keeps no message of that id, or none that the caller can restore. Of each \
                 channel the last 100 are kept; a deleted one can be restored for 15 seconds, by \
                 whoever deleted it.",
            ),
            Self::NoSuchAttachment => (
                Status::NotFound,
                "no-such-attachment",
                "No such file",
                "No message that the caller can read has this file. A file goes with its message.",
            ),
            Self::NoSuchLink => (
                Status::NotFound,
                "no-such-link",
                "No such link",
                "The link signs nobody in, or no longer: it works once, for ten minutes, until the \
                 server starts again or its user has signed out everywhere. Make a new one on the \
                 device that is signed in.",
            ),
            Self::NoSuchSession => (
                Status::NotFound,
                "no-such-session",
                "No such session",
                "The caller has no session of this id: it has ended, or is somebody else's.",
            ),
            Self::NoSuchHook => (
                Status::NotFound,
                "no-such-hook",
                "No such hook",
                "The channel has no hook of this id, or none in this direction: it was deleted, or is \
                 another channel's.",
            ),
            Self::NotFound => {
                (Status::NotFound, "not-found", "Not found", "Nothing is at this address.")
            }
            Self::MethodNotAllowed => (
                Status::MethodNotAllowed,
                "method-not-allowed",
                "Method not allowed",
                "Something is at this address, but it does not take this method. `Allow` lists \
                 those that it takes.",
            ),
            Self::DisplayNameTaken => (
                Status::Conflict,
                "display-name-taken",
                "Display name taken",
                "Somebody holds this name, one that compares equal to it (RFC 8266), or one that \
                 looks like it (UTS #39), as with letters of another script.",
            ),
            Self::ChannelExists => (
                Status::Conflict,
                "channel-exists",
                "Channel exists",
                "There is a channel of this name already. Names are compared in lower case.",
            ),
            Self::AlreadySignedIn => (
                Status::Conflict,
                "already-signed-in",
                "Already signed in",
                "This session belongs to a user of another name. Rename it with PATCH, or DELETE \
                 it first.",
            ),
            Self::RequestTimeout => (
                Status::RequestTimeout,
                "request-timeout",
                "Request timeout",
                "Nothing came of the body for half a minute, or it came too slowly: it may take a \
                 minute, and a second more for each 16 KiB. Send it again.",
            ),
            Self::TooLarge => (
                Status::PayloadTooLarge,
                "too-large",
                "Too large",
                "The body is larger than 64 KiB, a file is larger than this server takes, a message \
                 has more files than one can have, or there is no room for more files or texts.",
            ),
            Self::RangeNotSatisfiable => (
                Status::RangeNotSatisfiable,
                "range-not-satisfiable",
                "Range not satisfiable",
                "The file has none of the bytes that `Range` asks for. `Content-Range` says how \
                 long it is.",
            ),
            Self::UnsupportedMediaType => (
                Status::UnsupportedMediaType,
                "unsupported-media-type",
                "Unsupported media type",
                "The body's Content-Type is missing or not one that is understood here.",
            ),
            Self::InvalidDisplayName => (
                Status::UnprocessableEntity,
                "invalid-display-name",
                "Invalid display name",
                "A display name has 1 to 32 characters, no control or invisible ones, no `/`, and \
                 does not start with `@` or `#` (RFC 8266, Nickname profile).",
            ),
            Self::InvalidChannelName => (
                Status::UnprocessableEntity,
                "invalid-channel-name",
                "Invalid channel name",
                "A channel name has 1 to 64 letters, digits and marks of any script, `-`, `_` and \
                 `.` (RFC 8265, UsernameCaseMapped profile).",
            ),
            Self::InvalidText => (
                Status::UnprocessableEntity,
                "invalid-text",
                "Invalid text",
                "A message has at most 4,000 characters, none of them NUL. The name of a token is one \
                 line of 1 to 64 characters, with something to see. A hook posts to an `http` or \
                 `https` address of at most 2,000 characters, of a public host, without a user or \
                 password.",
            ),
            Self::EmptyMessage => (
                Status::UnprocessableEntity,
                "empty-message",
                "Empty message",
                "A message needs some text or a file: white space alone is not enough.",
            ),
            Self::InvalidMessageId => (
                Status::UnprocessableEntity,
                "invalid-message-id",
                "Invalid message id",
                "A message id has 1 to 64 characters of A-Z, a-z, 0-9, `_` and `-`.",
            ),
            Self::InvalidReaction => (
                Status::UnprocessableEntity,
                "invalid-reaction",
                "Invalid reaction",
                "A reaction is one emoji or up to 16 visible characters, without spaces at the ends.",
            ),
            Self::InvalidTopic => (
                Status::UnprocessableEntity,
                "invalid-topic",
                "Invalid topic",
                "A topic is one line of at most 250 characters.",
            ),
            Self::SlowDown => (
                Status::TooManyRequests,
                "slow-down",
                "Slow down",
                "Too many in too short a time. A user may send 60 messages at once and 10 a \
                 second after that, make 600 other changes at once and 50 a second after that, and \
                 read 600 small things at once and 60 a second after that (large ones count as \
                 many); all users of one address together ten times as much. An address may sign \
                 in 30 times at once and once in 2 seconds after that. `Retry-After` says how many \
                 seconds to wait.",
            ),
            Self::InternalError => (
                Status::InternalServerError,
                "internal-error",
                "Internal error",
                "Something went wrong on this side. The server's log says what.",
            ),
            Self::StorageUnavailable => (
                Status::ServiceUnavailable,
                "storage-unavailable",
                "Storage unavailable",
                "What is kept cannot be written or read at the moment. Try again after the seconds \
                 of `Retry-After`: what is PUT under the same id again is never there twice.",
            ),
            Self::TooBusy => (
                Status::ServiceUnavailable,
                "too-busy",
                "Too busy",
                "The server has as many open streams as it can serve, is about to stop, or others \
                 changed the same thing again and again meanwhile. Nothing was changed. Try again after the seconds \
                 of `Retry-After`.",
            ),
        }
    }

    /// The status of an answer with this kind of problem.
    #[must_use]
    pub fn status(self) -> Status {
        self.entry().0
    }

    /// The name in the API: the last part of `type`.
    #[must_use]
    pub fn slug(self) -> &'static str {
        self.entry().1
    }

    /// The name for people, in plain English.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// The explanation of this kind, in plain English.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.entry().3
    }

    pub(super) fn from_status(status: Status) -> Self {
        match status.code {
            401 => Self::SignInRequired,
            403 => Self::NotAllowed,
            404 | 422 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMediaType,
            416 => Self::RangeNotSatisfiable,
            400..500 => Self::MalformedRequest,
            503 => Self::StorageUnavailable,
            _ => Self::InternalError,
        }
    }
}

impl Serialize for ProblemKind {
    /// Serializes the slug.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}
