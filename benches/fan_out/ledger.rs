//! Who has got what: each stream each message, once, all in one order; and how late.

use crate::Result;

/// What was posted, and who has it.
#[derive(Default)]
pub(crate) struct Ledger {
    rooms: Vec<Room>,
    messages: Vec<Message>,
    unfinished: usize,
    /// Whose messages were finished and not yet asked for.
    done: Vec<usize>,
    counts: Counts,
}

/// What arrived since it was last asked.
#[derive(Default)]
pub(crate) struct Counts {
    /// From the time at which a message was due to its arrival, for each delivery, in µs.
    pub(crate) latencies_us: Vec<u32>,
    /// The same to the answer that the poster got, for each message.
    pub(crate) answers_us: Vec<u32>,
    /// Calls of `recv` on streams.
    pub(crate) reads: u64,
    pub(crate) chunks: u64,
}

#[derive(Default)]
struct Room {
    streams: usize,
    /// The messages' numbers as the streams tell them.
    order: Vec<usize>,
}

struct Message {
    room: usize,
    caller: usize,
    due_ns: u64,
    /// Whether some stream has it.
    told: bool,
    /// How many streams do not have it, and one more until it is answered.
    missing: usize,
}

impl Ledger {
    pub(crate) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// What arrived since this was last asked.
    pub(crate) fn take_counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    pub(crate) fn posted(&self) -> usize {
        self.messages.len()
    }

    /// How many messages are not answered, or not with every stream of their room.
    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished
    }

    pub(crate) fn add_stream(&mut self, room: usize) {
        if self.rooms.len() <= room {
            self.rooms.resize_with(room + 1, Room::default);
        }
        self.rooms[room].streams += 1;
    }

    /// A message is sent; tells its number.
    pub(crate) fn post(&mut self, room: usize, caller: usize, due_ns: u64) -> usize {
        let missing = self.rooms.get(room).map_or(0, |room| room.streams) + 1;
        self.messages.push(Message { room, caller, due_ns, told: false, missing });
        self.unfinished += 1;
        self.messages.len() - 1
    }

    /// A caller whose message is answered and with every stream; each once for each message.
    pub(crate) fn next_done(&mut self) -> Option<usize> {
        self.done.pop()
    }

    pub(crate) fn answer(&mut self, number: usize, now_ns: u64) {
        let due_ns = self.messages[number].due_ns;
        self.counts.answers_us.push(micros(now_ns.saturating_sub(due_ns)));
        self.one_less(number);
    }

    /// A stream of this room has a message as its next.
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

    /// Checks that everyone is at the end of their room's order, and that nothing is missing in it.
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
