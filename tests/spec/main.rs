//! Tests of the promises to Houston's users, over its public API.
//!
//! Each test starts a workspace of its own in a temporary directory; people act in it and observe.
//! Nothing here sleeps: waiting has a deadline inside the harness.

mod architecture;
mod assets;
mod blobs;
mod channels;
#[path = "../contract/mod.rs"]
mod contract;
mod described;
mod description;
mod devices;
mod directs;
mod durability;
mod faces;
mod files;
mod harness;
mod hooks;
mod hostile;
mod html;
mod limits;
mod links;
mod log;
mod markdown_examples;
mod messages;
mod metrics;
mod nodes;
mod outgoing;
mod packaging;
mod pages;
mod pings;
mod preferences;
mod previews;
mod privacy;
mod problems;
mod reactions;
mod rendering;
mod replay;
mod restore;
mod search;
mod sessions;
mod shared_log;
mod sidebar;
mod starts;
mod state;
mod stores;
mod streams;
mod texts;
mod unicode;
