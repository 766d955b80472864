//! `houston users`: listing and removing users, and links for those who lost theirs.

use std::io::{Write, stdout};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::operator::{OperatorError, Reach};

#[derive(Args)]
pub(super) struct UsersArgs {
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Subcommand)]
enum UsersCommand {
    /// List everybody, the one who was here last first.
    List {
        /// Print JSON, an object for each user in an array.
        #[arg(long)]
        json: bool,
    },
    /// Remove a user: end all of their sessions, which frees their name. What they said stays.
    Remove {
        /// The display name.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
    },
    /// Print a one-time link that signs a device in as this user, for somebody who lost theirs.
    ///
    /// It can be used for ten minutes, once, while the server runs that made it.
    Link {
        /// The display name.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        name: String,
        /// The address at which people reach the server, if not the one it listens on.
        #[arg(long, env = "HOUSTON_URL")]
        url: Option<String>,
    },
}

pub(super) fn run(args: &UsersArgs) -> Result<(), OperatorError> {
    let reach = Reach::find()?;
    match &args.command {
        UsersCommand::List { json } => {
            let users = reach.users()?;
            if *json {
                return super::print_json(&users).map_err(Into::into);
            }
            let mut out = stdout().lock();
            for user in users {
                let kind = if user.bot { " (bot)" } else { "" };
                let now = if user.online { ", online" } else { "" };
                let (name, sessions, last) = (user.display_name, user.sessions, user.last_used_at);
                let plural = if sessions == 1 { "" } else { "s" };
                writeln!(out, "{name}{kind}\t{sessions} session{plural}, last used {last}{now}")?;
            }
        }
        UsersCommand::Remove { name } => reach.remove_user(name)?,
        UsersCommand::Link { name, url } => {
            let (link, own) = reach.link(name)?;
            let url = url.as_ref().unwrap_or(&own).trim_end_matches('/');
            writeln!(stdout(), "{url}{}", link.path)?;
            eprintln!("It signs in as {name}, once, until {}.", link.expires_at);
        }
    }
    Ok(())
}
