//! `houston migrate`: from one process to several nodes, and back.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::PROGRAM;
use crate::backends::files;
use crate::backends::jetstream::connection::{ConnectError, Nats};
use crate::backends::jetstream::moving::{self, Copy, MoveError, Moved};
use crate::backends::sqlite::import::Import;
use crate::backends::sqlite::restore::RestoreError;
use crate::backends::sqlite::{OpenError, Sqlite, has_database};
use crate::config::{Config, SettingError};
use crate::domain::ids::Seq;
use crate::engine::log::Log;
use crate::nats_options;

#[derive(Args)]
#[command(group = ArgGroup::new("direction").required(true))]
pub(super) struct MigrateArgs {
    /// Copy the data directory into these NATS servers, which must not have a chat of this prefix.
    #[arg(long, value_name = "SERVERS", group = "direction")]
    to: Option<String>,
    /// Copy the chat in these NATS servers into the data directory, which must be empty.
    #[arg(long, value_name = "SERVERS", group = "direction")]
    from: Option<String>,
}

/// The reason why nothing was migrated.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("a setting is wrong")]
    Config(#[from] SettingError),
    #[error("there is no database in `{}`: is `data_dir` right?", .0.display())]
    Nothing(PathBuf),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error(transparent)]
    Write(#[from] RestoreError),
    #[error("the command cannot begin")]
    Runtime(#[from] std::io::Error),
}

pub(super) fn run(args: &MigrateArgs) -> Result<(), Error> {
    let config = Config::from(&Config::figment())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let moved = match (&args.to, &args.from) {
            (Some(servers), _) => into_servers(&config, servers).await?,
            (_, Some(servers)) => out_of_servers(&config, servers).await?,
            (None, None) => return Ok(()),
        };
        for Seq(seq) in &moved.strange {
            eprintln!("{PROGRAM}: entry {seq} stays behind: nobody can read it");
        }
        for id in &moved.missing {
            eprintln!("{PROGRAM}: the file `{id}` of a message was lost before");
        }
        eprintln!("{PROGRAM}: copied {} entries and {} files", moved.entries, moved.files);
        Ok(())
    })
}

async fn into_servers(config: &Config, servers: &str) -> Result<Moved, Error> {
    if !has_database(&config.data_dir) {
        return Err(Error::Nothing(config.data_dir.clone()));
    }
    let nats = Nats::connect(&nats_options(config, servers)).await?;
    let log = Sqlite::open(&config.data_dir)?;
    let files = config.data_dir.join(files::DIRECTORY);
    Ok(moving::move_in(&nats, log.follow(Seq(0)), &files).await?)
}

async fn out_of_servers(config: &Config, servers: &str) -> Result<Moved, Error> {
    let nats = Nats::connect(&nats_options(config, servers)).await?;
    let mut import = Import::begin(&config.data_dir)?;
    let Copy { entries, head, moved } = moving::copy_out(&nats, &import.files()).await?;
    import.add(&entries)?;
    import.finish(head)?;
    Ok(moved)
}
