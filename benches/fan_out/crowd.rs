//! Load on a crowded server: messages at regular times, and beside them a noisy neighbour.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::figures::Latencies;
use crate::http::Connection;
use crate::process::Process;
use crate::store::Population;

/// The number of messages posted per second, fewer than an address may post.
const PER_SECOND: u32 = 80;
/// The number of connections that post: a late answer keeps no other message waiting.
const POSTERS: usize = 16;
/// The number of streams that reconnect.
const STREAMS: usize = 1_000;
/// The number of those streams that are one user's, fewer than a user may have.
const STREAMS_PER_USER: usize = 50;
/// The number of those streams that connect at once.
const CONNECTING: usize = 16;
/// The time that an `EventSource` waits before it reconnects, where the stream tells it none.
const RETRY: Duration = Duration::from_secs(1);

/// A noisy neighbour: a request that is made again and again while others post.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noise {
    /// A user renames in a loop.
    Renaming,
    /// A user searches in a loop, for words that are nowhere.
    Searching,
    /// A user lists the channels in a loop.
    ListingChannels,
    /// A user opens the page in a loop.
    OpeningPages,
    /// Each of a thousand streams reconnects after the time that its `retry:` tells.
    Reconnecting,
    /// Each of a thousand streams reconnects as soon as all others have.
    ReconnectingAtOnce,
}

impl Noise {
    /// The noises of one user on one connection.
    pub(crate) const BY_ONE: [Self; 4] =
        [Self::Renaming, Self::Searching, Self::ListingChannels, Self::OpeningPages];
    /// Streams that reconnect as browsers do, and as fast as they can.
    pub(crate) const BY_STREAMS: [Self; 2] = [Self::Reconnecting, Self::ReconnectingAtOnce];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Renaming => "one renames",
            Self::Searching => "one searches",
            Self::ListingChannels => "one lists channels",
            Self::OpeningPages => "one opens pages",
            Self::Reconnecting => "1,000 streams reconnect each second",
            Self::ReconnectingAtOnce => "1,000 streams reconnect without a pause",
        }
    }
}

/// The result of posting for a while, with or without a noise.
pub(crate) struct Measured {
    /// The latency of each message, from when it was due to its answer, in µs.
    pub(crate) answers_us: Vec<u32>,
    /// The number of noisy requests per second.
    pub(crate) noises_per_second: f64,
    /// The part of the noisy requests that was refused with 429.
    pub(crate) refused: f64,
    /// The number of noisy requests.
    pub(crate) noises: f64,
    /// The server's processor time.
    pub(crate) cpu: Duration,
}

/// The users of a crowded server, with their sessions.
pub(crate) struct Crowd<'c> {
    pub(crate) population: Population,
    pub(crate) tokens: &'c [String],
    pub(crate) process: &'c Process,
}

impl Crowd<'_> {
    /// Posts for a while, beside a noise if there is to be one.
    pub(crate) fn post(&self, noise: Option<Noise>, during: Duration) -> Result<Measured> {
        let mut streams = match noise {
            Some(Noise::Reconnecting | Noise::ReconnectingAtOnce) => self.streams()?,
            _ => Vec::new(),
        };
        let counts = Counts::default();
        let before = self.process.usage()?;
        let start = Instant::now();
        let end = start + during;
        thread::scope(|scope| {
            let counts = &counts;
            let mut clients = Vec::new();
            for _ in 0..POSTERS {
                clients
                    .push(scope.spawn(move || sendable(self.post_what_is_due(start, end, counts))));
            }
            match noise {
                None => {}
                Some(noise @ (Noise::Reconnecting | Noise::ReconnectingAtOnce)) => {
                    let waits = noise == Noise::Reconnecting;
                    for streams in streams.chunks_mut(STREAMS.div_ceil(CONNECTING)) {
                        let mut reconnect = move || self.reconnect(streams, waits, end, counts);
                        clients.push(scope.spawn(move || sendable(reconnect())));
                    }
                }
                Some(noise) => {
                    clients.push(scope.spawn(move || sendable(self.repeat(noise, end, counts))));
                }
            }
            clients.into_iter().try_for_each(|it| it.join().map_err(|_| "a client panicked")?)
        })?;
        let noises = counts.noises.load(Ordering::Relaxed) as f64;
        Ok(Measured {
            answers_us: counts.answers_us.into_inner().map_err(|_| "a client panicked")?,
            noises_per_second: noises / start.elapsed().as_secs_f64(),
            refused: counts.refused.load(Ordering::Relaxed) as f64 / noises.max(1.0),
            noises,
            cpu: self.process.spent_since(&before)?.cpu,
        })
    }

    /// Measures a request that is made by one user after the other: its median time in ms, and the
    /// length of the last answer in bytes.
    pub(crate) fn median_ms(&self, path: &str, requests: usize) -> Result<(f64, usize)> {
        let mut connection = Connection::to(self.process.address.socket(0))?;
        let (mut times_us, mut length) = (Vec::new(), 0);
        for token in &self.tokens[..requests] {
            let asked = Instant::now();
            let answer = connection.get(path, token)?.expect(200, path)?;
            times_us.push(u32::try_from(asked.elapsed().as_micros())?);
            length = answer.body.len();
        }
        Ok((Latencies::of(times_us).percentile_ms(50), length))
    }

    /// Posts each message that no other connection has taken, when it is due.
    fn post_what_is_due(&self, start: Instant, end: Instant, counts: &Counts) -> Result<()> {
        let mut connection = Connection::to(self.process.address.socket(0))?;
        loop {
            let number = counts.taken.fetch_add(1, Ordering::Relaxed);
            let due = start + Duration::from_secs(1) / PER_SECOND * u32::try_from(number)?;
            if due >= end {
                return Ok(());
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let channel = Population::channel(number * 37 % self.population.channels);
            let target = format!("POST /api/channels/{channel}/messages");
            // The first half of the users are those who make noises.
            let (_, authors) = self.tokens.split_at(self.tokens.len() / 2);
            let author = &authors[number % authors.len()];
            let body = r#"{"text":"Go ahead, we have you on the loop and the tape is running."}"#;
            connection.send(&target, author, body)?.expect(201, "a message")?;
            let answered_us = u32::try_from(due.elapsed().as_micros())?;
            counts.answers_us.lock().map_err(|_| "a client panicked")?.push(answered_us);
        }
    }

    /// Repeats a noisy request as soon as it is answered, refused or not.
    fn repeat(&self, noise: Noise, end: Instant, counts: &Counts) -> Result<()> {
        let mut connection = Connection::to(self.process.address.socket(0))?;
        let token = &self.tokens[0];
        while Instant::now() < end {
            let n = counts.noises.fetch_add(1, Ordering::Relaxed);
            let answer = match noise {
                Noise::Renaming => {
                    let name = format!(r#"{{"display_name":"Somebody {}"}}"#, n % 2);
                    connection.send("PATCH /api/session", token, &name)?
                }
                // Many messages have the first word, none has both.
                Noise::Searching => connection.get("/api/search?q=burn%20nowhere", token)?,
                Noise::ListingChannels => connection.get("/api/channels", token)?,
                Noise::OpeningPages | Noise::Reconnecting | Noise::ReconnectingAtOnce => {
                    connection.get("/", token)?
                }
            };
            if answer.status == 429 {
                counts.refused.fetch_add(1, Ordering::Relaxed);
            } else {
                answer.expect(200, noise.name())?;
            }
        }
        Ok(())
    }

    /// Opens a thousand streams, half of them on channels and half on everything.
    fn streams(&self) -> Result<Vec<Stream>> {
        let mut connection = Connection::to(self.process.address.socket(0))?;
        let stream = |n: usize| {
            let token = self.tokens[1 + n / STREAMS_PER_USER].clone();
            if n % 2 == 1 {
                return Ok(Stream { path: "/api/events".into(), token, id: String::new() });
            }
            let channel = Population::channel(n % self.population.channels);
            let channel = format!("/api/channels/{channel}");
            let history = connection.get(&format!("{channel}/messages"), &token)?;
            let history: Value = serde_json::from_slice(&history.expect(200, "a history")?.body)?;
            let id = history["cursor"].as_str().ok_or("no cursor")?.to_owned();
            Ok(Stream { path: format!("{channel}/events"), token, id })
        };
        (0..STREAMS).map(stream).collect()
    }

    /// Opens streams one after the other, and each of them anew some time after it was opened: where it
    /// `waits`, after the time that the stream told.
    fn reconnect(
        &self,
        streams: &mut [Stream],
        waits: bool,
        end: Instant,
        counts: &Counts,
    ) -> Result<()> {
        let mut open: Vec<Option<Connection>> = streams.iter().map(|_| None).collect();
        let mut due: BinaryHeap<_> =
            (0..streams.len()).map(|at| Reverse((Instant::now(), at))).collect();
        while let Some(Reverse((when, at))) = due.pop() {
            thread::sleep(when.min(end).saturating_duration_since(Instant::now()));
            let stream = &mut streams[at];
            // As an `EventSource` does, which reads all that comes.
            if let Some(mut connection) = open[at].take()
                && let Some(id) = connection.last_id()?
            {
                stream.id = id;
            }
            if Instant::now() >= end {
                return Ok(());
            }
            let mut connection = Connection::to(self.process.address.socket(0))?;
            let (id, retry) = connection.listen(&stream.path, &stream.token, &stream.id)?;
            if !id.is_empty() {
                stream.id = id;
            }
            open[at] = Some(connection);
            let retry = if waits { retry.unwrap_or(RETRY) } else { Duration::ZERO };
            due.push(Reverse((Instant::now() + retry, at)));
            counts.noises.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Counters of what all clients together have done.
#[derive(Default)]
struct Counts {
    /// The number of messages that a connection has taken to post.
    taken: AtomicUsize,
    answers_us: Mutex<Vec<u32>>,
    noises: AtomicUsize,
    refused: AtomicUsize,
}

/// An event stream that reconnects.
struct Stream {
    path: String,
    token: String,
    /// The last id that the stream was sent, with which it resumes.
    id: String,
}

/// Makes the error of a result one that can go from thread to thread.
fn sendable(result: Result<()>) -> std::result::Result<(), String> {
    result.map_err(|error| error.to_string())
}
