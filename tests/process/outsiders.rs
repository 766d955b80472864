//! Tests with other readers of the database while the server runs: a backup, `sqlite3` in a
//! terminal.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use futures::future::join_all;
use rocket::tokio;

use crate::client::Client;
use crate::kills::{Sent, all_are_kept};
use crate::server::Server;

const CLIENTS: usize = 10;
/// The number of posts to a channel, few enough that it keeps all of them.
const POSTS_PER_CHANNEL: usize = 100;

/// Runs one round; with `HOUSTON_THOROUGH` set in the environment, ten rounds of five thousand
/// messages.
#[rocket::async_test]
async fn whoever_reads_the_database_from_outside_costs_the_server_no_message() {
    let thorough = env::var_os("HOUSTON_THOROUGH").is_some();
    let (rounds, posts) = if thorough { (10, 5_000) } else { (1, 1_000) };
    for _ in 0..rounds {
        let mut server = Server::start().await;
        let visitor = server.client();
        let names: Vec<_> = (0..CLIENTS).map(|n| format!("Client {n}")).collect();
        let clients = join_all(names.iter().map(|name| visitor.signed_in_as(name))).await;
        let channels = posts / POSTS_PER_CHANNEL;
        for n in 0..channels {
            clients[0].creates(&format!("channel-{n}")).await;
        }
        let outsider = Outsider::on(server.data());
        let posting = clients.iter().cloned().enumerate();
        let posting = posting.map(|(n, client)| tokio::spawn(post(client, n, posts, channels)));
        let posting: Vec<_> = posting.collect();
        let sent = join_all(posting).await.into_iter().flat_map(|sent| sent.expect("all are kept"));
        let sent: Vec<_> = sent.collect();
        let reads = outsider.end();
        assert!(reads >= 3, "only {reads} reads while {posts} messages were sent");
        let database = fs::metadata(server.data().join("houston.db")).expect("a database");
        let locked = server.locked_inodes();
        assert!(locked.contains(&database.ino()), "it still has its locks: {locked:?}");

        server.kill();

        let token = clients[0].token.clone().expect("a token");
        let server = server.restart().await;
        all_are_kept(&server.client().with_token(&token), &sent).await;
        if thorough {
            eprintln!("{} messages, {reads} reads from outside: all are kept", sent.len());
        }
    }
}

/// Posts every `CLIENTS`th message, into each channel in turn.
async fn post(client: Client, n: usize, posts: usize, channels: usize) -> Vec<Sent> {
    let mut sent = Vec::new();
    for post in (n..posts).step_by(CLIENTS) {
        let channel = format!("channel-{}", post / CLIENTS % channels);
        let text = format!("post {post}");
        let answer = client.puts(&channel, &format!("m{post}"), &text).await.expect("an answer");
        assert!(answer.is_kept(), "{answer:?}");
        sent.push((channel, answer.json, text));
    }
    sent
}

/// A reader that makes backups of the database and looks into it, all the time.
struct Outsider {
    over: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Outsider {
    fn on(data: &Path) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (database, ends) = (data.join("houston.db"), over.clone());
        let thread = thread::spawn(move || {
            let elsewhere = tempfile::tempdir().expect("a temporary directory");
            let backup = format!(".backup '{}'", elsewhere.path().join("backup.db").display());
            let mut reads = 0;
            while !ends.load(Ordering::Relaxed) {
                sqlite3(&database, &backup);
                let counted = sqlite3(&database, "select count(*) from log");
                assert!(counted.trim().parse::<u64>().is_ok(), "{counted:?}");
                reads += 1;
            }
            let sound = sqlite3(&elsewhere.path().join("backup.db"), "pragma integrity_check");
            assert_eq!(sound.trim(), "ok", "the last backup");
            reads
        });
        Self { over, thread }
    }

    /// Ends the reader, and returns the number of its reads.
    fn end(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("all of it worked")
    }
}

/// The output of Debian's command `sqlite3`.
fn sqlite3(database: &Path, command: &str) -> String {
    let ran = Command::new("sqlite3")
        .args(["-batch", "-cmd", ".timeout 5000"])
        .arg(database)
        .arg(command)
        .output()
        .expect("sqlite3 runs: it is a package of that name");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && said.is_empty(), "{command}: {said}");
    String::from_utf8_lossy(&ran.stdout).into_owned()
}
