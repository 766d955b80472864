//! The ports' implementations. Only [`crate::rocket`] knows which of them run.

pub mod files;
pub mod sqlite;
