//! Tests of messages: sending, editing, deleting, reading.

use rocket::http::Method;
use serde_json::json;

use crate::harness::{Workspace, event};

#[rocket::async_test]
async fn a_message_is_kept_with_its_author_and_time() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let answer = ada.post("/api/channels/general/messages", json!({ "text": " *hi* " })).await;

    assert_eq!(answer.status, 201);
    let message = answer.json();
    let id = message["id"].as_str().expect("an id");
    let location = format!("/api/channels/general/messages/{id}");
    assert_eq!(answer.header("Location"), Some(&*location));
    assert_eq!(message["text"], "*hi*");
    assert_eq!(message["html"], "<p><em>hi</em></p>");
    assert_eq!(message["author"], ada.user);
    assert_eq!(message["channel"], "general");
    assert!(message["edited_at"].is_null());
    assert_eq!((&message["attachments"], &message["reactions"]), (&json!([]), &json!([])));
    assert_eq!(ada.get(&location).await.json(), message);
    let (messages, _) = ada.history("general").await;
    assert_eq!(messages, std::slice::from_ref(&message));
    assert_eq!(ada.channel("general").await["last_message_at"], message["sent_at"]);
}

#[rocket::async_test]
async fn a_message_can_be_sent_in_any_common_form() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let form = "application/x-www-form-urlencoded";
    for (kind, body, text) in [
        ("application/json", r#"{"text":"json","more":1}"#, "json"),
        ("application/json; charset=utf-8", r#"{"text":"\ud83d\ude80"}"#, "🚀"),
        ("application/json; charset=utf8", "\u{FEFF}{\"text\":\"marked\"}", "marked"),
        ("application/json; charset=\"US-ASCII\"", r#"{"text":"quoted"}"#, "quoted"),
        ("text/plain; charset=us-ascii", "\u{FEFF}marked", "marked"),
        (form, "\u{FEFF}text=marked", "marked"),
        ("text/plain", "plain text=1", "plain text=1"),
        ("text/plain; charset=UTF-8", "grüße", "grüße"),
        (form, "text=a+form%21&more=1", "a form!"),
        (form, "hi there, 100% literally+", "hi there, 100% literally+"),
        (form, "_method=get", "_method=get"),
        (form, "_method=put&text=a", "_method=put&text=a"),
        (form, "%5Fmethod=put", "%5Fmethod=put"),
        (form, "_method=delete", "_method=delete"),
    ] {
        let headers = [("Content-Type", kind)];
        let path = "/api/channels/general/messages";
        let answer = ada.asks(Method::Post, path, &headers, body).await;
        assert_eq!(answer.status, 201, "{body:?}: {answer:?}");
        assert_eq!(answer.json()["text"], text, "{body:?}");
    }
}

#[rocket::async_test]
async fn any_label_of_utf8_is_understood_and_no_other() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let part = |kind: &str| {
        let head = "Content-Disposition: form-data; name=\"text\"\r\nContent-Type: text/plain";
        format!("--b\r\n{head}{kind}\r\n\r\n\u{FEFF}grüße\r\n--b--\r\n")
    };
    let default = |charset: &str| {
        let charset =
            format!("--b\r\nContent-Disposition: form-data; name=_charset_\r\n\r\n{charset}");
        format!("{charset}\r\n{}", part(""))
    };
    for label in [
        "",
        "; charset=utf-8",
        ";charset=UTF8",
        "; Charset=Utf-8",
        "; charset=\"utf-8\"",
        "; charset=\"US-ASCII\"",
        "; format=flowed; charset=us-ascii",
        "; charset=utf-8;",
        " ; charset=utf-8 ; ",
        ";",
    ] {
        for (kind, body) in [
            ("application/json", "\u{FEFF}{\"text\":\"grüße\"}".to_owned()),
            ("APPLICATION/JSON", "{\"text\":\"gr\\u00fc\\u00dfe\"}".to_owned()),
            ("text/plain", "\u{FEFF}grüße".to_owned()),
            ("application/x-www-form-urlencoded", "text=gr%C3%BC%C3%9Fe".to_owned()),
            ("application/x-www-form-urlencoded", "text=%EF%BB%BFgr%C3%BC%C3%9Fe".to_owned()),
            ("application/x-www-form-urlencoded", "\u{FEFF}grüße".to_owned()),
            ("multipart/form-data; boundary=b", part("; charset=utf-8")),
            ("multipart/form-data; boundary=b", part(label)),
            ("multipart/form-data; boundary=b", default("UTF-8")),
        ] {
            let kind = format!("{kind}{label}");
            let path = "/api/channels/general/messages";
            let answer = ada.asks(Method::Post, path, &[("Content-Type", &kind)], &body).await;
            assert_eq!(answer.status, 201, "{kind}: {body:?}: {answer:?}");
            assert_eq!(answer.json()["text"], "grüße", "{kind}: {body:?}");
        }
    }
    for label in ["latin1", "utf-16", "ISO-8859-1", "\"windows-1252\"", "utf-7", "utf-8-sig"] {
        for (kind, body) in [
            ("application/json", "{\"text\":\"hi\"}".to_owned()),
            ("text/plain", "hi".to_owned()),
            ("application/x-www-form-urlencoded", "text=hi".to_owned()),
            ("multipart/form-data; boundary=b", part("")),
        ] {
            let kind = format!("{kind}; charset={label}");
            let path = "/api/channels/general/messages";
            let answer = ada.asks(Method::Post, path, &[("Content-Type", &kind)], &body).await;
            answer.refused(415, "unsupported-media-type");
        }
        let kind = [("Content-Type", "multipart/form-data; boundary=b")];
        let path = "/api/channels/general/messages";
        let labelled = part(&format!("; charset={label}"));
        let answer = ada.asks(Method::Post, path, &kind, labelled).await;
        assert_eq!(answer.refused(415, "unsupported-media-type")["field"], "text");
        let answer = ada.asks(Method::Post, path, &kind, default(label.trim_matches('"'))).await;
        answer.refused(415, "unsupported-media-type");
    }
    // A mark of another encoding is no UTF-8.
    for body in [&b"\xFF\xFEh\0i\0"[..], b"\xFE\xFF\0h\0i"] {
        let kind = [("Content-Type", "text/plain")];
        let answer = ada.asks(Method::Post, "/api/channels/general/messages", &kind, body).await;
        answer.refused(400, "malformed-request");
    }
}

#[rocket::async_test]
async fn a_text_is_the_same_however_its_lines_were_ended() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let path = "/api/channels/general/messages/lines";
    let first = ada.sends_as(Method::Put, path, "one\r\ntwo", &[]).await;
    assert_eq!((first.status, &first.json()["text"]), (201, &json!("one\ntwo")));
    let mut feed = ada.listens("general").await;
    let form = "application/x-www-form-urlencoded";
    for (kind, body) in [
        ("application/json", r#"{"text":"one\ntwo"}"#),
        ("application/json", r#"{"text":"one\r\ntwo"}"#),
        ("application/json", r#"{"text":"\r\none\rtwo\r"}"#),
        ("text/plain", "one\r\ntwo\r\n"),
        ("text/plain", "one\rtwo"),
        (form, "text=one%0D%0Atwo"),
        (form, "text=one%0Dtwo%0D%0A"),
        (form, "one\r\ntwo"),
    ] {
        let answer = ada.asks(Method::Put, path, &[("Content-Type", kind)], body).await;
        assert_eq!((answer.status, answer.json()), (200, first.json()), "{body:?}");
    }
    for text in ["one\ntwo", "one\rtwo", "\u{FEFF}one\r\ntwo"] {
        let answer = ada.sends_as(Method::Put, path, text, &[]).await;
        assert_eq!((answer.status, answer.json()), (200, first.json()), "{text:?}");
    }
    ada.posts("general", "next").await;
    assert_eq!(feed.next_lasting().await, event("message", "next"), "nothing changed");

    let long = "a\r\n".repeat(1_999);
    let sent = ada.sends("general", &long, &[("a.txt", b"a")]).await;
    assert_eq!((sent.status, &sent.json()["text"]), (201, &json!("a\n".repeat(1_999).trim())));
    let most = "行\r\n".repeat(2_000);
    assert_eq!(ada.sends("general", &most, &[]).await.status, 201, "3,999 characters");
    let more = "行\r\n".repeat(2_001);
    ada.sends("general", &more, &[]).await.refused(422, "invalid-text");
}

#[rocket::async_test]
async fn what_cannot_be_a_message_is_refused_and_loses_nothing() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.posts("general", "before").await;
    let json = "application/json";
    let (long, huge) = ("x".repeat(4_001), "x".repeat(64 * 1024 + 1));
    let megabytes = "x".repeat(10 * 1024 * 1024);
    for (kind, body, status, slug) in [
        (json, &br#"{"text":" \n "}"#[..], 422, "empty-message"),
        (json, br#"{"text":"a\u0000b"}"#, 422, "invalid-text"),
        (json, br#"{"text":7}"#, 400, "malformed-request"),
        (json, br"{}", 400, "malformed-request"),
        (json, br"[]", 400, "malformed-request"),
        (json, br#"{"text":"#, 400, "malformed-request"),
        (json, br#"{"text":"\ud800"}"#, 400, "malformed-request"),
        (json, b"", 400, "malformed-request"),
        ("text/plain", b"\xff\xfe", 400, "malformed-request"),
        ("text/plain", b"", 422, "empty-message"),
        ("text/plain", long.as_bytes(), 422, "invalid-text"),
        ("text/plain", huge.as_bytes(), 413, "too-large"),
        ("text/plain", megabytes.as_bytes(), 413, "too-large"),
        ("text/plain; charset=latin1", b"hi", 415, "unsupported-media-type"),
        ("application/x-www-form-urlencoded", b"text=%ff", 400, "malformed-request"),
        ("application/x-www-form-urlencoded", b"text=", 422, "empty-message"),
        ("application/xml", b"<text/>", 415, "unsupported-media-type"),
    ] {
        let path = "/api/channels/general/messages";
        let answer = ada.asks(Method::Post, path, &[("Content-Type", kind)], body).await;
        answer.refused(status, slug);
    }
    let answer = ada.asks(Method::Post, "/api/channels/general/messages", &[], "no type").await;
    answer.refused(415, "unsupported-media-type");
    let wrong = ada.post("/api/channels/general/messages", json!({ "text": 7 })).await;
    assert_eq!(wrong.json()["field"], "text");
    ada.posts("general", &"🚀".repeat(4_000)).await;
    assert_eq!(ada.reads("general").await.len(), 2);
}

#[rocket::async_test]
async fn sending_again_under_ones_own_id_posts_once() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let mut feed = ada.listens("general").await;

    let first = ada.puts("general", "m-1", "hello").await;
    let again = ada.puts("general", "m-1", "hello").await;

    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.header("Location"), Some("/api/channels/general/messages/m-1"));
    assert_eq!(first.json(), again.json());
    ada.posts("general", "next").await;
    assert_eq!(feed.next_lasting().await, event("message", "hello"));
    assert_eq!(feed.next_lasting().await, event("message", "next"));
}

#[rocket::async_test]
async fn the_same_message_sent_many_times_at_once_is_kept_once() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let attempts = (0..50).map(|_| ada.puts("general", "m-1", "hello"));
    let answers = futures::future::join_all(attempts).await;

    let created = answers.iter().filter(|answer| answer.status == 201).count();
    let same = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((created, same), (1, 49));
    assert_eq!(ada.reads("general").await, ["hello"]);
}

#[rocket::async_test]
async fn putting_another_text_edits_in_place() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let first = ada.puts("general", "m-1", "helo").await.json();
    ada.posts("general", "next").await;
    let mut feed = ada.listens("general").await;

    let edited = ada.puts("general", "m-1", "hello").await;

    assert_eq!(edited.status, 200);
    let edited = edited.json();
    assert_eq!(edited["text"], "hello");
    assert!(edited["edited_at"].is_string());
    for unchanged in ["id", "seq", "sent_at", "author"] {
        assert_eq!(edited[unchanged], first[unchanged]);
    }
    assert_eq!(feed.next_named("message-updated").await.data, edited);
    assert_eq!(ada.reads("general").await, ["hello", "next"]);
}

#[rocket::async_test]
async fn one_cannot_touch_what_others_wrote() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.puts("general", "m-1", "mine").await;
    bob.puts("general", "m-1", "stolen").await.refused(403, "not-yours");
    bob.delete("/api/channels/general/messages/m-1").await.refused(403, "not-yours");
    assert_eq!(ada.reads("general").await, ["mine"]);
}

#[rocket::async_test]
async fn a_channels_creator_may_delete_in_it() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    ada.creates("ops").await;
    bob.puts("ops", "m-1", "spam").await;
    ada.deletes("ops", "m-1").await;
    assert!(bob.reads("ops").await.is_empty());
}

#[rocket::async_test]
async fn deleting_is_seen_by_all_and_frees_the_id() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let first = ada.puts("general", "m-1", "oops").await.json();
    let mut feed = ada.listens("general").await;

    ada.deletes("general", "m-1").await;

    let deleted = json!({ "id": "m-1", "seq": first["seq"] });
    assert_eq!(feed.next_named("message-deleted").await.data, deleted);
    let path = "/api/channels/general/messages/m-1";
    ada.get(path).await.refused(404, "no-such-message");
    ada.delete(path).await.refused(404, "no-such-message");
    let again = ada.puts("general", "m-1", "again").await;
    assert_eq!(again.status, 201);
    assert!(again.json()["seq"].as_u64() > first["seq"].as_u64());
}

#[rocket::async_test]
async fn what_is_no_message_id_is_refused() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let long = "x".repeat(65);
    for id in ["a.b", "a%20b", "%C3%A9", &long] {
        let refused = ada.puts("general", id, "hi").await;
        assert_eq!(refused.refused(422, "invalid-message-id")["field"], "id");
        let answer = ada.get(&format!("/api/channels/general/messages/{id}")).await;
        answer.refused(404, "no-such-message");
    }
}

#[rocket::async_test]
async fn a_channel_keeps_exactly_its_last_hundred_also_across_a_restart() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for n in 0..103 {
        ada.puts("general", &format!("m-{n}"), &format!("{n}")).await;
    }
    ada.puts("general", "m-50", "edited").await;
    let expected: Vec<_> =
        (3..103).map(|n| if n == 50 { "edited".into() } else { n.to_string() }).collect();

    assert_eq!(ada.reads("general").await, expected);
    ada.get("/api/channels/general/messages/m-2").await.refused(404, "no-such-message");
    let (before, _) = ada.history("general").await;
    let token = ada.token.clone().expect("a token");
    drop(ada);

    let workspace = workspace.restarted().await;
    let (after, _) = workspace.holder_of(&token).history("general").await;
    assert_eq!(after, before);
}

#[rocket::async_test]
async fn seqs_and_times_never_go_back() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let posts = (0..50).map(|_| ada.posts("general", "x"));
    futures::future::join_all(posts).await;
    let (messages, _) = ada.history("general").await;
    let order: Vec<_> = messages
        .iter()
        .map(|message| (message["seq"].as_u64(), message["sent_at"].as_str().expect("a time")))
        .collect();
    assert!(order.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1), "{order:?}");
}
