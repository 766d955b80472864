//! The routes of hooks, incoming and outgoing: list, create, show, change, delete.

use rocket::http::Status;
use rocket::request::FromParam;
use rocket::response::status::Created;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, patch, post, routes};

use super::channel_url;
use super::json::JsonBody;
use super::problem::{Problem, ProblemKind};
use super::session::BaseUrl;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::HookId;
use crate::domain::names::DisplayName;
use crate::domain::user::Session;
use crate::engine::limits::Cost;
use crate::engine::{Engine, ListedHook, NewOutgoing, QueueStatus};
use crate::wire::hook::{
    CreateHook, CreateOutgoingHook, HookList, HookView, OutgoingHookList, OutgoingHookView,
    SetPaused,
};
use crate::wire::problem::sentence;

pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        create,
        show,
        remove,
        list_outgoing,
        create_outgoing,
        show_outgoing,
        set_paused,
        remove_outgoing
    ]
}

/// List a channel's incoming hooks.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "listHooks",
    responses((status = 200, description = "The hooks.", body = inline(HookList))),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/hooks" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/hooks")]
fn list(
    session: Session,
    channel: ChannelRef,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Json<HookList>, Problem> {
    engine.count_read(&session, Cost::SMALL)?;
    let hooks = engine.hooks(&session, &channel, false)?.into_iter();
    Ok(Json(HookList { hooks: hooks.map(|hook| view(hook, &base)).collect() }))
}

/// Create an incoming hook.
///
/// Anybody may, in any channel that they see; whoever made it may delete it, and the channel's creator;
/// in a direct conversation both users; and anybody where none of them is a user any more. It goes with
/// its channel, not with its creator.
///
/// Programs `POST` to its `url` what they would post to Slack or Mattermost: JSON with `text`,
/// `username`, `icon_emoji`, `attachments` (`fallback`, `pretext`, `author_name`, `title`, `title_link`,
/// `text`, `fields`, `color`, `image_url`, `footer`, `ts`) and `blocks` (header, section, context,
/// divider, image, markdown); the same as `payload=` in a form; or a text as `text/plain`. Other members
/// are ignored, pictures become links, and where there are blocks `text` is not shown. Slack's
/// `<url|label>`, `<!here>`, `<@U1>`, `*bold*`, `~gone~` and `&amp; &lt; &gt;` become Markdown. What is
/// longer than 4,000 characters is cut with `…`. Links in `text` have previews, unless `unfurl_links` is
/// `false`.
///
/// The answer is `ok` (200, `text/plain`), or Slack's word for what is wrong: `invalid_payload` or
/// `no_text` (400), `no_service` (404) where there is no such hook, `rate_limited` (429, with
/// `Retry-After`): a hook may post 60 messages at once and 10 a second after that.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "createHook",
    request_body = inline(CreateHook),
    responses((
        status = 201,
        description = "The hook.",
        body = HookView,
        headers(("Location", description = "The hook's address in this API.")),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidDisplayName,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/hooks" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name": "CI"}'"#)),
    ),
)]
#[post("/channels/<channel>/hooks", data = "<body>")]
async fn create(
    session: Session,
    channel: &str,
    body: JsonBody<CreateHook>,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Created<Json<HookView>>, Problem> {
    let name = name(&body.0.name)?;
    let made = engine.create_hook(&session, &ChannelRef::from(channel), name, None).await?;
    let address = format!("{}/hooks/{}", channel_url(channel), made.hook.id);
    Ok(Created::new(address).body(Json(view(made, &base))))
}

/// Get an incoming hook.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "getHook",
    responses((status = 200, description = "The hook.", body = HookView)),
    extensions(
        ("x-problems" = json!([ProblemKind::NoSuchHook, ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/hooks/$id" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/hooks/<id>")]
fn show(
    session: Session,
    channel: ChannelRef,
    id: HookId,
    base: BaseUrl,
    engine: &State<Engine>,
) -> Result<Json<HookView>, Problem> {
    engine.count_read(&session, Cost::SMALL)?;
    Ok(Json(view(engine.hook(&session, &channel, &id, false)?, &base)))
}

/// Delete an incoming hook.
///
/// What it wrote stays.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "deleteHook",
    responses((status = 204, description = "The hook is gone.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchHook,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/general/hooks/$id" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>/hooks/<id>")]
async fn remove(
    session: Session,
    channel: ChannelRef,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete_hook(&session, &channel, &id, false).await?;
    Ok(Status::NoContent)
}

/// List a channel's outgoing hooks.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "listOutgoingHooks",
    responses((status = 200, description = "The hooks.", body = inline(OutgoingHookList))),
    extensions(
        ("x-problems" = json!([ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/outgoing" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/outgoing")]
fn list_outgoing(
    session: Session,
    channel: ChannelRef,
    engine: &State<Engine>,
) -> Result<Json<OutgoingHookList>, Problem> {
    engine.count_read(&session, Cost::SMALL)?;
    let hooks = engine.hooks(&session, &channel, true)?.into_iter();
    Ok(Json(OutgoingHookList {
        hooks: hooks.map(|hook| outgoing_view(hook, engine, false)).collect(),
    }))
}

/// Create an outgoing hook.
///
/// Each message that a human then sends to the channel, or each that begins with one of `words`, is
/// posted to `url` as `{"type": "message", "channel": {"id", "name"}, "message": Message}`, with the
/// headers of [Standard Webhooks](https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp`
/// and `webhook-signature`, by the key `secret`. Messages of bots and edits are not posted.
///
/// The program has 7 seconds. Anything but 2xx is tried again after 5 seconds, then ever later, up to
/// an hour. When nine attempts have failed, the hook is paused, and says so in the channel. Setting
/// `paused` to false tries at once, and counts attempts anew. Meanwhile up to 100 later messages wait,
/// fewer where much waits for all hooks that the same user made; others are not posted. What waits is
/// lost when the hook is paused or the server stops. Four programs of one user's hooks are asked at a
/// time.
///
/// A text in the answer, as `text/plain` or as `text` in JSON, becomes a message of the hook; what is of
/// another media type becomes a file of it.
///
/// It connects to public addresses only, however they are written and wherever it is redirected to (three
/// times at most), unless the operator allows others (`outgoing_private`).
#[utoipa::path(
    tag = "Hooks",
    operation_id = "createOutgoingHook",
    request_body = inline(CreateOutgoingHook),
    responses((
        status = 201,
        description = "The hook, with its key, which is told this once.",
        body = OutgoingHookView,
        headers(("Location", description = "The hook's address in this API.")),
    )),
    extensions(
        ("x-problems" = json!([
            ProblemKind::InvalidDisplayName,
            ProblemKind::InvalidText,
            ProblemKind::LimitReached,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/outgoing" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"name": "Deployer", "url": "https://ci.example.org/deploy", "words": ["!deploy"]}'"#)),
    ),
)]
#[post("/channels/<channel>/outgoing", data = "<body>")]
async fn create_outgoing(
    session: Session,
    channel: &str,
    body: JsonBody<CreateOutgoingHook>,
    engine: &State<Engine>,
) -> Result<Created<Json<OutgoingHookView>>, Problem> {
    let CreateOutgoingHook { name: typed, url, words } = body.0;
    let new = NewOutgoing { url, words: words.unwrap_or_default() };
    let named = ChannelRef::from(channel);
    let made = engine.create_hook(&session, &named, name(&typed)?, Some(new)).await?;
    let address = format!("{}/outgoing/{}", channel_url(channel), made.hook.id);
    Ok(Created::new(address).body(Json(outgoing_view(made, engine, true))))
}

/// Get an outgoing hook.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "getOutgoingHook",
    responses((status = 200, description = "The hook.", body = OutgoingHookView)),
    extensions(
        ("x-problems" = json!([ProblemKind::NoSuchHook, ProblemKind::SlowDown])),
        ("x-curl" = json!(r#"curl -s "$url/api/channels/general/outgoing/$id" -H "Authorization: Bearer $token""#)),
    ),
)]
#[get("/channels/<channel>/outgoing/<id>")]
fn show_outgoing(
    session: Session,
    channel: ChannelRef,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Json<OutgoingHookView>, Problem> {
    engine.count_read(&session, Cost::SMALL)?;
    Ok(Json(outgoing_view(engine.hook(&session, &channel, &id, true)?, engine, false)))
}

/// Pause an outgoing hook, or let it go on.
///
/// Whoever may delete it may. Nothing that was said while it was paused is posted.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "setPaused",
    request_body = inline(SetPaused),
    responses((status = 200, description = "The hook.", body = OutgoingHookView)),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchHook,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X PATCH "$url/api/channels/general/outgoing/$id" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"paused": false}'"#)),
    ),
)]
#[patch("/channels/<channel>/outgoing/<id>", data = "<body>")]
async fn set_paused(
    session: Session,
    channel: ChannelRef,
    id: HookId,
    body: JsonBody<SetPaused>,
    engine: &State<Engine>,
) -> Result<Json<OutgoingHookView>, Problem> {
    let changed = engine.pause_hook(&session, &channel, &id, body.0.paused).await?;
    Ok(Json(outgoing_view(changed, engine, false)))
}

/// Delete an outgoing hook.
///
/// What it wrote stays.
#[utoipa::path(
    tag = "Hooks",
    operation_id = "deleteOutgoingHook",
    responses((status = 204, description = "The hook is gone.")),
    extensions(
        ("x-problems" = json!([
            ProblemKind::NoSuchHook,
            ProblemKind::NotYours,
            ProblemKind::SlowDown,
            ProblemKind::StorageUnavailable,
        ])),
        ("x-curl" = json!(r#"curl -s -X DELETE "$url/api/channels/general/outgoing/$id" -H "Authorization: Bearer $token""#)),
    ),
)]
#[delete("/channels/<channel>/outgoing/<id>")]
async fn remove_outgoing(
    session: Session,
    channel: ChannelRef,
    id: HookId,
    engine: &State<Engine>,
) -> Result<Status, Problem> {
    engine.delete_hook(&session, &channel, &id, true).await?;
    Ok(Status::NoContent)
}

impl<'r> FromParam<'r> for HookId {
    type Error = std::convert::Infallible;

    /// Reads a hook's id. It never fails: what is none is not found later.
    fn from_param(id: &'r str) -> Result<Self, Self::Error> {
        Ok(Self::from(id.to_owned()))
    }
}

fn name(typed: &str) -> Result<DisplayName, Problem> {
    typed.parse().map_err(|error| Problem::invalid(ProblemKind::InvalidDisplayName, "name", &error))
}

fn view(listed: ListedHook, base: &BaseUrl) -> HookView {
    let url = format!("{}/hooks/{}", base.as_str(), listed.hook.secret.reveal());
    view_with(listed, url)
}

fn outgoing_view(listed: ListedHook, engine: &Engine, is_new: bool) -> OutgoingHookView {
    let hook = listed.hook.clone();
    let outgoing = hook.outgoing.as_ref();
    let paused = outgoing.is_some_and(|outgoing| outgoing.paused);
    let QueueStatus { waiting, retry_at } = engine.queue_of(&hook.id);
    OutgoingHookView {
        hook: view_with(listed, outgoing.map(|it| it.url.to_string()).unwrap_or_default()),
        words: outgoing.map(|outgoing| outgoing.words.clone()).unwrap_or_default(),
        secret: is_new.then(|| hook.secret.reveal().to_owned()),
        paused,
        paused_since: paused.then_some(hook.changed_at),
        problem: outgoing.and_then(|outgoing| outgoing.problem.as_deref()).map(|it| sentence(&it)),
        waiting,
        retry_at,
    }
}

/// The parts that every hook has, and its address, which is for those alone who may delete it.
fn view_with(listed: ListedHook, url: String) -> HookView {
    let ListedHook { hook, channel, creator, is_manageable } = listed;
    HookView {
        id: hook.id.clone(),
        name: hook.name.clone(),
        channel,
        url: is_manageable.then_some(url),
        created_by: creator.map(Into::into),
        created_at: hook.created_at,
        deliveries: hook.deliveries.latest().into_iter().map(Into::into).collect(),
    }
}
