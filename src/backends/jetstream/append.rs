//! Appending: one entry is sent again under the same op until the servers say what became of it.
//!
//! The servers check an expectation against the last entry of the key that they hold, and some of
//! those may be spent and still wait to be [erased](super::erase). An append that finds such an entry
//! in its way expects that one instead: once every later entry of the key than the expected one is
//! known to be spent, `Absent` and `At` mean *the key's last entry is this spent one*, which the
//! servers check in one step with appending, as they would the other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::header::{
    NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_EXPECTED_STREAM, NATS_MESSAGE_ID,
};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::{HeaderMap, Request, RequestErrorKind};
use bytes::Bytes;
use log::warn;
use tokio::time::{Instant, sleep};

use super::api::{ANSWER_TIMEOUT, ApiError};
use super::erase::Call;
use super::log::Shared;
use crate::domain::ids::Seq;
use crate::engine::log::{AppendError, Appended, Draft, Expect};

/// Time for which an append is repeated. An election takes up to nine seconds.
const APPEND_TIMEOUT: Duration = Duration::from_secs(15);
/// Shortest and longest time between two attempts.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(250));

/// Another write of the same key is under way.
const KEY_IS_BUSY: ErrorCode = ErrorCode(10164);
/// The stream's queue is full.
const TOO_MANY_REQUESTS: ErrorCode = ErrorCode(10167);

/// The result of one attempt.
enum Attempt {
    Stored(Appended),
    /// The key's last entry is another one.
    Conflict,
    TooLarge,
    /// It was not stored, and may be the next time.
    NotNow(String),
    /// Nobody knows.
    Unknown(String),
}

/// A draft in the form in which it is sent.
struct Append<'s> {
    shared: &'s Shared,
    subject: String,
    headers: HeaderMap,
    body: Bytes,
    deadline: Instant,
    pause: Duration,
    /// Set once an attempt was sent of which nobody knows whether it was stored.
    perhaps_stored: bool,
    /// The last entry that was given out before. What came later under this op is of this append, if an
    /// attempt of it was perhaps stored.
    given_before: Seq,
}

/// Appends an entry: see [`Log::append`](crate::engine::log::Log::append).
pub(super) async fn append(
    shared: &Shared,
    draft: Draft,
    call: &Call,
) -> Result<Appended, AppendError> {
    let (mut expected, base) = match draft.expect {
        Expect::Any => (None, None),
        Expect::Absent => (Some(Seq(0)), None),
        Expect::At(seq) => (Some(seq), Some(seq)),
    };
    let mut append = Append::new(shared, draft);
    if base.is_some_and(|base| call.finds_spent(base)) {
        return Err(AppendError::Conflict(append.lasts(Seq(0), call).await?.kept));
    }
    loop {
        let trouble = match append.attempt(expected).await {
            Attempt::Stored(appended) => {
                shared.stored.fetch_max(appended.seq.0, Ordering::Relaxed);
                shared.writable.store(true, Ordering::Relaxed);
                return Ok(appended);
            }
            Attempt::TooLarge => return Err(AppendError::TooLarge),
            Attempt::Conflict => {
                let lasts = append.lasts(base.unwrap_or_default(), call).await?;
                if lasts.kept != base {
                    let kept = match lasts.kept {
                        None => append.lasts(Seq(0), call).await?.kept,
                        kept => kept,
                    };
                    return Err(AppendError::Conflict(kept));
                }
                // Whatever came after it is spent.
                expected = Some(lasts.last.unwrap_or_default());
                "what is spent changes".into()
            }
            Attempt::NotNow(trouble) => trouble,
            Attempt::Unknown(trouble) => {
                append.perhaps_stored = true;
                trouble
            }
        };
        append.wait(&trouble).await?;
    }
}

/// What the leader says of the last entries of a key.
struct Lasts {
    /// The last one, spent or not.
    last: Option<Seq>,
    /// The last one that is not spent, from a given one on.
    kept: Option<Seq>,
}

impl<'s> Append<'s> {
    fn new(shared: &'s Shared, draft: Draft) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, draft.op.0.simple().to_string());
        headers.insert(NATS_EXPECTED_STREAM, shared.entries.name());
        Self {
            shared,
            subject: shared.entries.nats().subject(&draft.key.to_string()),
            headers,
            body: draft.body.into(),
            deadline: Instant::now() + APPEND_TIMEOUT,
            pause: PAUSES.0,
            perhaps_stored: false,
            given_before: Seq(shared.given.load(Ordering::Relaxed)),
        }
    }

    /// Sends the entry once.
    async fn attempt(&mut self, expected: Option<Seq>) -> Attempt {
        let nats = self.shared.entries.nats();
        if !nats.is_connected() {
            // The client would keep it and send it later.
            return Attempt::NotNow("there is no connection".into());
        }
        if let Some(Seq(expected)) = expected {
            self.headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let request = Request::new()
            .headers(self.headers.clone())
            .payload(self.body.clone())
            .timeout(Some(ANSWER_TIMEOUT.min(left.max(PAUSES.0))));
        let answer = match nats.client().send_request(self.subject.clone(), request).await {
            Ok(answer) => answer,
            Err(error) => {
                return match error.kind() {
                    // There is no leader at present: it does not mean that there is no stream.
                    RequestErrorKind::NoResponders => Attempt::NotNow(error.to_string()),
                    RequestErrorKind::MaxPayloadExceeded => Attempt::TooLarge,
                    _ => Attempt::Unknown(error.to_string()),
                };
            }
        };
        match serde_json::from_slice(&answer.payload) {
            // An acknowledgement without a sequence is none: it says that an earlier attempt may be
            // stored, of which the server does not know where.
            Ok(Response::Ok(PublishAck { sequence: 0, .. })) => {
                Attempt::Unknown("the acknowledgement has no sequence".into())
            }
            Ok(Response::Ok(PublishAck { sequence, duplicate, .. })) => {
                let seq = Seq(sequence);
                let own = self.perhaps_stored && seq > self.given_before;
                Attempt::Stored(Appended { seq, repeated: duplicate && !own })
            }
            Ok(Response::Err { error }) => refused(&error),
            Err(error) => Attempt::Unknown(error.to_string()),
        }
    }

    /// Asks the leader for the last entries of the key, and for those that are not spent from this one
    /// on, until there is a leader.
    async fn lasts(&mut self, from: Seq, call: &Call) -> Result<Lasts, AppendError> {
        loop {
            match self.ask_for_lasts(from, call).await {
                Ok(lasts) => return Ok(lasts),
                Err(error) => self.wait(&error.to_string()).await?,
            }
        }
    }

    async fn ask_for_lasts(&self, mut from: Seq, call: &Call) -> Result<Lasts, ApiError> {
        let entries = &self.shared.entries;
        let last = entries.last_of(&self.subject).await?;
        let kept = last.filter(|last| !call.finds_spent(*last));
        let Some(newest) = last.filter(|_| kept.is_none()) else { return Ok(Lasts { last, kept }) };
        let mut kept = None;
        while from < newest {
            let next = entries.next_of(&self.subject, from).await?;
            let Some(seq) = next.filter(|seq| *seq < newest) else { break };
            if !call.finds_spent(seq) {
                kept = Some(seq);
            }
            from = Seq(seq.0 + 1);
        }
        Ok(Lasts { last, kept })
    }

    /// Waits before the next attempt, or gives up.
    async fn wait(&mut self, trouble: &str) -> Result<(), AppendError> {
        if Instant::now() + self.pause < self.deadline {
            sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSES.1);
            return Ok(());
        }
        // Of many that fail, one tells why.
        if self.shared.writable.swap(false, Ordering::Relaxed) {
            let seconds = APPEND_TIMEOUT.as_secs();
            warn!("The log cannot be written for {seconds} s now: {trouble}.");
        }
        let unknown = self.perhaps_stored;
        Err(if unknown { AppendError::Unknown } else { AppendError::Unavailable })
    }
}

fn refused(error: &async_nats::jetstream::Error) -> Attempt {
    match error.error_code() {
        ErrorCode::STREAM_WRONG_LAST_SEQUENCE => Attempt::Conflict,
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => Attempt::TooLarge,
        KEY_IS_BUSY | TOO_MANY_REQUESTS | ErrorCode::CLUSTER_NOT_AVAILABLE => {
            Attempt::NotNow(error.to_string())
        }
        _ => Attempt::Unknown(error.to_string()),
    }
}
