//! The wire format: JSON views, event frames, cursors and addresses, as clients see them. No other
//! part knows these shapes.
//!
//! Each type that clients send or receive derives [`utoipa::ToSchema`]. Its doc comments are the
//! texts of `GET /api/openapi.json` and `GET /api/docs`, so they are written for clients, as
//! `CommonMark`. An answer that is written piece by piece has a type here, too, which describes it.

mod alertmanager;
pub mod channel;
pub mod cursor;
pub mod event;
pub mod hook;
pub mod lines;
pub mod message;
pub mod problem;
pub mod session;
pub mod slack;
pub mod url;
pub mod user;
