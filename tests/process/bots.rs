//! Tests of the bots in the README: they answer each question once, though they are cut off and the server
//! is restarted.

use std::fs;
use std::process::{Command, Stdio};

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
    let way = Way::to(&server).await;
    bot.env("HOUSTON_URL", way.url())
        .env("HOUSTON_TOKEN", String::from_utf8_lossy(&token.stdout).as_ref());
    let _running = Running::of(bot.stdin(Stdio::null()));
    until("it listens", async || server.metric("houston_streams").await == 1).await;

    ada.puts("general", "m1", "ping").await.expect("an answer");
    until("it answers", async || ada.messages("general").await.len() == 2).await;
    // While both are away.
    let again = ada.token.clone().expect("a token");
    server.kill();
    server = server.restart().await;
    ada = server.client().with_token(&again);
    ada.puts("general", "m2", "ping").await.expect("an answer");
    way.leads_to(&server);
    until("it goes on", async || ada.messages("general").await.len() == 4).await;
    way.is_cut_in_the_next_message();
    ada.puts("general", "m3", "ping").await.expect("an answer");
    until("it goes on again", async || ada.messages("general").await.len() == 6).await;
    ada.puts("general", "m4", "ping").await.expect("an answer");
    until("it listens on", async || ada.messages("general").await.len() == 8).await;

    let messages = ada.messages("general").await;
    for pair in messages.chunks(2) {
        assert_eq!(pair[0]["text"], "ping", "{messages:?}");
        assert_eq!(pair[1]["text"], "pong, Ada", "{messages:?}");
        assert_eq!(pair[1]["author"]["bot"], true, "{messages:?}");
    }
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
    let target = std::env::current_exe().expect("a path");
    let target = target.ancestors().nth(2).expect("a profile").to_owned();
    // `cargo test` has built it, but not where it was asked for these tests alone.
    if !target.join("examples/bot").is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "--example", "bot"]).status();
        assert!(built.expect("cargo runs").success());
    }
    answers_each_question_once(Command::new(target.join("examples/bot"))).await;
}
