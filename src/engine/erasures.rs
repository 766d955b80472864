//! Erasures: ending the time in which deletions can be undone.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::Core;
use super::commit::fresh_op;
use super::log::{Draft, Expect, Log};
use crate::domain::conversation::RESTORABLE_FOR;
use crate::domain::entry::{ErasureRecord, Key, encode};
use crate::domain::ids::Seq;

/// Number of looks, after the one that finds a deletion, at the last of which it is made final.
const LOOKS: u32 = 3;
/// Interval between two looks for deletions whose time is over.
const PERIOD: Duration = RESTORABLE_FOR.checked_div(LOOKS).expect("not zero");

/// Erases deleted messages once their time is over, for as long as the engine lives.
///
/// One entry does it for all that were deleted up to an entry which was the last one that long ago.
/// So no clock is asked, and none that jumps erases anything early, or never: what is there at the
/// start has all of its time again. An entry that cannot be stored now is tried again with the next.
pub(super) async fn erase_deleted(core: Weak<Core>, log: Weak<dyn Log>) {
    // The log's heads at the looks whose deletions are not final yet.
    let mut heads = VecDeque::from([Seq(0); LOOKS as usize]);
    loop {
        {
            let (Some(core), Some(log)) = (core.upgrade(), log.upgrade()) else { return };
            let (head, first) = {
                let live = core.live.read();
                (live.state.head(), live.state.first_restorable())
            };
            heads.push_back(head);
            let until = heads.pop_front().unwrap_or_default();
            if first.is_some_and(|first| first <= until) {
                append(&log, until).await;
            }
        }
        sleep(PERIOD).await;
    }
}

async fn append(log: &Arc<dyn Log>, until: Seq) {
    let body = encode(&ErasureRecord { until });
    let draft = Draft { op: fresh_op(), key: Key::Erasure, body, expect: Expect::Any };
    if let Err(error) = log.append(draft).await {
        ::log::warn!("What was deleted cannot be erased yet: {error}.");
    }
}
