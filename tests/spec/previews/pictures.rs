//! Tests of the pictures of previews: which are kept, and who gets their bytes.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use houston::domain::user::Session;
use houston::engine::files::FileLimits;
use rocket::http::Method;
use rocket::tokio::net::TcpListener;
use rocket::tokio::time::{sleep, timeout};
use serde_json::{Value, json};

use super::web::{House, PNG, Web, page};
use crate::harness::Workspace;

#[tokio::test(start_paused = true)]
async fn only_pictures_that_are_shown_in_place_are_kept() {
    let house = House::open().await;
    let gif = b"GIF89a\x03\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff;";
    let picture = |media_type: &str, bytes: &[u8]| page("").typed(media_type).with_body(bytes);
    let large = [PNG, &vec![7; (2 << 20) - PNG.len()]].concat();
    for (n, (answer, outcome)) in [
        (picture("image/png", PNG), "ok"),
        (picture("image/jpeg", PNG), "ok"),
        (picture("image/gif", gif), "ok"),
        (picture("image/png", &large), "ok"),
        (picture("image/png", &[&large[..], b"x"].concat()), "too-large"),
        (picture("image/png", PNG).endless(), "too-large"),
        (picture("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "wrong-type"),
        (picture("image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "wrong-type"),
        (picture("image/png", &[gif, &b"<script>"[..]].concat()), "wrong-type"),
        (picture("image/png", b""), "wrong-type"),
        (picture("image/png", b"GIF89a\xFF\xFF\xFF\xFF\x80\0\0\0\0\0\xFF\xFF\xFF;"), "wrong-type"),
        (picture("text/html", PNG), "wrong-type"),
        (picture("application/octet-stream", PNG), "wrong-type"),
        (picture("image/png", PNG).encoded("br"), "encoded"),
        (picture("image/png", PNG).with_status(403), "bad-status"),
        (picture("image/png", PNG).broken(), "no-answer"),
        (Web::nobody(), "no-connection"),
    ]
    .into_iter()
    .enumerate()
    {
        let (link, id) = (format!("https://{n}.example/"), format!("m{n}"));
        let before = house.count("picture", outcome);
        house.web.says(&link, page("<title>t</title><meta property=og:image content=i>"));
        house.web.says(&format!("{link}i"), answer);
        house.posts(&id, &link).await;
        let preview = house.settled(&id).await["previews"][0].clone();
        assert_eq!(preview["title"], "t", "{n}: the rest is shown without it");
        assert_eq!(preview["picture"].is_object(), outcome == "ok", "{n}: {outcome}");
        assert_eq!(house.count("picture", outcome), before + 1, "{n}: {outcome}");
    }
    assert_eq!((house.files(), house.stored_files().await), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn a_picture_is_asked_for_where_the_page_says() {
    for (at, picture, asked) in [
        ("https://a.example/x/y", "z.png", Some("https://a.example/x/z.png")),
        ("https://a.example/x/y", "//b.example/z", Some("https://b.example/z")),
        (
            "https://a.example/",
            "http://b.example/?a=1&amp;b=2#c",
            Some("http://b.example/?a=1&b=2"),
        ),
        ("https://a.example/", "data:image/png;base64,AAAA", None),
        ("https://a.example/", "file:///etc/passwd", None),
        ("https://a.example/", "https://ada:secret@b.example/", None),
        ("https://a.example/", "http://[", None),
        ("https://a.example/", "", None),
    ] {
        let house = House::open().await;
        house.web.says(
            at,
            page(&format!("<title>t</title><meta property=og:image content='{picture}'>")),
        );
        house.posts("m1", at).await;
        assert_eq!(house.settled("m1").await["previews"][0]["title"], "t", "{picture}");
        assert_eq!(house.web.asked().get(1).map(String::as_str), asked, "{picture}");
    }
}

#[tokio::test(start_paused = true)]
async fn pictures_count_as_files_and_have_a_bound_in_memory() {
    let house = House::open().await;
    let large = [PNG, &vec![7; (2 << 20) - PNG.len()]].concat();
    for n in 0..12 {
        let link = format!("https://{n}.example/");
        house.web.says(&link, page("<title>t</title><meta property=og:image content=i>"));
        house.web.shows(&format!("{link}i"), "image/png", &large);
    }
    let FileLimits { max_total_bytes, .. } = house.engine.file_limits();
    let bob = house.signs_in("Bob").await;
    let with_picture = async |who: &Session, from: usize, to: usize| {
        for n in from..to {
            house.posts_as(who, &format!("m{n}"), &format!("https://{n}.example/")).await;
        }
        house.settled("m0").await;
        let messages = house.history();
        let shown = |it: &&Value| it["previews"][0]["picture"].is_object();
        messages.iter().filter(shown).count()
    };
    // Those of the last minute are held for others who link there, as far as there is room: none of it
    // all for one user.
    assert_eq!(with_picture(&house.ada, 0, 8).await, 4);
    assert_eq!(house.count("picture", "dropped"), 4);
    assert_eq!(with_picture(&bob, 8, 12).await, 8);
    assert_eq!(house.engine.statistics().file_bytes, 8 * (2 << 20));
    assert!(max_total_bytes > house.engine.statistics().file_bytes);
    // Of what others leave, one user may have half.
    for n in 0..40 {
        house.posts(&format!("again{n}"), "https://0.example/").await;
        house.settled("m0").await;
    }
    let bobs = 4 * (2 << 20);
    assert_eq!(house.engine.statistics().file_bytes, bobs + (max_total_bytes - bobs) / 2);
    assert!(house.count("picture", "too-large") > 0);
}

/// A page with a picture, at this machine; returns its address.
async fn site() -> SocketAddr {
    let html = "<title>Launch</title><meta property=og:site_name content=Pad>\
                <meta property=og:image content=/i.png>";
    let routes = Router::new()
        .route("/", get(move || async move { ([(CONTENT_TYPE, "text/html")], html) }))
        .route("/i.png", get(|| async { ([(CONTENT_TYPE, "image/png")], PNG) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    rocket::tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

#[rocket::async_test]
async fn whoever_can_read_the_message_gets_its_picture_from_this_server() {
    let site = site().await;
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false))
            .merge(("link_previews", true))
            .merge(("link_previews_private", true))
    })
    .await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    let link = format!("http://{site}/");
    for channel in ["general", "@Bob"] {
        let reader = if channel == "general" { &bob } else { &ada };
        let sent = ada.posts(channel, &link).await;
        assert_eq!(sent["previews"], json!([]));
        let path = format!("/api/channels/{channel}/events?after=0");
        let mut feed = reader.opens(&path, &[]).await;
        let mut told = feed.next_named("message").await.data;
        if told["previews"] == json!([]) {
            told = feed.next_named("message-updated").await.data;
        }
        let preview = &told["previews"][0];
        assert_eq!(
            (&preview["title"], &preview["site"]),
            (&json!("Launch"), &json!("127.0.0.1 · Pad"))
        );
        assert_eq!(preview["url"], link);
        let path = preview["picture"]["url"].as_str().expect("a path").to_owned();

        let picture = bob.get(&path).await;
        assert_eq!((picture.status, &picture.bytes[..]), (200, PNG));
        let etag = picture.header("ETag").expect("a version").to_owned();
        for (header, value) in [
            ("Content-Type", "image/png"),
            ("Cache-Control", "private, no-cache"),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ] {
            assert_eq!(picture.header(header), Some(value), "{header}");
        }
        let known = [("If-None-Match", &*etag)];
        let again = bob.asks(Method::Get, &path, &known, "").await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
        assert_eq!(again.header("ETag"), Some(&*etag));
        workspace.visitor().get(&path).await.refused(401, "sign-in-required");
        if channel == "@Bob" {
            eve.get(&path).await.refused(404, "no-such-attachment");
        }
        // It is no file of the message.
        let id = path.rsplit('/').next().expect("an id");
        ada.get(&format!("/api/attachments/{id}/x")).await.refused(404, "no-such-attachment");

        let message =
            format!("/api/channels/{channel}/messages/{}", sent["id"].as_str().expect("it"));
        let previews = format!("{message}/previews");
        if channel == "general" {
            bob.delete(&previews).await.refused(403, "not-yours");
            workspace.visitor().delete(&previews).await.refused(401, "sign-in-required");
            let nothing = "/api/channels/general/messages/nothing/previews";
            ada.delete(nothing).await.refused(404, "no-such-message");
        }
        assert_eq!(ada.delete(&previews).await.status, 204);
        let hidden = feed.next_named("message-updated").await.data;
        assert_eq!((&hidden["previews"], &hidden["previews_hidden"]), (&json!([]), &json!(true)));
        bob.get(&path).await.refused(404, "no-such-attachment");
        assert_eq!(ada.asks(Method::Put, &previews, &[], "").await.status, 204);
        // That they may come may be told with what has come.
        loop {
            let shown = feed.next_named("message-updated").await.data;
            assert_eq!(shown.get("previews_hidden"), None);
            if shown["previews"] != json!([]) {
                assert_eq!(shown["previews"][0]["title"], "Launch");
                break;
            }
        }
    }
    bob.get("/api/previews/nothing").await.refused(404, "no-such-attachment");
}

#[rocket::async_test]
async fn nothing_on_this_machine_or_its_network_is_asked() {
    let site = site().await;
    // What hooks may ask is another matter.
    let workspace =
        Workspace::with(|it| it.merge(("link_previews", true)).merge(("outgoing_private", true)));
    let workspace = workspace.await;
    let ada = workspace.signed_in_as("Ada").await;
    for link in
        [&format!("http://{site}/"), "http://169.254.169.254/latest", "http://[::ffff:7f00:1]/"]
    {
        ada.posts("general", link).await;
    }
    let count = async || {
        let metrics = workspace.visitor().get("/metrics").await.text;
        let name = r#"houston_preview_fetches_total{outcome="not-public",what="page"} "#;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        value.expect("every outcome is there from the start")
    };
    let all = async {
        while count().await != "3" {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_mins(1), all).await.expect("each is refused");
    let (messages, _) = ada.history("general").await;
    assert!(messages.iter().all(|it| it["previews"] == json!([])), "{messages:?}");
}
