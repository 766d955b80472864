//! A server process, and its use of processor and memory as Linux tells it.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::contender::Contender;
use crate::http::Connection;

/// The time that a server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
/// The number of streams of the load that one user has, fewer than Houston allows.
const STREAMS_PER_USER: usize = 60;

/// The address of a server, with its users' tokens, and the requests that all servers take alike.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) socket: SocketAddr,
    /// The tokens of the users, who have streams in turns; the first one posts.
    tokens: Vec<String>,
    rooms: usize,
}

impl Address {
    pub(crate) fn rooms(&self) -> usize {
        self.rooms
    }

    /// The request for a room's stream, without the blank line at its end.
    pub(crate) fn stream(&self, stream: usize, room: usize) -> String {
        let token = &self.tokens[stream % self.tokens.len()];
        format!(
            "GET /api/channels/{}/events HTTP/1.1\r\nHost: bench\r\n\
             Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n",
            name(room)
        )
    }

    /// The request that posts a text, which must need no escapes.
    pub(crate) fn post(&self, room: usize, text: &str) -> String {
        let (token, body) = (&self.tokens[0], format!(r#"{{"text":"{text}"}}"#));
        let (room, length) = (name(room), body.len());
        format!(
            "POST /api/channels/{room}/messages HTTP/1.1\r\nHost: bench\r\n\
             Authorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// The request for the first room's messages.
    pub(crate) fn history(&self) -> String {
        let token = &self.tokens[0];
        format!(
            "GET /api/channels/{}/messages HTTP/1.1\r\nHost: bench\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            name(0)
        )
    }
}

fn name(room: usize) -> String {
    if room == 0 { "general".to_owned() } else { format!("room-{room}") }
}

/// The settings of Houston in which scenes differ.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// `true` if the rate limits are on.
    pub(crate) rate_limits: bool,
}

/// A running server, which ends when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: Address,
    /// The time from its start until it was ready.
    pub(crate) started_in: Duration,
    /// The data directory, if it is removed with the server.
    own_data: Option<TempDir>,
}

/// The resources that a process has used so far.
pub(crate) struct Usage {
    /// The processor time of each thread, in nanoseconds.
    cpu_ns: HashMap<String, u64>,
    writes: u64,
}

/// The resources that a process has used in a period.
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    /// The number of calls of `write` and its like, on sockets and files.
    pub(crate) writes: u64,
}

impl Process {
    /// Starts a server with this number of rooms, and users for this number of streams.
    pub(crate) fn start(contender: Contender, rooms: usize, streams: usize) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let mut process = Self::launch(contender, data.path(), Settings { rate_limits: false })?;
        process.own_data = Some(data);
        process.address.rooms = rooms;
        if contender.is_houston() {
            process.sign_in(rooms, streams.div_ceil(STREAMS_PER_USER).max(1))?;
        }
        Ok(process)
    }

    /// Starts a server on an existing data directory.
    pub(crate) fn launch(contender: Contender, data: &Path, settings: Settings) -> Result<Self> {
        let socket = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let address = Address { socket, tokens: vec!["none".to_owned()], rooms: 0 };
        let started = Instant::now();
        let child = command(contender, socket, data, settings)?.spawn()?;
        let mut process = Self { child, address, started_in: Duration::ZERO, own_data: None };
        while !is_ready(contender, socket) {
            if started.elapsed() > PATIENCE || process.child.try_wait()?.is_some() {
                return Err(format!("{} does not start", contender.name()).into());
            }
            sleep(Duration::from_millis(5));
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    /// Asks the server to end, and waits for that.
    pub(crate) fn terminate(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let ended = self.child.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the server ended with {ended}").into()) }
    }

    /// Signs the users in and creates the rooms, which only Houston needs.
    fn sign_in(&mut self, rooms: usize, users: usize) -> Result<()> {
        let mut connection = Connection::to(self.address.socket)?;
        let mut sign_in = |n| {
            let body = format!(r#"{{"display_name":"Capcom {n}"}}"#);
            let answer = connection.send("POST /api/session", "", &body)?.expect(201, "a user")?;
            let session: Value = serde_json::from_slice(&answer.body)?;
            Ok(session["token"].as_str().ok_or("no token")?.to_owned())
        };
        self.address.tokens = (0..users).map(&mut sign_in).collect::<Result<_>>()?;
        for room in 1..rooms {
            let body = format!(r#"{{"name":"{}"}}"#, name(room));
            let created = connection.send("POST /api/channels", &self.address.tokens[0], &body)?;
            created.expect(201, "a channel")?;
        }
        Ok(())
    }

    /// The proportional set size in KiB: private pages and its part of those that are shared.
    pub(crate) fn memory_kib(&self) -> Result<f64> {
        let rollup = fs::read_to_string(self.proc("smaps_rollup"))?;
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
        Ok(pss.trim().trim_end_matches(" kB").parse()?)
    }

    /// The resident memory, in MB.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(rss.trim().trim_end_matches(" kB").parse::<f64>()? * 1.024e-3)
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let mut cpu_ns = HashMap::new();
        for thread in fs::read_dir(self.proc("task"))? {
            let thread = thread?;
            // A thread may end while they are listed.
            let Ok(times) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            let on_cpu = times.split(' ').next().unwrap_or_default().parse()?;
            cpu_ns.insert(thread.file_name().to_string_lossy().into_owned(), on_cpu);
        }
        let io = fs::read_to_string(self.proc("io"))?;
        let writes = io.lines().find_map(|line| line.strip_prefix("syscw: ")).ok_or("no syscw")?;
        Ok(Usage { cpu_ns, writes: writes.parse()? })
    }

    /// The resources that were used since an earlier reading, without those of threads that have
    /// ended.
    pub(crate) fn spent_since(&self, before: &Usage) -> Result<Spent> {
        let now = self.usage()?;
        let thread = |(id, ns): (&String, &u64)| ns - before.cpu_ns.get(id).copied().unwrap_or(0);
        Ok(Spent {
            cpu: Duration::from_nanos(now.cpu_ns.iter().map(thread).sum()),
            writes: now.writes - before.writes,
        })
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells whether a server is ready.
fn is_ready(contender: Contender, socket: SocketAddr) -> bool {
    if !contender.is_houston() {
        return TcpStream::connect(socket).is_ok();
    }
    let answer = Connection::to(socket).and_then(|mut it| it.get("/readyz", ""));
    answer.is_ok_and(|answer| answer.status == 200)
}

/// The command that starts a server: Houston has a binary of its own, the peers are in the bench's.
fn command(
    contender: Contender,
    socket: SocketAddr,
    data: &Path,
    settings: Settings,
) -> Result<Command> {
    if !contender.is_houston() {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", contender.name(), &socket.port().to_string()]);
        return Ok(command);
    }
    let mut command = Command::new(contender.binary()?);
    command
        .current_dir(contender.home()?)
        .env("ROCKET_PORT", socket.port().to_string())
        .env("ROCKET_DATA_DIR", data)
        .env("ROCKET_RATE_LIMITS", settings.rate_limits.to_string())
        // More than in a house of a thousand channels, for the crowd.
        .env("ROCKET_MAX_CHANNELS", "100000")
        .env("ROCKET_MAX_KEPT_TEXT", "1 GiB")
        .env("ROCKET_LOG_LEVEL", "off");
    Ok(command)
}
