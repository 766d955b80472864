//! `houston ask`: a question, and the first answer.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::events::{Event, Events};
use super::remote::{Failure, Remote, RemoteArgs, channel_path, message_path, new_id};
use super::{Deadline, counts, print, text_of};
use crate::wire::lines::without_controls;

/// The largest number of choices: exit codes from 124 on mean something else.
const MAX_CHOICES: usize = 100;

#[derive(Args)]
pub(in crate::commands) struct AskArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel: its name, or @ and somebody's name.
    channel: String,
    /// The question.
    text: String,
    /// The answers that count, with commas between them: yes,no or 👍,👎.
    #[arg(long, value_delimiter = ',', value_name = "CHOICES")]
    choices: Vec<String>,
    /// The longest time to wait: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
}

pub(super) fn run(args: &AskArgs) -> Result<u8, Failure> {
    let deadline = Deadline::after(args.timeout);
    let choices: Vec<_> = args.choices.iter().map(|it| it.trim().to_owned()).collect();
    let choices = &choices[..choices.len().min(MAX_CHOICES)];
    let remote = Remote::of(&args.remote);
    let me = remote.me()?;
    let path = channel_path(&args.channel);
    // From before the question: whoever is fast is heard, too.
    let history = remote.get(&format!("{path}/messages"))?;
    let cursor = history["cursor"].as_str().map(ToOwned::to_owned);
    let text = match choices {
        [] => args.text.clone(),
        choices => format!("{}\n\nReact or answer: {}", args.text, choices.join(" · ")),
    };
    let id = new_id();
    let asked = remote.put(&message_path(&args.channel, &id), &json!({ "text": text }))?;
    let seq = asked["seq"].as_u64().unwrap_or_default();
    let events = Events::listen(&remote, format!("{path}/events"), cursor);
    loop {
        let event = events.next(deadline)?;
        for answer in answers(&event, &id, seq, &me) {
            let choice = choices.iter().position(|choice| same(choice, &answer));
            match choice {
                Some(n) => {
                    print(&format!("{}\n", choices[n]))?;
                    return Ok(u8::try_from(n).unwrap_or(u8::MAX));
                }
                None if choices.is_empty() => {
                    print(&format!("{}\n", without_controls(&answer)))?;
                    return Ok(0);
                }
                None => {}
            }
        }
    }
}

/// What an event says in answer to the question of this id and sequence.
fn answers(event: &Event, id: &str, asked: u64, me: &Value) -> Vec<String> {
    let my_id = me["id"].as_str().unwrap_or_default();
    let changed = event.named("message-updated").or_else(|| event.named("message"));
    let Some(message) = changed else { return Vec::new() };
    if message["id"] == id {
        let reactions = message["reactions"].as_array().into_iter().flatten();
        let of_others = reactions.filter(|reaction| {
            let users = reaction["users"].as_array();
            users.into_iter().flatten().any(|user| counts(user, my_id))
        });
        return of_others.filter_map(|it| it["reaction"].as_str()).map(ToOwned::to_owned).collect();
    }
    let is_later = message["seq"].as_u64().is_some_and(|seq| seq > asked);
    if !is_later || !counts(&message["author"], my_id) {
        return Vec::new();
    }
    let answer = bare(text_of(&message), me["display_name"].as_str().unwrap_or_default());
    if answer.is_empty() { Vec::new() } else { vec![answer] }
}

/// An answer without the quotation that it begins with, and without the name of whom it is for.
fn bare(text: &str, my_name: &str) -> String {
    let own = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    let own = own.collect::<Vec<_>>().join("\n");
    let own = own.trim();
    let mention = format!("@{my_name}");
    let own =
        own.strip_prefix(&mention).map_or(own, |rest| rest.trim_start_matches([':', ',', ' ']));
    own.trim().to_owned()
}

/// Tells whether an answer is this choice: case, a full stop, and how an emoji is written do not count.
fn same(choice: &str, answer: &str) -> bool {
    let plain = |text: &str| {
        let text = text.replace('\u{FE0F}', "").to_lowercase();
        text.trim().trim_end_matches(['.', '!']).to_owned()
    };
    plain(choice) == plain(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_is_said_beside_the_quotation() {
        for (text, answer) in [
            ("yes", "yes"),
            ("> [Ada](/channels/ops) wrote:\n> Deploy?\n\nyes", "yes"),
            ("@Ada yes", "yes"),
            ("@Ada: yes", "yes"),
            ("> only a quotation", ""),
            ("one\ntwo", "one\ntwo"),
        ] {
            assert_eq!(bare(text, "Ada"), answer, "{text:?}");
        }
    }

    #[test]
    fn how_an_answer_is_written_does_not_count() {
        for (choice, answer) in
            [("yes", "Yes."), ("yes", "YES!"), ("❤️", "❤"), ("Да", "да"), ("no way", " no way ")]
        {
            assert!(same(choice, answer), "{choice} {answer}");
        }
        for (choice, answer) in [("yes", "yes please"), ("no", "not"), ("👍", "👍🏽")] {
            assert!(!same(choice, answer), "{choice} {answer}");
        }
    }
}
