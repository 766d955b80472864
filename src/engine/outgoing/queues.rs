//! Queues of messages on their way to outgoing hooks, and how much may wait and go at a time.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use bytes::Bytes;
use foldhash::HashMap;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use crate::domain::hook::Hook;
use crate::domain::ids::{ChannelId, HookId, UserId};
use crate::domain::time::Timestamp;
use crate::engine::weak_map::WeakMap;

/// Largest number of attempts at a time, of all hooks.
const MAX_ATTEMPTS: usize = 32;
/// Largest number of attempts at a time, of the hooks that one user made.
const MAX_ATTEMPTS_OF_USER: usize = 4;
/// Largest number of messages that wait for one hook. What comes then is not posted, and is counted.
const MAX_WAITING: usize = 100;
/// Largest size of the messages that wait for all hooks together, in bytes.
const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// The queues of all hooks that have something to post.
pub(in crate::engine) struct Queues {
    waiting: Mutex<Waiting>,
    attempts: Semaphore,
    /// Those of the hooks that one user made: slow programs delay nobody else's.
    attempts_of: WeakMap<UserId, Semaphore>,
}

impl Default for Queues {
    fn default() -> Self {
        let attempts = Semaphore::new(MAX_ATTEMPTS);
        Self { waiting: Mutex::default(), attempts, attempts_of: WeakMap::default() }
    }
}

#[derive(Default)]
struct Waiting {
    of_hooks: HashMap<HookId, Queue>,
    bytes: usize,
    /// Those of the hooks that each user made.
    bytes_of: HashMap<UserId, usize>,
}

/// The messages that wait for a hook.
struct Queue {
    hook: Arc<Hook>,
    postings: VecDeque<Posting>,
    /// The time of the next attempt, where the last one failed.
    retry_at: Option<Timestamp>,
    task: Arc<Notify>,
}

/// What waits for an outgoing hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatus {
    /// The number of messages that wait, the one that is on its way included.
    pub waiting: usize,
    /// The time of the next attempt, where the last one failed.
    pub retry_at: Option<Timestamp>,
}

/// The result of adding a message to a hook's queue.
pub(super) enum Added {
    /// The queue is new, and needs a task, which this wakes.
    First(Arc<Notify>),
    /// It waits.
    Behind,
    /// Too much waits: it will not be posted.
    Dropped,
}

/// A message on its way to a program.
#[derive(Clone)]
pub(super) struct Posting {
    /// The id by which the program knows it again when it comes twice.
    pub(super) id: Arc<str>,
    pub(super) body: Bytes,
}

impl Queues {
    /// The attempts that the hooks of one user may make at a time. It is not to be closed.
    pub(super) fn attempts_of(&self, user: &UserId) -> Arc<Semaphore> {
        self.attempts_of.get_or_make(user.clone(), || Semaphore::new(MAX_ATTEMPTS_OF_USER))
    }

    /// The attempts that all hooks may make at a time. It is not to be closed.
    pub(super) fn attempts(&self) -> &Semaphore {
        &self.attempts
    }

    /// Drops what waits for a hook, and ends its task.
    pub(in crate::engine) fn forget(&self, hook: &HookId) {
        self.waiting.lock().forget(hook);
    }

    /// Drops what waits for the hooks of a channel, and ends their tasks.
    pub(super) fn forget_channel(&self, channel: &ChannelId) {
        let mut waiting = self.waiting.lock();
        let queues = waiting.of_hooks.iter().filter(|(_, queue)| queue.hook.channel == *channel);
        let hooks: Vec<_> = queues.map(|(id, _)| id.clone()).collect();
        for hook in hooks {
            waiting.forget(&hook);
        }
    }

    /// Lets a hook that waits for its next attempt make it at once.
    pub(in crate::engine) fn wake(&self, hook: &HookId) {
        if let Some(queue) = self.waiting.lock().of_hooks.get(hook) {
            queue.task.notify_one();
        }
    }

    /// What waits for a hook.
    pub(in crate::engine) fn status(&self, hook: &HookId) -> QueueStatus {
        let waiting = self.waiting.lock();
        waiting.of_hooks.get(hook).map_or_else(QueueStatus::default, |queue| QueueStatus {
            waiting: queue.postings.len(),
            retry_at: queue.retry_at,
        })
    }

    /// Notes when the queue that this task serves makes its next attempt.
    pub(super) fn note_retry(&self, hook: &HookId, task: &Arc<Notify>, at: Timestamp) {
        if let Some(queue) = self.waiting.lock().served_by(hook, task) {
            queue.retry_at = Some(at);
        }
    }

    /// Adds to a hook's queue. The hooks of one user may hold half of what those of others leave.
    pub(super) fn add(&self, hook: &Arc<Hook>, posting: Posting) -> Added {
        let mut waiting = self.waiting.lock();
        let bytes = posting.body.len();
        let theirs = waiting.bytes_of.get(&hook.creator).copied().unwrap_or_default();
        if theirs + bytes > (MAX_WAITING_BYTES - (waiting.bytes - theirs)) / 2 {
            return Added::Dropped;
        }
        let added = match waiting.of_hooks.entry(hook.id.clone()) {
            Entry::Occupied(queue) if queue.get().postings.len() >= MAX_WAITING => {
                return Added::Dropped;
            }
            Entry::Occupied(mut queue) => {
                queue.get_mut().postings.push_back(posting);
                Added::Behind
            }
            Entry::Vacant(place) => {
                let task = Arc::new(Notify::new());
                let (postings, hook, served) = ([posting].into(), hook.clone(), task.clone());
                place.insert(Queue { hook, postings, retry_at: None, task: served });
                Added::First(task)
            }
        };
        waiting.bytes += bytes;
        *waiting.bytes_of.entry(hook.creator.clone()).or_default() += bytes;
        added
    }

    /// The first of the queue that this task serves. Where it is empty, the queue is gone.
    pub(super) fn first(&self, hook: &HookId, task: &Arc<Notify>) -> Option<Posting> {
        let mut waiting = self.waiting.lock();
        let first = waiting.served_by(hook, task)?.postings.front().cloned();
        if first.is_none() {
            waiting.of_hooks.remove(hook);
        }
        first
    }

    pub(super) fn remove_first(&self, hook: &Hook, task: &Arc<Notify>) {
        let mut waiting = self.waiting.lock();
        let Some(queue) = waiting.served_by(&hook.id, task) else { return };
        queue.retry_at = None;
        if let Some(removed) = queue.postings.pop_front() {
            waiting.discount(&hook.creator, removed.body.len());
        }
    }
}

impl Waiting {
    fn forget(&mut self, hook: &HookId) {
        if let Some(Queue { hook, postings, task, .. }) = self.of_hooks.remove(hook) {
            self.discount(&hook.creator, postings.iter().map(|it| it.body.len()).sum());
            task.notify_one();
        }
    }

    /// The queue of a hook, unless it is another than the one that this task was made for.
    fn served_by(&mut self, hook: &HookId, task: &Arc<Notify>) -> Option<&mut Queue> {
        self.of_hooks.get_mut(hook).filter(|queue| Arc::ptr_eq(&queue.task, task))
    }

    fn discount(&mut self, creator: &UserId, bytes: usize) {
        self.bytes -= bytes;
        if let Some(theirs) = self.bytes_of.get_mut(creator) {
            *theirs -= bytes;
            if *theirs == 0 {
                self.bytes_of.remove(creator);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::domain::hook::HookSecret;
    use crate::domain::ids::Seq;

    fn hook(id: &str, channel: &str, creator: &str) -> Arc<Hook> {
        Arc::new(Hook {
            id: HookId::from(id.to_owned()),
            channel: ChannelId::from(channel.to_owned()),
            name: "CI".parse().expect("a name"),
            outgoing: None,
            secret: HookSecret::from("s".to_owned()),
            creator: UserId::from(creator.to_owned()),
            created_at: Utc::now().into(),
            seq: Seq(1),
            changed_at: Utc::now().into(),
            deliveries: Arc::default(),
        })
    }

    fn posting(bytes: usize) -> Posting {
        Posting { id: "m".into(), body: vec![0; bytes].into() }
    }

    #[test]
    fn queues_are_bounded_and_end_when_they_are_empty() {
        let queues = Queues::default();
        let hook = hook("h", "c", "ada");
        let Added::First(task) = queues.add(&hook, posting(1)) else { panic!("it needs a task") };
        for n in 1..2 * MAX_WAITING {
            let is_kept = matches!(queues.add(&hook, posting(1)), Added::Behind);
            assert_eq!(is_kept, n < MAX_WAITING, "{n}");
        }
        assert_eq!(queues.waiting.lock().bytes, MAX_WAITING);
        for _ in 0..MAX_WAITING {
            assert!(queues.first(&hook.id, &task).is_some());
            queues.remove_first(&hook, &task);
        }
        assert!(queues.first(&hook.id, &task).is_none());
        assert!(queues.waiting.lock().of_hooks.is_empty());
        assert!(matches!(queues.add(&hook, posting(5)), Added::First(_)), "it needs a task again");
        assert!(queues.first(&hook.id, &task).is_none(), "and not the former one");
        queues.remove_first(&hook, &task);
        assert_eq!(queues.waiting.lock().bytes, 5);
        queues.forget(&hook.id);
        let left = queues.waiting.lock();
        assert_eq!((left.bytes, left.bytes_of.len()), (0, 0));
    }

    #[test]
    fn hooks_of_one_user_leave_room_for_those_of_others() {
        let queues = Queues::default();
        let evil: Vec<_> = (0..20).map(|n| hook(&format!("e{n}"), "evil", "eve")).collect();
        for _ in 0..MAX_WAITING {
            for hook in &evil {
                let _ = queues.add(hook, posting(20_000));
            }
        }
        let taken = queues.waiting.lock().bytes;
        assert!(
            (MAX_WAITING_BYTES / 2 - 20_000..=MAX_WAITING_BYTES / 2).contains(&taken),
            "{taken}"
        );
        let ada = hook("a", "general", "ada");
        assert!(matches!(queues.add(&ada, posting(4_000_000)), Added::First(_)));

        queues.forget_channel(&evil[0].channel);
        assert_eq!(queues.waiting.lock().bytes, 4_000_000, "what was of that channel is gone");
        assert_eq!(queues.waiting.lock().of_hooks.len(), 1);
    }
}
