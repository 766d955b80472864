//! The `houston` command: serves by default, and does for an operator what is not for users.
//!
//! Each command is a module with its arguments and a function that runs it.

mod backup;
mod channels;
mod check;
mod client;
mod health;
mod hooks;
mod manual;
#[cfg(feature = "cluster")]
mod migrate;
mod operator;
mod serve;
mod users;

use std::error::Error;
use std::io::{self, Write, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::assets::Sources;
use crate::wire::lines::without_controls;

/// The name of the program.
const PROGRAM: &str = "houston";

/// Team chat on your own server.
///
/// Without a command it serves. Settings are read from `Rocket.toml` in the working directory (or the
/// file that `ROCKET_CONFIG` names) and from `ROCKET_…` variables, which win: `houston check` lists
/// them all.
#[derive(Parser)]
#[command(name = PROGRAM, version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until stopped by SIGTERM or Ctrl+C (the default).
    Serve,
    /// Check the settings: list each with its value, where that comes from, and what it means.
    ///
    /// Exits with 1 when the server would not start with them, or when a name looks mistyped.
    Check,
    #[command(flatten)]
    Client(client::ClientCommand),
    /// Exit with 0 when the server that runs on the data directory is ready, and with 1 when not.
    Health,
    /// Write a backup of everything, messages and files, into one tar.
    ///
    /// It is consistent, whether a server runs on the data directory or not, and has everything that
    /// was acknowledged before it began. FILE is there when it is complete, readable by its owner
    /// alone.
    Backup(backup::BackupArgs),
    /// Restore a backup into the data directory, which no server may be using.
    ///
    /// It is refused where there is anything, unless --replace is given. Clients that know a later
    /// time begin anew with what was restored.
    Restore(backup::RestoreArgs),
    /// Copy a chat from the data directory into NATS servers, for several nodes, or back.
    ///
    /// Into servers: no server may be using the data directory. Out of servers: nodes may go on
    /// meanwhile, and what they store after it began is not copied. Clients begin anew with what was
    /// moved.
    #[cfg(feature = "cluster")]
    Migrate(migrate::MigrateArgs),
    /// List or remove users, or print a link for somebody who lost theirs.
    ///
    /// Through the server that runs on the data directory, or on the directory itself when none runs.
    Users(users::UsersArgs),
    /// List or remove public channels.
    ///
    /// Through the server that runs on the data directory, or on the directory itself when none runs.
    Channels(channels::ChannelsArgs),
    /// List, pause or remove hooks of all channels.
    ///
    /// Through the server that runs on the data directory, or on the directory itself when none runs.
    Hooks(hooks::HooksArgs),
    /// Print what makes a shell complete this command: `houston completions bash`.
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write those of all commands into a directory.
    Man(manual::ManArgs),
}

/// Runs the command that the process was started with.
///
/// The sources are those of the pages in the program.
#[must_use]
pub fn run(built_in: Sources) -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => {
            // Help and version are "errors", too, and go to standard output with code 0.
            let _ = asked.print();
            return ExitCode::from(u8::try_from(asked.exit_code()).unwrap_or(2));
        }
    };
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(built_in),
        Command::Check => check::run(),
        Command::Client(command) => client::run(command),
        Command::Health => done(health::run()),
        Command::Backup(args) => done(backup::back_up(&args)),
        Command::Restore(args) => done(backup::restore(&args)),
        #[cfg(feature = "cluster")]
        Command::Migrate(args) => done(migrate::run(&args)),
        Command::Users(args) => done(users::run(&args)),
        Command::Channels(args) => done(channels::run(&args)),
        Command::Hooks(args) => done(hooks::run(&args)),
        Command::Completions(args) => done(manual::print_completions(&args)),
        Command::Man(args) => done(manual::write_man(&args)),
    }
}

/// Prints a value as JSON.
fn print_json(value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    stdout().write_all(&text)
}

fn done<E: Error + 'static>(result: Result<(), E>) -> ExitCode {
    result.map_or_else(|error| refuse(&error), |()| ExitCode::SUCCESS)
}

/// Prints why nothing was done, with every cause.
fn refuse(error: &dyn Error) -> ExitCode {
    let mut said = format!("{PROGRAM}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    // A backup or a server may be anybody's, and what they say may be in it.
    eprintln!("{}", without_controls(&said));
    ExitCode::FAILURE
}
