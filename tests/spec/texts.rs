//! Texts: what people type is what others read.
//!
//! `HOUSTON_TEXTS` sets the number of generated texts, which are then new ones each time.

mod grammar;
mod reference;

use std::time::Duration;

use houston::domain::ids::UserId;
use houston::domain::names::DisplayName;
use houston::domain::text::{Directory, MAX_HTML_BYTES, Rendered, render};
use proptest::test_runner::{Config, TestRng, TestRunner};
use proptest::{prop_assert, prop_assert_eq};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use serde_json::json;

use self::grammar::{USERS, Written, written};
use self::reference::called;
use crate::harness::Workspace;
use crate::html::parsed;

const CASES: u32 = 2_000;
/// The longest that one text may be computed, far above what it takes: tests run unoptimised.
const LONGEST: Duration = Duration::from_secs(1);

/// The time for which this thread has computed, in which others are not that share the machine.
fn computed() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.try_into().expect("it only grows from zero")
}

/// The people of the grammar, and the channel `general`.
struct People(Vec<DisplayName>);

impl People {
    fn of_the_grammar() -> Self {
        Self(USERS.iter().map(|name| name.parse().expect("a name")).collect())
    }
}

impl Directory for People {
    fn user(&self, compared: &str) -> Option<UserId> {
        let number = self.0.iter().position(|name| name.compared() == compared)?;
        Some(UserId::from(number.to_string()))
    }

    fn has_channel(&self, name: &str) -> bool {
        name == "general"
    }
}

fn rendered(text: &str, people: &People) -> Rendered {
    render(&text.parse().expect("a text"), people)
}

/// The texts of the links to other sites, in order.
fn links(html: &str) -> Vec<String> {
    let anchors = html.split("<a href=\"").skip(1);
    let elsewhere = anchors.filter(|anchor| !anchor.starts_with("/channels/"));
    let text = |anchor: &str| {
        let (_, text) = anchor.split_once('>').expect("a start tag");
        let (text, _) = text.split_once("</a>").expect("an end tag");
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&nbsp;", "\u{A0}")
            .replace("&amp;", "&")
    };
    elsewhere.map(text).collect()
}

#[test]
fn addresses_are_whole_and_whom_texts_call_is_who_is_meant() {
    let cases = std::env::var("HOUSTON_TEXTS").ok();
    let is_random = cases.is_some();
    let cases = cases.map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let people = People::of_the_grammar();
    let mut times = Vec::new();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let times_of = parking_lot::Mutex::new(&mut times);
    let mut runner = if is_random {
        TestRunner::new(config)
    } else {
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        TestRunner::new_with_rng(config, rng)
    };
    let found = runner.run(&written(), |Written { text, links: expected }| {
        let before = computed();
        let Rendered { html, mentions } = rendered(&text, &people);
        times_of.lock().push(computed().saturating_sub(before));
        prop_assert_eq!(links(&html), expected.clone(), "links of {:?} in {}", text, html);
        let mentions: Vec<_> = mentions.iter().map(UserId::as_str).collect();
        let named = called(&text, &people.0, &expected);
        prop_assert_eq!(mentions, named, "mentions of {:?}", text);
        prop_assert_eq!(parsed(&html), html.clone(), "{:?}", text);
        prop_assert!(html.len() <= MAX_HTML_BYTES);
        Ok(())
    });
    found.unwrap_or_else(|error| panic!("{error}"));
    times.sort_unstable();
    let at = |permille: usize| times[(times.len() - 1) * permille / 1_000];
    eprintln!("{cases} texts: median {:?}, p99.9 {:?}, longest {:?}", at(500), at(999), at(1_000));
}

/// Texts that ask for much.
#[derive(Deserialize)]
struct Costly {
    /// Each is repeated until the text is as long as can be.
    units: Vec<String>,
    whole: Vec<String>,
}

#[test]
fn no_text_asks_for_much() {
    let Costly { units, whole } =
        serde_json::from_str(include_str!("../text/costly.json")).expect("texts");
    let filled = units.iter().map(|unit| unit.chars().cycle().take(4_000).collect());
    let texts: Vec<String> = filled.chain(whole).collect();
    assert!(texts.len() >= 60);
    let people = People::of_the_grammar();
    for text in texts {
        let before = computed();
        let html = rendered(&text, &people).html;
        let took = computed().saturating_sub(before);
        assert!(took < LONGEST, "{took:?} for {text:?}");
        assert!(html.len() <= MAX_HTML_BYTES, "{} bytes for {text:?}", html.len());
        assert_eq!(parsed(&html), html, "{text:?}");
    }
}

#[rocket::async_test]
async fn quoting_somebody_does_not_call_them_again() {
    let workspace = Workspace::start().await;
    let [max, ada] = [workspace.signed_in_as("Max").await, workspace.signed_in_as("Ada").await];
    let mentions = async || max.channel("general").await["mentions"].clone();
    ada.posts("general", "@Max please look").await;
    assert_eq!(mentions().await, 1);
    ada.posts("general", "> [Ada](/channels/general) wrote:\n> @Max please look\n\nyes, please")
        .await;
    assert_eq!(mentions().await, 1);
    let frames: Vec<_> = (0..55).map(|n| format!("#{n} frame")).collect();
    ada.posts("general", &format!("{}\n@Max any idea?", frames.join("\n"))).await;
    assert_eq!(mentions().await, 2);
    ada.posts("general", "ありがとう@Max").await;
    assert_eq!(mentions().await, 3);
    ada.posts("general", "@here, Max's mail is ada@max.example").await;
    assert_eq!(mentions().await, 3);
}

#[rocket::async_test]
async fn a_message_of_which_nothing_can_be_seen_is_empty() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    for text in
        ["\u{200B}", "\u{2060} \u{FEFF}", "\u{202E}\n\u{200D}", "\u{3164}", "\u{2800}", "\u{AD}"]
    {
        let path = "/api/channels/general/messages";
        ada.post(path, json!({ "text": text })).await.refused(422, "empty-message");
    }
    assert_eq!(ada.sends("general", "\u{200B}", &[("a.txt", b"a")]).await.status, 201);
    for text in
        ["[1]: https://a.example/x", "[](https://a.example/x)", "-", "#", "\u{F8FF}", "```\n```"]
    {
        let html = ada.posts("general", text).await["html"].clone();
        let html = html.as_str().expect("html");
        let seen: String = html.split('<').filter_map(|tag| tag.split('>').nth(1)).collect();
        assert!(seen.starts_with(text.lines().next().expect("a line")), "{html}");
    }
}
