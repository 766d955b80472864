//! `houston run`: a command that answers messages.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::events::Events;
use super::remote::{Failure, Remote, RemoteArgs, channel_path, message_path};
use super::{Deadline, PROGRAM, counts, shortened, text_of};
use crate::domain::message::Text;

#[derive(Args)]
pub(in crate::commands) struct RunArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel whose messages are answered.
    #[arg(long, value_name = "CHANNEL")]
    on: String,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

pub(super) fn run(args: &RunArgs) -> Result<u8, Failure> {
    let remote = Remote::of(&args.remote);
    let me = remote.me()?["id"].as_str().unwrap_or_default().to_owned();
    let path = channel_path(&args.on);
    let history = remote.get(&format!("{path}/messages"))?;
    let cursor = history["cursor"].as_str().map(ToOwned::to_owned);
    let latest = history["messages"].as_array().and_then(|messages| messages.last());
    let mut last = latest.and_then(|message| message["seq"].as_u64()).unwrap_or_default();
    let events = Events::listen(&remote, format!("{path}/events"), cursor);
    loop {
        let event = events.next(Deadline(None))?;
        if event.named("channel-deleted").is_some() {
            return Ok(0);
        }
        let Some(message) = event.named("message") else { continue };
        // After a gap everything comes again.
        let seq = message["seq"].as_u64().unwrap_or_default();
        if seq <= last {
            continue;
        }
        last = seq;
        if counts(&message["author"], &me) {
            answer(&remote, args, &message)?;
        }
    }
}

/// Runs the command for a message, and sends its output.
fn answer(remote: &Remote, args: &RunArgs, message: &Value) -> Result<(), Failure> {
    let output = output_for(args, message)?;
    if output.trim().is_empty() {
        return Ok(());
    }
    let id = answer_id(message["id"].as_str().unwrap_or_default());
    let text = shortened(output.trim(), Text::MAX_CHARS);
    match remote.put(&message_path(&args.on, &id), &json!({ "text": text })) {
        Ok(_) => Ok(()),
        Err(failure @ Failure::NotSignedIn { .. }) => Err(failure),
        // The next message may be answered all the same.
        Err(failure) => {
            eprintln!("{PROGRAM}: an answer was not sent: {failure}");
            Ok(())
        }
    }
}

fn output_for(args: &RunArgs, message: &Value) -> Result<String, Failure> {
    let [program, arguments @ ..] = &args.command[..] else { return Ok(String::new()) };
    let text = text_of(message).to_owned();
    let child = Command::new(program)
        .args(arguments)
        // The token is not for a command that strangers give their words to.
        .env_remove("HOUSTON_TOKEN")
        .env("HOUSTON_TEXT", &text)
        .env("HOUSTON_AUTHOR", message["author"]["display_name"].as_str().unwrap_or_default())
        .env("HOUSTON_CHANNEL", &args.on)
        .env("HOUSTON_MESSAGE", message.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let failed = |source| Failure::Command { command: program.clone(), source };
    let mut child = child.map_err(failed)?;
    let input = child.stdin.take();
    thread::spawn(move || {
        // The command need not read it.
        input.map(|mut input| input.write_all(text.as_bytes()))
    });
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        eprintln!("{PROGRAM}: `{program}`: {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).replace('\0', "\u{FFFD}"))
}

/// The id of the answer to a message: always the same, so that it is never answered twice.
fn answer_id(message: &str) -> String {
    let digest = Sha256::digest(message.as_bytes());
    format!("answer-{}", HEXLOWER.encode(&digest[..16]))
}
