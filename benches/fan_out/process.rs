//! A server's processes, and their use of processor and memory as Linux tells it.

use std::collections::HashMap;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::contender::Contender;
use crate::http::Connection;
use crate::nats_server::{NatsServer, free_port};

/// The time that a server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);
/// The number of streams of the load that one user has, fewer than Houston allows.
const STREAMS_PER_USER: usize = 60;

/// The number of NATS servers below nodes.
const NATS_SERVERS: usize = 3;

/// The address of a server, with its users' tokens, and the requests that all servers take alike.
#[derive(Clone)]
pub(crate) struct Address {
    /// One, or one for each node.
    sockets: Vec<SocketAddr>,
    /// The tokens of the users, who have streams in turns; the first one posts.
    tokens: Vec<String>,
    rooms: usize,
}

impl Address {
    /// The socket that a connection of this number is opened to: nodes take turns.
    pub(crate) fn socket(&self, connection: usize) -> SocketAddr {
        self.sockets[connection % self.sockets.len()]
    }

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

/// A running server, which ends when this is dropped: a process, or the nodes of one chat.
pub(crate) struct Process {
    children: Vec<Child>,
    /// The servers below nodes, if there are nodes.
    nats: Option<NatsCluster>,
    pub(crate) address: Address,
    /// The time from its start until it was ready.
    pub(crate) started_in: Duration,
    /// The data directory, if it is removed with the server.
    own_data: Option<TempDir>,
}

/// NATS servers that run, and end with the value.
struct NatsCluster {
    servers: Vec<NatsServer>,
    _directory: TempDir,
}

/// The resources that a server has used so far.
pub(crate) struct Usage {
    own: ThreadTimes,
    nats: Option<ThreadTimes>,
    writes: u64,
}

/// The processor time of each thread, by its path, in nanoseconds.
struct ThreadTimes(HashMap<PathBuf, u64>);

/// The resources that a server has used in a period.
pub(crate) struct Spent {
    /// The processor time, that of the NATS servers included.
    pub(crate) cpu: Duration,
    /// The NATS servers' part of it, if there are nodes.
    pub(crate) nats_cpu: Option<Duration>,
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
        let nats = contender.nodes().map(|_| NatsCluster::start()).transpose()?;
        let count = contender.nodes().unwrap_or(1);
        let address = Address { sockets: Vec::new(), tokens: vec!["none".to_owned()], rooms: 0 };
        let (started, children) = (Instant::now(), Vec::new());
        let mut process =
            Self { children, nats, address, started_in: Duration::ZERO, own_data: None };
        for n in 0..count {
            let socket = SocketAddr::from(([127, 0, 0, 1], free_port()));
            process.address.sockets.push(socket);
            let data = if count == 1 { data.to_owned() } else { data.join(n.to_string()) };
            let mut command = command(contender, socket, &data, settings)?;
            if let Some(nats) = &process.nats {
                command.env("ROCKET_CLUSTER", nats.urls());
            }
            process.children.push(command.spawn()?);
            while !is_ready(contender, socket) {
                let ended = process.children[n].try_wait()?.is_some();
                if started.elapsed() > PATIENCE || ended {
                    return Err(format!("{} does not start", contender.name()).into());
                }
                sleep(Duration::from_millis(5));
            }
        }
        process.started_in = started.elapsed();
        Ok(process)
    }

    /// Asks the server to end, and waits for that.
    pub(crate) fn terminate(mut self) -> Result<()> {
        for child in &mut self.children {
            kill_process(Pid::from_child(child), Signal::TERM)?;
            let ended = child.wait()?;
            if !ended.success() {
                return Err(format!("the server ended with {ended}").into());
            }
        }
        Ok(())
    }

    /// Signs the users in and creates the rooms, which only Houston needs.
    fn sign_in(&mut self, rooms: usize, users: usize) -> Result<()> {
        let mut connection = Connection::to(self.address.socket(0))?;
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
        Ok(self.sum_of("smaps_rollup", "Pss:")? as f64)
    }

    /// The resident memory, in MB.
    pub(crate) fn resident_mb(&self) -> Result<f64> {
        Ok(self.sum_of("status", "VmRSS:")? as f64 * 1.024e-3)
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let own = ThreadTimes::of(self.children.iter().map(Child::id))?;
        let nats = match &self.nats {
            Some(nats) => Some(ThreadTimes::of(nats.pids())?),
            None => None,
        };
        Ok(Usage { own, nats, writes: self.sum_of("io", "syscw:")? })
    }

    /// The resources that were used since an earlier reading, without those of threads that have
    /// ended.
    pub(crate) fn spent_since(&self, before: &Usage) -> Result<Spent> {
        let now = self.usage()?;
        let nats_cpu = now.nats.zip(before.nats.as_ref()).map(|(now, before)| now.since(before));
        Ok(Spent {
            cpu: now.own.since(&before.own) + nats_cpu.unwrap_or_default(),
            nats_cpu,
            writes: now.writes - before.writes,
        })
    }

    /// Sums a field of `/proc/<pid>/<file>` over Houston's processes.
    fn sum_of(&self, file: &str, name: &str) -> Result<u64> {
        let mut sum = 0;
        for child in &self.children {
            let text = fs::read_to_string(format!("/proc/{}/{file}", child.id()))?;
            let number = text.lines().find_map(|line| line.strip_prefix(name)).ok_or(name)?;
            sum += number.trim().trim_end_matches(" kB").parse::<u64>()?;
        }
        Ok(sum)
    }
}

impl ThreadTimes {
    fn of(processes: impl Iterator<Item = u32>) -> Result<Self> {
        let mut times = HashMap::new();
        for process in processes {
            for thread in fs::read_dir(format!("/proc/{process}/task"))? {
                let thread = thread?.path();
                // It may end while they are listed.
                let Ok(time) = fs::read_to_string(thread.join("schedstat")) else { continue };
                times.insert(thread, time.split(' ').next().unwrap_or_default().parse()?);
            }
        }
        Ok(Self(times))
    }

    fn since(&self, before: &Self) -> Duration {
        let thread = |(path, ns): (&PathBuf, &u64)| {
            // Another thread may have its number by now.
            ns.saturating_sub(before.0.get(path).copied().unwrap_or(0))
        };
        Duration::from_nanos(self.0.iter().map(thread).sum())
    }
}

impl NatsCluster {
    /// Starts servers, and waits until they are a cluster.
    fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let servers = NatsServer::start_all(NATS_SERVERS, "", directory.path());
        let started = Instant::now();
        for server in &servers {
            let monitoring = SocketAddr::from(([127, 0, 0, 1], server.monitoring));
            let answer = || Connection::to(monitoring)?.get("/healthz", "");
            while !answer().is_ok_and(|answer| answer.status == 200) {
                if started.elapsed() > PATIENCE {
                    return Err("NATS does not start".into());
                }
                sleep(Duration::from_millis(20));
            }
        }
        Ok(Self { servers, _directory: directory })
    }

    fn urls(&self) -> String {
        let urls: Vec<_> = self.servers.iter().map(NatsServer::url).collect();
        urls.join(",")
    }

    fn pids(&self) -> impl Iterator<Item = u32> {
        self.servers.iter().map(|server| server.pid().as_raw_nonzero().get().unsigned_abs())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
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
