//! The stream that holds the entries: its settings, its creation, and what its leader knows of it.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, PeerInfo, RetentionPolicy, StorageType,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::api::{ApiError, NO_STREAM, ask, get};
use super::connection::{MAX_MESSAGE_BYTES, Nats};
use crate::domain::ids::Seq;

/// First words of all keys, and so of the stream's subjects below the prefix.
const KEY_FAMILIES: [&str; 3] = ["c", "d", "u"];
/// Number of entries that the servers keep of one key. Only a net: what is kept is decided by those
/// who apply the entries, and is far less.
const MAX_ENTRIES_PER_KEY: i64 = 100_000;
/// Time in which the same op is stored once.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(1);
/// Longest time for which the stream's creation waits for servers that elect a leader.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// Time after which a server that its leader has not heard of counts as gone.
const PEER_SILENCE: Duration = Duration::from_secs(8);
/// Interval between two attempts.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// The description of a stream.
const DESCRIPTION: &str = "Everything that lasts in this chat, in one order.";
/// The description of a stream that a chat is being moved into: no node opens it.
const BEING_FILLED: &str = "A chat is being moved into this stream.";

/// A reason for which the stream cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// JetStream is off.
    #[error(
        "the NATS servers have no JetStream for this user: put a `jetstream` block into the servers' \
         configuration, and allow it to the account"
    )]
    NoJetStream,
    /// There are fewer servers than replicas.
    #[error(
        "the stream `{stream}` cannot have {replicas} replicas: there are fewer NATS servers with \
         JetStream, or they have no room; start more, or take fewer replicas"
    )]
    TooFewServers {
        /// The stream.
        stream: String,
        /// The replicas that were asked for.
        replicas: usize,
    },
    /// There is no such stream, and a chat was to be copied out of it.
    #[error(
        "the NATS servers have no stream `{stream}`, and so no chat: are they the right ones, and \
         is `cluster_prefix` the chat's?"
    )]
    Missing {
        /// The stream.
        stream: String,
    },
    /// There is such a stream, and a chat was to be moved into a new one.
    #[error(
        "the NATS servers have a chat already, in the stream `{stream}`: give this one another \
         `cluster_prefix`, or remove that one's streams (`nats stream rm`)"
    )]
    Exists {
        /// The stream.
        stream: String,
    },
    /// Another stream has the subjects.
    #[error(
        "the stream `{stream}` cannot be created: another one takes messages of the same subjects \
         (`nats stream ls` lists them); remove that one, or give this chat another prefix"
    )]
    Overlaps {
        /// The stream.
        stream: String,
    },
    /// The stream has other settings than it must have.
    #[error(
        "the stream `{stream}` has other settings than Houston needs: {}; change them with \
         `nats stream edit {stream}`, or num_replicas by the setting `cluster_replicas`",
        .differences.join(", ")
    )]
    Differs {
        /// The stream.
        stream: String,
        /// Each setting with what it is and what it must be.
        differences: Vec<String>,
    },
    /// A chat is being moved into it, or was when that failed.
    #[error(
        "a chat is being moved into the stream `{stream}`: wait until that is done; should it have \
         failed, remove the stream (`nats stream rm {stream}`), and move again"
    )]
    BeingFilled {
        /// The stream.
        stream: String,
    },
    /// The servers refuse something else.
    #[error("the NATS servers refuse the stream `{stream}`: {reason}")]
    Refused {
        /// The stream.
        stream: String,
        /// The server's error.
        reason: String,
    },
    /// JetStream does not answer.
    #[error(
        "JetStream does not answer: have the NATS servers a `jetstream` block, does a majority of \
         them run, and may this user publish to `$JS.API.>` and subscribe to `_INBOX.>`?"
    )]
    Unanswered,
}

/// The stream of a log's entries.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    nats: Nats,
    name: String,
}

/// What the leader knows of the stream at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// The last sequence that was given to an entry.
    pub(super) last: Seq,
    /// The number of entries that are there.
    pub(super) entries: u64,
    /// The stream's creation time, in nanoseconds since 1970.
    pub(super) created: i128,
    /// True while the leader has heard of a majority just now. One that has not goes on for long.
    pub(super) has_majority: bool,
}

impl Extent {
    /// The number of sequences without an entry: each entry that was erased, ever.
    pub(super) fn erased(&self) -> u64 {
        self.last.0.saturating_sub(self.entries)
    }
}

impl Entries {
    /// Opens the stream of this prefix, creating it at need.
    pub(super) async fn open(nats: &Nats) -> Result<(Self, Extent), OpenError> {
        let stream = Self::of(nats);
        let deadline = Instant::now() + OPEN_TIMEOUT;
        let info = loop {
            match stream.info_or_create().await {
                Ok(info) => break info,
                Err(ApiError::Unanswered(_)) if Instant::now() > deadline => {
                    return Err(OpenError::Unanswered);
                }
                Err(ApiError::Refused(error))
                    if error.error_code() != ErrorCode::CLUSTER_NOT_AVAILABLE
                        || Instant::now() > deadline =>
                {
                    return Err(stream.refusal(&error));
                }
                Err(_) => sleep(RETRY_INTERVAL).await,
            }
        };
        if info.config.description.as_deref() == Some(BEING_FILLED) {
            return Err(OpenError::BeingFilled { stream: stream.name });
        }
        check_settings(&info.config, &stream.settings())?;
        Ok((stream, extent(&info)))
    }

    /// Refuses servers that say that there is no stream of this prefix.
    pub(super) async fn require(nats: &Nats) -> Result<(), OpenError> {
        let stream = Self::of(nats);
        match stream.info().await {
            Err(ApiError::Refused(error)) if error.error_code() == NO_STREAM => {
                Err(OpenError::Missing { stream: stream.name })
            }
            // Whatever else is wrong, opening it says so.
            _ => Ok(()),
        }
    }

    fn of(nats: &Nats) -> Self {
        Self { nats: nats.clone(), name: format!("{}-log", nats.prefix()) }
    }

    /// Creates the stream with this as its first sequence, for a chat to be moved into; refused where
    /// there is one.
    pub(super) async fn create_to_fill(nats: &Nats, first: Seq) -> Result<Self, OpenError> {
        let stream = Self::of(nats);
        let description = Some(BEING_FILLED.to_owned());
        let settings = Config { description, first_sequence: Some(first.0), ..stream.settings() };
        match ask::<Info>(nats, &format!("STREAM.CREATE.{}", stream.name), &settings).await {
            Ok(_) => Ok(stream),
            Err(ApiError::Refused(error)) => Err(stream.refusal(&error)),
            Err(ApiError::Unanswered(_)) => Err(OpenError::Unanswered),
        }
    }

    /// Removes the entries of this key, which filled gaps, and lets nodes open the stream.
    pub(super) async fn open_filled(&self, first: Seq, filler: &str) -> Result<(), ApiError> {
        let all = json!({ "filter": self.nats.subject(filler) });
        ask::<Value>(&self.nats, &format!("STREAM.PURGE.{}", self.name), &all).await?;
        let settings = Config { first_sequence: Some(first.0), ..self.settings() };
        ask::<Info>(&self.nats, &format!("STREAM.UPDATE.{}", self.name), &settings).await.map(drop)
    }

    /// The connection.
    pub(super) fn nats(&self) -> &Nats {
        &self.nats
    }

    /// The stream's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Asks the leader for the stream's extent.
    pub(super) async fn extent(&self) -> Result<Extent, ApiError> {
        self.info().await.map(|info| extent(&info))
    }

    /// Asks the leader for the last entry.
    pub(super) async fn last_of_all(&self) -> Result<Option<Seq>, ApiError> {
        self.last_of(&self.nats.subject(">")).await
    }

    /// Asks the leader for the last entry of this subject.
    pub(super) async fn last_of(&self, subject: &str) -> Result<Option<Seq>, ApiError> {
        self.get(json!({ "last_by_subj": subject })).await
    }

    /// Asks the leader for the first entry of this subject from this sequence on.
    pub(super) async fn next_of(&self, subject: &str, from: Seq) -> Result<Option<Seq>, ApiError> {
        self.get(json!({ "next_by_subj": subject, "seq": from.0 })).await
    }

    /// Asks the leader whether there is an entry of this sequence.
    pub(super) async fn has(&self, seq: Seq) -> Result<bool, ApiError> {
        Ok(self.get(json!({ "seq": seq.0 })).await?.is_some())
    }

    async fn get(&self, which: Value) -> Result<Option<Seq>, ApiError> {
        Ok(get(&self.nats, &self.name, &which).await?.map(Seq))
    }

    async fn info(&self) -> Result<Info, ApiError> {
        ask(&self.nats, &format!("STREAM.INFO.{}", self.name), &json!({})).await
    }

    async fn info_or_create(&self) -> Result<Info, ApiError> {
        match self.info().await {
            Err(ApiError::Refused(error)) if error.error_code() == NO_STREAM => {
                ask(&self.nats, &format!("STREAM.CREATE.{}", self.name), &self.settings()).await
            }
            answered => answered,
        }
    }

    /// The settings with which the stream is created. It is not compressed: entries are erased all the
    /// time, and each would have its block packed anew.
    fn settings(&self) -> Config {
        Config {
            name: self.name.clone(),
            description: Some(DESCRIPTION.to_owned()),
            subjects: KEY_FAMILIES.map(|it| self.nats.subject(&format!("{it}.>"))).into(),
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            num_replicas: self.nats.replicas(),
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: MAX_ENTRIES_PER_KEY,
            max_message_size: i32::try_from(MAX_MESSAGE_BYTES).unwrap_or(i32::MAX),
            duplicate_window: DUPLICATE_WINDOW,
            allow_direct: true,
            ..Config::default()
        }
    }

    fn refusal(&self, error: &async_nats::jetstream::Error) -> OpenError {
        let (stream, replicas) = (self.name.clone(), self.nats.replicas());
        match error.error_code() {
            ErrorCode::JETSTREAM_NOT_ENABLED | ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT => {
                OpenError::NoJetStream
            }
            ErrorCode::CLUSTER_NO_PEERS | ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED => {
                OpenError::TooFewServers { stream, replicas }
            }
            ErrorCode::STREAM_NAME_EXIST => OpenError::Exists { stream },
            ErrorCode::STREAM_SUBJECT_OVERLAP => OpenError::Overlaps { stream },
            _ => OpenError::Refused { stream, reason: error.to_string() },
        }
    }
}

/// Tells whether this begins as the keys of entries do.
pub(super) fn is_key(key: &str) -> bool {
    KEY_FAMILIES.contains(&key.split('.').next().unwrap_or_default())
}

fn extent(info: &Info) -> Extent {
    Extent {
        last: Seq(info.state.last_sequence),
        entries: info.state.messages,
        created: info.created.unix_timestamp_nanos(),
        has_majority: has_majority(info),
    }
}

fn has_majority(info: &Info) -> bool {
    let others = info.cluster.as_ref().map_or(&[][..], |cluster| &cluster.replicas[..]);
    // A leader that has never heard of a server says that it did just now.
    let is_heard = |other: &&PeerInfo| {
        other.current || other.active > Duration::ZERO && other.active < PEER_SILENCE
    };
    let heard = others.iter().filter(is_heard).count();
    2 * (heard + 1) > others.len() + 1
}

/// Checks that the settings of a stream are as they must be, where it matters.
pub(super) fn check_settings(found: &Config, needed: &Config) -> Result<(), OpenError> {
    let differences = differences(found, needed);
    if differences.is_empty() {
        return Ok(());
    }
    Err(OpenError::Differs { stream: needed.name.clone(), differences })
}

/// Lists the settings that matter and are not as they must be.
fn differences(found: &Config, needed: &Config) -> Vec<String> {
    let mut differences = Vec::new();
    let mut check = |holds: bool, name: &str, found: String, needed: String| {
        if !holds {
            differences.push(format!("{name} is {found} and must be {needed}"));
        }
    };
    let sorted = |subjects: &[String]| {
        let mut subjects = subjects.to_vec();
        subjects.sort_unstable();
        subjects.join(" ")
    };
    let (subjects, wanted) = (sorted(&found.subjects), sorted(&needed.subjects));
    check(subjects == wanted, "subjects", subjects.clone(), wanted.clone());
    macro_rules! equal {
        ($($field:ident as $name:literal,)*) => {$(
            let (is, must) = (&found.$field, &needed.$field);
            check(is == must, $name, format!("{is:?}"), format!("{must:?}"));
        )*};
    }
    equal! {
        num_replicas as "num_replicas",
        storage as "storage",
        retention as "retention",
        discard as "discard",
        max_messages as "max_msgs",
        max_bytes as "max_bytes",
        max_age as "max_age",
        no_ack as "no_ack",
        sealed as "sealed",
        deny_delete as "deny_delete",
        mirror as "mirror",
        subject_transform as "subject_transform",
    }
    let sources = found.sources.as_ref().map_or(0, Vec::len);
    check(sources == 0, "the number of sources", sources.to_string(), "0".into());
    let (per_key, least) = (found.max_messages_per_subject, needed.max_messages_per_subject);
    let holds = per_key == -1 || per_key >= least;
    check(holds, "max_msgs_per_subject", per_key.to_string(), format!("{least} or more"));
    let (size, least) = (found.max_message_size, needed.max_message_size);
    check(
        size == -1 || size >= least,
        "max_msg_size",
        size.to_string(),
        format!("{least} or more"),
    );
    let (window, least) = (found.duplicate_window, needed.duplicate_window);
    check(window >= least, "duplicate_window", format!("{window:?}"), format!("{least:?} or more"));
    differences
}
