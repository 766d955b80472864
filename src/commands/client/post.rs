//! `houston post`: sending messages.

use std::io::{BufRead, BufReader, Read, stdin};
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use ureq::unversioned::multipart::Form;

use super::print;
use super::remote::{Failure, Remote, RemoteArgs, message_path, new_id};
use crate::domain::message::Text;

/// Shortest time between two versions of a message that grows.
const PACE: Duration = Duration::from_millis(500);

#[derive(Args)]
pub(in crate::commands) struct PostArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel: its name, or @ and somebody's name.
    channel: String,
    /// The text, as Markdown; standard input where there is none, or for `-`.
    text: Vec<String>,
    /// A file to send; can be given several times.
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// An id of your own: 1 to 64 of A-Z a-z 0-9 _ -. The same again edits the message, so a script
    /// can keep one line up to date.
    #[arg(long)]
    id: Option<String>,
    /// Let one message grow with what comes on standard input, at most twice a second. Of more than
    /// 4,000 characters it has the last lines.
    #[arg(long, conflicts_with_all = ["text", "file"])]
    follow: bool,
}

pub(super) fn run(args: &PostArgs) -> Result<u8, Failure> {
    let remote = Remote::of(&args.remote);
    let id = args.id.clone().unwrap_or_else(new_id);
    let path = message_path(&args.channel, &id);
    if args.follow {
        follow(&remote, &path)?;
    } else {
        let text = match &args.text[..] {
            [] if !args.file.is_empty() => String::new(),
            [] => read_input()?,
            [dash] if dash == "-" => read_input()?,
            words => words.join(" "),
        };
        if args.file.is_empty() {
            if text.trim().is_empty() {
                return Err(Failure::Nothing);
            }
            remote.put(&path, &json!({ "text": text }))?;
        } else {
            send_files(&remote, &path, &text, &args.file)?;
        }
    }
    print(&format!("{id}\n"))?;
    Ok(0)
}

fn read_input() -> Result<String, Failure> {
    let mut text = String::new();
    stdin().read_to_string(&mut text).map_err(Failure::Input)?;
    Ok(text)
}

fn send_files(
    remote: &Remote,
    path: &str,
    text: &str,
    files: &[PathBuf],
) -> Result<Value, Failure> {
    remote.put_form(path, || {
        let mut form = Form::new().text("text", text);
        for file in files {
            let failed = |source| Failure::File { path: file.clone(), source };
            form = form.file("file", file).map_err(failed)?;
        }
        Ok((format!("multipart/form-data; boundary={}", form.boundary()), form))
    })
}

/// Puts what comes on standard input under one address, again and again.
fn follow(remote: &Remote, path: &str) -> Result<(), Failure> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        let mut input = BufReader::new(stdin());
        loop {
            let mut line = Vec::new();
            let read = input.read_until(b'\n', &mut line);
            let ended = read.as_ref().is_ok_and(|bytes| *bytes == 0);
            let failed = read.is_err();
            if ended || sender.send(read.map(|_| line)).is_err() || failed {
                return;
            }
        }
    });
    let (mut text, mut said) = (String::new(), String::new());
    let mut ended = false;
    while !ended {
        // The first line at once, then whatever has come after a pause.
        match lines.recv() {
            Ok(line) => grow(&mut text, &line.map_err(Failure::Input)?),
            Err(_) => break,
        }
        loop {
            match lines.recv_timeout(Duration::ZERO) {
                Ok(line) => grow(&mut text, &line.map_err(Failure::Input)?),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    ended = true;
                    break;
                }
            }
        }
        if !text.trim().is_empty() && text != said {
            remote.put(path, &json!({ "text": text }))?;
            said.clone_from(&text);
            thread::sleep(PACE);
        }
    }
    if said.is_empty() { Err(Failure::Nothing) } else { Ok(()) }
}

/// Adds a line to a text, of which the first lines go where it gets too long for a message.
fn grow(text: &mut String, line: &[u8]) {
    text.push_str(&String::from_utf8_lossy(line).replace('\0', "\u{FFFD}"));
    let over = text.chars().count().saturating_sub(Text::MAX_CHARS);
    if over > 0 {
        // Room for the sign that something is missing, and for its line.
        let cut = text.char_indices().nth(over + 2).map_or(text.len(), |(at, _)| at);
        let cut = text[cut..].find('\n').filter(|at| *at < 1_000).map_or(cut, |at| cut + at + 1);
        *text = format!("…\n{}", &text[cut..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_grows_keeps_its_last_lines() {
        let mut text = String::new();
        for n in 0..2_000 {
            grow(&mut text, format!("line {n}\n").as_bytes());
            assert!(text.chars().count() <= Text::MAX_CHARS);
        }
        assert!(text.starts_with("…\nline "), "{}", &text[..40]);
        assert!(text.ends_with("line 1999\n"));
        assert!(text.chars().count() > 3_900, "no more than a line too much goes");
        let mut text = String::new();
        grow(&mut text, "ü".repeat(9_000).as_bytes());
        assert!(text.chars().count() <= Text::MAX_CHARS && text.ends_with('ü'));
        let mut text = String::new();
        grow(&mut text, b"\xff\0\n");
        assert_eq!(text, "\u{FFFD}\u{FFFD}\n");
    }
}
