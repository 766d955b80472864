//! Erasing what is spent, by one node for all.
//!
//! Every node applies the same entries and so finds the same ones spent, in the same order, each by
//! an entry that is its *cause*. They have to go in that order, and not before every node has read
//! their cause: a node that has read a message and finds its deletion erased would keep it for ever.
//! So:
//!
//! - One node erases: that of the lowest id among those that live. The others keep what is spent in
//!   mind until it says that it is gone, and one of them goes on where it left off once it has been
//!   silent for [`Times::silence`](super::log::Times).
//! - It erases what a cause made spent only when every node that was heard within that time has been
//!   given the cause, and only after it has listened for three beats without a break. A
//!   process that was stopped, or was away from the servers, listens anew first.
//! - Two nodes can take themselves for the lowest for a while. That harms nothing: both go through
//!   the same order, each from a point up to which all is erased, so what is erased is some first
//!   part of it at any moment.
//! - A node that begins to read cannot know what is erased while nobody has heard of it, and one that
//!   was away for too long is not waited for. Both notice: see [`follow`](super::follow).
//!
//! One request is under way at a time, because the server carries out several in any order. Each is
//! for one entry by its sequence: a purge of a key up to a sequence would need to know that nothing
//! below it is to stay, and runs of one key are rare where many talk.
//!
//! An append does not wait for that: where its expectation fails because of an entry that was given as
//! spent before the append was called, it is [translated](super::append).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use log::warn;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::api::{ApiError, ask};
use super::nodes::Nodes;
use super::stream::Entries;
use crate::domain::ids::Seq;

/// Time after which a request that failed is repeated.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// The spent entries that are not known to be erased.
pub(super) struct Spent {
    pending: Mutex<Pending>,
    /// The number of entries that were given as spent and are erased.
    gone: watch::Sender<u64>,
}

#[derive(Default)]
struct Pending {
    /// The entries, in the order in which they go.
    queue: VecDeque<SpentEntry>,
    /// The place of each of them among all that were ever given.
    places: HashMap<Seq, u64>,
    /// The number of entries that were ever given.
    given: u64,
    /// The last cause that was given.
    last_cause: Seq,
    /// The appends under way, counted by the number of entries that were given before them.
    calls: BTreeMap<u64, usize>,
}

/// An entry that is to be erased.
#[derive(Clone, Copy)]
struct SpentEntry {
    seq: Seq,
    /// What made it spent is this one, or one before it: entries are applied many at a time.
    cause: Seq,
    /// What made it spent comes after this one.
    after: Seq,
}

impl Default for Spent {
    fn default() -> Self {
        Self { pending: Mutex::default(), gone: watch::Sender::new(0) }
    }
}

impl Spent {
    /// Adds entries that this one made spent, behind all that were given before.
    pub(super) fn add(&self, cause: Seq, spent: Vec<Seq>) {
        let mut pending = self.pending.lock();
        let after = pending.last_cause;
        let cause = after.max(cause);
        pending.last_cause = cause;
        for seq in spent {
            let place = pending.given;
            // What was given before is erased in its turn.
            if let std::collections::hash_map::Entry::Vacant(vacant) = pending.places.entry(seq) {
                vacant.insert(place);
                pending.queue.push_back(SpentEntry { seq, cause, after });
                pending.given += 1;
            }
        }
    }

    /// The number of entries that are not known to be erased.
    pub(super) fn len(&self) -> usize {
        self.pending.lock().queue.len()
    }

    /// The entry up to which all that entries made spent is erased.
    pub(super) fn erased(&self) -> Seq {
        let pending = self.pending.lock();
        pending.queue.front().map_or(pending.last_cause, |first| first.after)
    }

    /// Forgets what another node has erased.
    pub(super) fn note_erased_by_others(&self, up_to: Seq) {
        let mut pending = self.pending.lock();
        while let Some(gone) = pending.queue.pop_front_if(|first| first.cause <= up_to) {
            pending.places.remove(&gone.seq);
        }
        self.publish(&pending);
    }

    fn note_erased(&self, erased: Seq) {
        let mut pending = self.pending.lock();
        // Another node may have been faster.
        if pending.queue.pop_front_if(|first| first.seq == erased).is_some() {
            pending.places.remove(&erased);
        }
        self.publish(&pending);
    }

    fn publish(&self, pending: &Pending) {
        self.gone.send_replace(pending.given - pending.queue.len() as u64);
    }

    /// The next entry to erase with its cause, unless an append that was called before it was given
    /// is under way.
    fn next(&self) -> Option<(Seq, Seq)> {
        let pending = self.pending.lock();
        let SpentEntry { seq, cause, .. } = pending.queue.front().copied()?;
        let place = pending.places.get(&seq).copied()?;
        let oldest = pending.calls.first_key_value().map(|(given, _)| *given);
        oldest.is_none_or(|given| given > place).then_some((cause, seq))
    }

    /// Notes an append that is called now, until what is returned is dropped.
    pub(super) fn call(self: &Arc<Self>) -> Call {
        let mut pending = self.pending.lock();
        let given = pending.given;
        *pending.calls.entry(given).or_default() += 1;
        Call { spent: self.clone(), given }
    }

    /// Waits until what was given before the call is erased. It may be called later.
    pub(super) fn wait(self: &Arc<Self>) -> impl Future<Output = ()> + use<> {
        let (given, mut gone) = (self.pending.lock().given, self.gone.subscribe());
        async move {
            // The sender is dropped with the log: then nobody waits any more.
            let _ = gone.wait_for(|gone| *gone >= given).await;
        }
    }
}

/// The call of an append, with the entries that were spent then.
pub(super) struct Call {
    spent: Arc<Spent>,
    given: u64,
}

impl Call {
    /// Tells whether the entry was given as spent before the call and is not known to be erased.
    pub(super) fn finds_spent(&self, seq: Seq) -> bool {
        self.spent.pending.lock().places.get(&seq).is_some_and(|place| *place < self.given)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut pending = self.spent.pending.lock();
        if let Some(calls) = pending.calls.get_mut(&self.given) {
            *calls -= 1;
            if *calls == 0 {
                pending.calls.remove(&self.given);
            }
        }
    }
}

/// Erases what is spent until the log is closed.
pub(super) async fn run(
    entries: Entries,
    nodes: Arc<Nodes>,
    spent: Arc<Spent>,
    end: CancellationToken,
) {
    end.run_until_cancelled(async {
        // The entry whose failure was reported: an outage fills no log.
        let mut reported = None;
        loop {
            match spent.next() {
                Some((cause, seq)) if nodes.may_erase(cause) => match erase(&entries, seq).await {
                    Ok(()) => spent.note_erased(seq),
                    Err(error) => {
                        if reported.replace(seq) != Some(seq) {
                            warn!("Entry {seq} cannot be erased yet: {error}.");
                        }
                        sleep(RETRY_INTERVAL).await;
                    }
                },
                _ => nodes.progress.notified().await,
            }
        }
    })
    .await;
}

/// Erases one entry; one that is not there is erased. Its content is not overwritten, which would
/// take half as long again: the servers drop it when they pack its file.
async fn erase(entries: &Entries, seq: Seq) -> Result<(), ApiError> {
    let subject = format!("STREAM.MSG.DELETE.{}", entries.name());
    let request = json!({ "seq": seq.0, "no_erase": true });
    match ask::<Erased>(entries.nats(), &subject, &request).await {
        // The code is the same whether there is no such entry, or it cannot be erased.
        Err(ApiError::Refused(error)) if entries.has(seq).await? => Err(ApiError::Refused(error)),
        Ok(Erased { .. }) | Err(ApiError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Has the replicas agree on erasing what was never there, which shows that a majority can write.
pub(super) async fn erase_nothing(entries: &Entries) -> Result<(), ApiError> {
    erase(entries, Seq(u64::MAX)).await
}

#[derive(Deserialize)]
struct Erased {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that starts finds everything spent at once, one that is busy applies many entries
    /// together, and each cuts what it applies elsewhere.
    #[test]
    fn a_node_says_of_nothing_that_is_to_be_erased_that_it_is() {
        let (erasing, starting, busy) = (Spent::default(), Spent::default(), Spent::default());
        erasing.add(Seq(15), vec![Seq(10)]);
        erasing.add(Seq(25), vec![Seq(20)]);
        starting.add(Seq(1_000), vec![Seq(10), Seq(20)]);
        busy.add(Seq(16), vec![Seq(10)]);
        busy.add(Seq(64), vec![Seq(20)]);

        for other in [&starting, &busy] {
            erasing.note_erased_by_others(other.erased());
            assert_eq!(erasing.next(), Some((Seq(15), Seq(10))));
        }
        busy.note_erased(Seq(10));
        erasing.note_erased_by_others(busy.erased());
        assert_eq!(erasing.next(), Some((Seq(25), Seq(20))), "it knows of the first one");
        erasing.note_erased(Seq(20));
        starting.note_erased_by_others(erasing.erased());
        assert_eq!(starting.len(), 2, "something up to its cause may be left");
        erasing.add(Seq(1_001), Vec::new());
        starting.note_erased_by_others(erasing.erased());
        assert_eq!(starting.len(), 0);
    }
}
