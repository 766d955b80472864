//! Sessions, sign-in links and the list of users, as clients see them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::UserView;
use crate::domain::ids::SessionHandle;
use crate::domain::names::TokenName;
use crate::domain::time::Timestamp;

/// The body of `POST /api/session`.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    /// 1 to 32 characters after the RFC 8266 Nickname profile, by which names are compared, too:
    /// `Ada`, ` ADA ` and `ａｄａ` are one. No control or invisible characters, no `/`, not starting
    /// with `@` or `#`.
    #[schema(min_length = 1, examples("Ada"))]
    pub display_name: String,
}

/// The body of `PATCH /api/session`.
#[derive(Deserialize, ToSchema)]
pub struct Rename {
    /// The new display name, under the rules of signing in.
    #[schema(min_length = 1, examples("Ada L."))]
    pub display_name: String,
}

/// The answer to signing in.
#[derive(Serialize, ToSchema)]
pub struct SignedIn {
    /// The caller.
    pub user: UserView,
    /// The session's secret, for `Authorization: Bearer`. Told once, to whoever has just signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<String>,
}

/// The user that a session belongs to.
#[derive(Serialize, ToSchema)]
pub struct CurrentUser {
    /// The caller.
    pub user: UserView,
}

/// A session of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// The session's id, by which it can be ended. It is no secret.
    #[schema(value_type = String)]
    pub id: SessionHandle,
    /// The kind.
    pub kind: SessionKind,
    /// The name of a token; `null` for a session by signing in.
    #[schema(value_type = Option<String>, required = true)]
    pub name: Option<TokenName>,
    /// The browser and system, or the program, that signed in, in words: `Firefox on Windows`. `null`
    /// for a token, and where it is not known.
    #[schema(value_type = Option<String>, required = true)]
    pub client: Option<Arc<str>>,
    /// The time at which it began; where an earlier version of the server did not note that, of the
    /// earliest use that is known.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The time of its last request; from before the server was started, to the day.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: Timestamp,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// The kind of a session: `browser`, by a display name or a one-time link, or `token`, made for a
/// script under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// By a display name or a one-time link.
    Browser,
    /// Made for a script under a name.
    Token,
}

/// The sessions of the caller.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions, the one that was used last first.
    pub sessions: Vec<SessionView>,
}

/// The body of `POST /api/sessions`.
#[derive(Deserialize, ToSchema)]
pub struct CreateToken {
    /// A name by which the caller will know the token: one line of 1 to 64 characters.
    #[schema(min_length = 1, examples("backup script"))]
    pub name: String,
    /// Whether the token is for a bot. The caller is shown as one everywhere (`bot` in `User`), on
    /// earlier messages too, as long as they hold such a token: so it is for users who are programs.
    #[serde(default)]
    pub bot: bool,
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub struct CreatedToken {
    /// The session that it is for.
    pub session: SessionView,
    /// The session's secret, for `Authorization: Bearer`. Told this once.
    pub token: String,
}

/// A one-time link that signs another device in.
#[derive(Serialize, ToSchema)]
pub struct Link {
    /// The link's address.
    pub url: String,
    /// The end of its life, ten minutes after it was made.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The link as a QR code: an SVG image without anything around it, black on white, at most 256
    /// pixels wide, with a quiet zone and a title.
    pub qr_svg: String,
}

/// Every user who holds a name.
#[derive(Serialize, ToSchema)]
pub struct UserList {
    /// The users, in no particular order.
    #[schema(inline)]
    pub users: Vec<UserPresence>,
}

/// A user with their presence.
#[derive(Serialize, ToSchema)]
pub struct UserPresence {
    /// The user.
    #[serde(flatten)]
    pub user: UserView,
    /// Whether any stream of theirs is open, or was until 5 seconds ago.
    pub online: bool,
}
