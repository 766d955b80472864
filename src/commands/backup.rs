//! `houston backup` and `houston restore`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::PROGRAM;
use crate::backends::sqlite::backup::{self, BackupError, Manifest};
use crate::backends::sqlite::restore::{self, Present, RestoreError};
use crate::config::{Config, SettingError};
use crate::wire::lines::without_controls;

#[derive(Args)]
pub(super) struct BackupArgs {
    /// The tar to write; `-` for standard output.
    file: PathBuf,
}

#[derive(Args)]
pub(super) struct RestoreArgs {
    /// The tar to read; `-` for standard input.
    file: PathBuf,
    /// Replace what is in the data directory, once the backup is known to be whole.
    #[arg(long)]
    replace: bool,
}

/// The reason why there is no backup, or why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("a setting is wrong")]
    Config(#[from] SettingError),
    #[error(
        "`cluster` is set, and everything is in the NATS servers: `houston migrate --from` copies it \
         into a data directory, which can be backed up without `cluster`; `houston migrate --to` \
         copies one that was restored into empty servers"
    )]
    Clustered,
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Restore(#[from] RestoreError),
    #[error("`{}` cannot be opened", .path.display())]
    Open { path: PathBuf, source: io::Error },
}

pub(super) fn back_up(args: &BackupArgs) -> Result<(), Error> {
    let config = alone()?;
    let manifest = backup::make(&config.data_dir, &args.file)?;
    for id in &manifest.missing {
        let id = without_controls(id);
        eprintln!("{PROGRAM}: the file `{id}` of a message was lost before");
    }
    eprintln!("{PROGRAM}: backed up {}", told(&manifest));
    Ok(())
}

pub(super) fn restore(args: &RestoreArgs) -> Result<(), Error> {
    let config = alone()?;
    let backup: Box<dyn Read> = if args.file == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(&args.file);
        let file = opened.map_err(|source| Error::Open { path: args.file.clone(), source })?;
        Box::new(BufReader::with_capacity(256 * 1024, file))
    };
    let present = if args.replace { Present::Replace } else { Present::Keep };
    let manifest = restore::restore(backup, &config.data_dir, present)?;
    let (when, whither) = (without_controls(&manifest.made_at), config.data_dir.display());
    eprintln!("{PROGRAM}: restored {} of {when} into `{whither}`", told(&manifest));
    Ok(())
}

/// The settings of a server that is alone: others have nothing in their data directories.
fn alone() -> Result<Config, Error> {
    let config = Config::from(&Config::figment())?;
    if config.cluster.is_some() { Err(Error::Clustered) } else { Ok(config) }
}

fn told(manifest: &Manifest) -> String {
    let Manifest { messages, files, file_bytes, .. } = manifest;
    format!("{messages} messages and {files} files ({file_bytes} bytes)")
}
