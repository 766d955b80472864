//! Looks at the last entry that the leader has: one at a time, however many ask. Who asks while a look
//! is under way is answered by the next one, which began later than the question.

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::stream::Entries;
use crate::domain::ids::Seq;

/// The asker of the leader.
pub(super) struct Latest(mpsc::UnboundedSender<oneshot::Sender<Option<Seq>>>);

impl Latest {
    /// Begins to answer. Must be called within a Tokio runtime.
    pub(super) fn of(entries: Entries) -> Self {
        let (questions, waiting) = mpsc::unbounded_channel();
        tokio::spawn(answer(entries, waiting));
        Self(questions)
    }

    /// The last entry that the leader has; `None` where it does not answer.
    pub(super) fn look(&self) -> BoxFuture<'static, Option<Seq>> {
        let questions = self.0.clone();
        Box::pin(async move {
            let (question, answer) = oneshot::channel();
            questions.send(question).ok()?;
            answer.await.ok()?
        })
    }
}

async fn answer(
    entries: Entries,
    mut waiting: mpsc::UnboundedReceiver<oneshot::Sender<Option<Seq>>>,
) {
    while let Some(first) = waiting.recv().await {
        let mut all = vec![first];
        while let Ok(next) = waiting.try_recv() {
            all.push(next);
        }
        let last = entries.extent().await.ok();
        let last = last.filter(|extent| extent.has_majority).map(|extent| extent.last);
        for question in all {
            // Whoever asked may be gone.
            let _ = question.send(last);
        }
    }
}
