//! The ledger of deliveries: it checks that each stream gets each message once and all in one
//! order, and measures the latencies.

use crate::Result;

/// The messages that were posted, and the streams that have them.
#[derive(Default)]
pub(crate) struct Ledger {
    rooms: Vec<Room>,
    messages: Vec<Message>,
    unfinished: usize,
    /// The callers whose messages were delivered and not yet asked for.
    done: Vec<usize>,
    counts: Counts,
}

/// The deliveries since the last look.
#[derive(Default)]
pub(crate) struct Counts {
    /// The latency of each delivery, from the time at which the message was due, in µs.
    pub(crate) latencies_us: Vec<u32>,
    /// The latency of each message's answer to its poster, from the time at which it was due, in
    /// µs.
    pub(crate) answers_us: Vec<u32>,
    /// The number of calls of `recv` on streams.
    pub(crate) reads: u64,
    pub(crate) chunks: u64,
}

#[derive(Default)]
struct Room {
    streams: usize,
    /// The messages' numbers, in the order in which the streams have them.
    order: Vec<usize>,
}

struct Message {
    room: usize,
    caller: usize,
    due_ns: u64,
    /// `true` once some stream has the message.
    told: bool,
    /// The number of streams that do not have the message, and one more until it is answered.
    missing: usize,
}

impl Ledger {
    pub(crate) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Takes the deliveries since the last call.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    pub(crate) fn posted(&self) -> usize {
        self.messages.len()
    }

    /// The number of messages that are not answered, or not with every stream of their room.
    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished
    }

    pub(crate) fn add_stream(&mut self, room: usize) {
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Room::default);
        }
        self.rooms[room].streams += 1;
    }

    /// Records that a message is sent, and returns its number.
    pub(crate) fn post(&mut self, room: usize, caller: usize, due_ns: u64) -> usize {
        let missing = self.rooms.get(room).map_or(0, |room| room.streams) + 1;
        self.messages.push(Message { room, caller, due_ns, told: false, missing });
        self.unfinished += 1;
        self.messages.len() - 1
    }

    /// Takes a caller whose message is answered and with every stream, once for each message.
    pub(crate) fn next_done(&mut self) -> Option<usize> {
        self.done.pop()
    }

    pub(crate) fn answer(&mut self, number: usize, now_ns: u64) {
        let due_ns = self.messages[number].due_ns;
        self.counts.answers_us.push(micros(now_ns.saturating_sub(due_ns)));
        self.one_less(number);
    }

    /// Records that a stream of this room got a message as its next.
    pub(crate) fn deliver(
        &mut self,
        room: usize,
        position: usize,
        number: usize,
        late_ns: u64,
    ) -> Result<()> {
        let Some(message) = self.messages.get_mut(number) else {
            return Err(format!("message {number} came, which nobody sent").into());
        };
        if message.room != room {
            return Err(format!("message {number} came to another room").into());
        }
        let order = &mut self.rooms[room].order;
        match order.get(position) {
            None if message.told => return Err(format!("message {number} came twice").into()),
            None => order.push(number),
            Some(expected) if *expected == number => {}
            Some(expected) => {
                return Err(format!("message {number} came instead of {expected}").into());
            }
        }
        message.told = true;
        self.counts.latencies_us.push(micros(late_ns));
        self.one_less(number);
        Ok(())
    }

    /// Checks that every stream is at the end of its room's order, and that nothing is missing in
    /// it.
    ///
    /// That each position holds what every other stream has there was checked on arrival, as was
    /// that no number is in an order twice.
    pub(crate) fn verify(&self, positions: impl Iterator<Item = (usize, usize)>) -> Result<()> {
        for (room, position) in positions {
            if position != self.rooms[room].order.len() {
                return Err("a stream misses messages".into());
            }
        }
        let told = |message: &&Message| self.rooms.get(message.room).is_none() || message.told;
        if self.messages.iter().filter(told).count() != self.messages.len() {
            return Err("messages reached nobody".into());
        }
        Ok(())
    }

    fn one_less(&mut self, number: usize) {
        let message = &mut self.messages[number];
        message.missing -= 1;
        if message.missing == 0 {
            self.unfinished -= 1;
            self.done.push(message.caller);
        }
    }
}

fn micros(nanos: u64) -> u32 {
    u32::try_from(nanos / 1_000).unwrap_or(u32::MAX)
}
