//! The log of the process: lines on standard output, in which no secret ever is.
//!
//! Rocket's own logger would not do. At the level `debug` Rocket writes each request with all its
//! headers, cookies and tokens among them, and each answer with the cookie that it sets; and at
//! any level it writes the address of a request that it cannot read (`FOO /links/…`), before
//! anything of ours has seen it. So this logger takes its place:
//!
//! - of other crates nothing more detailed than `info` is written, whatever the level is;
//! - in every line, what follows `/links/` is left out: whoever reads it could sign in.

use std::io::{Write, stdout};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rocket::config::LogLevel;

/// What comes before a secret in an address.
const BEFORE_SECRETS: [&str; 1] = ["/links/"];
/// What is written in a secret's place.
const CONCEALED: &str = "…";
/// The target of what Rocket tells once it runs: written as a warning, and none.
const LAUNCH: &str = "rocket::launch";

/// Writes the log at this level from now on: that of the first call of a process and not of
/// Rocket's own logger, if it comes before anything of Rocket's is made.
pub(crate) fn start(level: LogLevel) {
    // In one process only the first logger can be set; it is this one.
    let _ = log::set_logger(&Logger);
    log::set_max_level(match level {
        LogLevel::Off => LevelFilter::Off,
        LogLevel::Critical => LevelFilter::Warn,
        LogLevel::Normal => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
    });
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with(env!("CARGO_CRATE_NAME"));
        metadata.level() <= if ours { Level::Debug } else { Level::Info }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Rocket's way to say that a line belongs to the one above.
        let belongs = record.target().ends_with('_');
        let label = match record.level() {
            _ if belongs => "   >> ",
            _ if record.target().starts_with(LAUNCH) => "",
            Level::Error => "Error: ",
            Level::Warn => "Warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        // Where nobody takes it, it is lost.
        let _ = writeln!(stdout(), "{label}{}", concealed(&record.args().to_string()));
    }

    fn flush(&self) {}
}

/// The line without the secrets in it.
fn concealed(line: &str) -> String {
    BEFORE_SECRETS.iter().fold(line.to_owned(), |line, before| {
        let mut parts = line.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |concealed, rest| {
            let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || c == '"');
            format!("{concealed}{before}{CONCEALED}{}", &rest[end.unwrap_or(rest.len())..])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, written: &str) {
        assert_eq!(concealed(line), written);
    }

    #[test]
    fn a_links_secret_is_left_out() {
        check("GET /links/s3cret:", "GET /links/…");
        check("GET /links/s3cret text/html:", "GET /links/… text/html:");
        check("\"/links/s3cret/?more\" and /links//s3cret", "\"/links/…\" and /links/…");
        check("GET \u{1b}[34m/links/s3cret\u{1b}[0m:", "GET \u{1b}[34m/links/…\u{1b}[0m:");
        check("POST /api/session/links:", "POST /api/session/links:");
    }

    #[test]
    fn other_crates_details_are_not_written() {
        let enabled = |target: &str, level| {
            Logger.enabled(&Metadata::builder().target(target).level(level).build())
        };
        assert!(enabled("rocket::server", Level::Info));
        assert!(!enabled("rocket::server", Level::Debug));
        assert!(!enabled("hyper::proto", Level::Trace));
        assert!(enabled("houston::engine", Level::Debug));
    }
}
