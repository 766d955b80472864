//! Following the entries: an ordered consumer that lives on through failures, and notices when it
//! cannot have seen everything.
//!
//! The consumer is the servers' throw-away kind (in memory, not replicated, without acknowledgements),
//! and is made anew after the last entry that was given out whenever it is silent, skips something, or
//! lags behind what is known to be stored. What is delivered twice is dropped.
//!
//! Entries have dense sequences but for those that were erased, and [erasing](super::erase) waits for
//! every node that is known to read. So an entry that is missing means:
//!
//! - while the past is read from the beginning, that it was erased before, which is well, or during
//!   that, which is not: a message may have been given out whose deletion was erased. The
//!   leader is asked at both ends how many entries there are: nothing may have been erased in between,
//!   and as many must have been given out;
//! - afterwards, that this node was away for so long that the others did not wait for it.
//!
//! Either ends the stream with [`Feed::Incomplete`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream::consumer::push::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use async_nats::jetstream::message::Message as Delivery;
use async_nats::{HeaderMap, Message, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use log::{error, info, warn};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use super::api::{ApiError, NO_STREAM};
use super::log::Shared;
use super::nodes::Place;
use super::stream::Extent;
use crate::domain::entry::Entry;
use crate::domain::ids::{OpId, Seq};
use crate::domain::time::Timestamp;
use crate::engine::log::Feed;

/// The header with the time of an entry that was moved here, in milliseconds since 1970. Others are of
/// the time at which the servers stored them.
pub(super) const TIME_HEADER: &str = "Houston-Time";

/// Interval of the servers' heartbeats.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// Number of heartbeats in a row that may be missed, and that may come while entries are missing.
const PATIENCE: u32 = 3;
/// Time after which the servers remove a consumer that nobody listens to.
const ABANDONED_AFTER: Duration = Duration::from_secs(5);
/// Interval between attempts to make a consumer.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// Time for which the servers have to say that there is no stream before it counts as gone.
const GONE_AFTER: Duration = Duration::from_secs(10);

/// A follower of the entries, from one on.
pub(super) struct Follower {
    shared: Arc<Shared>,
    /// The entry after which to begin.
    after: Seq,
    /// The last entry that was given out.
    last: Seq,
    place: Option<Place>,
    past: Option<Past>,
    consumer: Option<Consumer>,
    /// Set once everything was given out that was there at the beginning.
    caught_up: bool,
    ended: bool,
}

/// What was there when the follower began.
struct Past {
    extent: Extent,
    /// The last entry that was there. Those after it up to the end were erased before.
    last_entry: Option<Seq>,
    /// The number of entries given out that belong to it.
    given: u64,
}

struct Consumer {
    deliveries: Subscriber,
    /// The number of the last delivery.
    delivered: u64,
    /// Heartbeats in a row while entries were missing.
    idle_beats: u32,
}

/// What came from a consumer.
enum Came {
    Entry(Entry),
    /// A heartbeat: the consumer has looked at everything up to this sequence.
    Beat(Seq),
    /// Nothing to act on.
    Nothing,
    /// Something was lost: another consumer is needed.
    Broken(&'static str),
}

/// The stream is gone, or is another one.
struct Gone;

impl Follower {
    pub(super) fn new(shared: Arc<Shared>, after: Seq) -> Self {
        let (place, past, consumer) = (None, None, None);
        let last = after;
        Self { shared, after, last, place, past, consumer, caught_up: false, ended: false }
    }

    /// Waits for what comes next; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Feed> {
        if self.ended {
            return None;
        }
        match self.advance().await {
            Ok(Feed::Incomplete) => {
                self.ended = true;
                Some(Feed::Incomplete)
            }
            Ok(feed) => Some(feed),
            Err(Gone) => {
                error!("The stream `{}` is gone, or was made anew.", self.shared.entries.name());
                self.ended = true;
                None
            }
        }
    }

    async fn advance(&mut self) -> Result<Feed, Gone> {
        if self.place.is_none() {
            self.place = Some(Place::take(self.shared.nodes.clone(), self.after));
        }
        if self.past.is_none() {
            self.past = Some(self.look_at_the_past().await?);
        }
        loop {
            if !self.caught_up && self.has_given_the_past() {
                return self.catch_up().await;
            }
            let Some(consumer) = &mut self.consumer else {
                self.attach().await?;
                continue;
            };
            match consumer.receive(&self.shared).await {
                Came::Entry(entry) if entry.seq <= self.last => {}
                Came::Entry(entry) => {
                    consumer.idle_beats = 0;
                    if self.caught_up && entry.seq.0 != self.last.0 + 1 {
                        warn!("Entries between {} and {} are missing.", self.last, entry.seq);
                        return Ok(Feed::Incomplete);
                    }
                    self.note(entry.seq);
                    return Ok(Feed::Entry(entry));
                }
                Came::Beat(seen) => self.note_beat(seen),
                Came::Nothing => {}
                Came::Broken(why) => {
                    info!("The log is followed by another consumer: {why}.");
                    self.consumer = None;
                }
            }
        }
    }

    fn note(&mut self, seq: Seq) {
        self.last = seq;
        self.shared.given.fetch_max(seq.0, Ordering::Relaxed);
        if let Some(past) = &mut self.past
            && seq <= past.extent.last
        {
            past.given += 1;
        }
        if let Some(place) = &self.place {
            place.note(seq);
        }
    }

    /// Handles a heartbeat: a consumer without entries, though there are some, is left.
    fn note_beat(&mut self, seen: Seq) {
        let Some(consumer) = &mut self.consumer else { return };
        let end = self.past.as_ref().map_or(Seq(0), |past| past.extent.last);
        if !self.caught_up && seen >= end {
            // What was there at the end has been erased since.
            self.last = self.last.max(end);
            return;
        }
        let stored = Seq(self.shared.stored.load(Ordering::Relaxed));
        if !self.caught_up || stored > self.last {
            consumer.idle_beats += 1;
            if consumer.idle_beats > PATIENCE {
                info!("The log is followed by another consumer: one lags behind.");
                self.consumer = None;
            }
        } else {
            consumer.idle_beats = 0;
        }
    }

    fn has_given_the_past(&self) -> bool {
        self.past.as_ref().is_some_and(|past| {
            past.last_entry.is_none_or(|entry| entry <= self.last) || past.extent.last <= self.last
        })
    }

    async fn catch_up(&mut self) -> Result<Feed, Gone> {
        // No consumer yet where there is no past: entries that come from now on must not be missed.
        if self.consumer.is_none() {
            self.attach().await?;
        }
        let (began, given) = match &self.past {
            Some(past) => (past.extent, past.given),
            None => return Ok(Feed::Incomplete),
        };
        if self.after == Seq(0) {
            let now = self.extent().await?;
            if now.erased() != began.erased() || given != began.entries {
                info!("Entries were erased while the log was read.");
                return Ok(Feed::Incomplete);
            }
        }
        self.caught_up = true;
        self.last = self.last.max(began.last);
        if let Some(place) = &self.place {
            place.note(self.last);
        }
        Ok(Feed::CaughtUp(self.last))
    }

    async fn look_at_the_past(&self) -> Result<Past, Gone> {
        loop {
            let extent = self.extent().await?;
            let last_entry = match extent.entries {
                0 => Ok(None),
                _ => self.shared.entries.last_of_all().await,
            };
            match last_entry {
                Ok(last_entry) => return Ok(Past { extent, last_entry, given: 0 }),
                Err(_) => sleep(RETRY_INTERVAL).await,
            }
        }
    }

    /// Asks the leader for the stream's extent, until there is one.
    async fn extent(&self) -> Result<Extent, Gone> {
        let mut missing = None;
        loop {
            match self.shared.entries.extent().await {
                Ok(extent) if extent.created == self.shared.created => return Ok(extent),
                Ok(_) => return Err(Gone),
                Err(error) => note_missing(&error, &mut missing)?,
            }
            sleep(RETRY_INTERVAL).await;
        }
    }

    /// Makes a consumer of what comes after the last entry.
    async fn attach(&mut self) -> Result<(), Gone> {
        let nats = self.shared.entries.nats();
        let mut first = true;
        loop {
            if !std::mem::take(&mut first) {
                sleep(RETRY_INTERVAL).await;
            }
            // Asked each time: another stream of that name must not be taken for this one.
            self.extent().await?;
            let inbox = nats.client().new_inbox();
            let Ok(deliveries) = nats.client().subscribe(inbox.clone()).await else { continue };
            let config = Config {
                deliver_subject: inbox,
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: self.last.0 + 1 },
                ack_policy: AckPolicy::None,
                max_deliver: 1,
                flow_control: true,
                idle_heartbeat: HEARTBEAT,
                num_replicas: 1,
                memory_storage: true,
                inactive_threshold: ABANDONED_AFTER,
                ..Config::default()
            };
            let name = self.shared.entries.name();
            match nats.jetstream().create_consumer_on_stream(config, name).await {
                Ok(_) => {
                    self.consumer = Some(Consumer { deliveries, delivered: 0, idle_beats: 0 });
                    return Ok(());
                }
                Err(error) => info!("There is no consumer yet: {error}."),
            }
        }
    }
}

/// Ends the follower once the servers have said for long that there is no stream: servers that have just
/// started may not know of it yet.
fn note_missing(error: &ApiError, missing: &mut Option<Instant>) -> Result<(), Gone> {
    if error.code() != Some(NO_STREAM) {
        *missing = None;
        return Ok(());
    }
    let since = *missing.get_or_insert_with(Instant::now);
    if since.elapsed() < GONE_AFTER { Ok(()) } else { Err(Gone) }
}

impl Consumer {
    async fn receive(&mut self, shared: &Shared) -> Came {
        match timeout(HEARTBEAT * PATIENCE, self.deliveries.next()).await {
            Err(_) => Came::Broken("its heartbeats stopped"),
            Ok(None) => Came::Broken("its subscription ended"),
            Ok(Some(message)) if message.status.is_some() => self.control(&message, shared).await,
            Ok(Some(message)) => self.delivery(message, shared),
        }
    }

    fn delivery(&mut self, message: Message, shared: &Shared) -> Came {
        let nats = shared.entries.nats();
        let delivery = Delivery { message, context: nats.jetstream().clone() };
        let Ok(info) = delivery.info() else { return Came::Nothing };
        if info.consumer_sequence != self.delivered + 1 {
            return Came::Broken("a delivery is missing");
        }
        self.delivered += 1;
        let published = info.published.unix_timestamp_nanos() / 1_000_000;
        let seq = Seq(info.stream_sequence);
        let Message { subject, payload, headers, .. } = delivery.message;
        let moved = headers.as_ref().and_then(|headers| text(headers, TIME_HEADER)?.parse().ok());
        let millis = moved.unwrap_or_else(|| i64::try_from(published).unwrap_or_default());
        let at = Timestamp::from_millis(millis);
        let key = subject.strip_prefix(nats.prefix()).and_then(|key| key.strip_prefix('.'));
        let op = headers.as_ref().and_then(|it| it.get(async_nats::header::NATS_MESSAGE_ID));
        Came::Entry(Entry {
            seq,
            at,
            op: OpId(op.and_then(|op| op.as_str().parse::<Uuid>().ok()).unwrap_or_default()),
            key: key.unwrap_or(&subject).to_owned(),
            body: String::from_utf8_lossy(&payload).into_owned(),
        })
    }

    /// Handles a heartbeat or a request for flow control, which has to be answered.
    async fn control(&mut self, message: &Message, shared: &Shared) -> Came {
        // Idle heartbeats and flow control are both `100`; anything else ends the consumer.
        if message.status != Some(async_nats::StatusCode::IDLE_HEARTBEAT) {
            return Came::Broken("it was removed");
        }
        let header = |name| message.headers.as_ref().and_then(|headers| text(headers, name));
        let stalled = header("Nats-Consumer-Stalled").map(str::to_owned);
        let asked = message.reply.as_ref().map(ToString::to_string).or(stalled);
        if let Some(reply) = asked {
            // A client that is closed ends the subscription, too.
            let _ = shared.entries.nats().client().publish(reply, Bytes::new()).await;
        }
        let number = |name| header(name).and_then(|number| number.parse::<u64>().ok());
        match (number("Nats-Last-Consumer"), number("Nats-Last-Stream")) {
            (Some(delivered), _) if delivered != self.delivered => {
                Came::Broken("deliveries are missing")
            }
            (Some(_), Some(seen)) => Came::Beat(Seq(seen)),
            _ => Came::Nothing,
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).map(async_nats::HeaderValue::as_str)
}
