//! An implementation of the log in memory: the contract in its shortest form, to check the others
//! against.

use std::collections::HashMap;

use chrono::Utc;
use futures::future::{BoxFuture, ready};
use futures::stream::{self, BoxStream, StreamExt};
use houston::domain::entry::Entry;
use houston::domain::ids::{Epoch, OpId, Seq, Start, StartId};
use houston::domain::time::Timestamp;
use houston::engine::log::{AppendError, Appended, Draft, Expect, Feed, Log};
use parking_lot::Mutex;
use rocket::tokio::sync::mpsc;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    last: u64,
    entries: Vec<Entry>,
    keys: Vec<String>,
    ops: HashMap<OpId, Seq>,
    followers: Vec<mpsc::UnboundedSender<Feed>>,
}

impl Memory {
    /// A log of the same entries, as a process finds it that starts after this one was killed.
    pub(crate) fn copied(&self) -> Self {
        let Inner { last, entries, .. } = &*self.0.lock();
        Self(Mutex::new(Inner { last: *last, entries: entries.clone(), ..Inner::default() }))
    }
}

impl Memory {
    /// The keys of all entries that were ever appended.
    pub(crate) fn appended(&self) -> Vec<String> {
        self.0.lock().keys.clone()
    }
}

impl Inner {
    fn append(&mut self, draft: Draft) -> Result<Appended, AppendError> {
        if draft.body.len() > Draft::MAX_BODY_BYTES {
            return Err(AppendError::TooLarge);
        }
        if let Some(seq) = self.ops.get(&draft.op) {
            return Ok(Appended { seq: *seq, repeated: true });
        }
        let key = draft.key.to_string();
        let mut of_key = self.entries.iter().rev().filter(|entry| entry.key == key);
        let last = of_key.next().map(|entry| entry.seq);
        if draft.expect != Expect::Any && draft.expect != last.into() {
            return Err(AppendError::Conflict(last));
        }
        self.last += 1;
        let (seq, at) = (Seq(self.last), Timestamp::from(Utc::now()));
        let entry = Entry { seq, at, op: draft.op, key, body: draft.body };
        self.ops.insert(entry.op, seq);
        self.keys.push(entry.key.clone());
        self.entries.push(entry.clone());
        self.followers.retain(|follower| follower.send(Feed::Entry(entry.clone())).is_ok());
        Ok(Appended { seq, repeated: false })
    }
}

impl Log for Memory {
    fn epoch(&self) -> Epoch {
        Epoch(1)
    }

    fn starts(&self) -> Vec<Start> {
        vec![Start { id: StartId(1), after: Seq(0) }]
    }

    fn append(&self, draft: Draft) -> BoxFuture<'static, Result<Appended, AppendError>> {
        Box::pin(ready(self.0.lock().append(draft)))
    }

    fn follow(&self, after: Seq) -> BoxStream<'static, Feed> {
        let (feed, entries) = mpsc::unbounded_channel();
        let mut inner = self.0.lock();
        let kept = inner.entries.iter().filter(|entry| entry.seq > after).cloned();
        for fed in kept.map(Feed::Entry).chain([Feed::CaughtUp(Seq(inner.last))]) {
            feed.send(fed).expect("the receiver is here");
        }
        inner.followers.push(feed);
        let next = |mut entries: mpsc::UnboundedReceiver<Feed>| async {
            Some((entries.recv().await?, entries))
        };
        stream::unfold(entries, next).boxed()
    }

    fn erase(&self, _: Seq, spent: Vec<Seq>) {
        self.0.lock().entries.retain(|entry| !spent.contains(&entry.seq));
    }

    fn is_writable(&self) -> bool {
        true
    }
}
