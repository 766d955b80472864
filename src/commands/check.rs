//! `houston check`: every setting, and what is wrong with it.

use std::io::{Write, stdout};
use std::process::ExitCode;

use super::PROGRAM;
use super::serve::raise_open_files_limit;
use crate::config::{Config, Report};

pub(super) fn run() -> ExitCode {
    // As the server does: how many streams there may be depends on it.
    raise_open_files_limit();
    let report = Report::of(&Config::figment());
    // Whoever reads it may have read enough.
    let _ = write!(stdout(), "{report}");
    for problem in &report.problems {
        eprintln!("{PROGRAM}: {problem}");
    }
    if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
