//! `houston tail`: showing what is said, and what will be.

use std::collections::HashMap;

use clap::Args;
use serde_json::Value;

use super::events::{Event, Events};
use super::remote::{Failure, Remote, RemoteArgs, channel_path};
use super::{Deadline, print};
use crate::wire::lines::{Form, Lines, transcript_of};

#[derive(Args)]
pub(in crate::commands) struct TailArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel; all that you can read where there is none.
    channel: Option<String>,
    /// The number of messages of the channel to show first, of those that it keeps.
    #[arg(long, short = 'n', default_value_t = 10)]
    lines: usize,
    /// Print each message as JSON on a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TailArgs) -> Result<u8, Failure> {
    let remote = Remote::of(&args.remote);
    match &args.channel {
        Some(channel) => of_channel(&remote, channel, args),
        None => Everywhere::new(&remote, args.json)?.tail(),
    }
}

fn of_channel(remote: &Remote, channel: &str, args: &TailArgs) -> Result<u8, Failure> {
    let path = channel_path(channel);
    let history = remote.get(&format!("{path}/messages"))?;
    let messages = history["messages"].as_array().map_or(&[][..], Vec::as_slice);
    let form = if args.json { Form::Json } else { Form::Transcript };
    let mut lines = Lines::new(form, &remote.url, None);
    let mut say = |name: &str, data: &str| {
        let frame = format!("event: {name}\ndata: {data}\n\n");
        let said = lines.translate(frame.as_bytes());
        print(&String::from_utf8_lossy(&said))
    };
    for message in &messages[messages.len().saturating_sub(args.lines)..] {
        say("message", &message.to_string())?;
    }
    let cursor = history["cursor"].as_str().map(ToOwned::to_owned);
    let events = Events::listen(remote, format!("{path}/events"), cursor);
    loop {
        if let Event::Happened { name, data } = events.next(Deadline(None))? {
            // It is between the client and the server.
            if name != "ping" {
                say(&name, &data)?;
            }
            if name == "channel-deleted" {
                return Ok(0);
            }
        }
    }
}

/// The tail of all channels. The stream of everything says where something is new, which is then
/// read there.
struct Everywhere<'r> {
    remote: &'r Remote,
    json: bool,
    /// What is known of each channel, by its id.
    known: HashMap<String, Known>,
}

/// How far a channel was shown.
#[derive(Default)]
struct Known {
    /// The time of its latest message when it was first seen.
    since: String,
    /// The last message that was shown.
    seq: u64,
}

impl<'r> Everywhere<'r> {
    /// The tail from now on.
    fn new(remote: &'r Remote, json: bool) -> Result<Self, Failure> {
        let mut everywhere = Self { remote, json, known: HashMap::new() };
        for channel in everywhere.channels()? {
            let since = channel["last_message_at"].as_str().unwrap_or_default().to_owned();
            everywhere.known.insert(id_of(&channel["id"]), Known { since, seq: 0 });
        }
        Ok(everywhere)
    }

    fn channels(&self) -> Result<Vec<Value>, Failure> {
        let channels = self.remote.get("/api/channels")?;
        Ok(channels["channels"].as_array().cloned().unwrap_or_default())
    }

    fn tail(mut self) -> Result<u8, Failure> {
        let events = Events::listen(self.remote, "/api/events".to_owned(), None);
        loop {
            let event = events.next(Deadline(None))?;
            if matches!(event, Event::Opened) || event.named("reset").is_some() {
                for channel in self.channels()? {
                    self.show_new(&channel["id"], &channel["name"], &channel["last_message_at"])?;
                }
            } else if let Some(news) = event.named("activity") {
                self.show_new(&news["channel_id"], &news["channel"], &news["last_message_at"])?;
            }
        }
    }

    /// Shows what is new in a channel, if anything is.
    fn show_new(&mut self, id: &Value, name: &Value, last: &Value) -> Result<(), Failure> {
        let (id, last) = (id_of(id), last.as_str().unwrap_or_default());
        let known = self.known.entry(id.clone()).or_default();
        if last <= known.since.as_str() {
            return Ok(());
        }
        let path = format!("{}/messages", channel_path(&format!("id:{id}")));
        let history = match self.remote.get(&path) {
            // It is gone by now.
            Err(Failure::Refused { status: 404, .. }) => return Ok(()),
            history => history?,
        };
        let name = name.as_str().unwrap_or_default();
        let name = if name.starts_with('@') { name.to_owned() } else { format!("#{name}") };
        for message in history["messages"].as_array().into_iter().flatten() {
            let seq = message["seq"].as_u64().unwrap_or_default();
            let sent_at = message["sent_at"].as_str().unwrap_or_default();
            let is_new = if known.seq > 0 { seq > known.seq } else { sent_at > &*known.since };
            if is_new {
                known.seq = seq;
                if self.json {
                    print(&format!("{message}\n"))?;
                } else if let Some(said) =
                    transcript_of(message.to_string().as_bytes(), &self.remote.url)
                {
                    print(&format!("{name} {said}"))?;
                }
            }
        }
        last.clone_into(&mut known.since);
        Ok(())
    }
}

fn id_of(id: &Value) -> String {
    id.as_str().unwrap_or_default().to_owned()
}
