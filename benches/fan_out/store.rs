//! A data directory of a crowded server: thousands of channels that are full, thousands of users.
//!
//! It is made over the HTTP API by the server that will open it, and so in that server's own form;
//! once for each binary, below `target/tmp`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::Result;
use crate::contender::Contender;
use crate::http::Connection;
use crate::process::{Process, Settings};

/// The number of messages that a channel keeps.
const KEPT: usize = 100;
/// The number of connections that make the store.
const CLIENTS: usize = 64;
/// The time for which a server remembers attempts to post, half a million of them right after they
/// were made: no crowd writes that much in a minute.
const REMEMBERED: Duration = Duration::from_secs(61);
/// The version of what is made here: with another one, stores are made anew.
const FORM: &str = "1";
/// The words that the texts are made of.
const WORDS: &str = "All stations report nominal, stand by for the burn; telemetry looks good from \
                     here and the crew is ready when you are.";

/// The size of a crowded server.
#[derive(Clone, Copy)]
pub(crate) struct Population {
    pub(crate) channels: usize,
    pub(crate) users: usize,
}

/// A copy of a made data directory, which a server may write to.
pub(crate) struct Store {
    pub(crate) directory: TempDir,
    /// The users' sessions.
    pub(crate) tokens: Vec<String>,
}

impl Population {
    /// The channel with this number.
    pub(crate) fn channel(number: usize) -> String {
        format!("channel-{number}")
    }

    /// A copy of this server's store, which is made if it is not there.
    pub(crate) fn store(self, contender: Contender) -> Result<Store> {
        let made = self.directory(contender)?;
        if !made.exists() {
            self.make(contender, &made)?;
        }
        let tokens = fs::read_to_string(made.join("tokens"))?;
        let directory = tempfile::tempdir_in(stores())?;
        for file in fs::read_dir(made.join("data"))? {
            let file = file?;
            // There are no files of messages.
            if file.file_type()?.is_file() {
                fs::copy(file.path(), directory.path().join(file.file_name()))?;
            }
        }
        Ok(Store { directory, tokens: tokens.lines().map(str::to_owned).collect() })
    }

    /// The directory where this server's store is kept.
    fn directory(self, contender: Contender) -> Result<PathBuf> {
        let Self { channels, users } = self;
        Ok(stores().join(format!("{channels}-{users}-{}", key(contender)?)))
    }

    fn make(self, contender: Contender, directory: &Path) -> Result<()> {
        let name = contender.name();
        let Self { channels, users } = self;
        eprintln!("makes a store of {channels} channels and {users} users with {name}");
        remove_others()?;
        let unfinished = directory.with_extension("unfinished");
        fs::create_dir_all(&unfinished)?;
        let data = unfinished.join("data");
        let process = Process::launch(contender, &data, Settings { rate_limits: false })?;
        let tokens = self.people(&process)?;
        fs::write(unfinished.join("tokens"), tokens.join("\n"))?;
        each(&process, channels, |connection, n| {
            let body = format!(r#"{{"name":"{}","topic":"Number {n}"}}"#, Self::channel(n));
            let creator = &tokens[n % users];
            connection.send("POST /api/channels", creator, &body)?.expect(201, "a channel")?;
            Ok(())
        })?;
        each(&process, channels * KEPT, |connection, n| {
            let target = format!("POST /api/channels/{}/messages", Self::channel(n % channels));
            let author = &tokens[(n * 7_919 + n / channels) % users];
            let body = format!(r#"{{"text":"{}"}}"#, text(n));
            connection.send(&target, author, &body)?.expect(201, "a message")?;
            Ok(())
        })?;
        process.terminate()?;
        std::thread::sleep(REMEMBERED);
        fs::rename(unfinished, directory)?;
        Ok(())
    }

    fn people(self, process: &Process) -> Result<Vec<String>> {
        let tokens = Mutex::new(vec![String::new(); self.users]);
        each(process, self.users, |connection, n| {
            let body = format!(r#"{{"display_name":"User {n}"}}"#);
            let answer = connection.send("POST /api/session", "", &body)?.expect(201, "a user")?;
            let session: Value = serde_json::from_slice(&answer.body)?;
            let token = session["token"].as_str().ok_or("no token")?.to_owned();
            tokens.lock().map_err(|_| "a client panicked")?[n] = token;
            Ok(())
        })?;
        Ok(tokens.into_inner().map_err(|_| "a client panicked")?)
    }
}

/// A key that tells a server's stores from those of other binaries and other times.
fn key(contender: Contender) -> Result<String> {
    let binary = Sha256::digest(fs::read(contender.binary()?)?);
    Ok(format!("{}-{FORM}", HEXLOWER.encode(&binary[..8])))
}

/// Removes all stores but those of the servers that are measured, and what a run left unfinished.
fn remove_others() -> Result<()> {
    let keys = Contender::houstons().map(key).collect::<Result<Vec<_>>>()?;
    fs::create_dir_all(stores())?;
    for store in fs::read_dir(stores())? {
        let store = store?;
        let name = store.file_name().to_string_lossy().into_owned();
        if !keys.iter().any(|key| name.ends_with(key)) {
            fs::remove_dir_all(store.path())?;
        }
    }
    Ok(())
}

/// The directory where stores are kept from run to run.
fn stores() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("crowded")
}

/// Makes a text of 20 to 108 characters, 64 on average, as people write them.
fn text(n: usize) -> String {
    format!("{n:07} {}.", &WORDS[..12 + n * 31 % 89])
}

/// Calls a function for each number, on many threads.
fn each(
    process: &Process,
    count: usize,
    act: impl Fn(&mut Connection, usize) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> std::result::Result<(), String> {
        let work = || -> Result<()> {
            let mut connection = Connection::to(process.address.socket(0))?;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return Ok(());
                }
                act(&mut connection, n)?;
            }
        };
        work().map_err(|error| error.to_string())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })
}
