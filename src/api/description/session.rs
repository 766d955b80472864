//! Sessions and users.

use utoipa::openapi::path::HttpMethod::{Delete, Get, Patch, Post};
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{ObjectBuilder, schema::Type};

use super::operation::{Operation, route};
use super::schemas::{display_name, list, named, object, text, time};
use crate::api::problem::Kind::{
    AlreadySignedIn, DisplayNameTaken, InvalidDisplayName, SlowDown, StorageUnavailable,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![sign_in(), whoami(), rename(), sign_out(), make_link(), users()]
}

fn sign_in() -> Operation {
    route(Post, "/session", "Sessions", "signIn", "Sign in under a free display name")
        .about(
            "Comes with a session already, and under an equal name: 200, the same user, without a \
             token. Under another name: 409.",
        )
        .open()
        .takes_json(object("", [("display_name", display_name())]))
        .answers(201, "Signed in, with a token for `Authorization: Bearer`.", named("Session"))
        .header("Set-Cookie", "The same token for browsers, as the cookie `session`.")
        .answers(200, "Signed in already under that name.", named("Session"))
        .refuses(&[DisplayNameTaken, AlreadySignedIn, InvalidDisplayName])
        .refuses(&[SlowDown, StorageUnavailable])
        .curl(r#"curl -s "$url/api/session" -H 'Content-Type: application/json' -d '{"display_name": "Ada"}'"#)
}

fn whoami() -> Operation {
    route(Get, "/session", "Sessions", "whoAmI", "Ask who one is")
        .answers(200, "The caller.", named("Session"))
        .curl(r#"curl -s "$url/api/session" -H "Authorization: Bearer $token""#)
}

fn rename() -> Operation {
    route(Patch, "/session", "Sessions", "rename", "Take another display name")
        .about("Everyone sees the new name, on earlier messages too.")
        .takes_json(object("", [("display_name", display_name())]))
        .answers(200, "The caller under the new name.", named("Session"))
        .refuses(&[DisplayNameTaken, InvalidDisplayName, SlowDown, StorageUnavailable])
        .curl(r#"curl -s -X PATCH "$url/api/session" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"display_name": "Ada L."}'"#)
}

fn sign_out() -> Operation {
    route(Delete, "/session", "Sessions", "signOut", "Sign out")
        .about(
            "The session's streams end within a second. With a user's last session their name is \
             free again, and whoever takes it next is another user.",
        )
        .answers_nothing(204, "Signed out.")
        .header("Set-Cookie", "Clears the cookie.")
        .refuses(&[StorageUnavailable])
        .curl(r#"curl -s -X DELETE "$url/api/session" -H "Authorization: Bearer $token""#)
}

fn make_link() -> Operation {
    let fields = [
        ("url", text("The link.").into()),
        ("expires_at", time("Ten minutes from now.")),
        ("qr_svg", text("The link as a QR code: an SVG image.").into()),
    ];
    route(
        Post,
        "/session/links",
        "Sessions",
        "makeLink",
        "Make a link that signs another device in",
    )
    .about(
        "It signs one other device in as the caller and is spent then; opening it only asks. \
             It is dead after 10 minutes, once this process has ended, or once the user has \
             signed out everywhere.",
    )
    .answers(201, "The link.", object("", fields))
    .header("Location", "The link.")
    .refuses(&[SlowDown])
    .curl(r#"curl -s -X POST "$url/api/session/links" -H "Authorization: Bearer $token""#)
}

fn users() -> Operation {
    let online = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("Has any stream open, or had until 5 seconds ago."));
    let person =
        AllOfBuilder::new().item(named("User")).item(object("", [("online", online.into())]));
    let fields = [("users", list(person.into()))];
    route(Get, "/users", "Users", "users", "List everybody who holds a name")
        .answers(200, "Everybody.", object("", fields))
        .curl(r#"curl -s "$url/api/users" -H "Authorization: Bearer $token""#)
}
