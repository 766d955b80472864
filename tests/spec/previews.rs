//! Tests of previews of links: what is fetched and when, what is kept and told, and who sees pictures. By
//! servers over a network of the tests' own, where time passes when nothing else happens; and by one that
//! fetches from this machine.

mod pictures;
mod web;

use std::time::Duration;

use houston::domain::message::Text;
use houston::engine::MessageDraft;
use houston::wire::slack::HookPost;
use rocket::tokio::time::sleep;
use serde_json::{Value, json};

use self::web::{House, PNG, Web, general, page};

/// A link of every test.
const LINK: &str = "https://news.example/one";

#[tokio::test(start_paused = true)]
async fn a_link_is_previewed_after_its_message() {
    let house = House::open().await;
    house.web.says(LINK, page("<title>Plain</title><meta property='og:title' content='One &amp; all'>
        <meta property='og:description' content=' About \n everything '>
        <meta property='og:site_name' content='The News'><meta property=og:image content='/one.png'>"));
    house.web.shows("https://news.example/one.png", "image/png", PNG);
    let sent = house.posts("m1", &format!("look: {LINK}#part")).await;
    assert_eq!(sent["previews"], json!([]), "it does not wait");

    let message = house.settled("m1").await;
    let preview = &message["previews"][0];
    let path = preview["picture"]["url"].as_str().expect("a path").to_owned();
    let expected = json!([{
        "url": format!("{LINK}#part"), "site": "news.example · The News", "title": "One & all",
        "description": "About everything", "picture": { "url": path, "width": 3, "height": 2 },
    }]);
    assert_eq!(message["previews"], expected);
    assert!(path.starts_with("/api/previews/"), "{path}");
    assert!(message["edited_at"].is_null(), "{message}");
    assert_eq!(message.get("previews_hidden"), None);
    assert_eq!(house.web.asked(), [LINK, "https://news.example/one.png"], "no fragment is told");
    let asked = house.web.requests();
    assert!(asked.iter().all(|it| it.timeout == Duration::from_secs(2) && it.json.is_none()));
    let header = |at: usize, name| asked[at].headers.iter().find(|(it, _)| *it == name).cloned();
    assert_eq!(header(0, "accept-encoding"), Some(("accept-encoding", "identity".into())));
    assert!(header(0, "accept").is_some_and(|(_, it)| it.starts_with("text/html")));
    assert_eq!(house.counts("page"), [("ok", 1)]);
    assert_eq!(house.counts("picture"), [("ok", 1)]);
}

#[tokio::test(start_paused = true)]
async fn the_first_three_links_are_previewed_in_their_order_and_told_once() {
    let house = House::open().await;
    for (n, wait) in [(1, 900), (2, 0), (4, 100), (5, 0)] {
        let answer = page(&format!("<title>{n}</title>")).after(Duration::from_millis(wait));
        house.web.says(&format!("https://{n}.example/"), answer);
    }
    let links = "https://1.example https://2.example https://1.example/#again `https://9.example/`\n\n\
                 > https://8.example\n\n[three](https://3.example) https://4.example";
    house.posts("m1", links).await;
    let message = house.settled("m1").await;
    let told: Vec<_> = message["previews"].as_array().expect("previews").iter().collect();
    assert_eq!(told.iter().map(|it| &it["title"]).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(told[0]["url"], "https://1.example");
    assert_eq!(told[0]["site"], "1.example");
    assert_eq!(told[0]["description"], "");
    let mut asked = house.web.asked();
    asked.sort();
    assert_eq!(asked, ["https://1.example/", "https://2.example/", "https://3.example/"]);
    assert_eq!(house.changes(), 1, "one entry tells all");
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_has_no_preview() {
    let house = House::open().await;
    for (n, (answer, outcome)) in [
        (page("<p>no title"), "nothing-to-show"),
        (page("<title>\u{200B} </title>"), "nothing-to-show"),
        (
            page("<title>t</title><meta name=robots content='noindex, nosnippet'>"),
            "nothing-to-show",
        ),
        (page("<script>'<title>t</title>'</script>"), "nothing-to-show"),
        (page("<title>t</title>").typed("image/svg+xml"), "wrong-type"),
        (page("<title>t</title>").typed("text/plain"), "wrong-type"),
        (page("<title>t</title>").typed(""), "wrong-type"),
        (page("<title>t</title>").with_status(404), "bad-status"),
        (page("<title>t</title>").with_status(304), "bad-status"),
        (page("<title>t</title>").encoded("gzip"), "encoded"),
        (page("<title>t</title>").broken(), "no-answer"),
        (page("<title>t</title>").after(Duration::from_secs(3)), "too-slow"),
        (Web::nobody(), "no-connection"),
    ]
    .into_iter()
    .enumerate()
    {
        let before = house.count("page", outcome);
        let link = format!("https://site{n}.example/");
        house.web.says(&link, answer);
        house.posts(&format!("m{n}"), &link).await;
        let message = house.settled(&format!("m{n}")).await;
        assert_eq!(message["previews"], json!([]), "{n}: {outcome}");
        assert_eq!(house.count("page", outcome), before + 1, "{n}: {outcome}");
    }
    assert_eq!(house.changes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_page_is_read_as_far_as_half_a_mebibyte() {
    let house = House::open().await;
    let padding = |bytes: usize| " ".repeat(bytes);
    for (n, before, title) in [(1, 510 * 1024, "seen"), (2, 512 * 1024, "")] {
        let link = format!("https://{n}.example/");
        let html = format!("{}<title>seen</title>{}", padding(before), padding(900 * 1024));
        house.web.says(&link, page(&html));
        house.posts(&format!("m{n}"), &link).await;
        let message = house.settled(&format!("m{n}")).await;
        let found = message["previews"][0]["title"].as_str().unwrap_or_default();
        assert_eq!(found, title, "after {before} bytes");
    }
    // What never ends is not waited for: the rest is not read.
    house.web.says("https://3.example/", page("<title>endless</title>").endless());
    house.posts("m3", "https://3.example/").await;
    assert_eq!(house.settled("m3").await["previews"][0]["title"], "endless");
}

#[tokio::test(start_paused = true)]
async fn texts_are_cut_and_cleaned() {
    let house = House::open().await;
    let html = format!(
        "<title>{}</title><meta name=description content='{}'><meta property=og:site_name \
         content='\u{202E}evil\0\n site {}'>",
        "t".repeat(10_000_000 / 40),
        "d ".repeat(5_000),
        "s".repeat(100)
    );
    house.web.says(LINK, page(&html));
    house.posts("m1", LINK).await;
    let preview = house.settled("m1").await["previews"][0].clone();
    let chars = |name: &str| preview[name].as_str().expect("a text").chars().count();
    assert_eq!((chars("title"), chars("site")), (200, "news.example · ".len() - 1 + 60));
    assert!((395..=400).contains(&chars("description")), "{}", chars("description"));
    assert!(
        preview["site"]
            .as_str()
            .is_some_and(|it| it.starts_with("news.example · evil\u{FFFD} site ss"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_is_read_by_the_charset_that_is_told() {
    let house = House::open().await;
    for (n, kind, body, title) in [
        (1, "text/html; charset=windows-1251", &b"<title>\xCF\xF0\xE8</title>"[..], "При"),
        (2, "Text/HTML;Charset=\"SHIFT_JIS\"", b"<title>\x93\xFA\x96\x7B</title>", "日本"),
        (3, "text/html", b"<meta charset=gbk><title>\xC4\xE3</title>", "你"),
        (4, "application/xhtml+xml", "<title>é</title>".as_bytes(), "é"),
        (5, "text/html; charset=utf-8", b"<title>\xFF\xFE</title>", "\u{FFFD}\u{FFFD}"),
    ] {
        let link = format!("https://{n}.example/");
        house.web.says(&link, page("").typed(kind).with_body(body));
        house.posts(&format!("m{n}"), &link).await;
        assert_eq!(house.settled(&format!("m{n}")).await["previews"][0]["title"], title, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_asked_once_a_minute_by_all_together() {
    let house = House::open().await;
    let bob = house.signs_in("Bob").await;
    house.web.says(LINK, page("<title>t</title><meta property=og:image content=/i.png>"));
    house.web.shows("https://news.example/i.png", "image/png", PNG);
    for id in ["m1", "m2"] {
        house.posts(id, LINK).await;
    }
    house.posts_as(&bob, "b1", &format!("[again]({LINK}#there)")).await;
    for id in ["m1", "m2", "b1"] {
        let message = house.settled(id).await;
        assert_eq!(message["previews"][0]["picture"]["width"], 3, "{message}");
    }
    assert_eq!(house.web.asked(), [LINK, "https://news.example/i.png"]);
    // Each message has a copy of its own.
    let path = |message: &Value| message["previews"][0]["picture"]["url"].clone();
    let messages = house.history();
    assert!(path(&messages[0]) != path(&messages[1]), "{messages:?}");
    sleep(Duration::from_secs(30)).await;
    house.posts("m3", LINK).await;
    house.settled("m3").await;
    assert_eq!(house.web.asked().len(), 2);
    sleep(Duration::from_secs(10)).await;
    house.posts("m4", LINK).await;
    assert_eq!(house.settled("m4").await["previews"][0]["title"], "t");
    assert_eq!(house.web.asked().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn an_edit_keeps_drops_and_fetches() {
    let house = House::open().await;
    for n in 1..=3 {
        let html = format!("<title>{n}</title><meta property=og:image content=/{n}.png>");
        house.web.says(&format!("https://{n}.example/"), page(&html));
        house.web.shows(&format!("https://{n}.example/{n}.png"), "image/png", PNG);
    }
    let titles = |message: &Value| {
        let previews = message["previews"].as_array().expect("previews").clone();
        previews.iter().map(|it| it["title"].as_str().expect("it").to_owned()).collect::<Vec<_>>()
    };
    house.posts("m1", "https://1.example/ https://2.example/").await;
    let before = house.settled("m1").await;
    assert_eq!(titles(&before), ["1", "2"]);
    assert_eq!(house.files(), 2);

    let edited = house.posts("m1", "https://3.example/ and https://2.example/").await;
    assert_eq!(edited["previews"], json!([before["previews"][1]]), "what is gone is gone at once");
    assert_eq!(house.files(), 1, "its picture, too");
    let after = house.settled("m1").await;
    assert_eq!(titles(&after), ["3", "2"]);
    assert_eq!(after["previews"][1], before["previews"][1], "what stays is not fetched again");
    assert_eq!(house.web.asked().iter().filter(|it| it.contains("2.example")).count(), 2);

    house.reacts("m1").await;
    assert_eq!(house.message("m1")["previews"], after["previews"]);
    let turned = house.posts("m1", "https://2.example/ https://3.example/").await;
    assert_eq!(titles(&turned), ["2", "3"], "in the order of the links");
    let plain = house.posts("m1", "nothing to see").await;
    assert_eq!((plain["previews"].clone(), house.files()), (json!([]), 0));
    assert_eq!(house.settled("m1").await["previews"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn what_was_edited_meanwhile_gets_the_previews_of_its_new_text() {
    let house = House::open().await;
    let slow = page("<title>old</title><meta property=og:image content=/i.png>");
    house.web.says("https://old.example/", slow.after(Duration::from_secs(1)));
    house.web.shows("https://old.example/i.png", "image/png", PNG);
    house.web.says("https://new.example/", page("<title>new</title>"));
    house.posts("m1", "https://old.example/").await;
    house.posts("m1", "https://new.example/").await;
    let message = house.settled("m1").await;
    assert_eq!(message["previews"].as_array().map(Vec::len), Some(1));
    assert_eq!(message["previews"][0]["title"], "new");
    assert_eq!((house.files(), house.stored_files().await), (0, 0), "no picture is left behind");

    house.posts("m2", "https://old.example/").await;
    house.deletes("m2").await;
    sleep(Duration::from_secs(10)).await;
    assert_eq!((house.files(), house.stored_files().await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_message_takes_its_previews_with_it() {
    let house = House::open().await;
    house.web.says(LINK, page("<title>t</title><meta property=og:image content=/i.png>"));
    house.web.shows("https://news.example/i.png", "image/png", PNG);
    house.posts("m1", LINK).await;
    let before = house.settled("m1").await;
    house.posts("m2", LINK).await;
    house.settled("m2").await;
    assert_eq!(house.files(), 2);

    house.deletes("m1").await;
    let restored = house.restores("m1").await;
    assert_eq!(restored["previews"], before["previews"], "a restored message has them again");
    house.deletes("m1").await;
    house.erases().await;
    assert_eq!((house.files(), house.stored_files().await), (1, 1));
    // A hundred later ones, and it falls out.
    for n in 0..100 {
        house.posts(&format!("n{n}"), "more").await;
    }
    assert_eq!((house.files(), house.stored_files().await), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn previews_are_there_again_after_a_restart() {
    let house = House::open().await;
    house.web.says(LINK, page("<title>t</title><meta property=og:image content=/i.png>"));
    house.web.shows("https://news.example/i.png", "image/png", PNG);
    house.posts("m1", LINK).await;
    house.posts("m2", LINK).await;
    for id in ["m1", "m2"] {
        house.settled(id).await;
    }
    house.hides("m2").await.expect("it is hidden");
    let before = house.history();
    assert_eq!(before[1]["previews_hidden"], true);
    let again = house.restarted().await;
    assert_eq!(again.history(), before);
    assert_eq!((again.files(), again.stored_files().await), (1, 1));
    assert!(again.web.asked().is_empty(), "nothing is fetched again");
    let edited = again.posts("m2", &format!("{LINK} edited")).await;
    assert_eq!(edited["previews_hidden"], true, "it stays hidden");
}

#[tokio::test(start_paused = true)]
async fn the_author_hides_them_for_everybody_and_nobody_else_does() {
    let house = House::open().await;
    let bob = house.signs_in("Bob").await;
    house.web.says(LINK, page("<title>t</title><meta property=og:image content=/i.png>"));
    house.web.shows("https://news.example/i.png", "image/png", PNG);
    house.posts("m1", LINK).await;
    house.settled("m1").await;
    let changes = house.changes();
    house.hides_as(&bob, "m1").await.expect_err("it is not his");
    house.shows_as(&bob, "m1").await.expect_err("nor is this");
    house.hides_as(&bob, "nothing").await.expect_err("there is no such message");
    assert_eq!(house.changes(), changes);

    house.hides("m1").await.expect("it is hers");
    let hidden = house.message("m1");
    assert_eq!((&hidden["previews"], &hidden["previews_hidden"]), (&json!([]), &json!(true)));
    assert!(hidden["edited_at"].is_null());
    assert_eq!((house.files(), house.stored_files().await), (0, 0), "the picture is gone");
    house.hides("m1").await.expect("again");
    assert_eq!(house.changes(), changes + 1, "hidden is hidden");
    house.posts("m1", &format!("{LINK} https://other.example/")).await;
    let edited = house.settled("m1").await;
    assert_eq!((&edited["previews"], &edited["previews_hidden"]), (&json!([]), &json!(true)));

    house.shows("m1").await.expect("it is hers");
    let shown = house.settled("m1").await;
    assert_eq!(shown["previews"][0]["title"], "t");
    assert_eq!(shown.get("previews_hidden"), None);
    let changes = house.changes();
    house.shows("m1").await.expect("again");
    house.settled("m1").await;
    assert_eq!(house.changes(), changes, "shown is shown");
}

#[tokio::test(start_paused = true)]
async fn hooks_may_ask_for_none() {
    let house = House::open().await;
    house.web.says(LINK, page("<title>t</title>"));
    let hook = house.makes_hook().await;
    for (payload, previews) in [
        (json!({ "text": format!("<{LINK}|one>"), "unfurl_links": false }), 0),
        (json!({ "text": LINK, "unfurl_links": "false" }), 0),
        (json!({ "attachments": [{ "title": "x", "title_link": LINK }] }), 0),
        (json!({ "text": LINK, "unfurl_links": true }), 1),
        (json!({ "text": LINK }), 1),
    ] {
        let post = HookPost::parse(&payload.to_string()).expect("a payload");
        house.engine.post_by_hook(&hook, post).await.expect("it is posted");
        sleep(Duration::from_secs(10)).await;
        let message = house.history().pop().expect("a message");
        let found = message["previews"].as_array().map(Vec::len);
        assert_eq!(found, Some(previews), "{payload}");
    }
    // Whoever may delete the hook may hide what it shows.
    let id = house.history().pop().expect("a message")["id"].as_str().expect("an id").to_owned();
    let bob = house.signs_in("Bob").await;
    house.hides_as(&bob, &id).await.expect_err("it is Ada's hook");
    house.hides(&id).await.expect("it is hers");
}

#[tokio::test(start_paused = true)]
async fn nobody_s_links_keep_those_of_others_waiting() {
    let house = House::open().await;
    let bob = house.signs_in("Bob").await;
    for n in 0..300 {
        let answer = page("<title>slow</title>").after(Duration::from_secs(2));
        house.web.says(&format!("https://slow.example/{n}"), answer);
    }
    house.web.says(LINK, page("<title>t</title>"));
    for n in 0..300 {
        house.posts(&format!("m{}", n % 90), &format!("https://slow.example/{n}")).await;
    }
    house.posts_as(&bob, "b1", LINK).await;
    sleep(Duration::from_millis(500)).await;
    assert_eq!(house.message("b1")["previews"][0]["title"], "t");
    assert_eq!(house.web.most_at_once(), 3, "two of hers, and his");
    assert_eq!(house.count("page", "dropped"), 300 - 128, "no more than half may wait");
}

#[tokio::test(start_paused = true)]
async fn previews_are_off_until_they_are_enabled() {
    let house = House::without_previews().await;
    house.web.says(LINK, page("<title>t</title>"));
    house.posts("m1", LINK).await;
    assert_eq!(house.settled("m1").await["previews"], json!([]));
    assert!(house.web.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn there_is_a_limit_of_fetches() {
    let house = House::limited().await;
    for n in 0..40 {
        let link = format!("https://site.example/{n}");
        house.web.says(&link, page("<title>t</title>"));
        let text: Text = link.parse().expect("a text");
        let posted = house.engine.post(&house.ada, &general(), MessageDraft::from(text)).await;
        posted.expect("posting has its own");
    }
    sleep(Duration::from_secs(10)).await;
    // A clock that is not the tests' refills it.
    let asked = house.web.asked().len();
    assert!((30..40).contains(&asked), "{asked}");
    assert_eq!(house.count("page", "limited"), 40 - asked as u64);
}
