//! `houston channels`: listing and removing public channels.

use std::io::{Write, stdout};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::operator::{OperatorError, Reach};

#[derive(Args)]
pub(super) struct ChannelsArgs {
    #[command(subcommand)]
    command: ChannelsCommand,
}

#[derive(Subcommand)]
enum ChannelsCommand {
    /// List the public channels by name.
    List {
        /// Print JSON, an object for each channel in an array.
        #[arg(long)]
        json: bool,
    },
    /// Remove a channel with all that it keeps, whoever created it.
    Remove {
        /// The name.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
    },
}

pub(super) fn run(args: &ChannelsArgs) -> Result<(), OperatorError> {
    let reach = Reach::find()?;
    match &args.command {
        ChannelsCommand::List { json } => {
            let channels = reach.channels()?;
            if *json {
                return super::print_json(&channels).map_err(Into::into);
            }
            let mut out = stdout().lock();
            for channel in channels {
                let (name, messages) = (channel.name, channel.messages);
                let last = channel.last_message_at.map(|at| format!(", the last of {at}"));
                let last = last.unwrap_or_default();
                let by = channel.created_by.map(|by| format!(", created by {by}"));
                writeln!(out, "{name}\t{messages} messages{last}{}", by.unwrap_or_default())?;
            }
        }
        ChannelsCommand::Remove { name } => reach.remove_channel(name.trim_start_matches('#'))?,
    }
    Ok(())
}
