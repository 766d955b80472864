//! A server process of one's own, on a port and a data directory of its own.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, prlimit};
use tempfile::TempDir;

use crate::client::Client;

/// How long anything may take before a test gives up. Generous: these are promises, not races.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// How often a condition that cannot be waited for is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Server {
    process: Child,
    url: String,
    data: Option<TempDir>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        Self::launch(&mut command, data).await
    }

    /// A server with these settings, each a variable and its value.
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        Self::launch(command.envs(settings.iter().copied()), data).await
    }

    /// A server that can write no file beyond this size, as on a full disk.
    pub(crate) async fn with_files_of_at_most(kibibytes: u32) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("bash");
        let houston = env!("CARGO_BIN_EXE_houston");
        let script = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec {houston}");
        Self::launch(command.args(["-c", &script]), data).await
    }

    /// A server that writes all that it says at this level into `log` in its data directory.
    pub(crate) async fn that_logs(level: &str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("bash");
        let houston = env!("CARGO_BIN_EXE_houston");
        let script =
            format!("ROCKET_LOG_LEVEL={level} exec {houston} > \"$ROCKET_DATA_DIR/log\" 2>&1");
        Self::launch(command.args(["-c", &script]), data).await
    }

    /// A server that speaks TLS with this certificate and key; it is not waited for.
    pub(crate) fn with_tls(certificate: &str, key: &str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let (certs, keys) = (data.path().join("cert.pem"), data.path().join("key.pem"));
        fs::write(&certs, certificate).expect("writable");
        fs::write(&keys, key).expect("writable");
        let tls = format!("{{certs=\"{}\",key=\"{}\"}}", certs.display(), keys.display());
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        let port = free_port();
        let command = settings(&mut command, data.path(), port).env("ROCKET_TLS", tls);
        let process = command.spawn().expect("a process");
        Self { process, url: format!("https://localhost:{port}"), data: Some(data) }
    }

    async fn launch(command: &mut Command, data: TempDir) -> Self {
        let port = free_port();
        let process = settings(command, data.path(), port).spawn().expect("a process");
        let url = format!("http://127.0.0.1:{port}");
        let server = Self { process, url, data: Some(data) };
        server.until_ready().await;
        server
    }

    /// Lifts the limit of [`Server::with_files_of_at_most`], as who frees a full disk.
    pub(crate) fn has_room_again(&self) {
        let pid = Pid::from_child(&self.process);
        let limit = getrlimit(Resource::Fsize);
        prlimit(Some(pid), Resource::Fsize, limit).expect("the process is ours");
    }

    /// Ends the process at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("the process is ours");
        self.process.wait().expect("the process ends");
    }

    /// Starts again on the same data after a [`Server::kill`].
    pub(crate) async fn restart(mut self) -> Self {
        let data = self.data.take().expect("the data directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        Self::launch(&mut command, data).await
    }

    /// Lets the process do nothing any more, as if it were busy.
    pub(crate) fn pause(&self) {
        kill_process(Pid::from_child(&self.process), Signal::STOP).expect("the process is ours");
    }

    /// Asks the process to end, as a service manager would.
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.process), Signal::TERM).expect("the process is ours");
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

    /// How many bytes of memory the process has now; its peak is measured anew from here.
    pub(crate) fn memory_peak_from_now(&self) -> u64 {
        let proc = format!("/proc/{}", self.process.id());
        fs::write(format!("{proc}/clear_refs"), "5").expect("the process is ours");
        self.memory_peak()
    }

    /// The most bytes of memory that the process had at once.
    pub(crate) fn memory_peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the process is ours");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("kibibytes");
        kib * 1024
    }

    pub(crate) fn client(&self) -> Client {
        Client::of(&self.url)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.as_ref().expect("the data directory").path()
    }

    async fn until_ready(&self) {
        let client = self.client();
        until("the server is ready", async || client.is_ready().await).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a server that must refuse to: its exit status and what it said.
pub(crate) fn refused_start(data: &Path) -> (ExitStatus, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
    let mut process = settings(&mut command, data, free_port())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a process");
    let deadline = Instant::now() + DEADLINE;
    while process.try_wait().expect("the process is ours").is_none() {
        if Instant::now() > deadline {
            process.kill().expect("the process is ours");
            panic!("it started in {}", data.display());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let mut said = String::new();
    process.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    (process.wait().expect("it has ended"), said)
}

/// Asks until it holds, or gives up.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not in time");
        rocket::tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn settings<'c>(command: &'c mut Command, data: &Path, port: u16) -> &'c mut Command {
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ROCKET_PORT", port.to_string())
        .env("ROCKET_DATA_DIR", data)
        .env("ROCKET_RATE_LIMITS", "false")
        .env("ROCKET_LOG_LEVEL", "off")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}
