//! The process's logger: lines on standard output, without secrets.
//!
//! Rocket's own logger would write secrets. At the level `debug` Rocket logs each request with all
//! headers, cookies and tokens among them, and each answer with the cookie that it sets; and at any
//! level it logs the address of a request that it cannot parse (`FOO /links/…`), before any of our
//! code runs. So this logger takes its place:
//!
//! - of other crates nothing more detailed than `info` is written, whatever the level is;
//! - in every line, what follows `/links/` and `/hooks/` is left out: whoever reads it could sign in,
//!   or post; and so is what follows `q=` in a query: the words that somebody searches for.
//!
//! A line that is written while a request is served has the id of that request, which its answer has
//! as `X-Request-Id`. Each request is a task of its own, so the task tells which it is.

use std::collections::HashMap;
use std::io::{Write, stdout};
use std::sync::{LazyLock, OnceLock};

use chrono::{SecondsFormat, Utc};
use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use rocket::config::LogLevel;
use rocket::fairing::{self, Fairing, Info};
use rocket::{Data, Request, Response};
use serde::Serialize;
use tokio::task;

use crate::api::request_id::RequestId;
use crate::config::LogFormat;

/// The parts of addresses that a secret follows.
const SECRET_PREFIXES: [&str; 5] = ["/links/", "/hooks/", "/matrix/hook/", "?q=", "&q="];
/// The text that replaces a secret.
const REDACTED: &str = "…";
/// The target of Rocket's line about its launch, which it logs as a warning although it is none.
const LAUNCH: &str = "rocket::launch";

/// The requests that are being served, by their tasks.
static REQUESTS: LazyLock<Mutex<HashMap<task::Id, RequestId>>> = LazyLock::new(Mutex::default);

/// Installs the logger and sets its level. It must run before Rocket is built, which else installs its
/// own logger; the first logger of a process stays.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    static LOGGER: OnceLock<Logger> = OnceLock::new();
    // Fails where the process has a logger already: this one, from an earlier call.
    let _ = log::set_logger(LOGGER.get_or_init(|| Logger(format)));
    log::set_max_level(match level {
        LogLevel::Off => LevelFilter::Off,
        LogLevel::Critical => LevelFilter::Warn,
        LogLevel::Normal => LevelFilter::Info,
        LogLevel::Debug => LevelFilter::Debug,
    });
}

struct Logger(LogFormat);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().starts_with(env!("CARGO_CRATE_NAME"));
        metadata.level() <= if ours { Level::Debug } else { Level::Info }
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let request = task::try_id().and_then(|id| REQUESTS.lock().get(&id).cloned());
        let line = line(self.0, record, request.as_ref().map(RequestId::as_str));
        // A line that cannot be written is lost: there is no other place to report that.
        let _ = writeln!(stdout(), "{line}");
    }

    fn flush(&self) {}
}

/// A line of the log as JSON.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: String,
    level: &'a str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    message: &'a str,
}

/// The line of the log for a record.
fn line(format: LogFormat, record: &Record<'_>, request: Option<&str>) -> String {
    let message = redacted(&record.args().to_string());
    let is_launch = record.target().starts_with(LAUNCH);
    match format {
        LogFormat::Text => {
            // Rocket marks a line that belongs to the one above by a target with `_` at its end.
            let is_continuation = record.target().ends_with('_');
            let label = match record.level() {
                _ if is_continuation => "   >> ",
                _ if is_launch => "",
                Level::Error => "Error: ",
                Level::Warn => "Warning: ",
                Level::Info | Level::Debug | Level::Trace => "",
            };
            let request = request.map(|id| format!(" [{id}]")).unwrap_or_default();
            format!("{label}{message}{request}")
        }
        LogFormat::Json => {
            let level = if is_launch { Level::Info } else { record.level() };
            let line = JsonLine {
                time: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
                level: &level.as_str().to_lowercase(),
                target: record.target().trim_end_matches('_'),
                request_id: request,
                message: &without_colors(&message),
            };
            serde_json::to_string(&line).unwrap_or_default()
        }
    }
}

/// The text without the escape sequences by which Rocket colours it.
fn without_colors(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// The line with its secrets replaced. Prefixes are found in any case, and where a letter is written as
/// `%68`: Rocket decodes the path before it looks for a route.
fn redacted(line: &str) -> String {
    SECRET_PREFIXES.iter().fold(line.to_owned(), |line, prefix| {
        let (mut kept, mut rest) = (String::with_capacity(line.len()), &*line);
        while let Some(end) = end_of(prefix, rest) {
            kept.push_str(&rest[..end]);
            kept.push_str(REDACTED);
            rest = &rest[end..];
            let secret = |c: char| !(c.is_whitespace() || c.is_control() || "\"&".contains(c));
            rest = rest.trim_start_matches(secret);
        }
        kept + rest
    })
}

/// The end of the first occurrence of a prefix in a line.
fn end_of(prefix: &str, line: &str) -> Option<usize> {
    let mut starts = line.char_indices().map(|(at, _)| at);
    starts.find_map(|at| Some(at + length_at_start(prefix, &line[at..])?))
}

/// The length that a prefix has at the start of a line, written in one way or another.
fn length_at_start(prefix: &str, line: &str) -> Option<usize> {
    let mut length = 0;
    for expected in prefix.bytes() {
        let rest = line.as_bytes().get(length..)?;
        let (byte, bytes) = match rest {
            [b'%', high, low, ..] => {
                let digit = |it: u8| char::from(it).to_digit(16);
                (u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?, 3)
            }
            [byte, ..] => (*byte, 1),
            [] => return None,
        };
        if !byte.eq_ignore_ascii_case(&expected) {
            return None;
        }
        length += bytes;
    }
    Some(length)
}

/// A fairing that gives each request its id, for the lines of the log and in its answer.
pub(crate) struct RequestIds;

/// A task's entry among the requests, until it is dropped with the request.
struct Entry(Option<task::Id>);

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(task) = self.0 {
            REQUESTS.lock().remove(&task);
        }
    }
}

#[rocket::async_trait]
impl Fairing for RequestIds {
    fn info(&self) -> Info {
        Info { name: "Request ids", kind: fairing::Kind::Request | fairing::Kind::Response }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let (id, task) = (RequestId::of(request), task::try_id());
        if let Some(task) = task {
            REQUESTS.lock().insert(task, id);
        }
        request.local_cache(|| Entry(task));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response.set_header(RequestId::of(request).header());
    }
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
    fn what_is_searched_for_is_left_out() {
        check("GET /api/search?q=lift+off:", "GET /api/search?q=…");
        check("GET /api/search?q=lift&x=1 text/html:", "GET /api/search?q=…&x=1 text/html:");
        check("GET /api/search?x=1&q=lift:", "GET /api/search?x=1&q=…");
        check("GET /channels/general?since=10m:", "GET /channels/general?since=10m:");
    }

    #[test]
    fn a_hook_s_secret_is_left_out() {
        check("POST /hooks/s3cret application/json:", "POST /hooks/… application/json:");
        check("POST /api/v1/matrix/hook/s3cret:", "POST /api/v1/matrix/hook/…");
        check("GET /hooks/s3cret?more /links/s3cret:", "GET /hooks/… /links/…");
        check("POST /%68ooks/s3cret text/plain:", "POST /%68ooks/… text/plain:");
        check("POST /hook%73/s3cret:", "POST /hook%73/…");
        check("GET /%6Cin%6bs/s3cret:", "GET /%6Cin%6bs/…");
        check("POST /HOOKS/s3cret:", "POST /HOOKS/…");
        check("GET /%2/x /%zz/%", "GET /%2/x /%zz/%");
    }

    #[test]
    fn other_crates_details_are_not_written() {
        let enabled = |target: &str, level| {
            let metadata = Metadata::builder().target(target).level(level).build();
            Logger(LogFormat::Text).enabled(&metadata)
        };
        assert!(enabled("rocket::server", Level::Info));
        assert!(!enabled("rocket::server", Level::Debug));
        assert!(!enabled("hyper::proto", Level::Trace));
        assert!(enabled("houston::engine", Level::Debug));
    }

    #[track_caller]
    fn written(format: LogFormat, target: &str, level: Level, message: &str) -> String {
        let arguments = format_args!("{message}").to_string();
        let id = Some("c0ffee");
        line(
            format,
            &Record::builder()
                .target(target)
                .level(level)
                .args(format_args!("{arguments}"))
                .build(),
            id,
        )
    }

    #[test]
    fn a_line_is_text_or_json_and_names_its_request() {
        let text = |target, level, message| written(LogFormat::Text, target, level, message);
        assert_eq!(text("rocket::server", Level::Info, "GET /:"), "GET /: [c0ffee]");
        assert_eq!(text("rocket::server_", Level::Info, "OK"), "   >> OK [c0ffee]");
        assert_eq!(text("houston", Level::Warn, "Full."), "Warning: Full. [c0ffee]");
        for (target, level, message, expected) in [
            (
                "rocket::server",
                Level::Info,
                "GET /\"x\":",
                ("info", "rocket::server", "GET /\"x\":"),
            ),
            ("rocket::server_", Level::Error, "a\nb", ("error", "rocket::server", "a\nb")),
            ("rocket::launch", Level::Warn, "up", ("info", "rocket::launch", "up")),
            (
                "houston",
                Level::Warn,
                "\u{1b}[1;34mblue\u{1b}[0m sky",
                ("warn", "houston", "blue sky"),
            ),
            ("houston", Level::Info, "GET /links/s3cret", ("info", "houston", "GET /links/…")),
        ] {
            let line = written(LogFormat::Json, target, level, message);
            assert!(!line.contains('\n'), "it is one line: {line}");
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            assert_eq!(line["request_id"], "c0ffee");
            assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
            let of = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let told = (of("level"), of("target"), of("message"));
            assert_eq!((&*told.0, &*told.1, &*told.2), expected);
        }
    }
}
