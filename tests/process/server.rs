//! A server process for one test, with a port and a data directory of its own.

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, prlimit};
use tempfile::TempDir;

use crate::client::Client;

/// The deadline of every wait. Generous: these are promises, not races.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// The interval between checks of a condition.
const LOOK_EVERY: Duration = Duration::from_millis(10);

pub(crate) struct Server {
    process: Child,
    url: String,
    data: Option<TempDir>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_on(tempfile::tempdir().expect("a temporary directory")).await
    }

    /// Starts a server with further settings, each a variable and its value.
    pub(crate) async fn with(settings: &[(impl AsRef<str>, impl AsRef<str>)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("env");
        let settings = settings
            .iter()
            .map(|(variable, value)| format!("{}={}", variable.as_ref(), value.as_ref()));
        command.args(settings).arg(env!("CARGO_BIN_EXE_houston"));
        Self::launch(&mut command, data).await
    }

    /// Starts a server in this working directory, with further settings.
    pub(crate) async fn started_in(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let port = free_port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        let command = settings(&mut command, data.path(), port).current_dir(directory);
        let process = command.envs(variables.iter().copied()).spawn().expect("a process");
        let url = format!("http://127.0.0.1:{port}");
        let server = Self { process, url, data: Some(data) };
        server.until_ready().await;
        server
    }

    /// Starts a server that can write no file beyond this size, as on a full disk.
    pub(crate) async fn with_files_of_at_most(kibibytes: u32) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("bash");
        let houston = env!("CARGO_BIN_EXE_houston");
        let script = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec {houston}");
        Self::launch(command.args(["-c", &script]), data).await
    }

    /// Starts a server that writes all that it says at this level into `log` in its data directory.
    pub(crate) async fn that_logs(level: &str) -> Self {
        Self::that_logs_as(level, "text").await
    }

    /// The same with lines of this form.
    pub(crate) async fn that_logs_as(level: &str, format: &str) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("bash");
        let houston = env!("CARGO_BIN_EXE_houston");
        let script = format!(
            "ROCKET_LOG_FORMAT={format} ROCKET_LOG_LEVEL={level} exec {houston} > \"$ROCKET_DATA_DIR/log\" 2>&1"
        );
        Self::launch(command.args(["-c", &script]), data).await
    }

    /// Starts a server with the rate limits on, as they are by default.
    pub(crate) async fn with_rate_limits() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("bash");
        let houston = env!("CARGO_BIN_EXE_houston");
        let script = format!("ROCKET_RATE_LIMITS=true exec {houston}");
        Self::launch(command.args(["-c", &script]), data).await
    }

    /// Starts a server that speaks TLS with this certificate and key; it is not waited for.
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
        Self::start_on(self.data.take().expect("the data directory")).await
    }

    /// Starts a server on an existing data directory.
    pub(crate) async fn start_on(data: TempDir) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
        Self::launch(&mut command, data).await
    }

    /// Takes the data directory that is left after a [`Server::kill`].
    pub(crate) fn into_data(mut self) -> TempDir {
        self.data.take().expect("the data directory")
    }

    /// Stops the process by SIGSTOP, as if it were busy.
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

    /// The resident memory of the process now, in bytes. Its peak is measured anew from here.
    pub(crate) fn memory_peak_from_now(&self) -> u64 {
        let proc = format!("/proc/{}", self.process.id());
        fs::write(format!("{proc}/clear_refs"), "5").expect("the process is ours");
        self.memory_peak()
    }

    /// The peak of the process's resident memory, in bytes.
    pub(crate) fn memory_peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the process is ours");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().expect("kibibytes");
        kib * 1024
    }

    /// The number of files that the process has open, connections included.
    pub(crate) fn open_files(&self) -> usize {
        let files = fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        files.expect("the process is ours").count()
    }

    /// The value of one of its metrics without labels.
    pub(crate) async fn metric(&self, name: &str) -> usize {
        let metrics = self.client().request(reqwest::Method::GET, "/metrics").send().await;
        let metrics = metrics.expect("an answer").text().await.expect("metrics");
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.expect("it is counted").parse().expect("a number")
    }

    /// The inodes of the files of which the process has locked a part, as SQLite does.
    pub(crate) fn locked_inodes(&self) -> Vec<u64> {
        let locks = fs::read_to_string("/proc/locks").expect("the system's locks");
        let pid = self.process.id().to_string();
        let inode = |line: &str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [_, "POSIX", _, _, by, file, ..] = *fields else { return None };
            file.rsplit(':').next().filter(|_| by == pid)?.parse().ok()
        };
        locks.lines().filter_map(inode).collect()
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

    /// The address for bare connections.
    pub(crate) fn address(&self) -> SocketAddr {
        self.url.trim_start_matches("http://").parse().expect("an address")
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

/// Starts a server that must refuse to start, and returns its exit status and output.
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

/// Repeats a check until it holds, or the deadline passes.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "{what}: not in time");
        rocket::tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The settings of a server that fetches previews, from this machine too.
pub(crate) const PREVIEWING: [(&str, &str); 2] =
    [("ROCKET_LINK_PREVIEWS", "true"), ("ROCKET_LINK_PREVIEWS_PRIVATE", "true")];

/// A PNG of 3 by 2 pixels, as far as anybody looks.
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x02\0\0\0";

/// A page with a picture, elsewhere; returns its address.
pub(crate) async fn site() -> String {
    let html = Html("<title>Launch</title><meta property=og:image content=/i.png>");
    let routes = Router::new()
        .route("/", get(async move || html))
        .route("/i.png", get(async || ([(CONTENT_TYPE, "image/png")], PNG)));
    let listener = rocket::tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    rocket::tokio::spawn(async move { axum::serve(listener, routes).await });
    format!("http://{address}/")
}

fn settings<'c>(command: &'c mut Command, data: &Path, port: u16) -> &'c mut Command {
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ROCKET_PORT", port.to_string())
        .env("ROCKET_DATA_DIR", data)
        .env("ROCKET_RATE_LIMITS", "false")
        .env("ROCKET_LINK_PREVIEWS", "false")
        .env("ROCKET_LOG_LEVEL", "off")
}

/// A port that nothing listens on. It is below those that a system gives to outgoing connections, one
/// of which could take it before the server does.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const PORTS: u32 = 12_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Each process of tests begins elsewhere.
    let next = || std::process::id() * 97 + TAKEN.fetch_add(1, Ordering::Relaxed);
    let ports = std::iter::from_fn(|| u16::try_from(FIRST + next() % PORTS).ok());
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.take(PORTS as usize).find(is_free).expect("a free port")
}
