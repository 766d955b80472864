//! A log without a disk: the contract in its shortest form, to check the others against.

use std::collections::HashMap;

use futures::future::{BoxFuture, ready};
use futures::stream::{self, BoxStream, StreamExt};
use houston::domain::entry::{Entry, Erase, Key};
use houston::domain::ids::{Epoch, OpId, Seq};
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
    ops: HashMap<OpId, Seq>,
    followers: Vec<mpsc::UnboundedSender<Feed>>,
}

impl Inner {
    fn append(&mut self, draft: Draft) -> Result<Appended, AppendError> {
        if draft.body.len() > Draft::MAX_BODY_BYTES {
            return Err(AppendError::TooLarge);
        }
        if let Some(seq) = self.ops.get(&draft.op) {
            return Ok(Appended { seq: *seq, repeated: true });
        }
        let mut of_key = self.entries.iter().rev().filter(|entry| entry.key == draft.key);
        let last = of_key.next().map(|entry| entry.seq);
        if draft.expect != Expect::Any && draft.expect != last.into() {
            return Err(AppendError::Conflict(last));
        }
        self.last += 1;
        let (seq, at) = (Seq(self.last), Timestamp::from_millis(self.last.cast_signed()));
        let entry = Entry { seq, at, op: draft.op, key: draft.key, body: draft.body };
        self.ops.insert(entry.op, seq);
        self.entries.push(entry.clone());
        self.retain(&entry.key);
        self.followers.retain(|follower| follower.send(Feed::Entry(entry.clone())).is_ok());
        Ok(Appended { seq, repeated: false })
    }

    fn retain(&mut self, key: &Key) {
        let of_key = self.entries.iter().filter(|entry| entry.key == *key);
        let seqs: Vec<_> = of_key.map(|entry| entry.seq).collect();
        for fallen in &seqs[..seqs.len().saturating_sub(key.kept())] {
            let change = match key {
                Key::Messages(channel) => Some(Key::Change(channel.clone(), *fallen)),
                _ => None,
            };
            self.entries.retain(|it| it.seq != *fallen && Some(&it.key) != change.as_ref());
        }
    }

    fn erase(&mut self, what: &Erase) {
        self.entries.retain(|entry| match what {
            Erase::One(seq) => entry.seq != *seq,
            Erase::Key(key) => entry.key != *key,
            Erase::Conversation(id) => {
                !matches!(&entry.key, Key::Messages(of) | Key::Change(of, _) if of == id)
            }
        });
    }
}

impl Log for Memory {
    fn epoch(&self) -> Epoch {
        Epoch(1)
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

    fn erase(&self, what: Vec<Erase>) -> BoxFuture<'static, Result<(), AppendError>> {
        let mut inner = self.0.lock();
        for what in &what {
            inner.erase(what);
        }
        Box::pin(ready(Ok(())))
    }
}
