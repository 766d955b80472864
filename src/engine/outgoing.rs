//! Outgoing hooks: messages of people posted to programs, and the programs' answers.
//!
//! Each hook with something to post has a queue and a task. The first of the queue is tried again and
//! again until it is taken; the others wait, so that a program gets messages in their order. Queues are
//! in memory alone: what waits when the server stops is not posted.

mod queues;

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use data_encoding::BASE64;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::sync::Notify;
use tokio::time::sleep;
use uuid::Uuid;

pub use self::queues::QueueStatus;
pub(super) use self::queues::Queues;
use self::queues::{Added, Posting};
use super::draft::content_as;
use super::fetch::{FetchRequest, Fetched};
use super::files::attachments;
use super::hooks::note;
use super::{Engine, EngineError, Parts};
use crate::domain::attachment::FileName;
use crate::domain::event::Event;
use crate::domain::hook::{Hook, HookMark, HookSecret, Outgoing};
use crate::domain::ids::{ChannelId, HookId};
use crate::domain::message::Content;
use crate::domain::text::layout::{Part, Section, compose};
use crate::domain::time::Timestamp;
use crate::wire::message;
use crate::wire::problem::sentence;

/// Times until each further attempt, after the first. When the last of them fails, the hook is paused.
const RETRY_SECONDS: [u64; 8] = [5, 13, 33, 84, 215, 550, 1_400, 3_600];
/// Time that an attempt may take, the answer included.
const TIMEOUT: Duration = Duration::from_secs(7);
/// Largest part of an answer's text that is read, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// The body of a post: the message, with the channel that it is in.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    channel: BodyChannel<'a>,
    message: &'a serde_json::value::RawValue,
}

#[derive(Serialize)]
struct BodyChannel<'a> {
    id: &'a ChannelId,
    name: &'a str,
}

/// The answer of a program, as JSON.
#[derive(Deserialize)]
struct JsonAnswer {
    #[serde(default)]
    text: Option<String>,
}

impl Engine {
    /// What waits for an outgoing hook.
    #[must_use]
    pub fn queue_of(&self, hook: &HookId) -> QueueStatus {
        self.outgoing.status(hook)
    }

    /// Queues the message that these events posted for the outgoing hooks that want it. Never waits.
    pub(super) fn tell_outgoing(&self, events: &[Event]) {
        for event in events {
            if let Event::ChannelDeleted(channel) = event {
                self.outgoing.forget_channel(&channel.id);
            }
        }
        let hooks = self.wanting(events);
        if hooks.is_empty() {
            return;
        }
        let Some(body) = body_of(events) else { return };
        for hook in hooks {
            let id = format!("msg_{}", Uuid::now_v7().simple()).into();
            match self.outgoing.add(&hook, Posting { id, body: body.clone() }) {
                Added::First(task) => {
                    tokio::spawn(post_all(Arc::downgrade(&self.0), hook, task));
                }
                Added::Behind => {}
                Added::Dropped => self.counters.count_dropped_post(),
            }
        }
    }

    /// Posts to a hook's program once, and notes what came of it.
    async fn attempt(
        &self,
        hook: &Hook,
        outgoing: &Outgoing,
        posting: &Posting,
    ) -> Result<(), String> {
        // Until the answer is read and shown. Neither is ever closed.
        let theirs = self.outgoing.attempts_of(&hook.creator);
        let _theirs = theirs.acquire().await;
        let _permit = self.outgoing.attempts().acquire().await;
        let bytes = posting.body.len() as u64;
        let answer = self.ask(hook, outgoing, posting).await.inspect_err(|problem| {
            note(hook, None, Some(&sentence(problem)), bytes);
        })?;
        let status = answer.status;
        if !(200..300).contains(&status) {
            note(hook, Some(status), Some("It did not take the message."), bytes);
            return Err(format!("it answered with status {status}"));
        }
        let shown = self.take_answer(hook, answer).await;
        let problem = match &shown {
            // It was posted, whatever came back.
            Ok(()) | Err(EngineError::EmptyMessage | EngineError::NoSuchHook) => None,
            Err(error) => Some(format!("Its answer is not shown. {}", sentence(error))),
        };
        note(hook, Some(status), problem.as_deref(), bytes);
        Ok(())
    }

    async fn ask(
        &self,
        hook: &Hook,
        outgoing: &Outgoing,
        posting: &Posting,
    ) -> Result<Fetched, String> {
        let fetch = self.fetch.get().ok_or("this server posts to no other")?;
        let timestamp = Utc::now().timestamp().to_string();
        let signature = signature(&hook.secret, &posting.id, &timestamp, &posting.body);
        let answer = fetch.fetch(FetchRequest {
            url: outgoing.url.to_string(),
            json: Some(posting.body.clone()),
            headers: vec![
                ("webhook-id", posting.id.to_string()),
                ("webhook-timestamp", timestamp),
                ("webhook-signature", signature),
            ],
            timeout: TIMEOUT,
        });
        answer.await.map_err(|error| error.to_string())
    }

    /// Makes the answer of a program a message of its hook.
    async fn take_answer(&self, hook: &Hook, answer: Fetched) -> Result<(), EngineError> {
        let media_type = answer.media_type.as_deref().unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        match media_type.to_ascii_lowercase().as_str() {
            "text/plain" => self.write_text(hook, beginning(answer.body).await).await,
            "application/json" => {
                let json: Option<JsonAnswer> =
                    serde_json::from_str(&beginning(answer.body).await).ok();
                let text = json.and_then(|json| json.text).unwrap_or_default();
                self.write_text(hook, text).await
            }
            media_type => {
                let name = file_name(answer.disposition.as_deref(), answer.url.path(), media_type);
                self.write_file(hook, name, answer.body).await
            }
        }
    }

    async fn write_text(&self, hook: &Hook, text: String) -> Result<(), EngineError> {
        let section = Section { card: None, parts: vec![Part::Text(text)] };
        let (text, rendered) = compose(vec![section], &self.names());
        let content = content_as(text, rendered);
        let mark = HookMark::default();
        let events = self.write_by_hook(hook, None, mark, content, &mut []).await?;
        self.fetch_previews(hook, &events);
        Ok(())
    }

    async fn write_file(
        &self,
        hook: &Hook,
        name: FileName,
        mut body: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<(), EngineError> {
        // Nothing is no file.
        let Some(first) = body.next().await else { return Ok(()) };
        let admission = self.admit_hook(hook)?;
        let received = admission.receive(name, stream::iter([first]).chain(body)).await?;
        let mut files = [received];
        let content = Content { attachments: attachments(&files, &[]), ..self.no_text() };
        self.write_by_hook(hook, None, HookMark::default(), content, &mut files).await.map(drop)
    }

    fn no_text(&self) -> Content {
        self.content_of("".parse().expect("an empty text is one"))
    }

    /// Pauses a hook that did not take a message, and says so where it writes.
    async fn give_up(&self, hook: &Hook, outgoing: &Outgoing, attempts: u64, problem: &str) {
        if let Err(error) = self.pause_failing(hook, problem).await {
            ::log::warn!("An outgoing hook that fails cannot be paused: {error}.");
            return;
        }
        let text = format!(
            "Paused: `{}` did not take a message in {attempts} attempts; at last {problem}. It gets \
             nothing until somebody lets it go on.",
            outgoing.host().unwrap_or_default(),
        );
        if let Err(error) = self.write_text(hook, text).await {
            ::log::warn!("Nobody is told that an outgoing hook is paused: {error}.");
        }
    }
}

/// Posts what waits for a hook, until nothing does or the queue that this task serves is dropped.
async fn post_all(engine: Weak<Parts>, hook: Arc<Hook>, task: Arc<Notify>) {
    let first = || engine.upgrade()?.outgoing.first(&hook.id, &task);
    while let Some(posting) = first() {
        let mut waits = RETRY_SECONDS.into_iter();
        for attempts in 1.. {
            let Some(engine) = engine.upgrade().map(Engine) else { return };
            let present = engine.core.live.read().state.hook(&hook.channel, &hook.id).cloned();
            let outgoing = present.as_ref().and_then(|present| present.outgoing.as_ref());
            let Some(outgoing) = outgoing.filter(|outgoing| !outgoing.paused) else {
                return engine.outgoing.forget(&hook.id);
            };
            let attempted = engine.attempt(&hook, outgoing, &posting).await;
            engine.counters.count_attempt(attempted.is_err());
            let Err(problem) = attempted else { break };
            let Some(seconds) = waits.next() else {
                engine.outgoing.forget(&hook.id);
                return engine.give_up(&hook, outgoing, attempts, &problem).await;
            };
            let wait = Duration::from_secs(seconds);
            engine.outgoing.note_retry(&hook.id, &task, Timestamp::from(Utc::now() + wait));
            let end = engine.core.end.clone();
            // Nothing is held while it waits.
            drop(engine);
            tokio::select! {
                () = sleep(wait) => {}
                () = task.notified() => {
                    if first().is_none() {
                        return;
                    }
                    // Who asks for it now has not waited in vain so often.
                    waits = RETRY_SECONDS.into_iter();
                }
                () = end.cancelled() => return,
            }
        }
        if let Some(parts) = engine.upgrade() {
            parts.outgoing.remove_first(&hook, &task);
        }
    }
}

/// The body to post about the message that these events posted.
fn body_of(events: &[Event]) -> Option<Bytes> {
    events.iter().find_map(|event| match event {
        Event::MessagePosted(channel, message) => {
            let name = channel.reference();
            let json = message::json(message, &name);
            let body = Body {
                kind: "message",
                channel: BodyChannel { id: &channel.id, name: &name },
                message: serde_json::from_slice(&json).ok()?,
            };
            serde_json::to_vec(&body).ok().map(Bytes::from)
        }
        _ => None,
    })
}

/// The signature of a post, as Standard Webhooks says: HMAC-SHA256 of id, time and body.
fn signature(secret: &HookSecret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let key = secret.reveal().strip_prefix("whsec_").unwrap_or_default();
    let key = BASE64.decode(key.as_bytes()).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key of any length is one");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes()))
}

/// The beginning of a text, as far as it comes and is UTF-8.
async fn beginning(body: BoxStream<'static, io::Result<Bytes>>) -> String {
    let mut read = BytesMut::new();
    let mut body = body;
    while let Ok(Some(chunk)) = body.try_next().await {
        read.extend_from_slice(&chunk[..chunk.len().min(MAX_TEXT_BYTES - read.len())]);
        if read.len() == MAX_TEXT_BYTES {
            break;
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

/// A name for the file in an answer: the one that it tells, the end of its address, or `answer`.
fn file_name(disposition: Option<&str>, path: &str, media_type: &str) -> FileName {
    let disposition = disposition.unwrap_or_default();
    let parameter = |name: &str| {
        let value = disposition.split(';').find_map(|part| part.trim().strip_prefix(name))?;
        let value = value.trim().trim_matches('"');
        (!value.is_empty()).then(|| value.to_owned())
    };
    let extended = parameter("filename*=").and_then(|value| {
        let encoded = value.splitn(3, '\'').nth(2)?;
        Some(percent_decode_str(encoded).decode_utf8().ok()?.into_owned())
    });
    let in_path = || {
        let last = path.rsplit('/').next().unwrap_or_default();
        last.contains('.').then(|| percent_decode_str(last).decode_utf8_lossy().into_owned())
    };
    let made = || {
        let kind = media_type.split('/').nth(1).unwrap_or_default();
        let kind = kind.split(['+', ';']).next().unwrap_or_default().trim_start_matches("x-");
        let is_extension = (1..=5).contains(&kind.len());
        if is_extension { format!("answer.{kind}") } else { "answer".to_owned() }
    };
    let name = extended.or_else(|| parameter("filename=")).or_else(in_path).unwrap_or_else(made);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        let secret = HookSecret::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = signature(&secret, id, "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_file_has_the_name_that_is_told_or_some_other() {
        for (disposition, path, media_type, name) in [
            ("attachment; filename=\"a b.png\"", "/x", "image/png", "a b.png"),
            ("attachment; filename=plan.pdf", "/x", "application/pdf", "plan.pdf"),
            ("inline; filename=a.txt; filename*=UTF-8''%C3%A9.txt", "/x", "a/b", "é.txt"),
            ("attachment; filename=\"../../etc/passwd\"", "/x", "a/b", "passwd"),
            ("", "/charts/today%20.png", "image/png", "today .png"),
            ("", "/hook", "image/svg+xml", "answer.svg"),
            ("", "/hook", "image/png; x=y", "answer.png"),
            ("", "/hook", "application/octet-stream", "answer"),
            ("", "/", "", "answer"),
        ] {
            let found = file_name(Some(disposition), path, media_type);
            assert_eq!(found.as_str(), name, "{disposition} {path} {media_type}");
        }
    }
}
