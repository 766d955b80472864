//! `houston` as a client: what people and scripts can do on a server that runs somewhere.
//!
//! Exit codes, of all these commands: 0 when it is done, 1 when it failed, 2 when the command line is
//! wrong, 124 when the time of `--timeout` is over, as of timeout(1). `ask` has its own.

mod ask;
mod events;
mod login;
mod post;
mod remote;
mod run;
mod tail;
mod wait;

use std::io::{self, Write, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Subcommand;
use serde_json::Value;

use self::remote::Failure;
use super::{PROGRAM, refuse};

/// The exit code when the time is over.
const TIMED_OUT: u8 = 124;
/// The exit code of `ask` when it failed: lower ones are choices.
const ASK_FAILED: u8 = 125;

/// The commands of a client.
#[derive(Subcommand)]
pub(super) enum ClientCommand {
    /// Come in under a name, and print what a shell needs: `eval "$(houston login Ada)"`.
    ///
    /// The name is yours as long as you have the token. Signing out frees it: `houston login` does
    /// not.
    Login(login::LoginArgs),
    /// Send a message: words, what comes on standard input, files.
    ///
    /// Prints the message's id. Without words and files the text is standard input. It is never sent
    /// twice, even where the connection breaks and it is tried again.
    Post(post::PostArgs),
    /// Show what is said in a channel, or everywhere, and go on with what comes.
    ///
    /// An edited message is shown again; with --json a deletion is, too. Of all channels, edits come within
    /// half a minute. Where the connection is cut it goes on from there, and nothing is missed. A line that
    /// begins with `#` and a space (with --json: {"event":"reset"}) says that something may be missing all
    /// the same; of all channels, the channel's name comes before it (with --json: as its `channel`).
    Tail(tail::TailArgs),
    /// Run a command for each message in a channel, with its output as the answer.
    ///
    /// The command has the text on its standard input, and in its environment `HOUSTON_TEXT`,
    /// `HOUSTON_AUTHOR`, `HOUSTON_CHANNEL` and `HOUSTON_MESSAGE` (the message as JSON). Messages of oneself
    /// and of bots start nothing, so that two such commands do not answer each other for ever. One
    /// message is served at a time. No output, no answer.
    Run(run::RunArgs),
    /// Wait for a message that matches a pattern, and print it.
    ///
    /// Only messages that are sent from now on count. The pattern is a regular expression of Rust's
    /// crate `regex`. Exits with 124 when the time is over.
    Wait(wait::WaitArgs),
    /// Ask a channel, wait for the first reaction or answer, and print it.
    ///
    /// With --choices only those count, and the exit code says which it was: 0 for the first, 1 for
    /// the second, … Answers of oneself and of bots do not count. Exits with 124 when the time is
    /// over, and with 125 when it failed.
    Ask(ask::AskArgs),
}

/// Runs a command of the client.
pub(super) fn run(command: ClientCommand) -> ExitCode {
    let failed = if matches!(command, ClientCommand::Ask(_)) { ASK_FAILED } else { 1 };
    let done = match command {
        ClientCommand::Login(args) => login::run(&args),
        ClientCommand::Post(args) => post::run(&args),
        ClientCommand::Tail(args) => tail::run(&args),
        ClientCommand::Run(args) => run::run(&args),
        ClientCommand::Wait(args) => wait::run(&args),
        ClientCommand::Ask(args) => ask::run(&args),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        // Whoever read it has read enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::TimedOut) => {
            eprintln!("{PROGRAM}: {}", Failure::TimedOut);
            ExitCode::from(TIMED_OUT)
        }
        Err(failure) => {
            refuse(&failure);
            ExitCode::from(failed)
        }
    }
}

/// Prints a text at once.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::Output)
}

/// The time until which something is waited for; for ever where there is none.
#[derive(Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The time that is left; `None` where there is no end.
    fn left(self) -> Option<Duration> {
        self.0.map(|end| end.saturating_duration_since(Instant::now()))
    }
}

/// A message's text, or "".
fn text_of(message: &Value) -> &str {
    message["text"].as_str().unwrap_or_default()
}

/// Tells whether a message or reaction of this user counts: it is a human, and not oneself.
fn counts(user: &Value, me: &str) -> bool {
    user["id"] != me && user["bot"] != true
}

/// The text with at most so many characters, its end cut off.
fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars.saturating_sub(1)) {
        Some((end, _)) if text.chars().nth(max_chars).is_some() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shortened_at_its_end() {
        assert_eq!(shortened("häuser", 6), "häuser");
        assert_eq!(shortened("häuser", 5), "häus…");
        assert_eq!(shortened("", 5), "");
        assert_eq!(shortened(&"ü".repeat(5_000), 4_000).chars().count(), 4_000);
    }
}
