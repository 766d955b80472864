//! Runs the `houston` command as an operator does.

use std::path::Path;
use std::process::{Command, Output};

/// The command in this working directory, with these variables and no others of Houston's.
pub(crate) fn command(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROCKET_")) {
        command.env_remove(name);
    }
    command.current_dir(directory).args(arguments).envs(variables.iter().copied());
    command
}

pub(crate) fn houston(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(directory, variables, arguments).output().expect("it runs")
}

/// Runs the command on this data directory.
pub(crate) fn houston_on(data: &Path, arguments: &[&str]) -> Output {
    let data = data.to_str().expect("a path");
    houston(Path::new("/"), &[("ROCKET_DATA_DIR", data)], arguments)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
