//! A way between nodes in memory, which can lose, delay and double what is said, and cut a node off.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use houston::engine::whisper::{MAX_BODY_BYTES, Topic, Whisper};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What happens to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    IsLost,
    ComesLate(Duration),
    ComesTwice,
}

type Decide = dyn Fn(&Message) -> Fate + Send + Sync;

/// Something that a node said.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) node: usize,
    pub(super) topic: Topic,
    pub(super) body: Bytes,
}

impl Message {
    pub(super) fn says(&self, word: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(&format!("\"{word}\""))
    }
}

/// The hub that all nodes are connected to.
#[derive(Default)]
pub(super) struct Hub(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    ears: Vec<(usize, Topic, mpsc::UnboundedSender<Bytes>)>,
    cut: HashSet<usize>,
    decide: Option<Arc<Decide>>,
    said: Vec<Message>,
}

impl Hub {
    /// The port of the node of this number.
    pub(super) fn port(self: &Arc<Self>, node: usize) -> Arc<dyn Whisper> {
        Arc::new(Port { hub: self.clone(), node })
    }

    /// Decides from now on what happens to each message.
    pub(super) fn decides(&self, decide: impl Fn(&Message) -> Fate + Send + Sync + 'static) {
        self.0.lock().decide = Some(Arc::new(decide));
    }

    /// Lets everything arrive from now on.
    pub(super) fn is_mended(&self) {
        let mut inner = self.0.lock();
        (inner.decide, inner.cut) = (None, HashSet::new());
    }

    /// Cuts a node off: it hears nothing and is not heard.
    pub(super) fn cuts(&self, node: usize) {
        self.0.lock().cut.insert(node);
    }

    /// Everything that was said so far.
    pub(super) fn said(&self) -> Vec<Message> {
        self.0.lock().said.clone()
    }

    /// Tells whether a node hears a topic.
    pub(super) fn hears(&self, node: usize, topic: &Topic) -> bool {
        let mut inner = self.0.lock();
        inner.ears.retain(|(_, _, ear)| !ear.is_closed());
        inner.ears.iter().any(|(hearer, heard, _)| (*hearer, heard) == (node, topic))
    }

    fn deliver(&self, message: &Message) {
        let mut inner = self.0.lock();
        let Inner { ears, cut, .. } = &mut *inner;
        if cut.contains(&message.node) {
            return;
        }
        // A node hears itself, too.
        ears.retain(|(node, topic, ear)| {
            let hears = *topic == message.topic && !cut.contains(node);
            if hears { ear.send(message.body.clone()).is_ok() } else { !ear.is_closed() }
        });
    }
}

struct Port {
    hub: Arc<Hub>,
    node: usize,
}

impl Whisper for Port {
    fn say(&self, topic: Topic, body: Bytes) {
        assert!(body.len() <= MAX_BODY_BYTES, "{} bytes about {topic:?}", body.len());
        let message = Message { node: self.node, topic, body };
        let decide = {
            let mut inner = self.hub.0.lock();
            inner.said.push(message.clone());
            inner.decide.clone()
        };
        match decide.map_or(Fate::Arrives, |decide| decide(&message)) {
            Fate::IsLost => {}
            Fate::Arrives => self.hub.deliver(&message),
            Fate::ComesTwice => (0..2).for_each(|_| self.hub.deliver(&message)),
            Fate::ComesLate(after) => {
                let hub = self.hub.clone();
                tokio::spawn(async move {
                    sleep(after).await;
                    hub.deliver(&message);
                });
            }
        }
    }

    fn hear(&self, topic: Topic) -> BoxStream<'static, Bytes> {
        let (ear, heard) = mpsc::unbounded_channel();
        self.hub.0.lock().ears.push((self.node, topic, ear));
        stream::unfold(heard, |mut heard| async { Some((heard.recv().await?, heard)) }).boxed()
    }
}
