//! `houston tail`: showing what is said, and what will be.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use super::events::{Event, Events};
use super::remote::{Failure, Remote, RemoteArgs, channel_path};
use super::{Deadline, print};
use crate::wire::lines::{Form, Lines};

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

/// The tail of all channels. The stream of everything says where something is new, which is then read
/// there; edits and reactions it does not tell, so now and then it is looked where anything was.
struct Everywhere<'r> {
    remote: &'r Remote,
    json: bool,
    /// The time at which it was last looked where anything was.
    looked: Instant,
    /// What is known of each channel, by its id.
    known: HashMap<String, Known>,
}

/// A channel, and how far it was shown.
struct Known {
    /// The name under which its lines come.
    name: String,
    /// The place in its stream.
    cursor: String,
    lines: Lines,
}

/// The place in a stream before everything that is kept.
const BEGINNING: &str = "0";
/// Time after which it is looked where anything was, with the next event: a ping comes within five seconds.
/// All channels are a long list, which is not to be asked for with each of these.
const LOOK_PERIOD: Duration = Duration::from_secs(25);

impl<'r> Everywhere<'r> {
    /// The tail from now on.
    fn new(remote: &'r Remote, json: bool) -> Result<Self, Failure> {
        let mut everywhere = Self { remote, json, looked: Instant::now(), known: HashMap::new() };
        for channel in everywhere.channels()? {
            let cursor = text(&channel["cursor"]).to_owned();
            everywhere.know(&channel["id"], &channel["name"]).cursor = cursor;
        }
        Ok(everywhere)
    }

    fn channels(&self) -> Result<Vec<Value>, Failure> {
        let channels = self.remote.get("/api/channels")?;
        Ok(channels["channels"].as_array().cloned().unwrap_or_default())
    }

    /// What is known of a channel. One that is new is shown from its beginning.
    fn know(&mut self, id: &Value, name: &Value) -> &mut Known {
        let form = if self.json { Form::Json } else { Form::Transcript };
        let known = self.known.entry(text(id).to_owned()).or_insert_with(|| Known {
            name: String::new(),
            cursor: BEGINNING.to_owned(),
            lines: Lines::new(form, &self.remote.url, None),
        });
        text(name).clone_into(&mut known.name);
        known
    }

    fn knows_name(&self, name: &str) -> bool {
        self.known.values().any(|known| known.name == name)
    }

    fn tail(mut self) -> Result<u8, Failure> {
        let events = Events::listen(self.remote, "/api/events".to_owned(), None);
        loop {
            let event = events.next(Deadline(None))?;
            if let Some(news) = event.named("activity") {
                self.show_new(&news["channel_id"], &news["channel"])?;
            }
            let deleted = event.named("channel-deleted");
            let is_gone = deleted.is_some_and(|gone| self.knows_name(text(&gone["name"])));
            let may_have_missed = matches!(event, Event::Opened) || event.named("reset").is_some();
            if is_gone || may_have_missed || self.looked.elapsed() >= LOOK_PERIOD {
                self.look()?;
            }
        }
    }

    /// Shows what is new anywhere, and which channels were deleted.
    fn look(&mut self) -> Result<(), Failure> {
        let channels = self.channels()?;
        let listed: HashSet<_> = channels.iter().map(|channel| text(&channel["id"])).collect();
        for (id, known) in self.known.extract_if(|id, _| !listed.contains(id.as_str())) {
            known.show_end(&id)?;
        }
        for channel in &channels {
            let (id, name) = (&channel["id"], &channel["name"]);
            if self.know(id, name).cursor != text(&channel["cursor"]) {
                self.show_new(id, name)?;
            }
        }
        self.looked = Instant::now();
        Ok(())
    }

    /// Shows what is new in a channel, if anything is.
    fn show_new(&mut self, id: &Value, name: &Value) -> Result<(), Failure> {
        let remote = self.remote;
        let known = self.know(id, name);
        let (frames, cursor) = match remote.catch_up(&format!("id:{}", text(id)), &known.cursor) {
            // It is gone by now.
            Err(Failure::Refused { status: 404, .. }) => return Ok(()),
            read => read?,
        };
        known.cursor = cursor;
        let lines = known.lines.translate(&frames);
        print(&known.shown(&String::from_utf8_lossy(&lines), text(id)))
    }
}

impl Known {
    /// Says that the channel was deleted.
    fn show_end(mut self, id: &str) -> Result<(), Failure> {
        let data = json!({ "name": self.name });
        let frame = format!("event: channel-deleted\ndata: {data}\n\n");
        let lines = self.lines.translate(frame.as_bytes());
        print(&self.shown(&String::from_utf8_lossy(&lines), id))
    }

    /// The lines of this channel, each with what tells of which channel it is.
    fn shown(&self, lines: &str, id: &str) -> String {
        let is_direct = self.name.starts_with('@');
        let mut shown = String::new();
        for line in lines.lines() {
            if line.starts_with("{\"event\":") {
                let mut event: Value = serde_json::from_str(line).unwrap_or_default();
                let channel = if is_direct { format!("id:{id}") } else { self.name.clone() };
                event["channel"] = channel.into();
                shown.push_str(&event.to_string());
            } else if line.starts_with(['{', ' ']) {
                // A message has its channel in it; the further lines of one go on.
                shown.push_str(line);
            } else {
                let sign = if is_direct { "" } else { "#" };
                shown.extend([sign, &self.name, " ", line]);
            }
            shown.push('\n');
        }
        shown
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
