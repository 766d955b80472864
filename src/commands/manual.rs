//! `houston completions` and `houston man`, made of the commands' own descriptions.

use std::io::{self, Write, stdout};
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Cli, PROGRAM};

#[derive(Args)]
pub(super) struct CompletionsArgs {
    /// The shell.
    shell: Shell,
}

#[derive(Args)]
pub(super) struct ManArgs {
    /// The directory to write `houston.1` and a page for each command into; it must exist.
    directory: Option<PathBuf>,
}

pub(super) fn print_completions(args: &CompletionsArgs) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), PROGRAM, &mut script);
    stdout().write_all(&script)
}

pub(super) fn write_man(args: &ManArgs) -> io::Result<()> {
    if let Some(directory) = &args.directory {
        return clap_mangen::generate_to(Cli::command(), directory);
    }
    let mut page = Vec::new();
    Man::new(Cli::command()).render(&mut page)?;
    stdout().write_all(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_described_consistently() {
        Cli::command().debug_assert();
    }
}
