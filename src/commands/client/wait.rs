//! `houston wait`: waiting for a message.

use std::time::Duration;

use clap::Args;
use regex::Regex;

use super::events::Events;
use super::remote::{Failure, Remote, RemoteArgs, channel_path};
use super::{Deadline, print, text_of};
use crate::wire::lines::transcript_of;

#[derive(Args)]
pub(in crate::commands) struct WaitArgs {
    #[command(flatten)]
    remote: RemoteArgs,
    /// The channel.
    channel: String,
    /// The pattern that the text must match somewhere: `deployed|failed`, `(?i)^done`.
    pattern: Regex,
    /// The longest time to wait: 90s, 10m, 2h.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Print the message as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &WaitArgs) -> Result<u8, Failure> {
    let deadline = Deadline::after(args.timeout);
    let remote = Remote::of(&args.remote);
    let path = channel_path(&args.channel);
    let history = remote.get(&format!("{path}/messages"))?;
    let cursor = history["cursor"].as_str().map(ToOwned::to_owned);
    let latest = history["messages"].as_array().and_then(|messages| messages.last());
    let last = latest.and_then(|message| message["seq"].as_u64()).unwrap_or_default();
    let events = Events::listen(&remote, format!("{path}/events"), cursor);
    loop {
        let event = events.next(deadline)?;
        let said = event.named("message").or_else(|| event.named("message-updated"));
        let Some(message) = said else { continue };
        let is_new = message["seq"].as_u64().is_some_and(|seq| seq > last);
        if is_new && args.pattern.is_match(text_of(&message)) {
            let json = message.to_string();
            if args.json {
                print(&format!("{json}\n"))?;
            } else {
                let said = transcript_of(json.as_bytes(), &remote.url);
                print(&said.unwrap_or_default())?;
            }
            return Ok(0);
        }
    }
}
