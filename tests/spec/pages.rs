//! The pages, as they come from the server.

use rocket::http::Method;

use crate::harness::{Answer, Person, Workspace};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn submits(person: &Person, path: &str, form: &str) -> Answer {
    person.asks(Method::Post, path, &[FORM], form).await
}

#[rocket::async_test]
async fn a_visitor_is_shown_the_way_in_and_comes_back_to_where_they_wanted_to_go() {
    let workspace = Workspace::start().await;
    let visitor = workspace.visitor();
    for (path, next) in [("/", "&#x2F;"), ("/channels/general", "&#x2F;channels&#x2F;general")] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("Display name"), "{}", page.text);
        assert!(page.text.contains(&format!("name=\"next\" value=\"{next}\"")), "{}", page.text);
    }
    let form = "display_name=Ada&next=/channels/general";
    let answer = submits(&visitor, "/sign-in", form).await;
    assert_eq!((answer.status, answer.header("Location")), (303, Some("/channels/general")));
    assert!(answer.header("Set-Cookie").is_some());
}

#[rocket::async_test]
async fn the_way_in_leads_to_no_other_site() {
    let workspace = Workspace::start().await;
    for (n, next) in
        ["//evil.example", "https://evil.example", "/\\evil.example", "x"].iter().enumerate()
    {
        let form = format!("display_name=Ada{n}&next={next}");
        let answer = submits(&workspace.visitor(), "/sign-in", &form).await;
        assert_eq!((answer.status, answer.header("Location")), (303, Some("/")), "{next}");
    }
}

#[rocket::async_test]
async fn a_name_that_cannot_be_is_asked_for_again() {
    let workspace = Workspace::start().await;
    workspace.signed_in_as("Ada").await;
    for (name, status, said) in [
        ("ADA", 409, "already called that"),
        ("%40ada", 422, "cannot start with"),
        ("", 422, "cannot be empty"),
    ] {
        let form = format!("display_name={name}&next=/");
        let page = submits(&workspace.visitor(), "/sign-in", &form).await;
        assert_eq!(page.status, status);
        assert!(page.text.contains(said), "{said}: {}", page.text);
        assert!(page.text.contains("role=\"alert\""));
    }
}

#[rocket::async_test]
async fn a_channels_page_has_its_messages_in_it_and_escapes_what_people_write() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("<b>Ada<b>").await;
    ada.posts("general", "a <script>alert(1)</script> & *hi*").await;
    let page = ada.get("/channels/general").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; <em>hi</em>"));
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
    assert!(!page.text.contains("<b>Ada"), "{}", page.text);
    assert!(!page.text.contains(" style=") && !page.text.contains(" onclick="));
}

#[rocket::async_test]
async fn pages_may_load_nothing_but_ours_and_run_in_no_frame() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for path in ["/", "/channels/general", "/channels/nowhere", "/nothing", "/problems/not-found"] {
        let page = ada.get(path).await;
        let policy = page.header("Content-Security-Policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
        for (header, value) in [
            ("Referrer-Policy", "same-origin"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("X-Frame-Options", "DENY"),
        ] {
            assert_eq!(page.header(header), Some(value), "{path}");
        }
        let permissions = page.header("Permissions-Policy").expect("a policy");
        for denied in ["camera=()", "geolocation=()", "microphone=()"] {
            assert!(permissions.contains(denied), "{permissions}");
        }
        assert_eq!(page.header("X-XSS-Protection"), None, "browsers have dropped it");
    }
}

#[rocket::async_test]
async fn what_is_not_there_gets_a_page() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for path in ["/nothing", "/channels/nowhere", "/static/nothing.css"] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(page.text.starts_with("<!doctype html>"), "{path}: {}", page.text);
    }
    let wrong = ada.asks(Method::Put, "/sign-in", &[], "").await;
    assert_eq!((wrong.status, wrong.header("Allow")), (405, Some("POST")));
}

#[rocket::async_test]
async fn plain_forms_do_what_scripts_do() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let created = submits(&ada, "/channels", "name=Ops&topic=pagers").await;
    assert_eq!((created.status, created.header("Location")), (303, Some("/channels/ops")));
    let refused = submits(&ada, "/channels", "name=two+words&topic=").await;
    assert_eq!((refused.status, refused.header("Location")), (303, Some("/")));
    let sent = submits(&ada, "/channels/ops/messages", "text=hi+there").await;
    assert_eq!((sent.status, sent.header("Location")), (303, Some("/channels/ops")));
    assert_eq!(ada.reads("ops").await, ["hi there"]);
    let out = submits(&ada, "/sign-out", "").await;
    assert_eq!((out.status, out.header("Location")), (303, Some("/")));
    ada.get("/api/session").await.refused(401, "sign-in-required");
}

#[rocket::async_test]
async fn another_site_cannot_submit_our_forms() {
    let workspace = Workspace::start().await;
    let foreign = [FORM, ("Origin", "https://evil.example")];
    let form = "display_name=Eve&next=/";
    let answer = workspace.visitor().asks(Method::Post, "/sign-in", &foreign, form).await;
    assert_eq!(answer.status, 403);
    assert!(answer.header("Set-Cookie").is_none());
}

#[rocket::async_test]
async fn monitors_can_ask_how_it_is() {
    let workspace = Workspace::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(workspace.visitor().get(path).await.status, 200, "{path}");
    }
}
