//! Questions about one-time links that other nodes made.
//!
//! A link is known to the node that made it alone. Another one that is shown its secret asks all others
//! by the link's id; whoever has it answers with its user and, where it is to be used, has it no more
//! from then on. That answer is repeated to the same question, since it may be lost on its way.

use std::sync::{Arc, Weak};
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use futures::StreamExt;
use futures::stream::BoxStream;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::Link;
use crate::domain::ids::UserId;
use crate::domain::time::Timestamp;
use crate::engine::nodes::{Node, NodeId, read};
use crate::engine::whisper::Topic;
use crate::engine::{Engine, EngineError, Parts};

/// Longest time that a question waits for its answer.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Time after which a question that has no answer yet is repeated.
const REPEAT: Duration = Duration::from_millis(400);
/// Largest number of questions that wait at a time: strangers can cause them.
const MAX_QUESTIONS: usize = 64;

/// The questions of this node that wait for answers, by their ids.
#[derive(Default)]
pub(in crate::engine) struct Questions(Mutex<HashMap<Arc<str>, Question>>);

/// A question that waits.
struct Question {
    /// The nodes that have not denied having the link.
    others: HashSet<NodeId>,
    answer: oneshot::Sender<Option<Link>>,
}

/// A guard that forgets a question once nobody waits for its answer.
struct Asked<'q> {
    questions: &'q Questions,
    id: Arc<str>,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.questions.0.lock().remove(&self.id);
    }
}

/// The intention of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Intent {
    /// To see whom the link signs in.
    Look,
    /// To sign in by it: it can be used no more.
    Use,
}

/// What one node tells the others about a link.
#[derive(Serialize, Deserialize)]
struct LinkMessage {
    node: NodeId,
    question: Arc<str>,
    #[serde(flatten)]
    said: Said,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Said {
    /// A question for the link of this id.
    Asked { link: String, intent: Intent },
    /// The answer of the node that has it.
    Found {
        user: UserId,
        #[serde(with = "crate::domain::time::millis")]
        expires_at: Timestamp,
    },
    /// The answer of a node that has no such link.
    Unknown,
}

impl Questions {
    /// Notes a question to these nodes; none where too many wait already.
    fn note(
        &self,
        others: HashSet<NodeId>,
    ) -> Option<(Asked<'_>, oneshot::Receiver<Option<Link>>)> {
        let mut questions = self.0.lock();
        if questions.len() >= MAX_QUESTIONS {
            return None;
        }
        let id: Arc<str> = Uuid::now_v7().simple().to_string().into();
        let (answer, answered) = oneshot::channel();
        questions.insert(id.clone(), Question { others, answer });
        Some((Asked { questions: self, id }, answered))
    }

    /// Notes that a node has found a link, or has no such one. Once all others have none, nobody has.
    fn note_answer(&self, question: &str, node: &NodeId, link: Option<Link>) {
        let mut questions = self.0.lock();
        let Some(waiting) = questions.get_mut(question) else { return };
        waiting.others.remove(node);
        if link.is_none() && !waiting.others.is_empty() {
            return;
        }
        if let Some(waiting) = questions.remove(question) {
            // Who asked may have gone.
            let _ = waiting.answer.send(link);
        }
    }
}

impl Engine {
    /// Asks the other nodes for a link.
    ///
    /// # Errors
    ///
    /// When none of them has it, or too many questions wait.
    pub(super) async fn ask_for_link(&self, id: &str, intent: Intent) -> Result<Link, EngineError> {
        let node = self.core.node.get().ok_or(EngineError::NoSuchLink)?;
        let others = self.core.presence.nodes();
        if others.is_empty() {
            return Err(EngineError::NoSuchLink);
        }
        let (asked, mut answer) = node.questions.note(others).ok_or(EngineError::TooBusy)?;
        let end = Instant::now() + MAX_WAIT;
        while Instant::now() < end {
            node.say_of_links(&asked.id, Said::Asked { link: id.to_owned(), intent });
            let until = end.min(Instant::now() + REPEAT);
            if let Ok(answered) = timeout_at(until, &mut answer).await {
                return answered.ok().flatten().ok_or(EngineError::NoSuchLink);
            }
        }
        Err(EngineError::NoSuchLink)
    }

    /// Takes in what was said about a link.
    fn hear_of_link(&self, body: &[u8]) {
        let Some(LinkMessage { node: from, question, said }) = read(body) else {
            return self.core.flow.count_ignored_whisper();
        };
        let Some(node) = self.core.node.get().filter(|node| node.id != from) else { return };
        match said {
            Said::Asked { link, intent } => {
                let found = match intent {
                    Intent::Look => self.links.usable(&link),
                    Intent::Use => self.links.give(&link, &question),
                };
                let answer = found.map_or(Said::Unknown, |Link { user, expires_at }| Said::Found {
                    user,
                    expires_at,
                });
                node.say_of_links(&question, answer);
            }
            Said::Found { user, expires_at } => {
                let link = Link { user, expires_at };
                node.questions.note_answer(&question, &from, Some(link));
            }
            Said::Unknown => node.questions.note_answer(&question, &from, None),
        }
    }
}

impl Node {
    fn say_of_links(&self, question: &Arc<str>, said: Said) {
        let message = LinkMessage { node: self.id.clone(), question: question.clone(), said };
        // Neither these types nor memory can fail.
        let body = serde_json::to_vec(&message).unwrap_or_default();
        self.whisper.say(Topic::Links, body.into());
    }
}

/// Answers questions about the links of this node, and takes in the answers to its own, for as long as
/// the engine lives.
pub(in crate::engine) async fn hear_of_links(
    engine: Weak<Parts>,
    mut said: BoxStream<'static, bytes::Bytes>,
) {
    while let Some(body) = said.next().await {
        let Some(engine) = engine.upgrade() else { return };
        Engine(engine).hear_of_link(&body);
    }
}
