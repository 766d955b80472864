//! `houston serve`: the server.

use std::process::ExitCode;

use rocket::error::ErrorKind;

use super::{PROGRAM, refuse};
use crate::assets::Sources;
use crate::config::{Config, Report};
use crate::engine::Engine;

pub(super) fn run(built_in: Sources) -> ExitCode {
    raise_open_files_limit();
    let settings = Config::figment();
    // Before Rocket looks at them, which says less of what is wrong.
    if let Err(error) = Config::from(&settings) {
        return refuse(&error);
    }
    for mistyped in Report::of(&settings).problems {
        eprintln!("{PROGRAM}: {mistyped}");
    }
    rocket::execute(async move {
        let rocket = match crate::rocket(settings, built_in).await {
            Ok(rocket) => rocket,
            Err(error) => return refuse(&error),
        };
        match rocket.launch().await {
            // Whoever started it starts it again.
            Ok(ended) if ended.state::<Engine>().is_some_and(Engine::is_left_behind) => {
                ExitCode::FAILURE
            }
            Ok(_) => ExitCode::SUCCESS,
            // Connections that would not close in time; everything that was acknowledged is on disk.
            Err(error) if matches!(error.kind(), ErrorKind::Shutdown(..)) => ExitCode::SUCCESS,
            Err(error) => {
                error.pretty_print();
                ExitCode::FAILURE
            }
        }
    })
}

/// Raises the soft limit of open files to the hard one: every stream is an open file, and the usual
/// soft limit is 1,024.
pub(super) fn raise_open_files_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("{PROGRAM}: the limit of open files stays as it is: {error}");
    }
}
