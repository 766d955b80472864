//! Tests of the pages, as they come from the server.

use futures::future::join_all;
use rocket::http::{Method, RawStr};

use crate::harness::{Answer, BROWSER, Person, Workspace};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

async fn submits(person: &Person, path: &str, form: &str) -> Answer {
    person.asks(Method::Post, path, &[FORM, ("Accept", BROWSER)], form).await
}

#[rocket::async_test]
async fn a_visitor_is_shown_the_way_in_and_comes_back_to_where_they_wanted_to_go() {
    let workspace = Workspace::start().await;
    let visitor = workspace.visitor();
    for (path, next) in [("/", "&#x2F;"), ("/channels/general", "&#x2F;channels&#x2F;general")] {
        let page = visitor.page(path).await;
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
async fn a_name_that_is_taken_says_what_can_be_done() {
    let workspace = Workspace::start().await;
    for name in ["Ada", "أمل", "李小龍", "Ελένη", "Żółć", "Анна"] {
        workspace.signed_in_as(name).await;
        let form = format!("display_name={}&next=/", RawStr::new(name).percent_encode());
        let page = submits(&workspace.visitor(), "/sign-in", &form).await;
        assert_eq!(page.status, 409);
        assert!(page.text.contains("Use another device"), "{name}: {}", page.text);
    }
    let page = submits(&workspace.visitor(), "/sign-in", "display_name=%40ada&next=/").await;
    assert!(!page.text.contains("another device"), "{}", page.text);
}

#[rocket::async_test]
async fn every_page_is_drawn_in_the_look_that_its_reader_chose() {
    let workspace = Workspace::start().await;
    let (ada, visitor) = (workspace.signed_in_as("Ada").await, workspace.visitor());
    let system = "media=\"(prefers-color-scheme: light)\"";
    for (cookie, html, bar) in [
        ("zone=UTC", "<html lang=\"en\">", system),
        ("theme=dark", "<html lang=\"en\" data-theme=\"dark\">", "media=\"not all\""),
        ("theme=light", "<html lang=\"en\" data-theme=\"light\">", "media=\"all\""),
        ("density=compact", "<html lang=\"en\" data-density=\"compact\">", system),
        (
            "theme=dark; density=compact",
            "<html lang=\"en\" data-theme=\"dark\" data-density=\"compact\">",
            "media=\"not all\"",
        ),
        ("theme=pink; density=cosy", "<html lang=\"en\">", system),
        ("theme=\"><b>; density=", "<html lang=\"en\">", system),
    ] {
        for (who, path) in [
            (&ada, "/"),
            (&ada, "/channels/general"),
            (&ada, "/channels/nowhere"),
            (&visitor, "/"),
            (&visitor, "/channels/general"),
            (&visitor, "/nowhere"),
            (&visitor, "/links/gone"),
            (&visitor, "/problems/too-large"),
            (&visitor, "/api/docs"),
        ] {
            let headers = [("Cookie", cookie), ("Accept", "text/html")];
            let page = who.asks(Method::Get, path, &headers, "").await.text;
            let page = page.replace("&#x2F;", "/");
            assert!(page.contains(html), "{path} with {cookie}: {}", &page[..300.min(page.len())]);
            let light = page.split("content=\"#fbfcfe\" ").nth(1).unwrap_or_default();
            assert!(light.starts_with(bar), "{path} with {cookie}");
        }
    }
}

#[rocket::async_test]
async fn a_channels_page_has_its_messages_in_it_and_escapes_what_people_write() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("<b>Ada<b>").await;
    ada.posts("general", "a <script>alert(1)</script> & *hi*").await;
    let page = ada.page("/channels/general").await;
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
        let page = ada.page(path).await;
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
        let page = ada.page(path).await;
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

/// The largest number of channels, and of people, that a page lists.
const MOST_LISTED: usize = 100;
/// The largest size of a page without messages, in bytes.
const MAX_EMPTY_PAGE_BYTES: usize = 200_000;

#[rocket::async_test]
async fn of_many_channels_a_page_lists_the_open_one_what_waits_and_the_latest() {
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false)).merge(("max_channels_per_user", 500))
    })
    .await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Ada", "A note, which is read").await;
    bob.posts("@Ada", "Are you there?").await;
    let names: Vec<_> = (0..2 * MOST_LISTED).map(|n| format!("channel{n:03}")).collect();
    for name in &names {
        ada.creates(name).await;
    }
    let (silent, open) = (&names[..MOST_LISTED], &names[0]);
    for name in &names[MOST_LISTED..] {
        ada.posts(name, "Hello").await;
    }
    for path in ["/", "/channels/channel000"] {
        let page = ada.page(path).await;
        assert_eq!(page.status, 200);
        let listed = listed(&page, "channel-link\" href=\"/channels/");
        assert_eq!(listed.len(), MOST_LISTED, "{path}: {listed:?}");
        assert!(page.text.len() < MAX_EMPTY_PAGE_BYTES, "{path}: {} bytes", page.text.len());
        let shown = |name: &str| listed.iter().any(|it| it == name);
        let current = if path == "/" { "general" } else { open };
        assert!(shown(current), "{path}: the open one is among {listed:?}");
        let left_out = |name: &&String| !shown(name);
        assert_eq!(silent.iter().filter(left_out).count(), silent.len() - usize::from(path != "/"));
        assert_eq!(names[MOST_LISTED..].iter().filter(left_out).count(), 2, "{listed:?}");
        assert!(page.text.contains(">Bob</span>"), "a direct message waits");
        assert!(!page.text.contains(">Notes to self</span>"), "and this is read");
        assert!(page.text.contains("All channels (<span data-part=\"total\">"), "public ones");
        assert!(page.text.contains("and 1 more: search finds them"), "direct ones");
    }
}

/// The title of the QR code of the server's address.
const ADDRESS_CODE: &str = "<title>QR code of this server’s address</title>";

#[rocket::async_test]
async fn an_empty_server_greets_with_the_code_of_its_address() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("ops").await;
    let shows = async |path: &str| ada.page(path).await.text.matches(ADDRESS_CODE).count();
    assert_eq!((shows("/").await, shows("/channels/general").await), (1, 1));
    for elsewhere in ["/channels/ops", "/channels/@Ada", "/channels/nowhere"] {
        assert_eq!(shows(elsewhere).await, 0, "{elsewhere}");
    }
    assert!(!workspace.visitor().page("/").await.text.contains("<title>QR"), "nobody is in yet");

    ada.posts("general", "hello").await;
    assert_eq!((shows("/").await, shows("/channels/general").await), (0, 0));
}

#[rocket::async_test]
async fn the_code_is_of_the_address_by_which_the_page_was_asked_for() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let code = async |headers: &[(&str, &str)]| {
        let headers = [headers, &[("Accept", BROWSER)]].concat();
        let page = ada.asks(Method::Get, "/", &headers, "").await.text;
        let (_, rest) = page.split_once(ADDRESS_CODE).expect("a code");
        rest.split("</svg>").next().expect("its end").to_owned()
    };
    let host = [("Host", "chat.example:8443")];
    let plain = code(&host).await;
    assert_eq!(code(&host).await, plain);
    let evil = "chat.example\"/><script>";
    for others in [
        &[("Host", "chat.example:8444")][..],
        &[host[0], ("X-Forwarded-Proto", "https")],
        &[host[0], ("X-Forwarded-Host", "way.in, chat.example:8443")],
        &[("X-Forwarded-Host", evil)],
    ] {
        let other = code(others).await;
        assert_ne!(other, plain, "{others:?}");
        assert!(!other.contains("script") && !other.contains("chat.example"), "{other}");
    }
    let forwarded = [("Host", "inner:8000"), ("X-Forwarded-Host", "chat.example:8443")];
    assert_eq!(code(&forwarded).await, plain, "what the client asked for");
}

#[rocket::async_test]
async fn of_few_channels_a_page_lists_all_by_name() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for name in ["b", "a", "c"] {
        ada.creates(name).await;
    }
    let page = ada.page("/").await;
    assert_eq!(listed(&page, "channel-link\" href=\"/channels/"), ["a", "b", "c", "general"]);
    assert!(page.text.contains("data-part=\"total\">4</span>"));
    assert!(page.text.contains("data-part=\"direct-rest\" hidden"));
}

#[rocket::async_test]
async fn of_many_people_a_page_lists_some_and_tells_how_many_are_here() {
    let workspace = Workspace::start().await;
    let people = join_all((0..MOST_LISTED + 20).map(|n| {
        let workspace = &workspace;
        async move { workspace.signed_in_as(&format!("Person {n}")).await }
    }));
    let people = people.await;
    let streams = join_all(people.iter().map(|person| person.listens("general"))).await;
    let page = people[0].page("/").await;
    assert_eq!(listed(&page, "person__link\" href=\"/channels/@").len(), MOST_LISTED);
    assert!(page.text.contains("<span data-part=\"count\">120</span><span"));
    assert!(page.text.contains("data-part=\"rest\">and 20 more</li>"));
    drop(streams);
}

/// Collects what follows each occurrence of a prefix in the page, up to the next quotation mark;
/// empty ones are left out.
fn listed(page: &Answer, before: &str) -> Vec<String> {
    // Tera writes the slashes of values as references.
    let text = page.text.replace("&#x2F;", "/");
    let found = text.split(before).skip(1);
    let found = found.filter_map(|rest| rest.split('"').next()).filter(|it| !it.is_empty());
    found.map(ToOwned::to_owned).collect()
}
