//! The process's logger: lines on standard output, without secrets.
//!
//! Rocket's own logger would write secrets. At the level `debug` Rocket logs each request with all
//! headers, cookies and tokens among them, and each answer with the cookie that it sets; and at any
//! level it logs the address of a request that it cannot parse (`FOO /links/…`), before any of our
//! code runs. So this logger takes its place:
//!
//! - of other crates nothing more detailed than `info` is written, whatever the level is;
//! - in every line, what follows `/links/` and `/hooks/` is left out: whoever reads it could sign in, or
//!   post.

use std::io::{Write, stdout};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rocket::config::LogLevel;

/// The parts of addresses that a secret follows.
const SECRET_PREFIXES: [&str; 3] = ["/links/", "/hooks/", "/matrix/hook/"];
/// The text that replaces a secret.
const REDACTED: &str = "…";
/// The target of Rocket's line about its launch, which it logs as a warning although it is none.
const LAUNCH: &str = "rocket::launch";

/// Installs the logger and sets its level. It must run before Rocket is built, which else installs its
/// own logger; the first logger of a process stays.
pub(crate) fn start(level: LogLevel) {
    // Fails where the process has a logger already: this one, from an earlier call.
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
        // Rocket marks a line that belongs to the one above by a target with `_` at its end.
        let is_continuation = record.target().ends_with('_');
        let label = match record.level() {
            _ if is_continuation => "   >> ",
            _ if record.target().starts_with(LAUNCH) => "",
            Level::Error => "Error: ",
            Level::Warn => "Warning: ",
            Level::Info | Level::Debug | Level::Trace => "",
        };
        // A line that cannot be written is lost: there is no other place to report that.
        let _ = writeln!(stdout(), "{label}{}", redacted(&record.args().to_string()));
    }

    fn flush(&self) {}
}

/// The line with its secrets replaced.
fn redacted(line: &str) -> String {
    SECRET_PREFIXES.iter().fold(line.to_owned(), |line, prefix| {
        let mut parts = line.split(prefix);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |redacted, rest| {
            let end = rest.find(|c: char| c.is_whitespace() || c.is_control() || c == '"');
            format!("{redacted}{prefix}{REDACTED}{}", &rest[end.unwrap_or(rest.len())..])
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, written: &str) {
        assert_eq!(redacted(line), written);
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
    fn a_hook_s_secret_is_left_out() {
        check("POST /hooks/s3cret application/json:", "POST /hooks/… application/json:");
        check("POST /api/v1/matrix/hook/s3cret:", "POST /api/v1/matrix/hook/…");
        check("GET /hooks/s3cret?more /links/s3cret:", "GET /hooks/… /links/…");
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
