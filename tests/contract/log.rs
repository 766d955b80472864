//! The log's contract: what every implementation promises, and what its tests are written with.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::StreamExt;
use houston::domain::entry::{Entry, Key};
use houston::domain::ids::{ChannelId, OpId, Seq, UserId};
use houston::domain::time::Timestamp;
use houston::engine::log::{AppendError, Draft, Expect, Feed, Log};
use rocket::tokio::time::{sleep, timeout};
use uuid::Uuid;

/// The deadline of every wait.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Runs the log's contract against each implementation: see [`contract!`](crate::contract::contract).
macro_rules! log_contract {
    ($implementations:tt) => {
        $crate::contract::contract! {
            $implementations {
                sequences_grow_and_times_are_the_clocks,
                the_same_op_is_stored_once,
                expectations_are_checked_with_the_append,
                of_many_who_expect_the_same_one_succeeds,
                a_follower_gets_what_is_kept_and_then_what_comes,
                many_followers_get_the_same,
                nothing_goes_by_itself,
                erasing_removes_and_renumbers_nothing,
                an_append_after_an_erase_finds_it_erased,
                an_append_before_an_erase_finds_it_there,
                what_is_spent_goes_though_nothing_is_appended,
                what_is_spent_goes_in_order,
                catching_up_reaches_what_was_erased,
                a_body_that_is_too_large_is_refused,
                it_runs_in_a_start_and_can_be_written,
            }
        }
    };
}

pub(crate) use log_contract;

pub(crate) async fn sequences_grow_and_times_are_the_clocks(log: Arc<dyn Log>) {
    let begun = Timestamp::from(Utc::now());
    let mut last = Seq(0);
    for n in 0..20 {
        let appended = log.append(draft(marker(n), Expect::Any)).await.expect("appended");
        assert!(appended.seq > last && !appended.repeated);
        last = appended.seq;
    }
    let entries = kept(&*log, Seq(0)).await;
    assert!(entries.is_sorted_by(|a, b| a.seq < b.seq), "{entries:?}");
    let ended = Timestamp::from(Utc::now());
    assert!(entries.iter().all(|entry| begun <= entry.at && entry.at <= ended), "{entries:?}");
}

pub(crate) async fn the_same_op_is_stored_once(log: Arc<dyn Log>) {
    let first = log.append(draft(messages(), Expect::Any));
    let op = OpId(Uuid::now_v7());
    let same = || Draft { op, ..draft(messages(), Expect::Any) };
    first.await.expect("appended");
    let appended = log.append(same()).await.expect("appended");
    let repeated = log.append(same()).await.expect("repeated");
    assert_eq!((repeated.seq, repeated.repeated), (appended.seq, true));
    let at_once = futures::future::join_all((0..10).map(|_| log.append(same()))).await;
    assert!(at_once.iter().all(|it| it.is_ok_and(|it| it.seq == appended.seq)), "{at_once:?}");
    assert_eq!(kept(&*log, Seq(0)).await.len(), 2);
}

pub(crate) async fn expectations_are_checked_with_the_append(log: Arc<dyn Log>) {
    let key = marker(1);
    let refused = log.append(draft(key.clone(), Expect::At(Seq(1)))).await;
    assert_eq!(refused, Err(AppendError::Conflict(None)));
    let first = log.append(draft(key.clone(), Expect::Absent)).await.expect("absent").seq;
    let refused = log.append(draft(key.clone(), Expect::Absent)).await;
    assert_eq!(refused, Err(AppendError::Conflict(Some(first))));
    let second = log.append(draft(key.clone(), Expect::At(first))).await.expect("at").seq;
    let refused = log.append(draft(key, Expect::At(first))).await;
    assert_eq!(refused, Err(AppendError::Conflict(Some(second))));
}

pub(crate) async fn of_many_who_expect_the_same_one_succeeds(log: Arc<dyn Log>) {
    let attempts = (0..200).map(|_| log.append(draft(marker(1), Expect::Absent)));
    let outcomes = futures::future::join_all(attempts).await;
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.ok()).collect();
    assert_eq!(won.len(), 1);
    let lost = Err(AppendError::Conflict(Some(won[0].seq)));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == lost).count(), 199);
}

pub(crate) async fn a_follower_gets_what_is_kept_and_then_what_comes(log: Arc<dyn Log>) {
    let before = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let seen = log.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    let mut follower = log.follow(before);
    assert_eq!(next(&mut follower).await.map(|entry| entry.seq), Some(seen));
    assert_eq!(next(&mut follower).await, None, "caught up");
    let appends = (3..60).map(|n| log.append(draft(marker(n), Expect::Any)));
    let mut seqs: Vec<_> = futures::future::join_all(appends)
        .await
        .iter()
        .map(|it| it.expect("appended").seq)
        .collect();
    seqs.sort_unstable();
    for seq in seqs {
        assert_eq!(next(&mut follower).await.map(|entry| entry.seq), Some(seq));
    }
}

pub(crate) async fn many_followers_get_the_same(log: Arc<dyn Log>) {
    let mut followers: Vec<_> = (0..3).map(|_| log.follow(Seq(0))).collect();
    let draft = draft(marker(1), Expect::Any);
    let (key, body, op) = (draft.key.to_string(), draft.body.clone(), draft.op);
    let seq = log.append(draft).await.expect("appended").seq;
    for follower in &mut followers {
        let entry = loop {
            if let Some(entry) = next(follower).await {
                break entry;
            }
        };
        let expected = Entry { seq, at: entry.at, op, key: key.clone(), body: body.clone() };
        assert_eq!(entry, expected);
    }
}

/// The log keeps everything until it is told to erase it: retention is decided by others.
pub(crate) async fn nothing_goes_by_itself(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for _ in 0..103 {
        let seq = log.append(draft(messages(), Expect::Any)).await.expect("appended").seq;
        let changed = log.append(draft(change(seq), Expect::Absent)).await.expect("appended").seq;
        let marked = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
        seqs.extend([seq, changed, marked]);
    }
    assert_eq!(kept_seqs(&*log).await, seqs);
}

pub(crate) async fn erasing_removes_and_renumbers_nothing(log: Arc<dyn Log>) {
    let mut seqs = Vec::new();
    for key in [marker(1), messages(), marker(2), change(Seq(2))] {
        seqs.push(log.append(draft(key, Expect::Any)).await.expect("appended").seq);
    }
    log.erase(seqs[3], vec![seqs[3], seqs[1]]);
    log.erase(seqs[3], vec![seqs[1], Seq(999), Seq(u64::MAX)]);
    let next = log.append(draft(marker(3), Expect::Any)).await.expect("appended").seq;
    assert!(next > seqs[3]);
    assert_eq!(kept_seqs(&*log).await, [seqs[0], seqs[2], next]);
}

pub(crate) async fn an_append_after_an_erase_finds_it_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    log.erase(seq, vec![seq]);
    log.append(draft(marker(1), Expect::Absent)).await.expect("absent again");
}

pub(crate) async fn an_append_before_an_erase_finds_it_there(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Absent)).await.expect("appended").seq;
    let before = log.append(draft(marker(1), Expect::At(seq)));
    log.erase(seq, vec![seq]);
    let after = log.append(draft(marker(1), Expect::At(seq)));
    let before = before.await.expect("it was there").seq;
    assert_eq!(after.await, Err(AppendError::Conflict(Some(before))));
}

pub(crate) async fn what_is_spent_goes_though_nothing_is_appended(log: Arc<dyn Log>) {
    let spent = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let stays = log.append(draft(marker(2), Expect::Any)).await.expect("appended").seq;
    log.erase(spent, vec![spent]);
    until_kept(&*log, &[stays]).await;
}

/// A look at any time finds some of the first entries erased and all of the rest there.
pub(crate) async fn what_is_spent_goes_in_order(log: Arc<dyn Log>) {
    let mut spent = Vec::new();
    for n in 0..100 {
        spent.push(log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq);
    }
    // Not that of their numbers.
    spent.sort_by_key(|seq| (seq.0 % 7, seq.0));
    let last = *spent.last().expect("entries");
    for (n, seq) in spent.iter().enumerate() {
        log.erase(*seq, vec![*seq]);
        if n % 3 == 0 {
            let noise = log.append(draft(marker(n), Expect::Any)).await.expect("appended").seq;
            log.erase(noise, vec![noise]);
        }
        let kept = kept_seqs(&*log).await;
        let there: Vec<_> = spent.iter().map(|seq| kept.contains(seq)).collect();
        assert!(there.is_sorted(), "{there:?}");
    }
    log.append(draft(marker(0), Expect::Any)).await.expect("appended");
    assert!(!kept_seqs(&*log).await.contains(&last));
}

pub(crate) async fn catching_up_reaches_what_was_erased(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    log.erase(seq, vec![seq]);
    until_kept(&*log, &[]).await;
    let first = timeout(DEADLINE, log.follow(Seq(0)).next()).await.expect("in time");
    assert_eq!(first, Some(Feed::CaughtUp(seq)));
}

pub(crate) async fn it_runs_in_a_start_and_can_be_written(log: Arc<dyn Log>) {
    let seq = log.append(draft(marker(1), Expect::Any)).await.expect("appended").seq;
    let starts = log.starts();
    assert!(starts.last().is_some_and(|start| start.after < seq), "{starts:?}");
    assert!(log.is_writable());
}

pub(crate) async fn a_body_that_is_too_large_is_refused(log: Arc<dyn Log>) {
    let body = "x".repeat(Draft::MAX_BODY_BYTES + 1);
    let refused = log.append(Draft { body, ..draft(marker(1), Expect::Any) }).await;
    assert_eq!(refused, Err(AppendError::TooLarge));
    assert!(kept(&*log, Seq(0)).await.is_empty());
}

pub(crate) fn draft(key: Key, expect: Expect) -> Draft {
    Draft { op: OpId(Uuid::now_v7()), key, body: r#"{"v":1}"#.into(), expect }
}

pub(crate) fn channel(id: &str) -> ChannelId {
    ChannelId::from(id.to_owned())
}

pub(crate) fn messages() -> Key {
    Key::Messages(channel("a"))
}

pub(crate) fn change(message: Seq) -> Key {
    Key::Change(channel("a"), message)
}

pub(crate) fn marker(n: usize) -> Key {
    Key::ReadMarker(UserId::from(n.to_string()), channel("a"))
}

pub(crate) async fn kept_seqs(log: &dyn Log) -> Vec<Seq> {
    kept(log, Seq(0)).await.iter().map(|entry| entry.seq).collect()
}

pub(crate) async fn until_kept(log: &dyn Log, expected: &[Seq]) {
    let comes = async {
        while kept_seqs(log).await != expected {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, comes).await.expect("in time");
}

/// Reads all entries that the log keeps now.
pub(crate) async fn kept(log: &dyn Log, after: Seq) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut follower = log.follow(after);
    while let Some(entry) = next(&mut follower).await {
        entries.push(entry);
    }
    entries
}

/// The next entry; `None` when caught up.
pub(crate) async fn next(follower: &mut (impl StreamExt<Item = Feed> + Unpin)) -> Option<Entry> {
    let next = timeout(DEADLINE, follower.next()).await.expect("an entry in time");
    match next.expect("the log goes on") {
        Feed::Entry(entry) => Some(entry),
        Feed::CaughtUp(_) => None,
        Feed::Incomplete => panic!("nothing was erased that was not given"),
    }
}
