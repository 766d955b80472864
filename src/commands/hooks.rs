//! `houston hooks`: listing, pausing and removing hooks.

use std::io::{Write, stdout};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::operator::{OperatorError, Reach};
use crate::engine::operator::{HookKind, HookState, HookSummary};
use crate::wire::lines::without_controls;

#[derive(Args)]
pub(super) struct HooksArgs {
    #[command(subcommand)]
    command: HooksCommand,
}

#[derive(Subcommand)]
enum HooksCommand {
    /// List the hooks of all channels, oldest first, without their secrets.
    ///
    /// Of an outgoing hook's address its host is shown. Whose direct conversation a hook is of is not.
    List {
        /// Print JSON, an object for each hook in an array.
        #[arg(long)]
        json: bool,
    },
    /// Remove a hook, whoever made it. What it wrote stays.
    Remove {
        /// The id, as the list has it.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Pause an outgoing hook: nothing is posted, and what waits is dropped.
    Pause {
        /// The id, as the list has it.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Let an outgoing hook go on, or make its next attempt at once.
    Resume {
        /// The id, as the list has it.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
}

pub(super) fn run(args: &HooksArgs) -> Result<(), OperatorError> {
    let reach = Reach::find()?;
    match &args.command {
        HooksCommand::List { json } => {
            let hooks = reach.hooks()?;
            if *json {
                return super::print_json(&hooks).map_err(Into::into);
            }
            let mut out = stdout().lock();
            for hook in hooks {
                writeln!(out, "{}", without_controls(&line(&hook)))?;
            }
        }
        HooksCommand::Remove { id } => reach.remove_hook(id)?,
        HooksCommand::Pause { id } => reach.pause_hook(id)?,
        HooksCommand::Resume { id } => reach.resume_hook(id)?,
    }
    Ok(())
}

/// A hook as a line: its id, what it is, and how it goes.
fn line(hook: &HookSummary) -> String {
    let HookSummary { id, name, waiting, .. } = hook;
    let kind = match hook.kind {
        HookKind::Incoming => "incoming",
        HookKind::Outgoing => "outgoing",
    };
    let to = hook.host.as_ref().map(|host| format!(" to {host}")).unwrap_or_default();
    let channel =
        hook.channel.as_deref().map_or("a direct conversation".to_owned(), |it| format!("#{it}"));
    let by = hook.created_by.as_ref().map(|by| format!(", made by {by}")).unwrap_or_default();
    let problem = hook.problem.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    let state = match (hook.state, &hook.paused_since, &hook.retry_at) {
        (HookState::Paused, Some(since), _) => format!(", paused since {since}{problem}"),
        (HookState::Retrying, _, Some(at)) => format!(", tries again at {at}"),
        _ => String::new(),
    };
    let waits = if *waiting > 0 { format!(", {waiting} waiting") } else { String::new() };
    let last = hook.last_delivery.as_ref().map(|last| {
        let status = last.status.map(|status| format!(" {status}")).unwrap_or_default();
        let problem = last.problem.as_ref().map(|it| format!(" {it}")).unwrap_or_default();
        format!(", last delivery {}{status}{problem}", last.at)
    });
    let last = last.unwrap_or_default();
    format!("{id}\t{kind}\t{name} in {channel}{to}{by}{state}{waits}{last}")
}
