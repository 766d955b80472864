//! The server that the client speaks to, and what can go wrong with it.

use std::io;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, AsSendBody, Body};

/// Longest time to connect, and to wait for the head of an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest silence of a stream: three pings.
const STREAM_SILENCE: Duration = Duration::from_secs(15);
/// Number of times that a request is tried which may be repeated.
const ATTEMPTS: u32 = 6;
/// Longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is not escaped in a segment of an address.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The reason for which a command of the client failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no answer.
    #[error("{url} does not answer; is it running, and is HOUSTON_URL or --url right?")]
    Unreachable { url: String, source: Box<ureq::Error> },
    /// There is no token, or its session has ended.
    #[error(
        "not signed in at {url}: set HOUSTON_TOKEN or --token; `eval \"$(houston login NAME)\"` \
         does it"
    )]
    NotSignedIn { url: String },
    /// The server refuses the request.
    #[error("{detail} ({status} {title})")]
    Refused { status: u16, title: String, detail: String },
    /// The answer is none of Houston's.
    #[error("{url} answers as Houston does not; is HOUSTON_URL or --url right?")]
    NotHouston { url: String },
    /// The time is over.
    #[error("the time is over")]
    TimedOut,
    /// Nothing was given to be sent.
    #[error(
        "there is nothing to send: give a text, a file (--file), or something on standard input"
    )]
    Nothing,
    /// A file cannot be read.
    #[error("{} cannot be read", .path.display())]
    File { path: PathBuf, source: io::Error },
    /// Standard input cannot be read.
    #[error("standard input cannot be read; it has to be UTF-8")]
    Input(#[source] io::Error),
    /// The command cannot be started.
    #[error("`{command}` cannot be started; is it there, and may it be run?")]
    Command { command: String, source: io::Error },
    /// Standard output cannot be written.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
}

/// Which server, and who one is there.
#[derive(Args)]
pub(super) struct RemoteArgs {
    /// The server's address.
    #[arg(long, env = "HOUSTON_URL", value_name = "URL", default_value = "http://127.0.0.1:8000")]
    url: String,
    /// The token of your session. Others can see the arguments of a process: `HOUSTON_TOKEN` is better.
    #[arg(long, env = "HOUSTON_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// A server, and the session there. Cheap to clone.
#[derive(Clone)]
pub(super) struct Remote {
    agent: Agent,
    pub(super) url: String,
    token: Option<String>,
}

impl Remote {
    pub(super) fn of(args: &RemoteArgs) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(ANSWER_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .timeout_per_read(Some(STREAM_SILENCE))
            .user_agent(concat!("houston/", env!("CARGO_PKG_VERSION")))
            .build();
        let url = args.url.trim().trim_end_matches('/');
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let token = args.token.clone().filter(|token| !token.is_empty());
        Self { agent: config.into(), url, token }
    }

    /// The same server, without a session.
    pub(super) fn without_session(self) -> Self {
        Self { token: None, ..self }
    }

    /// The same server, with the session of this token.
    pub(super) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    /// The caller's own user.
    pub(super) fn me(&self) -> Result<Value, Failure> {
        Ok(self.get("/api/session")?["user"].take())
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Failure> {
        patiently(|| self.send(&Method::GET, path, None, ())?.read())
    }

    /// Puts a body under an address. Doing that again changes nothing, so it is tried again where it
    /// may not have come there.
    pub(super) fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let json = Some("application/json");
        patiently(|| self.send(&Method::PUT, path, json, body.to_string())?.read())
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(&Method::POST, path, Some("application/json"), body.to_string())?.read()
    }

    /// Puts a form with files under an address, tried again as [`put`](Self::put) is.
    pub(super) fn put_form<F: AsSendBody>(
        &self,
        path: &str,
        form: impl Fn() -> Result<(String, F), Failure>,
    ) -> Result<Value, Failure> {
        patiently(|| {
            let (kind, form) = form()?;
            self.send(&Method::PUT, path, Some(&kind), form)?.read()
        })
    }

    /// Opens a stream of events, after this one if given.
    pub(super) fn stream(
        &self,
        path: &str,
        after: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let mut request = self.request(&Method::GET, path).header("Accept", "text/event-stream");
        if let Some(id) = after {
            request = request.header("Last-Event-ID", id);
        }
        Ok(self.judged(self.run(request, ())?)?.0)
    }

    /// Reads what has happened in a channel after this cursor, as the frames of its stream. Returns the
    /// cursor until which that is, too.
    pub(super) fn catch_up(&self, id: &str, after: &str) -> Result<(Vec<u8>, String), Failure> {
        let path = format!("/channels/{}?follow=0", utf8_percent_encode(id, SEGMENT));
        patiently(|| {
            let mut answer = self.stream(&path, Some(after))?;
            let cursor = answer.headers().get("Cursor").and_then(|it| it.to_str().ok());
            let not_houston = || Failure::NotHouston { url: self.url.clone() };
            let cursor = cursor.ok_or_else(not_houston)?.to_owned();
            let frames = answer.body_mut().with_config().limit(u64::MAX).read_to_vec();
            let cut_off =
                |error| Failure::Unreachable { url: self.url.clone(), source: Box::new(error) };
            Ok((frames.map_err(cut_off)?, cursor))
        })
    }

    fn request(&self, method: &Method, path: &str) -> ureq::http::request::Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn run(
        &self,
        request: ureq::http::request::Builder,
        body: impl AsSendBody,
    ) -> Result<Response<Body>, Failure> {
        let request = request.body(body).map_err(ureq::Error::from);
        request.and_then(|request| self.agent.run(request)).map_err(|error| Failure::Unreachable {
            url: self.url.clone(),
            source: Box::new(error),
        })
    }

    fn send(
        &self,
        method: &Method,
        path: &str,
        kind: Option<&str>,
        body: impl AsSendBody,
    ) -> Result<Answer<'_>, Failure> {
        let mut request = self.request(method, path);
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        self.judged(self.run(request, body)?).map(|answer| Answer(answer.0, self))
    }

    /// The answer, unless it is a refusal.
    fn judged(&self, mut answer: Response<Body>) -> Result<Answer<'_>, Failure> {
        let status = answer.status();
        if status.is_success() {
            return Ok(Answer(answer, self));
        }
        if status == 401 {
            return Err(Failure::NotSignedIn { url: self.url.clone() });
        }
        let wait =
            answer.headers().get("Retry-After").and_then(|it| it.to_str().ok()?.parse().ok());
        let body = answer.body_mut().read_to_string().unwrap_or_default();
        // As an event, where events were asked for.
        let problem = body.strip_prefix("event: problem\ndata: ").unwrap_or(&body);
        let problem: Value = serde_json::from_str(problem).unwrap_or_default();
        let Some(detail) = problem["detail"].as_str() else {
            return Err(Failure::NotHouston { url: self.url.clone() });
        };
        if let Some(seconds) = wait.filter(|_| status == 429 || status == 503) {
            sleep(Duration::from_secs(seconds).min(LONGEST_PAUSE));
        }
        Err(Failure::Refused {
            status: status.as_u16(),
            title: problem["title"].as_str().unwrap_or_default().to_owned(),
            detail: detail.to_owned(),
        })
    }
}

/// Tries something that may be done again, as long as there is hope.
fn patiently<T>(attempt: impl Fn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut pause = Duration::from_millis(250);
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(failure) if failure.may_pass() => {
                sleep(pause);
                pause *= 2;
            }
            done => return done,
        }
    }
    attempt()
}

impl Failure {
    /// Tells whether it may be otherwise soon.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => !matches!(
                **source,
                ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl
            ),
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}

/// An answer that is no refusal.
struct Answer<'r>(Response<Body>, &'r Remote);

impl Answer<'_> {
    /// Reads the answer as JSON; `null` where it has no body.
    fn read(self) -> Result<Value, Failure> {
        let Self(mut answer, remote) = self;
        if answer.status() == 204 {
            return Ok(Value::Null);
        }
        match answer.body_mut().with_config().limit(u64::MAX).read_json() {
            Ok(json) => Ok(json),
            Err(ureq::Error::Json(_)) => Err(Failure::NotHouston { url: remote.url.clone() }),
            Err(error) => {
                Err(Failure::Unreachable { url: remote.url.clone(), source: Box::new(error) })
            }
        }
    }
}

/// The path of a channel in the API.
pub(super) fn channel_path(channel: &str) -> String {
    // As people write it in a text.
    let named = channel.strip_prefix('#').unwrap_or(channel);
    format!("/api/channels/{}", utf8_percent_encode(named, SEGMENT))
}

/// The path of a message in the API.
pub(super) fn message_path(channel: &str, id: &str) -> String {
    format!("{}/messages/{}", channel_path(channel), utf8_percent_encode(id, SEGMENT))
}

/// A new id for a message.
pub(super) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
