//! The contract of stores of files, and what its tests are written with.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt};
use houston::domain::ids::AttachmentId;
use houston::engine::blobs::Blobs;
use rocket::tokio::io::{AsyncReadExt, AsyncSeekExt};
use rocket::tokio::task::yield_now;

/// Runs the contract against each implementation: see [`contract!`](crate::contract::contract).
macro_rules! blobs_contract {
    ($implementations:tt) => {
        $crate::contract::contract! {
            $implementations {
                what_was_put_is_given_back,
                it_can_be_read_from_any_point,
                what_fails_leaves_nothing,
                what_is_removed_is_gone,
                only_what_is_retained_stays,
            }
        }
    };
}

pub(crate) use blobs_contract;

pub(crate) async fn what_was_put_is_given_back(blobs: Arc<dyn Blobs>) {
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let chunks: Vec<_> = bytes.chunks(7_000).map(|it| Ok(Bytes::copy_from_slice(it))).collect();
    blobs.put(&id("a"), stream::iter(chunks).boxed()).await.expect("stored");
    put(&*blobs, "empty", b"").await;
    assert_eq!(read(&*blobs, "a").await.expect("there"), bytes);
    assert_eq!(read(&*blobs, "empty").await.expect("there"), b"");
}

pub(crate) async fn it_can_be_read_from_any_point(blobs: Arc<dyn Blobs>) {
    put(&*blobs, "a", b"0123456789").await;
    let mut blob = blobs.open(&id("a")).await.expect("there");
    blob.seek(io::SeekFrom::Start(7)).await.expect("within");
    let mut rest = String::new();
    blob.read_to_string(&mut rest).await.expect("readable");
    assert_eq!(rest, "789");
}

pub(crate) async fn what_fails_leaves_nothing(blobs: Arc<dyn Blobs>) {
    let broken: BoxStream<'_, _> =
        stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]).boxed();
    blobs.put(&id("a"), broken).await.expect_err("it failed");
    is_gone(&*blobs, "a").await;
    // Dropped half-way, as when its sender hangs up.
    let endless = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending()).boxed();
    let name = id("b");
    let mut put = Box::pin(blobs.put(&name, endless));
    for _ in 0..100 {
        assert!((&mut put).now_or_never().is_none());
        yield_now().await;
    }
    drop(put);
    is_gone(&*blobs, "b").await;
}

pub(crate) async fn what_is_removed_is_gone(blobs: Arc<dyn Blobs>) {
    put(&*blobs, "a", b"one").await;
    put(&*blobs, "b", b"two").await;
    let mut open = blobs.open(&id("a")).await.expect("there");
    blobs.remove(vec![id("a"), id("never there")]);
    is_gone(&*blobs, "a").await;
    let mut rest = String::new();
    open.read_to_string(&mut rest).await.expect("whoever reads can read on");
    assert_eq!(rest, "one");
    assert_eq!(read(&*blobs, "b").await.expect("there"), b"two");
}

pub(crate) async fn only_what_is_retained_stays(blobs: Arc<dyn Blobs>) {
    for name in ["a", "b", "c"] {
        put(&*blobs, name, b"x").await;
    }
    blobs.retain([id("b")].into()).await.expect("swept");
    assert!(read(&*blobs, "a").await.is_err() && read(&*blobs, "c").await.is_err());
    assert_eq!(read(&*blobs, "b").await.expect("there"), b"x");
}

fn id(name: &str) -> AttachmentId {
    AttachmentId::from(name.to_owned())
}

async fn put(blobs: &dyn Blobs, name: &str, bytes: &'static [u8]) {
    let bytes = stream::iter([Ok(Bytes::from_static(bytes))]).boxed();
    blobs.put(&id(name), bytes).await.expect("stored");
}

async fn read(blobs: &dyn Blobs, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    blobs.open(&id(name)).await?.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// Waits until the blob is removed, which happens in the background.
async fn is_gone(blobs: &dyn Blobs, name: &str) {
    let give_up = Instant::now() + Duration::from_secs(30);
    loop {
        match read(blobs, name).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            still => assert!(Instant::now() < give_up, "{name}: {still:?}"),
        }
        yield_now().await;
    }
}
