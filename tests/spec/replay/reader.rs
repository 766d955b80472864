//! A listener that comes back now and then.

use std::collections::BTreeMap;

use houston::domain::conversation::{Conversation, Missed, MissedChange};
use houston::domain::ids::{MessageId, Seq};
use houston::domain::message::Message;
use houston::domain::names::ChannelName;
use houston::domain::state::State;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestCaseResult};

/// What somebody has on their screen of `general`, which is never deleted.
#[derive(Clone, Default)]
pub(super) struct Reader {
    seen: Seq,
    view: BTreeMap<MessageId, (Seq, String)>,
}

impl Reader {
    /// Reads what was missed, and checks that the screen shows what is kept then.
    pub(super) fn read(&mut self, state: &State) -> TestCaseResult {
        let conversation = general(state);
        if let Missed::Changes(changes) = self.missed(conversation)? {
            for (_, change) in changes {
                self.hear(change)?;
            }
            // Nobody tells what falls out: it is older than all that is kept.
            let oldest = conversation.messages().next().map(|message| message.seq);
            self.view.retain(|_, (seq, _)| oldest.is_some_and(|oldest| *seq >= oldest));
        }
        self.seen = conversation.last();
        prop_assert_eq!(&self.view, &view(conversation));
        Ok(())
    }

    /// Reads a part of what was missed, in 255ths, and is cut off.
    pub(super) fn read_part(&mut self, state: &State, part: u8) -> TestCaseResult {
        match self.missed(general(state))? {
            Missed::Gap => self.seen = general(state).last(),
            Missed::Changes(changes) => {
                let heard = changes.len() * usize::from(part) / usize::from(u8::MAX);
                for (seq, change) in changes.into_iter().take(heard) {
                    self.hear(change)?;
                    self.seen = seq;
                }
            }
        }
        Ok(())
    }

    /// What was missed, in order. After a gap, the screen shows what is kept.
    fn missed(&mut self, conversation: &Conversation) -> Result<Missed, TestCaseError> {
        let missed = conversation.since(self.seen);
        match &missed {
            Missed::Gap => self.view = view(conversation),
            Missed::Changes(changes) => {
                let places: Vec<_> = changes.iter().map(|(seq, _)| *seq).collect();
                prop_assert!(places.is_sorted_by(|a, b| a < b), "{:?}", places);
                prop_assert!(places.iter().all(|seq| *seq > self.seen), "{:?}", places);
            }
        }
        Ok(missed)
    }

    fn hear(&mut self, change: MissedChange) -> TestCaseResult {
        match change {
            MissedChange::Posted(message) | MissedChange::Restored(message) => {
                self.view.insert(message.id.clone(), line(&message));
            }
            MissedChange::Updated(message) => {
                let before = self.view.insert(message.id.clone(), line(&message));
                prop_assert!(before.is_some(), "{:?} is updated, and was never told", message.id);
            }
            MissedChange::Deleted { id, message } => {
                if self.view.get(&id).is_some_and(|(seq, _)| *seq == message) {
                    self.view.remove(&id);
                }
            }
        }
        Ok(())
    }
}

fn general(state: &State) -> &Conversation {
    let channel = state.channel_named(&ChannelName::general()).expect("`general`");
    state.conversation(&channel.id).expect("what it keeps")
}

fn view(conversation: &Conversation) -> BTreeMap<MessageId, (Seq, String)> {
    conversation.messages().map(|message| (message.id.clone(), line(message))).collect()
}

fn line(message: &Message) -> (Seq, String) {
    (message.seq, message.content.text.to_string())
}
