//! Hooks as clients see them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::user::UserView;
use crate::domain::hook::Delivery;
use crate::domain::ids::HookId;
use crate::domain::names::DisplayName;
use crate::domain::time::Timestamp;

/// A hook of a channel: of an incoming one, an address at which programs post, all there is to tell.
#[derive(Serialize, ToSchema)]
#[schema(as = Hook)]
pub struct HookView {
    /// The hook's id. It is the id of the author of what it writes.
    #[schema(value_type = String)]
    pub id: HookId,
    /// The name under which it writes, unless a delivery brings a `username`.
    #[schema(value_type = String)]
    pub name: DisplayName,
    /// The public channel's name; in a direct conversation `id:` and its id.
    pub channel: String,
    /// The address that programs post to, which is a secret: who knows it can post; or the address that
    /// an outgoing hook posts to. `null` for whoever may not delete the hook.
    #[schema(required = true)]
    pub url: Option<String>,
    /// The user who made it; `null` where they have left.
    #[schema(required = true)]
    pub created_by: Option<UserView>,
    /// The time at which it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The latest ten deliveries since the server was started, newest first.
    #[schema(inline)]
    pub deliveries: Vec<DeliveryView>,
}

/// A delivery: what came to an incoming hook, or an attempt to post to an outgoing one's program.
#[derive(Serialize, ToSchema)]
pub struct DeliveryView {
    /// The time at which it was answered, or given up.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The status that it was answered with; `null` where there was no answer.
    #[schema(required = true)]
    pub status: Option<u16>,
    /// What was wrong with it; `null` where nothing was.
    #[schema(required = true)]
    pub problem: Option<String>,
    /// The size of its body, in bytes.
    pub bytes: u64,
}

impl From<Delivery> for DeliveryView {
    fn from(Delivery { at, status, problem, bytes }: Delivery) -> Self {
        Self { at, status, problem, bytes }
    }
}

/// The incoming hooks of a channel.
#[derive(Serialize, ToSchema)]
pub struct HookList {
    /// The hooks, oldest first.
    pub hooks: Vec<HookView>,
}

/// The body of `POST /api/channels/<channel>/hooks`.
#[derive(Deserialize, ToSchema)]
pub struct CreateHook {
    /// The name under which the hook writes, under the rules of display names. It may be a user's, too:
    /// a hook is shown as a bot.
    #[schema(min_length = 1, examples("CI"))]
    pub name: String,
}

/// An outgoing hook: a program that is told of a channel's messages.
#[derive(Serialize, ToSchema)]
#[schema(as = OutgoingHook)]
pub struct OutgoingHookView {
    /// What it has as every hook does.
    #[serde(flatten)]
    pub hook: HookView,
    /// The words of which a message has to begin with one; none for every message.
    pub words: Vec<String>,
    /// The key of its signatures, `whsec_…`. Told this once, to whoever has just made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub secret: Option<String>,
    /// Whether it posts nothing: somebody paused it, or its program did not take a message in nine
    /// attempts.
    pub paused: bool,
    /// The time since which it is paused; `null` where it is not.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub paused_since: Option<Timestamp>,
    /// What was wrong at last where it is paused because its program did not take a message.
    #[schema(required = true)]
    pub problem: Option<String>,
    /// The number of messages that wait to be posted, the one on its way included.
    pub waiting: usize,
    /// The time of the next attempt to post the first of them, where the last one failed.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub retry_at: Option<Timestamp>,
}

/// The outgoing hooks of a channel.
#[derive(Serialize, ToSchema)]
pub struct OutgoingHookList {
    /// The hooks, oldest first.
    pub hooks: Vec<OutgoingHookView>,
}

/// The body of `POST /api/channels/<channel>/outgoing`.
#[derive(Deserialize, ToSchema)]
pub struct CreateOutgoingHook {
    /// The name under which the program's answers are shown, under the rules of display names.
    #[schema(min_length = 1, examples("Deployer"))]
    pub name: String,
    /// An `http` or `https` address on a public host, of at most 2,000 characters.
    #[schema(min_length = 1, format = "uri", examples("https://ci.example.org/deploy"))]
    pub url: String,
    /// At most 20 words of 64 characters. Only messages that begin with one of them are posted; without
    /// any, all are.
    #[serde(default)]
    #[schema(nullable = false, max_items = 20, examples("!deploy"))]
    pub words: Option<Vec<String>>,
}

/// The body of `PATCH /api/channels/<channel>/outgoing/<id>`.
#[derive(Deserialize, ToSchema)]
pub struct SetPaused {
    /// Whether it shall post nothing.
    pub paused: bool,
}
