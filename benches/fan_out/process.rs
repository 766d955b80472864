//! A server as a process of its own, and what Linux says of it.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::Result;
use crate::contender::Contender;
use crate::wire::Head;

/// How long a server may take to start or to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where a server is, and how it is spoken to: all of them alike.
#[derive(Clone)]
pub(crate) struct Address {
    pub(crate) socket: SocketAddr,
    token: String,
    /// What opens a stream on each room, without the blank line at its end.
    streams: Vec<String>,
}

impl Address {
    fn new(socket: SocketAddr, token: &str, rooms: usize) -> Self {
        let stream = |room| {
            format!(
                "GET /api/channels/{}/events HTTP/1.1\r\nHost: bench\r\n\
                 Authorization: Bearer {token}\r\nAccept: text/event-stream\r\n",
                name(room)
            )
        };
        Self { socket, token: token.to_owned(), streams: (0..rooms).map(stream).collect() }
    }

    pub(crate) fn rooms(&self) -> usize {
        self.streams.len()
    }

    /// The request for a room's stream, without the blank line at its end.
    pub(crate) fn stream(&self, room: usize) -> &str {
        &self.streams[room]
    }

    /// The request that posts a text, which must need no escapes.
    pub(crate) fn post(&self, room: usize, text: &str) -> String {
        let target = format!("POST /api/channels/{}/messages", name(room));
        self.request(&target, &format!(r#"{{"text":"{text}"}}"#))
    }

    /// The request for the first room's messages.
    pub(crate) fn history(&self) -> String {
        let Self { token, .. } = self;
        format!(
            "GET /api/channels/{}/messages HTTP/1.1\r\nHost: bench\r\n\
             Authorization: Bearer {token}\r\n\r\n",
            name(0)
        )
    }

    fn request(&self, target: &str, body: &str) -> String {
        let (token, length) = (&self.token, body.len());
        format!(
            "{target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }
}

fn name(room: usize) -> String {
    if room == 0 { "general".to_owned() } else { format!("room-{room}") }
}

/// A server that runs until this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: Address,
    _data: TempDir,
}

/// What a process has used so far.
pub(crate) struct Usage {
    /// Of each thread, in nanoseconds.
    cpu_ns: HashMap<String, u64>,
    writes: u64,
}

/// What a process has used in a time.
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    /// Calls of `write` and its like, on sockets and files.
    pub(crate) writes: u64,
}

impl Process {
    /// Starts a server with so many rooms.
    pub(crate) fn start(contender: Contender, rooms: usize) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let socket = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = command(contender, socket, &data)?.spawn()?;
        let mut process = Self { child, address: Address::new(socket, "none", rooms), _data: data };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(socket).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{} does not start", contender.name()).into());
            }
            sleep(Duration::from_millis(5));
        }
        if contender == Contender::Houston {
            process.sign_in(rooms)?;
        }
        Ok(process)
    }

    /// The peers ask for no session, and have every room.
    fn sign_in(&mut self, rooms: usize) -> Result<()> {
        let session = self.create("/api/session", r#"{"display_name":"Capcom"}"#)?;
        let token = session["token"].as_str().ok_or("no token")?;
        self.address = Address::new(self.address.socket, token, rooms);
        for room in 1..rooms {
            self.create("/api/channels", &format!(r#"{{"name":"{}"}}"#, name(room)))?;
        }
        Ok(())
    }

    fn create(&self, path: &str, body: &str) -> Result<Value> {
        let mut connection = TcpStream::connect(self.address.socket)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let request = self.address.request(&format!("POST {path}"), body);
        connection.write_all(request.as_bytes())?;
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let read = connection.read(&mut buffer)?;
            answer.extend_from_slice(&buffer[..read]);
            let Some(head) = Head::of(&answer)? else { continue };
            if head.status != 201 {
                return Err(format!("{path} answered {}", head.status).into());
            }
            let whole = head.bytes + head.length.ok_or("an answer without a length")?;
            if read == 0 || answer.len() >= whole {
                return Ok(serde_json::from_slice(&answer[head.bytes..])?);
            }
        }
    }

    /// Its share of memory in KiB: private pages and its part of those that are shared.
    pub(crate) fn memory_kib(&self) -> Result<f64> {
        let rollup = fs::read_to_string(self.proc("smaps_rollup"))?;
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
        Ok(pss.trim().trim_end_matches(" kB").parse()?)
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

    /// What it used since; but not what threads did that have ended.
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

/// Houston is the binary that is built beside the bench; the peers are the bench's own.
fn command(contender: Contender, socket: SocketAddr, data: &TempDir) -> Result<Command> {
    if contender != Contender::Houston {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", contender.name(), &socket.port().to_string()]);
        return Ok(command);
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_houston"));
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("ROCKET_PORT", socket.port().to_string())
        .env("ROCKET_DATA_DIR", data.path())
        .env("ROCKET_RATE_LIMITS", "false")
        .env("ROCKET_LOG_LEVEL", "off");
    Ok(command)
}
