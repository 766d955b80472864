//! The `houston` command: reads the settings, then serves until it is stopped.

use std::error::Error;
use std::process::ExitCode;

use houston::config::Config;
use mimalloc::MiMalloc;
use rocket::error::ErrorKind;

/// The allocator. Blocks that one thread allocates are mostly freed by another, which costs the
/// system's allocator a lock: with this one, nearly a quarter more messages are posted in the same
/// time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[rocket::main]
async fn main() -> ExitCode {
    raise_open_files_limit();
    let rocket = match houston::rocket(Config::figment()).await {
        Ok(rocket) => rocket,
        Err(error) => return refuse(&error),
    };
    match rocket.launch().await {
        Ok(_) => ExitCode::SUCCESS,
        // Connections that would not close in time; everything that was acknowledged is on disk.
        Err(error) if matches!(error.kind(), ErrorKind::Shutdown(..)) => ExitCode::SUCCESS,
        Err(error) => {
            error.pretty_print();
            ExitCode::FAILURE
        }
    }
}

/// Raises the soft limit of open files to the hard one: every stream is an open file, and the usual
/// soft limit is 1,024.
fn raise_open_files_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        eprintln!("houston: the limit of open files stays as it is: {error}");
    }
}

/// Prints the reason for which the server does not start, with every cause.
fn refuse(error: &dyn Error) -> ExitCode {
    let mut said = format!("houston: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    eprintln!("{said}");
    ExitCode::FAILURE
}
