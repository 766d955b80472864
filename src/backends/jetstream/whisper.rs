//! Whispers over the plain publishing and subscribing of NATS, which keeps nothing.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::{mpsc, oneshot};

use super::connection::Nats;
use crate::engine::whisper::{Topic, Whisper};

/// Number of things that wait to be said; what is beyond is lost.
const WAITING: usize = 4 * 1024;

/// The whispers of one node. What is said and where it begins to hear go out in one order, by one
/// task, which ends with the last clone of the node's whisper.
pub struct NatsWhisper {
    prefix: String,
    commands: mpsc::Sender<Command>,
}

enum Command {
    Say(String, Bytes),
    Hear(String, oneshot::Sender<async_nats::Subscriber>),
}

impl NatsWhisper {
    /// Begins to whisper over this connection. Must be called within a Tokio runtime.
    #[must_use]
    pub fn over(nats: &Nats) -> Self {
        let (commands, waiting) = mpsc::channel(WAITING);
        tokio::spawn(carry_out(nats.clone(), waiting));
        Self { prefix: nats.prefix().to_owned(), commands }
    }

    fn subject(&self, topic: &Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Presence(channel) => format!("{prefix}.p.{channel}"),
            Topic::Typing(channel) => format!("{prefix}.t.{channel}"),
            Topic::Online => format!("{prefix}.online"),
            Topic::Links => format!("{prefix}.links"),
        }
    }
}

async fn carry_out(nats: Nats, mut waiting: mpsc::Receiver<Command>) {
    while let Some(command) = waiting.recv().await {
        match command {
            Command::Say(subject, body) => {
                // Lost, as anything may be. The client would keep what is said while it is cut off,
                // and everything else behind it.
                if nats.is_connected() {
                    let _ = nats.client().publish(subject, body).await;
                }
            }
            Command::Hear(subject, hearing) => {
                // A client that is closed hears nothing.
                if let Ok(subscriber) = nats.client().subscribe(subject).await {
                    let _ = hearing.send(subscriber);
                }
            }
        }
    }
}

impl Whisper for NatsWhisper {
    fn say(&self, topic: Topic, body: Bytes) {
        // Where too much waits, it is lost.
        let _ = self.commands.try_send(Command::Say(self.subject(&topic), body));
    }

    fn hear(&self, topic: Topic) -> BoxStream<'static, Bytes> {
        let (hearing, heard) = oneshot::channel();
        let command = Command::Hear(self.subject(&topic), hearing);
        if let Err(mpsc::error::TrySendError::Full(command)) = self.commands.try_send(command) {
            let commands = self.commands.clone();
            // Later than promised: what is missed until then comes with the next full set.
            tokio::spawn(async move {
                let _ = commands.send(command).await;
            });
        }
        let said = stream::once(heard).filter_map(|heard| std::future::ready(heard.ok()));
        said.flatten().map(|message| message.payload).boxed()
    }
}
