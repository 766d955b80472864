//! Tests of the text faces: the manual, transcripts, lines of JSON, live tails, and files that are
//! sent by `PUT`.

use rocket::http::{Method, RawStr};
use serde_json::{Value, json};

use crate::harness::{Answer, BROWSER, Person, Workspace};

const NDJSON: &str = "application/x-ndjson";
const STREAM: &str = "text/event-stream";

async fn asks(person: &Person, path: &str, accept: &str) -> Answer {
    let accept = [("Accept", accept), ("Host", "chat.example:8443")];
    let accept = if accept[0].1.is_empty() { &accept[1..] } else { &accept[..] };
    person.asks(Method::Get, path, accept, "").await
}

fn messages(answer: &Answer) -> Vec<Value> {
    let lines = answer.text.lines();
    lines.map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn texts(answer: &Answer) -> Vec<String> {
    let text = |message: Value| message["text"].as_str().expect("a text").to_owned();
    messages(answer).into_iter().map(text).collect()
}

#[rocket::async_test]
async fn a_page_is_sent_to_those_alone_who_ask_for_html() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for (path, accept, kind) in [
        ("/", "", "text/plain; charset=utf-8"),
        ("/", "*/*", "text/plain; charset=utf-8"),
        ("/", NDJSON, "text/plain; charset=utf-8"),
        ("/", BROWSER, "text/html; charset=utf-8"),
        ("/", "text/html;q=0.1, */*;q=0.2", "text/plain; charset=utf-8"),
        ("/channels/general", "", "text/plain; charset=utf-8"),
        ("/channels/general", "*/*", "text/plain; charset=utf-8"),
        ("/channels/general", BROWSER, "text/html; charset=utf-8"),
        ("/channels/general", NDJSON, NDJSON),
        ("/channels/@Ada", "", "text/plain; charset=utf-8"),
        ("/channels/nowhere", "", "text/plain; charset=utf-8"),
        ("/channels/nowhere", BROWSER, "text/html; charset=utf-8"),
        ("/channels/nowhere", NDJSON, NDJSON),
    ] {
        let answer = asks(&ada, path, accept).await;
        assert_eq!(answer.header("Content-Type"), Some(kind), "{path} {accept}");
        assert_eq!(answer.header("Vary"), Some("Accept"), "{path} {accept}");
        let store = answer.header("Cache-Control").expect("it is not for caches");
        assert!(store.contains("no-store"), "{path} {accept}");
        assert_eq!(answer.header("X-Content-Type-Options"), Some("nosniff"), "{path}");
        let head = [("Accept", accept)];
        let head = if accept.is_empty() { &[][..] } else { &head };
        let head = ada.asks(Method::Head, path, head, "").await;
        assert_eq!(head.status, answer.status, "HEAD {path} {accept}");
        assert_eq!(head.header("Content-Type"), Some(kind), "HEAD {path} {accept}");
        assert!(head.bytes.is_empty(), "HEAD {path} {accept}");
    }
}

#[rocket::async_test]
async fn the_manual_needs_no_session_and_has_the_address_that_was_asked_for() {
    let workspace = Workspace::start().await;
    let ask = async |headers: &[(&str, &str)]| {
        workspace.visitor().asks(Method::Get, "/", headers, "").await
    };
    for (headers, address) in [
        (&[("Host", "localhost:8000")][..], "http://localhost:8000"),
        (&[("Host", "chat.example")], "http://chat.example"),
        (
            &[
                ("Host", "inner"),
                ("X-Forwarded-Host", "chat.example"),
                ("X-Forwarded-Proto", "https"),
            ],
            "https://chat.example",
        ),
        (&[], "http://127.0.0.1:8000"),
        (&[("Host", "[::1]:8000")], "http://[::1]:8000"),
    ] {
        let manual = ask(headers).await;
        assert_eq!(manual.status, 200);
        assert!(manual.text.contains(&format!(" {address}/channels/general\n")), "{}", manual.text);
        assert!(!manual.text.contains("{{") && !manual.text.contains("&#x"), "{}", manual.text);
        assert!(manual.text.lines().count() < 70, "it is one page");
    }
}

#[rocket::async_test]
async fn without_a_session_the_refusal_has_the_format_that_was_asked_for() {
    let workspace = Workspace::start().await;
    let visitor = workspace.visitor();
    for path in ["/channels/general", "/channels/nowhere", "/channels/general?follow=1"] {
        for (accept, kind) in
            [("", "text/plain; charset=utf-8"), (NDJSON, NDJSON), (STREAM, STREAM)]
        {
            let refused = asks(&visitor, path, accept).await;
            assert_eq!(refused.status, 401, "{path} {accept}");
            assert_eq!(refused.header("Content-Type"), Some(kind), "{path} {accept}");
            assert_eq!(refused.header("WWW-Authenticate"), Some("Bearer"), "{path} {accept}");
        }
    }
    let refused = asks(&visitor, "/channels/general", NDJSON).await;
    assert_eq!(messages(&refused)[0]["type"], "/problems/sign-in-required");
    assert_eq!(asks(&visitor, "/channels/general", BROWSER).await.status, 200, "the way in");
    let ada = workspace.signed_in_as("Ada").await;
    let refused = asks(&ada, "/channels/nowhere", NDJSON).await;
    assert_eq!(messages(&refused)[0]["type"], "/problems/no-such-channel");
    assert!(asks(&ada, "/nothing", "").await.text.starts_with("Not found: "));
}

#[rocket::async_test]
async fn a_channel_is_a_transcript_of_a_line_a_message() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    assert_eq!(asks(&ada, "/channels/general", "").await.text, "");
    let one = ada.posts("general", "*Hello*\nyou & me").await;
    let two = ada.sends("general", "", &[("a b.txt", b"plot")]).await.json();
    let three = ada.sends("general", "The plan", &[("x", b"x"), ("y", b"y")]).await.json();
    let transcript = asks(&ada, "/channels/general", "").await;
    let time = |message: &Value| {
        let time = message["sent_at"].as_str().expect("a time");
        format!("{} {}Z", &time[..10], &time[11..19])
    };
    let url = |message: &Value, n: usize| {
        let url = message["attachments"][n]["url"].as_str().expect("an address");
        format!("http://chat.example:8443{url}")
    };
    let expected = format!(
        "{} Ada: *Hello*\n  you & me\n{} Ada: {}\n{} Ada: The plan\n  {}\n  {}\n",
        time(&one),
        time(&two),
        url(&two, 0),
        time(&three),
        url(&three, 0),
        url(&three, 1),
    );
    assert_eq!(transcript.text, expected);
    assert!(expected.contains("a%20b.txt"));
    let lines = asks(&ada, "/channels/general", NDJSON).await;
    assert_eq!(messages(&lines), [one, two, three]);
}

#[rocket::async_test]
async fn since_says_where_to_begin() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for n in 0..3 {
        ada.puts("general", &format!("m{n}"), &format!("text {n}")).await;
    }
    let since =
        async |since: &str| asks(&ada, &format!("/channels/general?since={since}"), NDJSON).await;
    for all in ["all", "", "10m", "1h", "2d"] {
        assert_eq!(texts(&since(all).await), ["text 0", "text 1", "text 2"], "{all}");
    }
    assert_eq!(texts(&since("0s").await), [""; 0], "nothing is that new");
    let cursor = since("all").await.header("Cursor").expect("a cursor").to_owned();
    assert_eq!(cursor, ada.history("general").await.1);
    assert_eq!(since(&cursor).await.text, "");
    ada.puts("general", "m3", "text 3").await;
    ada.puts("general", "m0", "edited").await;
    assert_eq!(texts(&since(&cursor).await), ["text 3", "edited"]);
    ada.deletes("general", "m1").await;
    let later = since(&cursor).await;
    assert!(later.text.ends_with("}\n"), "{}", later.text);
    assert_eq!(messages(&later)[2]["event"], "message-deleted");
    for n in 0..120 {
        ada.puts("general", &format!("n{n}"), "more").await;
    }
    for gap in [cursor.as_str(), "nonsense", "0000000000000007-0000000a-42"] {
        let lines = messages(&since(gap).await);
        assert_eq!((&lines[0], lines.len()), (&json!({ "event": "reset" }), 101), "{gap}");
        let path = format!("/channels/general?since={gap}");
        let transcript = asks(&ada, &path, "").await.text;
        assert!(transcript.starts_with("# "), "{gap}: {}", &transcript[..80]);
        assert_eq!(transcript.lines().count(), 101, "{gap}");
    }
}

#[rocket::async_test]
async fn following_goes_on_with_what_comes() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    bob.creates("ops").await;
    bob.puts("ops", "m1", "before").await;
    let path = "/channels/ops?follow=1";
    let mut text = ada.tails(path, "text/plain").await;
    let mut json = ada.tails(path, NDJSON).await;
    assert!(text.next().await.expect("a line").ends_with("Z Bob: before"));
    let first: Value = serde_json::from_str(&json.next().await.expect("a line")).expect("JSON");
    assert_eq!(first["text"], "before");
    assert_eq!(ada.channel("ops").await["name"], "ops");
    let here = ada.get("/api/channels/ops").await.json()["online"].clone();
    assert_eq!(here[0]["display_name"], "Ada", "they are here");

    bob.puts("ops", "m2", "one\ntwo").await;
    bob.put("/api/channels/ops/messages/m2/reactions/x", json!({})).await;
    bob.puts("ops", "m2", "edited").await;
    bob.deletes("ops", "m2").await;
    bob.delete("/api/channels/ops").await;

    let mut said = Vec::new();
    while let Some(line) = text.next().await {
        said.push(line.split_once("Z ").map_or(line.clone(), |(_, said)| said.to_owned()));
    }
    assert_eq!(said, ["Bob: one", "  two", "Bob: edited", "# The channel was deleted."]);
    let mut lines: Vec<Value> = Vec::new();
    while let Some(line) = json.next().await {
        lines.push(serde_json::from_str(&line).expect("JSON"));
    }
    assert_eq!(lines[0]["text"], "one\ntwo");
    let last = &lines[lines.len() - 2..];
    assert_eq!((&last[0]["event"], &last[0]["id"]), (&json!("message-deleted"), &json!("m2")));
    assert_eq!(last[1], json!({ "event": "channel-deleted", "name": "ops" }));
    let edited = lines.iter().any(|line| line["text"] == "edited");
    let reacted = lines.iter().any(|line| line["reactions"][0]["reaction"] == "x");
    assert!(edited && reacted, "{lines:?}");
}

#[rocket::async_test]
async fn a_stream_that_is_not_to_follow_ends_where_it_is_now() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "one").await;
    let path = "/channels/general?follow=0";
    let all = asks(&ada, path, "text/event-stream").await;
    assert_eq!(all.text.matches("event: message\n").count(), 1, "{all:?}");
    let cursor = all.header("Cursor").expect("a cursor").to_owned();
    ada.posts("general", "two").await;
    let news = asks(&ada, &format!("{path}&since={cursor}"), "text/event-stream").await;
    assert!(news.text.contains("\"two\"") && !news.text.contains("\"one\""), "{news:?}");
    assert_ne!(news.header("Cursor"), Some(&*cursor));
}

#[rocket::async_test]
async fn a_tail_ends_with_its_session_and_counts_as_a_stream() {
    let workspace = Workspace::with(|settings| settings.merge(("max_streams_per_user", 1))).await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut first = ada.tails("/channels/general?follow=1", "*/*").await;
    let mut second = ada.tails("/channels/general?follow=1&since=10m", NDJSON).await;
    assert_eq!(first.next().await, None, "the oldest ends");
    ada.delete("/api/session").await;
    assert_eq!(second.next().await, None);
}

#[rocket::async_test]
async fn a_stream_is_the_channels_with_all_that_is_stored_unless_it_resumes() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "one").await;
    let (_, cursor) = ada.history("general").await;
    ada.posts("general", "two").await;
    let accept = ("Accept", STREAM);
    for (query, headers, first) in [
        ("", &[accept][..], "one"),
        ("?since=all", &[accept], "one"),
        ("?since=10m&follow=1", &[accept], "one"),
        ("", &[accept, ("Last-Event-ID", &cursor)], "two"),
        ("?since=all", &[accept, ("Last-Event-ID", &cursor)], "two"),
    ] {
        let mut feed = ada.opens(&format!("/channels/general{query}"), headers).await;
        assert_eq!(feed.next_named("message").await.data["text"], first, "{query} {headers:?}");
    }
    let mut feed = ada.opens(&format!("/channels/general?since={cursor}"), &[accept]).await;
    assert_eq!(feed.next_named("message").await.data["text"], "two");
}

#[rocket::async_test]
async fn a_form_cannot_stand_for_a_put() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    for path in ["/channels/general", "/channels/general/", "/channels/general/x.txt"] {
        for body in ["_method=put", "_method=PUT&a=b", "_method=Put"] {
            let answer = ada.asks(Method::Post, path, &kind, body).await;
            assert!([404, 405].contains(&answer.status), "{path} {body}: {answer:?}");
        }
    }
    assert!(ada.reads("general").await.is_empty());
}

#[rocket::async_test]
async fn a_file_is_sent_by_put_under_its_name() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";
    for (path, kind, bytes, name, media_type) in [
        ("/channels/general/plan.txt", None, &b"plot"[..], "plan.txt", "text/plain"),
        ("/channels/general/a%20b.txt", None, b"plot", "a b.txt", "text/plain"),
        ("/channels/general/%E6%9D%8E.png", None, png, "李.png", "image/png"),
        ("/channels/general/x%2Fy.txt", None, b"plot", "y.txt", "text/plain"),
        ("/channels/general/page.html", Some("text/plain"), b"<!doctype html><p>", "page.html", ""),
        ("/channels/general/form", Some("multipart/form-data"), b"plot", "form", "text/plain"),
        (
            "/channels/general/field",
            Some("application/x-www-form-urlencoded"),
            b"_method=delete",
            "field",
            "text/plain",
        ),
        ("/channels/general/odd", Some("text/plain; charset=latin1"), b"plot", "odd", "text/plain"),
        ("/channels/general/empty", None, b"", "empty", ""),
        ("/channels/general", None, b"plot", "file.txt", "text/plain"),
        ("/channels/general/", None, png, "file.png", "image/png"),
        ("/channels/general", None, b"\0\x01\x02\xff", "file.bin", "application/octet-stream"),
        ("/channels/@Ada/notes.md", None, b"# notes", "notes.md", ""),
    ] {
        let kind = kind.map(|kind| ("Content-Type", kind));
        let headers: Vec<_> = kind.into_iter().chain([("Accept", NDJSON)]).collect();
        let sent = ada.asks(Method::Put, path, &headers, bytes).await;
        assert_eq!(sent.status, 201, "{path}: {sent:?}");
        assert_eq!(sent.header("Content-Type"), Some(NDJSON));
        let message = sent.json();
        let file = &message["attachments"][0];
        assert_eq!((&file["name"], &file["size"]), (&json!(name), &json!(bytes.len())), "{path}");
        let told = file["media_type"].as_str().expect("a type");
        assert!(told.starts_with(media_type), "{path}: {told}");
        assert_eq!(ada.get(file["url"].as_str().expect("an address")).await.bytes, bytes);
        let location = sent.header("Location").expect("where it is");
        assert_eq!(ada.get(location).await.json(), message);
    }
    let headers = [("Host", "chat.example:8443")];
    let sent = ada.asks(Method::Put, "/channels/general/x.txt", &headers, "plot").await;
    assert_eq!(sent.header("Content-Type"), Some("text/plain; charset=utf-8"));
    assert!(sent.text.contains("Z Ada: http://chat.example:8443/api/attachments/"), "{sent:?}");
}

#[rocket::async_test]
async fn a_file_that_cannot_be_sent_is_refused_and_leaves_nothing() {
    let workspace = Workspace::with(|settings| {
        settings.merge(("max_file_size", "1 KiB")).merge(("rate_limits", false))
    })
    .await;
    let (ada, visitor) = (workspace.signed_in_as("Ada").await, workspace.visitor());
    let token = ada.token.clone().expect("a token");
    let cookie = format!("session={token}");
    let large = "x".repeat(1_025);
    let path = "/channels/general/plan.txt";
    let foreign = [("Cookie", &*cookie), ("Origin", "https://evil.example"), ("Host", "h")];
    let cross = [("Cookie", &*cookie), ("Sec-Fetch-Site", "cross-site")];
    let own = [("Cookie", &*cookie), ("Origin", "http://h"), ("Host", "h")];
    for (who, path, headers, bytes, status) in [
        (&visitor, path, &[][..], "plot", 401),
        (&visitor, path, &foreign, "plot", 403),
        (&visitor, path, &cross, "plot", 403),
        (&visitor, "/channels/general", &foreign, "plot", 403),
        (&ada, "/channels/nowhere/plan.txt", &[], "plot", 404),
        (&ada, "/channels/@Nobody/plan.txt", &[], "plot", 404),
        (&ada, path, &[], &large, 413),
        (&ada, path, &[("Content-Length", "1025")], &large, 413),
        (&ada, "/channels/general", &[], "", 422),
    ] {
        let answer = who.asks(Method::Put, path, headers, bytes).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"), "{path}");
    }
    assert_eq!(ada.reads("general").await, [""; 0]);
    let sent = visitor.asks(Method::Put, path, &own, "plot").await;
    assert_eq!(sent.status, 201, "the same by a page of ours");
    let sent = ada.asks(Method::Put, path, &[], &large[..1_024]).await;
    assert_eq!(sent.status, 201, "the largest that there may be");
}

#[rocket::async_test]
async fn names_with_anything_in_them_are_found() {
    let workspace = Workspace::start().await;
    let (ada, bob) =
        (workspace.signed_in_as("Ada & co?").await, workspace.signed_in_as("Bob").await);
    ada.posts("@Bob", "psst").await;
    let path = format!("/channels/@{}", RawStr::new("Ada & co?").percent_encode());
    let transcript = asks(&bob, &path, "").await;
    assert!(transcript.text.ends_with(" Ada & co?: psst\n"), "{transcript:?}");
    let id = ada.channel("@Bob").await["id"].as_str().expect("an id").to_owned();
    assert_eq!(asks(&bob, &format!("/channels/id:{id}"), "").await.text, transcript.text);
}
