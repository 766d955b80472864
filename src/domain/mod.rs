//! The types of a chat and their rules, and the state that the log's entries make.
//!
//! No I/O, no clock, no async, no HTTP, no SQL. Time and ids come in from outside.

pub mod attachment;
pub mod channel;
pub mod conversation;
pub mod entry;
pub mod event;
pub mod hook;
pub mod ids;
pub mod media_type;
pub mod message;
pub mod names;
pub mod preference;
pub mod preview;
pub mod reaction;
pub mod search;
pub mod state;
pub mod text;
pub mod time;
pub(crate) mod url;
pub mod user;
