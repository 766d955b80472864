//! Streams of events that go on where they were cut.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::remote::{Failure, Remote};
use super::{Deadline, PROGRAM};

/// The number of events that may wait to be read: a slow reader makes the server wait, not us.
const AHEAD: usize = 64;
/// Time after which a stream is opened again, until the server says another.
const RETRY: Duration = Duration::from_secs(1);
/// Longest time between two attempts to open a stream again.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// An event of a stream.
#[derive(Debug)]
pub(super) enum Event {
    /// The stream was opened, or opened again.
    Opened,
    /// Something has happened.
    Happened {
        /// The event's name.
        name: String,
        /// The event's data, as JSON.
        data: String,
    },
}

impl Event {
    /// The data of an event of this name.
    pub(super) fn named(&self, wanted: &str) -> Option<Value> {
        match self {
            Self::Happened { name, data } if name == wanted => serde_json::from_str(data).ok(),
            _ => None,
        }
    }
}

/// A stream of events, read on a thread of its own. It is opened again where it is cut, after the
/// last event, for as long as the server can be hoped for.
pub(super) struct Events(Receiver<Result<Event, Failure>>);

impl Events {
    /// Listens at this path, after this event if given.
    pub(super) fn listen(remote: &Remote, path: String, after: Option<String>) -> Self {
        let (sender, events) = sync_channel(AHEAD);
        let remote = remote.clone();
        thread::spawn(move || {
            let mut stream = Stream { remote, path, last_id: after, retry: RETRY, sender };
            if let Some(failure) = stream.read_on() {
                // Nobody may listen any more.
                let _ = stream.sender.send(Err(failure));
            }
        });
        Self(events)
    }

    /// Waits for the next event, until the deadline.
    pub(super) fn next(&self, deadline: Deadline) -> Result<Event, Failure> {
        let received = match deadline.left() {
            None => self.0.recv().map_err(RecvTimeoutError::from),
            Some(left) => self.0.recv_timeout(left),
        };
        received.unwrap_or(Err(Failure::TimedOut))
    }
}

/// The reading side of [`Events`].
struct Stream {
    remote: Remote,
    path: String,
    last_id: Option<String>,
    /// The time after which the server wants to be asked again.
    retry: Duration,
    sender: SyncSender<Result<Event, Failure>>,
}

impl Stream {
    /// Reads until there is no hope, and says why, or until nobody listens.
    fn read_on(&mut self) -> Option<Failure> {
        let (mut pause, mut complained) = (self.retry, false);
        loop {
            match self.remote.stream(&self.path, self.last_id.as_deref()) {
                Ok(answer) => {
                    self.sender.send(Ok(Event::Opened)).ok()?;
                    complained = false;
                    let mut lines = BufReader::new(answer.into_body().into_reader()).lines();
                    while self.read_block(&mut lines)? {}
                    pause = self.retry;
                }
                Err(failure) if failure.may_pass() => {
                    if !complained {
                        eprintln!("{PROGRAM}: {failure} It is tried again.");
                        complained = true;
                    }
                    pause = (pause * 2).min(LONGEST_RETRY);
                }
                Err(failure) => return Some(failure),
            }
            thread::sleep(pause);
        }
    }

    /// Reads one block; false at the end of the stream, `None` when nobody listens.
    fn read_block(
        &mut self,
        lines: &mut impl Iterator<Item = std::io::Result<String>>,
    ) -> Option<bool> {
        let (mut name, mut data, mut id) = (None, None, None);
        loop {
            let Some(Ok(line)) = lines.next() else { return Some(false) };
            if line.is_empty() {
                break;
            }
            let (field, value) = line.split_once(": ").unwrap_or((&line, ""));
            match field {
                "event" => name = Some(value.to_owned()),
                "data" => data = Some(value.to_owned()),
                "id" => id = Some(value.to_owned()),
                "retry" => {
                    self.retry = value.parse().map_or(self.retry, Duration::from_millis);
                }
                _ => {}
            }
        }
        if let (Some(name), Some(data)) = (name, data) {
            self.sender.send(Ok(Event::Happened { name, data })).ok()?;
        }
        if id.is_some() {
            self.last_id = id;
        }
        Some(true)
    }
}
