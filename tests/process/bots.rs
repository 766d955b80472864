//! Tests of the bots in the README: they answer each question once, though they are cut off, the server is
//! restarted, and somebody takes the id of an answer first.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::client::Client;
use crate::command::houston_on;
use crate::listeners::Way;
use crate::programs::Running;
use crate::server::{Server, until};

/// The code block in this language of the README's section "A bot".
fn readme(language: &str) -> &'static str {
    let (_, section) = include_str!("../../README.md").split_once("\n### A bot\n").expect("it");
    let (_, block) = section.split_once(&format!("```{language}\n")).expect("a code block");
    block.split_once("```").expect("its end").0
}

async fn answers_each_question_once(mut bot: Command) {
    let mut server = Server::start().await;
    let token = format!("{}\necho -n \"$HOUSTON_TOKEN\"", readme("sh"));
    let token = token.replace("http://127.0.0.1:8000", server.url());
    let token = Command::new("bash").args(["-euc", &token]).output().expect("bash runs");
    let mut ada = server.client().signed_in_as("Ada").await;
    let asked_before = seq_of(&ada, "m0", "ping").await;
    let way = Way::to(&server).await;
    bot.env("HOUSTON_URL", way.url())
        .env("HOUSTON_TOKEN", String::from_utf8_lossy(&token.stdout).as_ref());
    let _running = Running::of(bot.stdin(Stdio::null()));
    until("it listens", async || server.metric("houston_streams").await == 1).await;

    ada.puts("general", "m1", "ping").await.expect("an answer");
    until("it answers", async || ada.messages("general").await.len() == 3).await;
    // While both are away.
    let again = ada.token.clone().expect("a token");
    server.kill();
    server = server.restart().await;
    ada = server.client().with_token(&again);
    ada.puts("general", "m2", "ping").await.expect("an answer");
    way.leads_to(&server);
    until("it goes on", async || ada.messages("general").await.len() == 5).await;
    way.is_cut_in_the_next_message();
    ada.puts("general", "m3", "ping").await.expect("an answer");
    until("it goes on again", async || ada.messages("general").await.len() == 7).await;
    ada.puts("general", "m4", "ping").await.expect("an answer");
    until("it listens on", async || ada.messages("general").await.len() == 9).await;

    let messages = ada.messages("general").await;
    for pair in messages[1..].chunks(2) {
        assert_eq!(pair[0]["text"], "ping", "{messages:?}");
        assert_eq!(pair[1]["text"], "pong, Ada", "{messages:?}");
        assert_eq!(pair[1]["author"]["bot"], true, "{messages:?}");
    }

    let eve = server.client().signed_in_as("Eve").await;
    let before = seq_of(&eve, "e1", "let me see").await;
    let id = format!("pong-{}", before + 2);
    eve.puts("general", &id, "It is mine").await.expect("an answer");
    assert_eq!(seq_of(&ada, "m5", "ping").await, before + 2, "its answer would have the id");
    let asked = seq_of(&ada, "m6", "ping").await;
    until("it answers the next one", async || is_answered(&ada, asked).await).await;
    let messages = ada.messages("general").await;
    let said: Vec<_> = messages.iter().rev().take(4).rev().map(|it| &it["text"]).collect();
    assert_eq!(said, ["It is mine", "ping", "ping", "pong, Ada"]);

    // A restored backup: the stream begins with a reset, and all that is kept comes again.
    let directory = tempfile::tempdir().expect("a temporary directory");
    let backup = directory.path().join("backup.tar");
    let backup = backup.to_str().expect("a path");
    assert!(houston_on(server.data(), &["backup", backup]).status.success());
    let undone = seq_of(&ada, "m7", "ping").await;
    until("it answers what is undone", async || is_answered(&ada, undone).await).await;
    server.kill();
    assert!(houston_on(server.data(), &["restore", "--replace", backup]).status.success());
    server = server.restart().await;
    ada = server.client().with_token(&again);
    // The bot passes over as many as were undone.
    for n in 0..3 {
        ada.puts("general", &format!("more-{n}"), "more").await.expect("an answer");
    }
    let asked = seq_of(&ada, "m10", "ping").await;
    assert!(asked > undone + 1, "{asked} {undone}");
    way.leads_to(&server);
    until("it goes on after the reset", async || is_answered(&ada, asked).await).await;
    assert!(!is_answered(&ada, asked_before).await, "this was asked before it came");
}

async fn is_answered(person: &Client, asked: u64) -> bool {
    let answer = format!("pong-{asked}");
    person.messages("general").await.iter().any(|message| message["id"] == answer)
}

/// Sends a message. Returns its `seq`.
async fn seq_of(person: &Client, id: &str, text: &str) -> u64 {
    let sent = person.puts("general", id, text).await.expect("an answer");
    sent.json["seq"].as_u64().expect("a seq")
}

#[rocket::async_test]
async fn the_readmes_bot_in_python_answers_each_question_once() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("bot.py");
    fs::write(&file, readme("python")).expect("writable");
    let mut bot = Command::new("python3");
    bot.arg(file);
    answers_each_question_once(bot).await;
}

#[rocket::async_test]
async fn the_readmes_bot_in_rust_answers_each_question_once() {
    assert_eq!(readme("rust"), include_str!("../programs/bot.rs"), "the README has the example");
    answers_each_question_once(Command::new(example("bot"))).await;
}

/// Builds an example as these tests were built, which takes no time where `cargo test` has done it. Returns
/// its path.
fn example(name: &str) -> PathBuf {
    let exe = env::current_exe().expect("a path");
    let of_profile = exe.ancestors().nth(2).expect("a profile's directory");
    let target = of_profile.parent().expect("the directory of all profiles");
    let profile = match of_profile.file_name().expect("a name") {
        dev if dev == "debug" => "dev".as_ref(),
        profile => profile,
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--example", name, "--profile"]).arg(profile);
    cargo.arg("--target-dir").arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells these tests of their package would have it build others anew, such as ring.
    for (variable, _) in env::vars() {
        if variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(variable);
        }
    }
    assert!(cargo.status().expect("cargo runs").success());
    of_profile.join("examples").join(name)
}
