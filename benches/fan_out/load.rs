//! The load: all listeners and all posters, on one thread with one epoll.
//!
//! It costs little beside the server: a delivery is a `recv` and a search, without a copy. What
//! arrives is checked by the [`Ledger`].

use std::io::Write;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::fd::OwnedFd;

use crate::Result;
use crate::caller::{Asked, Caller};
use crate::ledger::{Counts, Ledger};
use crate::process::Address;
use crate::stream::{Ready, Stream};
use crate::wire::Arrived;

/// The time without anything but pings after which the bench gives up.
const PATIENCE: Duration = Duration::from_secs(20);
/// The number of streams that wait for their answer's beginning at once: fewer than any server's
/// queue of connections holds (Rust's standard library and Tokio ask for 128), whose overflow
/// measures how long the kernel waits until it tries again, a second.
pub(crate) const OPENED_AT_ONCE: usize = 100;
/// The number of ready connections that one `epoll_wait` returns at most.
const EVENTS: usize = 256;
const BUFFER_BYTES: usize = 256 * 1024;
/// The length of a message's text, in bytes.
const TEXT_BYTES: usize = 200;
/// The words that the texts are filled with.
const WORDS: &str = "and this is Houston: all stations report nominal, stand by for the burn; ";
/// The least length of a history, which has a hundred texts, in bytes.
pub(crate) const HISTORY_BYTES: usize = 100 * TEXT_BYTES;
/// The bit that marks a caller's number in epoll's data.
const CALLER: u64 = 1 << 32;
/// The time without a message after which it is believed that none comes any more.
const SILENCE: Duration = Duration::from_millis(50);

pub(crate) struct Load {
    address: Address,
    poller: OwnedFd,
    clock: Instant,
    streams: Vec<Stream>,
    /// The number of the first stream that was not asked to open yet.
    unopened: usize,
    /// The number of streams that wait for their answer's beginning.
    opening: usize,
    /// The number of streams that may wait for their answer's beginning.
    at_once: usize,
    callers: Vec<Caller>,
    /// The time at which something was last sent, or anything but a ping arrived.
    last_progress: Instant,
    ledger: Ledger,
    buffer: Vec<u8>,
    request: Vec<u8>,
}

/// The result of posting for a while.
pub(crate) struct Posting {
    pub(crate) took: Duration,
    pub(crate) messages: usize,
    pub(crate) counts: Counts,
}

/// The regular times at which messages are due, come what may.
struct Schedule {
    start: Instant,
    interval: Duration,
    posted: u32,
}

impl Schedule {
    fn due(&self) -> Instant {
        self.start + self.interval * self.posted
    }
}

/// A function that is called with each caller whose request is done.
type Freed<'f> = &'f mut dyn FnMut(&mut Load, usize) -> Result<()>;

impl Load {
    pub(crate) fn new(address: &Address) -> Result<Self> {
        Ok(Self {
            address: address.clone(),
            poller: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            clock: Instant::now(),
            streams: Vec::new(),
            unopened: 0,
            opening: 0,
            at_once: OPENED_AT_ONCE,
            callers: Vec::new(),
            last_progress: Instant::now(),
            ledger: Ledger::default(),
            buffer: vec![0; BUFFER_BYTES],
            request: Vec::new(),
        })
    }

    /// Opens more streams, on the rooms in turns. `at_once` of them may wait for their answer's
    /// beginning. Returns the time that it took.
    pub(crate) fn open(&mut self, streams: usize, at_once: usize) -> Result<Duration> {
        let start = Instant::now();
        self.at_once = at_once;
        for _ in 0..streams {
            let room = self.streams.len() % self.address.rooms();
            self.ledger.add_stream(room);
            self.streams.push(Stream::new(room));
        }
        self.open_more()?;
        while self.opening > 0 {
            self.turn(None, &mut |_, _| Ok(()))?;
        }
        Ok(start.elapsed())
    }

    /// Posts for a while with a fixed number of messages in flight: each is in flight until it is
    /// answered and with every stream, and only then the next takes its place.
    pub(crate) fn post_in_flight(&mut self, flight: usize, during: Duration) -> Result<Posting> {
        self.have_callers(flight)?;
        let (before, start) = (self.ledger.posted(), Instant::now());
        for caller in 0..flight {
            self.post(caller, start)?;
        }
        while self.ledger.unfinished() > 0 {
            self.turn(None, &mut |load, caller| {
                let now = Instant::now();
                if now < start + during { load.post(caller, now) } else { Ok(()) }
            })?;
        }
        Ok(self.posting_since(start, before))
    }

    /// Posts messages at a fixed rate for a while, each when it is due, whatever became of those
    /// before. Returns `None` when they are not with everyone in time after the last was due.
    pub(crate) fn post_on_schedule(
        &mut self,
        per_second: u32,
        during: Duration,
        in_time: Duration,
    ) -> Result<Option<Posting>> {
        let mut schedule = self.schedule(per_second)?;
        let (before, end) = (self.ledger.posted(), schedule.start + during);
        while schedule.due() < end {
            self.turn_on_schedule(&mut schedule)?;
        }
        if !self.finish(end + in_time)? {
            return Ok(None);
        }
        Ok(Some(self.posting_since(schedule.start, before)))
    }

    /// Asks for histories for a while, each caller again when it has been answered. Returns the
    /// number of answers, and the time.
    pub(crate) fn histories(
        &mut self,
        callers: usize,
        during: Duration,
    ) -> Result<(usize, Duration)> {
        self.have_callers(callers)?;
        let (start, mut answered) = (Instant::now(), 0);
        let request = self.address.history();
        for caller in 0..callers {
            self.callers[caller].ask(Asked::History, request.as_bytes())?;
        }
        while self.callers.iter().any(|caller| !caller.is_idle()) {
            self.turn(None, &mut |load, caller| {
                answered += 1;
                if start.elapsed() < during {
                    load.callers[caller].ask(Asked::History, request.as_bytes())?;
                }
                Ok(())
            })?;
        }
        Ok((answered, start.elapsed()))
    }

    /// Closes all streams at once while messages flow, and opens each again with its last id.
    /// Returns the time until all are open and have what was posted by then.
    pub(crate) fn storm(
        &mut self,
        per_second: u32,
        before: Duration,
        after: Duration,
    ) -> Result<Duration> {
        let mut schedule = self.schedule(per_second)?;
        let calm = schedule.start + before;
        while Instant::now() < calm || self.streams.iter().any(|stream| stream.position == 0) {
            self.turn_on_schedule(&mut schedule)?;
        }
        let start = Instant::now();
        self.streams.iter_mut().for_each(Stream::close);
        self.unopened = 0;
        self.open_more()?;
        while self.opening > 0 {
            self.turn_on_schedule(&mut schedule)?;
        }
        let by_then = self.ledger.posted();
        while self.streams.iter().any(|stream| stream.position < by_then) {
            self.turn_on_schedule(&mut schedule)?;
        }
        let caught_up = Instant::now();
        while Instant::now() < caught_up + after {
            self.turn_on_schedule(&mut schedule)?;
        }
        if !self.finish(Instant::now() + PATIENCE)? {
            let missing = self.ledger.unfinished();
            return Err(format!("{missing} messages did not reach every stream").into());
        }
        Ok(caught_up - start)
    }

    /// Reads for a while what comes, which is pings.
    pub(crate) fn listen(&mut self, during: Duration) -> Result<()> {
        let end = Instant::now() + during;
        loop {
            let wait = end.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(());
            }
            self.turn(Some(wait), &mut |_, _| Ok(()))?;
        }
    }

    /// Waits until no message comes any more, then checks that each stream got everything, once and in one order.
    pub(crate) fn verify(&mut self) -> Result<()> {
        self.last_progress = Instant::now();
        while self.last_progress.elapsed() < SILENCE {
            self.turn(Some(SILENCE), &mut |_, _| Ok(()))?;
        }
        self.ledger.verify(self.streams.iter().map(|stream| (stream.room, stream.position)))
    }

    /// Forgets the latencies of what arrived so far.
    pub(crate) fn forget_counts(&mut self) {
        self.ledger.take_counts();
    }

    fn posting_since(&mut self, start: Instant, before: usize) -> Posting {
        let messages = self.ledger.posted() - before;
        Posting { took: start.elapsed(), messages, counts: self.ledger.take_counts() }
    }

    fn schedule(&mut self, per_second: u32) -> Result<Schedule> {
        self.have_callers(1)?;
        Ok(Schedule {
            start: Instant::now(),
            interval: Duration::from_secs(1) / per_second,
            posted: 0,
        })
    }

    /// Posts what is due, and otherwise waits for arrivals until something is due.
    fn turn_on_schedule(&mut self, schedule: &mut Schedule) -> Result<()> {
        let due = schedule.due();
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            self.turn(Some(wait), &mut |_, _| Ok(()))?;
            return Ok(());
        }
        schedule.posted += 1;
        let idle = self.callers.iter().position(Caller::is_idle);
        let caller = idle.unwrap_or(self.callers.len());
        self.have_callers(caller + 1)?;
        self.post(caller, due)
    }

    /// Waits until every message is with everyone, or until a deadline. Returns `false` at the
    /// deadline.
    fn finish(&mut self, until: Instant) -> Result<bool> {
        while self.ledger.unfinished() > 0 {
            let wait = until.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Ok(false);
            }
            self.turn(Some(wait), &mut |_, _| Ok(()))?;
        }
        Ok(true)
    }

    fn have_callers(&mut self, callers: usize) -> Result<()> {
        while self.callers.len() < callers {
            let caller = Caller::connect(self.address.socket(self.callers.len()))?;
            let key = epoll::EventData::new_u64(CALLER | self.callers.len() as u64);
            epoll::add(&self.poller, caller.connection(), key, epoll::EventFlags::IN)?;
            self.callers.push(caller);
        }
        Ok(())
    }

    /// Sends the next message; rooms take turns.
    fn post(&mut self, caller: usize, due: Instant) -> Result<()> {
        let due_ns = nanos(due - self.clock);
        let room = self.ledger.posted() % self.address.rooms();
        let number = self.ledger.post(room, caller, due_ns);
        let mut text = format!("message {number} {due_ns} ");
        while text.len() < TEXT_BYTES {
            text.push_str(&WORDS[..WORDS.len().min(TEXT_BYTES - text.len())]);
        }
        // No blank at its end: servers trim.
        text.replace_range(TEXT_BYTES - 1.., ".");
        self.request.clear();
        write!(self.request, "{}", self.address.post(room, &text))?;
        self.last_progress = Instant::now();
        self.callers[caller].ask(Asked::Post(number), &self.request)
    }

    /// Begins to open streams, as many as may wait at once.
    fn open_more(&mut self) -> Result<()> {
        while self.opening < self.at_once && self.unopened < self.streams.len() {
            // Each room has streams on every node.
            let round = self.unopened / self.address.rooms();
            let connection = self.streams[self.unopened].connect(self.address.socket(round))?;
            let key = epoll::EventData::new_u64(self.unopened as u64);
            epoll::add(&self.poller, connection, key, epoll::EventFlags::OUT)?;
            self.unopened += 1;
            self.opening += 1;
            self.last_progress = Instant::now();
        }
        Ok(())
    }

    /// Waits for arrivals, and handles them. Returns whether there were any. Without a time to
    /// wait, something must.
    fn turn(&mut self, wait: Option<Duration>, freed: Freed) -> Result<bool> {
        let nothing = epoll::EventData::new_u64(0);
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: nothing }; EVENTS];
        let timeout = wait.unwrap_or(PATIENCE).try_into()?;
        let ready = epoll::wait(&self.poller, &mut events[..], Some(&timeout))?;
        if wait.is_none() && self.last_progress.elapsed() > PATIENCE {
            let missing = self.ledger.unfinished();
            return Err(format!("nothing arrives: {missing} messages are under way").into());
        }
        for event in &events[..ready] {
            let key = event.data.u64();
            if key & CALLER == 0 {
                self.stream_ready(usize::try_from(key)?)?;
            } else {
                self.caller_ready(usize::try_from(key & !CALLER)?, freed)?;
            }
            while let Some(caller) = self.ledger.next_done() {
                freed(self, caller)?;
            }
        }
        Ok(ready > 0)
    }

    fn stream_ready(&mut self, index: usize) -> Result<()> {
        let Self { streams, ledger, buffer, address, clock, last_progress, .. } = self;
        let stream = &mut streams[index];
        let (room, mut now_ns, mut chunks) = (stream.room, None, 0);
        let each = |position, arrived: &Arrived| {
            let now_ns = *now_ns.get_or_insert_with(|| {
                *last_progress = Instant::now();
                nanos(clock.elapsed())
            });
            let late_ns = now_ns.saturating_sub(arrived.due_ns);
            ledger.deliver(room, position, arrived.number, late_ns)
        };
        let ready = stream.proceed(|| address.stream(index, room), buffer, &mut chunks, each)?;
        match ready {
            Ready::Asked => {
                let key = epoll::EventData::new_u64(index as u64);
                let connection = stream.connection()?;
                epoll::modify(&self.poller, connection, key, epoll::EventFlags::IN)?;
            }
            Ready::Opened => {
                self.opening -= 1;
                self.open_more()?;
            }
            Ready::Read => {
                let counts = self.ledger.counts();
                counts.reads += 1;
                counts.chunks += chunks;
            }
        }
        Ok(())
    }

    fn caller_ready(&mut self, index: usize, freed: Freed) -> Result<()> {
        match self.callers[index].proceed(&mut self.buffer)? {
            None => Ok(()),
            Some(Asked::History) => {
                self.last_progress = Instant::now();
                freed(self, index)
            }
            Some(Asked::Post(number)) => {
                self.ledger.answer(number, nanos(self.clock.elapsed()));
                Ok(())
            }
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
