//! Nodes of one chat: processes of Houston over NATS servers.

use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

use houston::backends::jetstream::connection::Nats;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::client::Client;
use crate::nats::Servers;
use crate::server::{free_port, until};

/// A chat with a prefix of its own.
pub(crate) struct Chat {
    servers: Lent,
    prefix: String,
    nats: Nats,
}

/// The servers of one chat, or of all whose tests break nothing.
enum Lent {
    Own(Servers),
    Shared(&'static Servers),
}

impl Chat {
    /// A chat over servers that other tests use, too.
    pub(crate) async fn on_shared_servers() -> Self {
        Self::on(Lent::Shared(Servers::shared().await)).await
    }

    /// A chat over three servers that may be broken.
    pub(crate) async fn on_servers_of_its_own() -> Self {
        Self::on(Lent::Own(Servers::start(3).await)).await
    }

    async fn on(servers: Lent) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let prefix = format!("chat-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let nats = match &servers {
            Lent::Own(servers) => servers.connect(&prefix).await,
            Lent::Shared(servers) => servers.connect(&prefix).await,
        };
        Self { servers, prefix, nats }
    }

    pub(crate) fn servers(&self) -> &Servers {
        match &self.servers {
            Lent::Own(servers) => servers,
            Lent::Shared(servers) => servers,
        }
    }

    /// The servers, to break them.
    pub(crate) fn servers_mut(&mut self) -> &mut Servers {
        match &mut self.servers {
            Lent::Own(servers) => servers,
            Lent::Shared(_) => panic!("they are not this test's alone"),
        }
    }

    /// A connection for this chat.
    pub(crate) fn nats(&self) -> &Nats {
        &self.nats
    }

    /// Kills the server that leads the log; returns which one it was.
    pub(crate) async fn kill_leader(&mut self) -> usize {
        let leader = self.leader().await;
        self.servers_mut().kill(leader);
        leader
    }

    /// The server that leads the log.
    pub(crate) async fn leader(&self) -> usize {
        self.servers().leader(&self.nats).await
    }

    /// The settings `cluster` and `cluster_prefix`.
    pub(crate) fn settings(&self) -> (String, String) {
        (self.servers().options(&self.prefix).servers.join(","), self.prefix.clone())
    }

    /// Starts a node, and waits until it is ready.
    pub(crate) async fn node(&self) -> Node {
        let (servers, prefix) = self.settings();
        let data = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_DATA_DIR", data.path())
            .env("ROCKET_RATE_LIMITS", "false")
            .env("ROCKET_LINK_PREVIEWS", "false")
            .env("ROCKET_LOG_LEVEL", "off")
            .env("ROCKET_CLUSTER", servers)
            .env("ROCKET_CLUSTER_PREFIX", prefix);
        let process = command.spawn().expect("a process");
        let node = Node { command, process, url: format!("http://127.0.0.1:{port}"), _data: data };
        node.until_ready().await;
        node
    }
}

/// A process of Houston. It is killed with the value.
pub(crate) struct Node {
    command: Command,
    process: Child,
    url: String,
    _data: TempDir,
}

impl Node {
    pub(crate) fn client(&self) -> Client {
        Client::of(&self.url)
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the process is ours");
        self.process.wait().expect("the process ends");
    }

    /// Starts it again at the same address, and waits until it is ready.
    pub(crate) async fn start_again(&mut self) {
        self.process = self.command.spawn().expect("a process");
        self.until_ready().await;
    }

    /// Tells the process to end.
    pub(crate) fn stop(&self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the process is ours");
    }

    /// Stops the process, as if its machine were frozen.
    pub(crate) fn freeze(&self) {
        kill_process(Pid::from_child(&self.process), Signal::STOP).expect("the process is ours");
    }

    /// Lets it go on after [`Node::freeze`].
    pub(crate) fn thaw(&self) {
        kill_process(Pid::from_child(&self.process), Signal::CONT).expect("the process is ours");
    }

    /// Waits until the process has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        until("the process ends", async || {
            ended = self.process.try_wait().expect("the process is ours");
            ended.is_some()
        })
        .await;
        ended.expect("it has ended")
    }

    pub(crate) async fn until_ready(&self) {
        let client = self.client();
        until("the node is ready", async || client.is_ready().await).await;
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = kill_process(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}
