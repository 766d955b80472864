//! The implementations of the engine's ports. Only [`crate::rocket`] knows which of them run.

pub mod fetch;
pub mod files;
#[cfg(feature = "cluster")]
pub mod jetstream;
pub mod operator_token;
pub mod sqlite;
