//! Tests of search.

use rocket::http::RawStr;

use crate::harness::{Person, Workspace};

/// Searches, and returns the texts that are found, newest first.
async fn finds(person: &Person, words: &str) -> Vec<String> {
    let path = format!("/api/search?q={}", RawStr::new(words).percent_encode());
    let answer = person.get(&path).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let messages = answer.json()["messages"].as_array().expect("messages").clone();
    messages.iter().map(|it| it["text"].as_str().expect("a text").to_owned()).collect()
}

#[rocket::async_test]
async fn words_are_found_in_any_channel_newest_first() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.creates("launch").await;
    ada.posts("general", "the Countdown begins").await;
    ada.posts("launch", "countdown at ten").await;
    ada.posts("launch", "nothing of that").await;

    assert_eq!(finds(&ada, "countdown").await, ["countdown at ten", "the Countdown begins"]);
    assert_eq!(finds(&ada, "BEGINS  count").await, ["the Countdown begins"], "all words, any case");
    assert!(finds(&ada, "countdown nowhere").await.is_empty());
    assert!(finds(&ada, " ").await.is_empty());
    ada.get("/api/search").await.refused(400, "malformed-request");
    workspace.visitor().get("/api/search?q=x").await.refused(401, "sign-in-required");
}

#[rocket::async_test]
async fn files_are_found_by_their_names_and_messages_as_they_are_now() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.sends("general", "look", &[("Grüße aus Köln.txt", b"x")]).await;
    ada.puts("general", "m1", "before").await;
    ada.puts("general", "m1", "after").await;
    assert_eq!(finds(&ada, "grüße").await, ["look"]);
    assert_eq!(finds(&ada, "after").await, ["after"]);
    assert!(finds(&ada, "before").await.is_empty());
    ada.deletes("general", "m1").await;
    assert!(finds(&ada, "after").await.is_empty());
}

#[rocket::async_test]
async fn words_are_found_however_they_are_written() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let texts = [
        "café",
        "cafe\u{301}",
        "ＦＵＬＬ",
        "full",
        "Straße",
        "strasse",
        "東京都庁",
        "カナ",
        "かな",
        "ｶﾞｲﾄﾞ",
        "İzmir",
        "ΟΔΟΣ",
        "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}",
        "❤\u{FE0F}",
        "می\u{200C}خواهم",
    ];
    for text in texts {
        ada.posts("general", text).await;
    }
    ada.sends("general", "a file", &[("U\u{308}bersicht.pdf", b"x")]).await;
    for (words, found) in [
        ("café", &["cafe\u{301}", "café"][..]),
        ("CAFE\u{301}", &["cafe\u{301}", "café"]),
        ("full", &["full", "ＦＵＬＬ"]),
        ("ｆｕｌｌ", &["full", "ＦＵＬＬ"]),
        ("STRASSE", &["strasse", "Straße"]),
        ("straße", &["strasse", "Straße"]),
        ("東京", &["東京都庁"]),
        ("庁　京都", &["東京都庁"]),
        ("カナ", &["カナ"]),
        ("かな", &["かな"]),
        ("ガイド", &["ｶﾞｲﾄﾞ"]),
        ("izmir", &["İzmir"]),
        ("οδος", &["ΟΔΟΣ"]),
        ("한글", &["\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}"]),
        ("❤", &["❤\u{FE0F}"]),
        ("میخواهم", &["می\u{200C}خواهم"]),
        ("Übersicht", &["a file"]),
        ("u\u{308}bersicht.PDF", &["a file"]),
    ] {
        assert_eq!(finds(&ada, words).await, found, "{words:?}");
    }
}

#[rocket::async_test]
async fn nobody_finds_what_they_cannot_read() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    let eve = workspace.signed_in_as("Eve").await;
    ada.posts("@Bob", "the secret").await;
    assert_eq!(finds(&bob, "secret").await, ["the secret"]);
    assert!(finds(&eve, "secret").await.is_empty());
}

#[rocket::async_test]
async fn no_more_than_fifty_are_found() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for n in 0..60 {
        ada.posts("general", &format!("word {n}")).await;
    }
    let found = finds(&ada, "word").await;
    assert_eq!((found.len(), &*found[0], &*found[49]), (50, "word 59", "word 10"));
}
