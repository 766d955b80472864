//! Tests of every Unicode scalar value in names, topics, reactions and file names.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::thread;

use futures::future::join_all;
use houston::domain::attachment::FileName;
use houston::domain::ids::MessageId;
use houston::domain::message::Text;
use houston::domain::names::{ChannelName, DisplayName, Topic};
use houston::domain::reaction::Reaction;
use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use rocket::http::{Method, RawStr};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::harness::{Person, Workspace};

/// The planes whose characters are alike: 4 to 13 are unassigned, 15 and 16 are for private use.
/// One in 16 stands for the others here.
const ALIKE: [RangeInclusive<char>; 2] = ['\u{40000}'..='\u{DFFFF}', '\u{F0000}'..='\u{10FFFF}'];

/// Every Unicode scalar value, but for samples of the planes that are [`ALIKE`], and their ends,
/// which are noncharacters.
fn every_char() -> impl Iterator<Item = char> {
    let left_out = |c: char| {
        let of_plane = u32::from(c) & 0xFFFF;
        of_plane % 16 != 0 && of_plane < 0xFFFE && ALIKE.iter().any(|planes| planes.contains(&c))
    };
    ('\0'..=char::MAX).filter(move |c| !left_out(*c))
}

/// Parses every character, alone and between letters, then writes and reads what was accepted.
///
/// Returns how many texts were accepted and how many refused.
fn type_everything<T>(accept: fn(&str) -> Option<T>) -> (usize, usize)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let share = |first| {
            move || {
                let (mut accepted, mut refused) = (0, 0);
                for c in every_char().skip(first).step_by(threads) {
                    for typed in [c.to_string(), format!("a{c}b")] {
                        if let Some(value) = accept(&typed) {
                            is_settled(&value, accept);
                            accepted += 1;
                        } else {
                            is_read_as_it_is::<T>(typed);
                            refused += 1;
                        }
                    }
                }
                (accepted, refused)
            }
        };
        let shares: Vec<_> = (0..threads).map(|first| scope.spawn(share(first))).collect();
        let shares = shares.into_iter().map(|share| share.join().expect("no panic"));
        shares.fold((0, 0), |sum, share| (sum.0 + share.0, sum.1 + share.1))
    })
}

/// Checks that enforcing an accepted text changes nothing, and neither does writing and reading it.
fn is_settled<T>(value: &T, accept: fn(&str) -> Option<T>)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let stored = serde_json::to_value(value).expect("it can be written");
    let text = stored.as_str().expect("a string");
    assert_eq!(accept(text).as_ref(), Some(value), "enforced again");
    let read: T = serde_json::from_value(stored).expect("it can be read");
    assert_eq!(read, *value, "written and read");
}

/// Checks that a record is read back as it was written, and written the same again.
fn is_read_as_it_is<T: Serialize + DeserializeOwned>(text: String) {
    let stored = Value::String(text);
    let read: T = serde_json::from_value(stored.clone()).expect("any text can be read");
    assert_eq!(serde_json::to_value(read).expect("it can be written"), stored);
}

fn parsed<T: FromStr>(typed: &str) -> Option<T> {
    typed.parse().ok()
}

#[track_caller]
fn some_of_both(what: &str, (accepted, refused): (usize, usize)) {
    eprintln!("{what}: {accepted} accepted, {refused} refused");
    assert!(accepted > 100_000 && refused > 100, "{what}: {accepted} accepted, {refused} refused");
}

#[test]
fn every_character_can_be_tried_as_a_channel_name() {
    some_of_both("channel name", type_everything(parsed::<ChannelName>));
}

#[test]
fn every_character_can_be_tried_as_a_display_name() {
    some_of_both("display name", type_everything(parsed::<DisplayName>));
}

#[test]
fn every_character_can_be_tried_as_a_topic() {
    some_of_both("topic", type_everything(parsed::<Topic>));
}

#[test]
fn every_character_can_be_tried_as_a_reaction() {
    some_of_both("reaction", type_everything(parsed::<Reaction>));
}

#[test]
fn every_character_can_be_in_a_file_name() {
    let (accepted, refused) = type_everything(|given| Some(FileName::from(given)));
    eprintln!("file name: {accepted} accepted");
    assert_eq!(refused, 0, "a file name is made of anything");
}

#[test]
fn whatever_a_record_says_is_read_as_it_is() {
    let long = "x".repeat(100_000);
    for text in ["", " ", ".", "..", "a/b", "@ada", " A  b ", "a\0\n\u{2028}", "Ꭰ", "ꭰ", &long]
    {
        is_read_as_it_is::<ChannelName>(text.to_owned());
        is_read_as_it_is::<DisplayName>(text.to_owned());
        is_read_as_it_is::<Topic>(text.to_owned());
        is_read_as_it_is::<Reaction>(text.to_owned());
        is_read_as_it_is::<FileName>(text.to_owned());
        is_read_as_it_is::<MessageId>(text.to_owned());
        is_read_as_it_is::<Text>(text.to_owned());
    }
}

#[test]
fn a_display_name_from_a_record_is_compared_as_a_typed_one() {
    let typed: DisplayName = "Ada".parse().expect("a name");
    for stored in ["Ada", " ADA ", "ａｄａ"] {
        let read: DisplayName =
            serde_json::from_value(json!(stored)).expect("any text can be read");
        assert!(read.same_as(&typed), "{stored:?}");
        assert_eq!(read.hash(), typed.hash(), "{stored:?}");
    }
}

/// The number of channels of one script in the test, and of those that one user creates.
const CHANNELS_PER_SCRIPT: usize = 5;
const CHANNELS_PER_CREATOR: usize = 90;

/// Channel names of one letter, a few of every script.
fn names_of_every_script() -> Vec<(String, ChannelName)> {
    let scripts = CodePointMapData::<Script>::new();
    let mut names: BTreeMap<Script, Vec<(String, ChannelName)>> = BTreeMap::new();
    for c in every_char() {
        let Ok(name) = c.to_string().parse::<ChannelName>() else { continue };
        let of_script = names.entry(scripts.get(c)).or_default();
        let taken = of_script.iter().any(|(_, other)| *other == name);
        if of_script.len() < CHANNELS_PER_SCRIPT && !taken {
            of_script.push((c.to_string(), name));
        }
    }
    names.into_values().flatten().collect()
}

async fn create_all(creator: &Person, names: &[(String, ChannelName)]) {
    let create = names.iter().map(|(typed, name)| async move {
        let body = json!({ "name": typed, "topic": format!("a{typed}b") });
        let answer = creator.post("/api/channels", body).await;
        assert_eq!(answer.status, 201, "{typed:?}: {answer:?}");
        assert_eq!(answer.json()["name"], name.as_str(), "{typed:?}");
    });
    join_all(create).await;
}

/// Lists the public channels but `general`, each a name and a topic.
async fn channels(person: &Person) -> Vec<(String, String)> {
    let listed = person.get("/api/channels").await.json();
    let text = |channel: &Value, field: &str| channel[field].as_str().expect("a text").to_owned();
    let listed = listed["channels"].as_array().expect("channels").iter();
    let listed = listed.map(|channel| (text(channel, "name"), text(channel, "topic")));
    let mut listed: Vec<_> = listed.filter(|(name, _)| name != "general").collect();
    listed.sort();
    listed
}

#[rocket::async_test]
async fn names_of_every_script_are_there_after_a_restart() {
    let names = names_of_every_script();
    let workspace = Workspace::start().await;
    let mut tokens = Vec::new();
    for (share, creator) in names.chunks(CHANNELS_PER_CREATOR).zip("𞤀ᎠΣ雑𖵀𐵐ß７אع한ก".chars())
    {
        let creator = workspace.signed_in_as(&creator.to_string()).await;
        create_all(&creator, share).await;
        tokens.push((creator.token.clone().expect("a token"), creator.user.clone()));
    }
    let (ada, _) = &tokens[0];
    let kept = channels(&workspace.holder_of(ada)).await;
    assert_eq!(kept.len(), names.len());
    assert!(kept.len() > 500, "{} channels", kept.len());

    let workspace = workspace.restarted().await;

    assert_eq!(channels(&workspace.holder_of(ada)).await, kept);
    for (token, user) in tokens {
        let answer = workspace.holder_of(&token).get("/api/session").await;
        assert_eq!(answer.json()["user"], user);
    }
}

#[rocket::async_test]
async fn a_letter_that_was_once_without_case_names_a_channel_in_small() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    for (typed, name) in [("Ꭰ", "ꭰ"), ("𞤀𞤣𞤢𞤥", "𞤢𞤣𞤢𞤥")] {
        assert_eq!(ada.creates(typed).await["name"], name);
        ada.post("/api/channels", json!({ "name": name })).await.refused(409, "channel-exists");
    }
    drop(ada);

    let ada = workspace.restarted().await.holder_of(&token);

    for name in ["Ꭰ", "ꭰ", "𞤢𞤣𞤢𞤥"] {
        let path = format!("/api/channels/{}", RawStr::new(name).percent_encode());
        assert_eq!(ada.get(&path).await.status, 200, "{name}");
    }
}

#[rocket::async_test]
async fn odd_reactions_and_file_names_are_there_after_a_restart() {
    let workspace = Workspace::start().await;
    let ada = workspace.signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let files = ["Ꭰ.txt", "ꭰ", "𞤀𞤣𞤢.png", "报告.pdf", "\u{E000}\u{FDD0}.x", "\u{10FFFF}"];
    let files = files.map(|name| (name, &b"x"[..]));
    let answer = ada.sends("general", "", &files).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    for reaction in ["Ꭰ", "ꭰ", "🫠", "𞤀𞤣𞤢", "①"] {
        let reaction = RawStr::new(reaction).percent_encode();
        let path = format!("/api/channels/general/messages/{id}/reactions/{reaction}");
        let answer = ada.asks(Method::Put, &path, &[], "").await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }
    let (kept, _) = ada.history("general").await;
    drop(ada);

    let ada = workspace.restarted().await.holder_of(&token);

    assert_eq!(ada.history("general").await.0, kept);
}
