//! The ports over NATS JetStream, for several nodes that are one chat.
//!
//! [`Nats`](connection::Nats) is the connection that all of them share;
//! [`JetStreamLog`](log::JetStreamLog) is the log.

mod api;
mod append;
pub mod blobs;
pub mod connection;
mod erase;
mod follow;
mod latest;
pub mod log;
pub mod moving;
mod nodes;
pub mod stream;
pub mod whisper;
