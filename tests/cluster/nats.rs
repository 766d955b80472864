//! NATS servers for tests: one alone, or several that are a cluster.

use std::fs;
use std::time::Duration;

use futures::future::join_all;
use houston::backends::jetstream::connection::{Nats, Options};
use rocket::tokio::sync::OnceCell;
use rocket::tokio::time::{sleep, timeout};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contract::log::DEADLINE;
use crate::disk::Disk;
use crate::nats_server::NatsServer;

/// Interval between checks of a condition.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Servers that are one cluster, or one that is alone.
pub(crate) struct Servers {
    servers: Vec<NatsServer>,
    _directory: TempDir,
}

impl Servers {
    /// Starts servers and waits until they are a cluster.
    pub(crate) async fn start(count: usize) -> Self {
        Self::start_with(count, "").await
    }

    /// Starts a server alone, with more in its configuration.
    pub(crate) async fn alone_with(configuration: &str) -> Self {
        Self::start_with(1, configuration).await
    }

    async fn start_with(count: usize, more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let servers = NatsServer::start_all(count, more, directory.path());
        let cluster = Self { servers, _directory: directory };
        cluster.until_healthy().await;
        cluster
    }

    /// Three servers for all tests that break nothing.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Servers> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start(3)).await
    }

    /// The options of a connection for a chat of this prefix.
    pub(crate) fn options(&self, prefix: &str) -> Options {
        Options {
            servers: self.servers.iter().map(NatsServer::url).collect(),
            prefix: prefix.into(),
            replicas: self.servers.len(),
            ..Options::default()
        }
    }

    /// The port of the first server.
    pub(crate) fn port(&self) -> u16 {
        self.servers[0].port
    }

    /// Connects for a chat of this prefix.
    pub(crate) async fn connect(&self, prefix: &str) -> Nats {
        Nats::connect(&self.options(prefix)).await.expect("a connection")
    }

    /// The server that leads the stream of this prefix's log.
    pub(crate) async fn leader(&self, nats: &Nats) -> usize {
        let name = format!("STREAM.INFO.{}-log", nats.prefix());
        let mut found = None;
        until("the stream has a leader", async || {
            let info: Result<Value, _> = nats.jetstream().request(name.clone(), &json!({})).await;
            let leader =
                info.ok().and_then(|it| Some(it["cluster"]["leader"].as_str()?.to_owned()));
            found = leader.and_then(|name| self.servers.iter().position(|it| it.name == name));
            found.is_some()
        })
        .await;
        found.expect("a server")
    }

    /// Ends a server at once, as a crash would.
    pub(crate) fn kill(&mut self, server: usize) {
        self.servers[server].kill();
    }

    /// Starts a server again on its store, and waits until it has caught up.
    pub(crate) async fn restart(&mut self, server: usize) {
        self.servers[server].start();
        until_healthy(&self.servers[server]).await;
    }

    /// Starts these servers again on their stores, and waits until all servers have caught up.
    pub(crate) async fn restart_all(&mut self, servers: &[usize]) {
        for server in servers {
            self.servers[*server].start();
        }
        self.until_healthy().await;
    }

    /// Waits until all servers run and have caught up.
    pub(crate) async fn until_healthy(&self) {
        join_all(self.servers.iter().map(until_healthy)).await;
    }

    /// Tells whether a server says that it is well.
    pub(crate) async fn is_healthy(&self, server: usize) -> bool {
        health(&self.servers[server]).await.is_ok()
    }

    /// Deletes the store of a server that is down, as when its disk is replaced.
    pub(crate) fn wipe(&self, server: usize) {
        fs::remove_dir_all(self.servers[server].store()).expect("it is there");
    }

    /// Moves the store of a server that is down to a disk of its own of this size.
    pub(crate) fn move_to_small_disk(&mut self, server: usize, megabytes: u32) -> Disk {
        let server = &mut self.servers[server];
        let disk = Disk::below(server.store(), megabytes);
        server.run_by(disk.wrapper());
        disk
    }

    /// Stops a server's process as if its machine were busy.
    pub(crate) fn freeze(&self, server: usize) {
        self.servers[server].signal(Signal::STOP);
    }

    /// Lets a server go on after [`Servers::freeze`].
    pub(crate) fn thaw(&self, server: usize) {
        self.servers[server].signal(Signal::CONT);
    }

    /// Asks a server to give up what it leads and to send its clients away, then to end.
    pub(crate) fn retire(&self, server: usize) {
        self.servers[server].signal(Signal::USR2);
    }
}

async fn until_healthy(server: &NatsServer) {
    let mut said = String::new();
    let healthy = async {
        while let Err(problem) = health(server).await {
            said = problem;
            sleep(LOOK_EVERY).await;
        }
    };
    let in_time = timeout(DEADLINE, healthy).await.is_ok();
    assert!(in_time, "in time: {} is healthy: {said}", server.name);
}

/// Asks a server how it is; returns what it says where that is not well.
async fn health(server: &NatsServer) -> Result<(), String> {
    let url = format!("http://127.0.0.1:{}/healthz", server.monitoring);
    let answer = reqwest::get(&url).await.map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(answer.text().await.unwrap_or_default())
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !holds().await {
            sleep(LOOK_EVERY).await;
        }
    };
    assert!(timeout(DEADLINE, holds).await.is_ok(), "in time: {what}");
}
