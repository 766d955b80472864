//! Sessions, sign-in links and the list of users, as clients see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::UserView;
use crate::domain::time::Timestamp;

/// The body of `POST /api/session`.
#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    /// 1 to 32 characters after the RFC 8266 Nickname profile, by which names are compared, too:
    /// `Ada`, ` ADA ` and `ａｄａ` are one. No control or invisible characters, no `/`, not starting
    /// with `@` or `#`.
    pub display_name: String,
}

/// The body of `PATCH /api/session`.
#[derive(Deserialize, ToSchema)]
pub struct Rename {
    /// The new display name, under the rules of signing in.
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

/// A one-time link that signs another device in.
#[derive(Serialize, ToSchema)]
pub struct Link {
    /// The link's address.
    pub url: String,
    /// The end of its life, ten minutes after it was made.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// The link as a QR code: an SVG image.
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
