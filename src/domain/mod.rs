//! Words and rules: what exists, what may be said, what an entry of the log means.
//!
//! No I/O, no clock, no async, no HTTP, no SQL. Time and ids come in from outside.

pub mod attachment;
pub mod channel;
pub mod entry;
pub mod event;
pub mod ids;
pub mod markdown;
pub mod media_type;
pub mod mentions;
pub mod message;
pub mod names;
pub mod reaction;
pub mod state;
pub mod time;
mod url;
pub mod user;
