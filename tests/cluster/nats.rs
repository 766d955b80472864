//! NATS servers for tests, on this machine: one alone, or several that are a cluster.
//!
//! The program is that of the variable `NATS_SERVER`, or what `tests/all` installs below `target`.
//! Disks are synced with each write, as the manual asks of those who run a chat.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use futures::future::join_all;
use houston::backends::jetstream::connection::{Nats, Options};
use rocket::tokio::sync::OnceCell;
use rocket::tokio::time::{sleep, timeout};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::contract::log::DEADLINE;

/// Interval between checks of a condition.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Servers that are one cluster, or one that is alone. They end with the value, and with this process.
pub(crate) struct Servers {
    servers: Vec<Server>,
    _directory: TempDir,
}

/// One server with a store of its own.
struct Server {
    name: String,
    port: u16,
    monitoring: u16,
    configuration: PathBuf,
    running: Option<Running>,
}

/// A running server, and the shell that ends it once this process has ended, however that happened.
struct Running {
    shell: Child,
    pid: Pid,
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
        let routes: Vec<_> = (0..count).map(|_| free_port()).collect();
        let servers = routes.iter().enumerate();
        let servers =
            servers.map(|(n, _)| Server::new(n, &routes, more, directory.path())).collect();
        let mut cluster = Self { servers, _directory: directory };
        for server in &mut cluster.servers {
            server.start();
        }
        join_all(cluster.servers.iter().map(Server::is_healthy)).await;
        cluster
    }

    /// Three servers for all tests that break nothing.
    pub(crate) async fn shared() -> &'static Self {
        static SHARED: OnceCell<Servers> = OnceCell::const_new();
        SHARED.get_or_init(|| Self::start(3)).await
    }

    /// The options of a connection for a chat of this prefix.
    pub(crate) fn options(&self, prefix: &str) -> Options {
        let servers = self.servers.iter().map(|it| format!("nats://127.0.0.1:{}", it.port));
        Options {
            servers: servers.collect(),
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
        self.servers[server].running = None;
    }

    /// Starts a server again on its store, and waits until it has caught up.
    pub(crate) async fn restart(&mut self, server: usize) {
        self.servers[server].start();
        self.servers[server].is_healthy().await;
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

impl Server {
    fn new(number: usize, routes: &[u16], more: &str, directory: &Path) -> Self {
        let (name, port, monitoring) = (format!("n{number}"), free_port(), free_port());
        let store = directory.join(&name);
        let others = routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\""));
        let cluster = format!(
            "cluster {{ name: test, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            routes[number],
            others.collect::<Vec<_>>().join(", ")
        );
        let configuration = directory.join(format!("{name}.conf"));
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitoring}\"\n\
             jetstream {{ store_dir: \"{}\", sync_interval: always, max_file: 2GB }}\n{more}\n{}",
            store.display(),
            if routes.len() > 1 { &cluster } else { "" }
        );
        fs::write(&configuration, text).expect("writable");
        Self { name, port, monitoring, configuration, running: None }
    }

    fn start(&mut self) {
        let log = self.configuration.with_extension("log");
        // The pipe to the shell closes when this process ends.
        let script =
            r#""$@" < /dev/null >> "$0" 2>&1 & echo $!; read -r _; kill -9 $! 2> /dev/null"#;
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .arg(log)
            .arg(program())
            .arg("-c")
            .arg(&self.configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut pid = String::new();
        let stdout = shell.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut pid).expect("the server's id");
        let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("an id");
        self.running = Some(Running { shell, pid });
    }

    fn signal(&self, signal: Signal) {
        let running = self.running.as_ref().expect("it runs");
        kill_process(running.pid, signal).expect("the process is ours");
    }

    async fn is_healthy(&self) {
        let url = format!("http://127.0.0.1:{}/healthz", self.monitoring);
        until("the server is healthy", async || {
            reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process(self.pid, Signal::KILL);
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The program of the server.
fn program() -> PathBuf {
    let installed =
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python/bin/nats-server");
    let program = env::var_os("NATS_SERVER").map_or_else(installed, PathBuf::from);
    assert!(
        program.exists(),
        "there is no {}: tests/all installs it, or set NATS_SERVER",
        program.display()
    );
    program
}

/// A port that is free. Not one that the system gives to connections: those are not free for long.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Far from those of another run of these tests, of which some servers may be down at the moment.
    let first = u16::try_from(std::process::id() % 40 * 200).expect("small");
    loop {
        let port = 11_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
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
