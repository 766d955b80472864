//! Tests of how a page draws messages: a table of them, which a browser test draws by scripts as well.

use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use data_encoding::BASE64;
use rocket::http::Method;
use rocket::tokio::net::TcpListener;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

use crate::harness::{BROWSER, Person, Workspace};

#[derive(Deserialize)]
struct Table {
    people: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    messages: Vec<Row>,
    previews: Vec<PreviewRow>,
}

/// A message with a link to a page that has this in its head.
#[derive(Deserialize)]
struct PreviewRow {
    what: String,
    #[serde(default)]
    by: Option<String>,
    head: String,
    /// True where it links to two such pages.
    #[serde(default)]
    twice: bool,
    #[serde(default)]
    hidden: bool,
    draws: Vec<String>,
    #[serde(default)]
    lacks: Vec<String>,
}

#[derive(Deserialize)]
#[serde(default)]
struct Row {
    what: String,
    by: String,
    text: String,
    files: Vec<String>,
    reactions: Vec<(String, String)>,
    edited: Option<String>,
    /// What a program posts to a hook, in place of a person's text.
    hook: Option<Value>,
    draws: Vec<String>,
    lacks: Vec<String>,
}

impl Default for Row {
    fn default() -> Self {
        let none = String::new;
        let (files, reactions, draws, lacks) = Default::default();
        let (edited, hook) = (None, None);
        Self {
            what: none(),
            by: none(),
            text: none(),
            files,
            reactions,
            edited,
            hook,
            draws,
            lacks,
        }
    }
}

fn table() -> Table {
    serde_json::from_str(include_str!("../rendering/messages.json")).expect("a table")
}

/// Reads the page of `general` with these headers.
async fn page(reader: &Person, headers: &[(&str, &str)]) -> String {
    let headers = [headers, &[("Accept", BROWSER)]].concat();
    let page = reader.asks(Method::Get, "/channels/general", &headers, "").await;
    assert_eq!(page.status, 200, "{page:?}");
    without_slots(&page.text).replace("&#x2F;", "/")
}

/// The page without the names of slots, which are for scripts.
fn without_slots(page: &str) -> String {
    let mut parts = page.split(" data-slots=\"");
    let first = parts.next().unwrap_or_default().trim_end().to_owned();
    let rest = parts.filter_map(|part| part.split_once('"')).map(|(_, rest)| rest.trim_end());
    rest.fold(first, |page, rest| page + rest)
}

/// The part of a page that draws the message of this id.
fn drawn<'p>(page: &'p str, id: &str) -> &'p str {
    let (_, from) =
        page.split_once(&format!("<li class=\"message\" id=\"message-{id}\"")).expect(id);
    let end = from.find("<li class=\"message\"").or_else(|| from.find("</section>"));
    &from[..end.expect("an end")]
}

#[rocket::async_test]
async fn messages_of_every_kind_are_drawn_as_the_table_says() {
    let workspace = Workspace::start().await;
    let table = table();
    let mut people = BTreeMap::new();
    for (key, name) in &table.people {
        people.insert(key.as_str(), workspace.signed_in_as(name).await);
    }
    let token = (Method::Post, "/api/sessions", r#"{"name": "CI", "bot": true}"#);
    let json = [("Content-Type", "application/json")];
    assert_eq!(people["robot"].asks(token.0, token.1, &json, token.2).await.status, 201);
    let hook = serde_json::json!({ "name": "Pipe <b>" });
    let hook = people["other"].post("/api/channels/general/hooks", hook).await.json();
    let hook = hook["url"].as_str().expect("an address").to_owned();
    let hook = hook[hook.find("/hooks/").expect("a path")..].to_owned();
    let mut ids = Vec::new();
    for (n, row) in table.messages.iter().enumerate() {
        if let Some(payload) = &row.hook {
            let sent = people["other"].post(&hook, payload.clone()).await;
            assert_eq!(sent.text, "ok", "{}", row.what);
            let last = people["other"].history("general").await.0.pop().expect("a message");
            ids.push(last["id"].as_str().expect("an id").to_owned());
            continue;
        }
        ids.push(format!("m{n}"));
        let path = format!("/api/channels/general/messages/m{n}");
        let author = &people[row.by.as_str()];
        let files: Vec<_> = row
            .files
            .iter()
            .map(|name| {
                let bytes = BASE64.decode(table.files[name].as_bytes()).expect("base64");
                (name.replace('"', "%22"), bytes)
            })
            .collect();
        let files: Vec<_> = files.iter().map(|(name, it)| (name.as_str(), it.as_slice())).collect();
        let sent = author.sends_as(Method::Put, &path, &row.text, &files).await;
        assert_eq!(sent.status, 201, "{}: {sent:?}", row.what);
        if let Some(text) = &row.edited {
            assert_eq!(author.puts("general", &format!("m{n}"), text).await.status, 200);
        }
        for (by, reaction) in &row.reactions {
            let reaction: String = rocket::http::RawStr::new(reaction).percent_encode().to_string();
            let path = format!("{path}/reactions/{reaction}");
            let given = people[by.as_str()].asks(Method::Put, &path, &[], "").await;
            assert_eq!(given.status, 204, "{}: {given:?}", row.what);
        }
    }
    let page = page(&people["reader"], &[]).await;
    for (n, row) in table.messages.iter().enumerate() {
        let html = drawn(&page, &ids[n]);
        for part in &row.draws {
            let part = people.iter().fold(part.clone(), |part, (key, person)| {
                part.replace(&format!("{{{key}}}"), person.id())
            });
            assert!(html.contains(&part), "{} draws {part:?}: {html}", row.what);
        }
        for part in &row.lacks {
            assert!(!html.contains(part.as_str()), "{} lacks {part:?}: {html}", row.what);
        }
    }
}

#[rocket::async_test]
async fn previews_are_drawn_as_the_table_says() {
    let table = table();
    let heads: Vec<_> = table.previews.iter().map(|row| row.head.clone()).collect();
    let picture = BASE64.decode(table.files["point.png"].as_bytes()).expect("base64");
    let page = async move |Path((n, _)): Path<(usize, usize)>| Html(heads[n].clone());
    let routes = Router::new()
        .route("/{row}/{page}", get(page))
        .route("/picture.png", get(async || ([(CONTENT_TYPE, "image/png")], picture)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let site = listener.local_addr().expect("an address");
    rocket::tokio::spawn(async move { axum::serve(listener, routes).await });
    let workspace = Workspace::with(|it| {
        it.merge(("rate_limits", false))
            .merge(("link_previews", true))
            .merge(("link_previews_private", true))
    })
    .await;
    let reader = workspace.signed_in_as("Ada Reader").await;
    let other = workspace.signed_in_as("Bob Stone").await;
    let mut feed = reader.listens("general").await;
    for (n, row) in table.previews.iter().enumerate() {
        let author = if row.by.is_some() { &reader } else { &other };
        let id = format!("m{n}");
        let second = if row.twice { format!(" http://{site}/{n}/1") } else { String::new() };
        author.puts("general", &id, &format!("http://{site}/{n}/0{second}")).await;
        if !row.head.is_empty() {
            feed.next_named("message-updated").await;
        }
        if row.hidden {
            let path = format!("/api/channels/general/messages/{id}/previews");
            assert_eq!(author.delete(&path).await.status, 204, "{}", row.what);
            feed.next_named("message-updated").await;
        }
    }
    let page = self::page(&reader, &[]).await;
    for (n, row) in table.previews.iter().enumerate() {
        let html = drawn(&page, &format!("m{n}"));
        for part in &row.draws {
            assert!(html.contains(part), "{} draws {part:?}: {html}", row.what);
        }
        for part in &row.lacks {
            assert!(!html.contains(part.as_str()), "{} lacks {part:?}: {html}", row.what);
        }
    }
}

#[rocket::async_test]
async fn times_are_those_of_the_reader_s_zone_and_language() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    ada.puts("general", "m1", "now").await;
    for (headers, zone, clock) in [
        (&[][..], "UTC", "data-clock=\"24\" data-icon"),
        (&[("Cookie", "zone=Asia/Kolkata")], "Asia/Kolkata", "data-clock=\"24\" data-icon"),
        (&[("Cookie", "zone=nowhere")], "UTC", "data-clock=\"24\" data-icon"),
        (&[("Cookie", "clock=12")], "UTC", "data-clock=\"12\" data-icon"),
        (&[("Accept-Language", "en-US")], "UTC", "data-clock=\"12\" data-month-first data-icon"),
        (
            &[("Accept-Language", "en-US"), ("Cookie", "clock=24")],
            "UTC",
            "data-clock=\"24\" data-month-first",
        ),
        (&[("Accept-Language", "de")], "UTC", "data-clock=\"24\" data-icon"),
        // The page can go back to what the language says.
        (
            &[("Accept-Language", "en-US"), ("Cookie", "clock=24")],
            "UTC",
            "data-usual-clock=\"12\" data-clock=\"24\"",
        ),
    ] {
        let page = page(&ada, headers).await;
        assert!(page.contains(&format!("data-zone=\"{zone}\">")), "{headers:?}: {zone}");
        assert!(page.contains(clock), "{headers:?}: {clock}");
        assert!(page.contains("\">Today</time>"), "{headers:?}");
    }
}

#[rocket::async_test]
async fn the_line_above_what_is_new_stands_before_the_first_that_the_reader_has_not_seen() {
    let workspace = Workspace::start().await;
    let (ada, bob) = (workspace.signed_in_as("Ada").await, workspace.signed_in_as("Bob").await);
    for (who, id) in [(&bob, "m1"), (&bob, "m2"), (&ada, "m3"), (&bob, "m4")] {
        assert_eq!(who.puts("general", id, "said").await.status, 201);
    }
    let line = "<li class=\"news\">";
    let marked = async |message: &str| {
        let body = serde_json::json!({ "message": message });
        let path = "/api/channels/general/read";
        assert_eq!(ada.put(path, body).await.status, 204);
        page(&ada, &[]).await
    };
    // Of what went before, the line ends the run.
    let after_first = marked("m1").await;
    let list = after_first.split("</section>").next().expect("a list");
    assert_eq!(list.matches(line).count(), 1);
    assert!(drawn(list, "m1").contains(line) && !drawn(list, "m2").contains("data-continues"));
    let after_own = marked("m3").await;
    assert!(drawn(after_own.split("</section>").next().expect("a list"), "m3").contains(line));
    let after_all = marked("m4").await;
    assert!(!after_all.split("</section>").next().expect("a list").contains(line));
}
