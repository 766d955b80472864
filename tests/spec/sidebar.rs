//! Tests of the sidebar of a page: which channels are in it, and in which order.

use serde_json::{Value, json};

use crate::harness::{Person, Workspace};

/// Number of public channels of which a sidebar lists all.
const FEW: usize = 30;

/// The names of the channels in the sidebar of a channel's page, and the texts that say how many there
/// are in all, and how many conversations are left out.
async fn sidebar(person: &Person, open: &str) -> (Vec<String>, Vec<String>) {
    let page = person.page(&format!("/channels/{open}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let values = |before: &str, end: &str| {
        let found = page.text.split(before).skip(1).filter_map(|rest| rest.split(end).next());
        found.filter(|it| !it.is_empty()).map(ToOwned::to_owned).collect::<Vec<_>>()
    };
    let rest = [values("data-part=\"total\">", "</span>"), values("-rest\">and ", ":")].concat();
    (values("data-id=\"", "</a>").iter().filter_map(|link| name(link)).collect(), rest)
}

fn name(link: &str) -> Option<String> {
    let name = link.split("data-name=\"").nth(1)?.split('"').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

async fn wants(person: &Person, channel: &str, change: Value) {
    let answer = person.patch(&format!("/api/channels/{channel}/mine"), change).await;
    assert_eq!(answer.status, 200, "{channel}: {answer:?}");
}

async fn reads_up_to(person: &Person, channel: &str, message: &str) {
    let path = format!("/api/channels/{channel}/read");
    assert_eq!(person.put(&path, json!({ "message": message })).await.status, 204);
}

/// Ada, who looks at her sidebar, with Bob, Cy and Dee, and with so many channels of Bob's beside
/// `general`: `c00`, `c01`, ….
async fn ada_among(channels: usize) -> (Workspace, [Person; 4]) {
    let workspace = Workspace::start().await;
    let sign_in = |name| workspace.signed_in_as(name);
    let people =
        [sign_in("Ada").await, sign_in("Bob").await, sign_in("Cy").await, sign_in("Dee").await];
    for n in 0..channels {
        people[1].creates(&format!("c{n:02}")).await;
    }
    (workspace, people)
}

#[rocket::async_test]
async fn of_few_channels_all_are_listed_and_of_many_those_that_one_has_been_to() {
    let (_workspace, [ada, bob, ..]) = ada_among(FEW - 1).await;
    let (listed, rest) = sidebar(&ada, "general").await;
    assert_eq!((listed.len(), rest), (FEW, vec!["30".to_owned()]), "{listed:?}");

    bob.creates("one-more").await;
    let (listed, rest) = sidebar(&ada, "general").await;
    assert_eq!((listed, rest), (vec!["general".to_owned()], vec!["31".to_owned()]));
    let (listed, rest) = sidebar(&ada, "c07").await;
    assert_eq!((listed, rest), (vec!["c07".to_owned()], vec!["31".to_owned()]));
    let (listed, _) = sidebar(&bob, "general").await;
    assert_eq!(listed.len(), FEW + 1, "he has created them");
}

#[rocket::async_test]
async fn among_many_channels_each_reason_to_list_one_is_enough_and_hiding_wins() {
    let (_workspace, [ada, bob, ..]) = ada_among(FEW + 10).await;
    bob.puts("c01", "m", "nothing for Ada").await;
    let cases: [(&str, &str, bool); 14] = [
        ("c02", "nothing", false),
        ("c03", "somebody else's message", false),
        ("c04", "own message", true),
        ("c05", "own message that was deleted", false),
        ("c06", "read marker", true),
        ("c07", "mention", true),
        ("c08", "mention in code", false),
        ("c09", "star", true),
        ("c10", "bell", false),
        ("c11", "star, hidden", false),
        ("c12", "own message, hidden", false),
        ("c13", "read marker, hidden, then a message", false),
        ("c14", "read marker, hidden, then a mention", true),
        ("c15", "hidden, then a mention that was read", true),
    ];
    for (channel, why, _) in cases {
        for part in why.split(", ") {
            match part {
                "nothing" => {}
                "somebody else's message" | "then a message" => {
                    bob.posts(channel, "hello").await;
                }
                "own message" => {
                    ada.posts(channel, "hello").await;
                }
                "own message that was deleted" => {
                    ada.puts(channel, "m", "hello").await;
                    ada.deletes(channel, "m").await;
                }
                "read marker" => {
                    bob.puts(channel, "m", "hello").await;
                    reads_up_to(&ada, channel, "m").await;
                }
                "mention" | "then a mention" => {
                    bob.posts(channel, "@Ada!").await;
                }
                "then a mention that was read" => {
                    bob.puts(channel, "m", "@Ada!").await;
                    reads_up_to(&ada, channel, "m").await;
                }
                "mention in code" => {
                    bob.posts(channel, "`@Ada`").await;
                }
                "star" => wants(&ada, channel, json!({ "starred": true })).await,
                "bell" => wants(&ada, channel, json!({ "bell": "everything" })).await,
                "hidden" => wants(&ada, channel, json!({ "hidden": true })).await,
                unknown => panic!("what is {unknown}?"),
            }
        }
    }
    let (listed, rest) = sidebar(&ada, "c20").await;
    for (channel, why, expected) in cases {
        assert_eq!(listed.iter().any(|it| it == channel), expected, "{channel}: {why}");
    }
    assert_eq!(listed, ["c09", "c04", "c06", "c07", "c14", "c15", "c20"], "starred ones first");
    assert_eq!(rest, ["41"]);
    for hidden in ["c11", "c12", "c13"] {
        let (listed, _) = sidebar(&ada, hidden).await;
        assert!(listed.iter().any(|it| it == hidden), "{hidden} is open");
    }
}

#[rocket::async_test]
async fn starred_ones_come_first_then_public_ones_by_name_then_the_latest_conversations() {
    let (_workspace, [ada, ..]) = ada_among(3).await;
    for name in ["Bob", "Cy", "Dee"] {
        ada.posts(&format!("@{name}"), "hello").await;
    }
    let order = async |expected: &[&str]| assert_eq!(sidebar(&ada, "general").await.0, expected);
    order(&["c00", "c01", "c02", "general", "@Dee", "@Cy", "@Bob"]).await;
    ada.posts("@Cy", "hello again").await;
    order(&["c00", "c01", "c02", "general", "@Cy", "@Dee", "@Bob"]).await;
    for starred in ["c02", "@Bob"] {
        wants(&ada, starred, json!({ "starred": true })).await;
    }
    order(&["c02", "@Bob", "c00", "c01", "general", "@Cy", "@Dee"]).await;
    wants(&ada, "c01", json!({ "starred": true })).await;
    order(&["c01", "c02", "@Bob", "c00", "general", "@Cy", "@Dee"]).await;
    wants(&ada, "@Cy", json!({ "hidden": true })).await;
    wants(&ada, "c01", json!({ "hidden": true })).await;
    order(&["c02", "@Bob", "c00", "general", "@Dee"]).await;
    assert_eq!(sidebar(&ada, "general").await.1, ["4", "1 more"]);
    ada.posts("@Cy", "and again").await;
    order(&["c02", "@Bob", "c00", "general", "@Cy", "@Dee"]).await;
}

#[rocket::async_test]
async fn a_conversation_that_has_no_message_yet_is_listed_while_it_is_open() {
    let (_workspace, [ada, ..]) = ada_among(1).await;
    ada.posts("@Dee", "hello").await;
    let (listed, rest) = sidebar(&ada, "@Bob").await;
    assert_eq!(listed, ["c00", "general", "@Bob", "@Dee"]);
    assert_eq!(rest, ["2"]);
    assert_eq!(sidebar(&ada, "general").await.0, ["c00", "general", "@Dee"]);
    wants(&ada, "@Bob", json!({ "hidden": true })).await;
    assert_eq!(sidebar(&ada, "@Bob").await.0, ["c00", "general", "@Bob", "@Dee"]);
}
