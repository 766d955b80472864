//! The peers that Houston is compared with: small servers with its protocol, in memory.
//!
//! They answer the same requests with the same JSON, as far as the load asks. They know no
//! sessions, no rights and no disk.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) mod axum;
pub(crate) mod limit;
pub(crate) mod rocket;

/// The number of messages that a room keeps.
const KEPT: usize = 100;

/// The body of a post.
#[derive(Deserialize)]
struct Draft {
    text: String,
}

/// A message, with the fields of Houston's.
#[derive(Clone, Serialize)]
struct Message {
    id: String,
    seq: u64,
    channel: String,
    author: Author,
    text: String,
    html: String,
    sent_at: String,
    edited_at: Option<String>,
    attachments: [(); 0],
    reactions: [(); 0],
}

#[derive(Clone, Serialize)]
struct Author {
    id: &'static str,
    display_name: &'static str,
}

/// The body of a history.
#[derive(Serialize)]
struct History<'h> {
    messages: Vec<&'h Message>,
    cursor: String,
    kept: usize,
}

impl Message {
    fn new(seq: u64, channel: &str, text: String) -> Self {
        Self {
            id: Uuid::now_v7().to_string(),
            seq,
            channel: channel.to_owned(),
            author: Author { id: "019ab549-0000-7000-8000-000000000000", display_name: "Capcom" },
            html: format!("<p>{}</p>", text.replace('&', "&amp;").replace('<', "&lt;")),
            text,
            sent_at: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            edited_at: None,
            attachments: [],
            reactions: [],
        }
    }
}
