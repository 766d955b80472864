//! One message to everyone who listens: how fast, at what cost in CPU and memory.
//!
//! `cargo bench --bench fan_out -- [--streams N] [--messages M]`; see `benches/README.md` for what
//! the figures mean. The load client is one thread with one poller, so that it costs little beside
//! the server; it checks that each stream got each message once and in order.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::cast_precision_loss, reason = "figures are printed with three digits")]

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::fd::OwnedFd;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::Value;
use tempfile::TempDir;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How long nothing may arrive before the bench gives up.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many streams are opened before their answers are waited for: fewer than the server's queue
/// of connections holds, whose overflow would measure the kernel's retries instead.
const OPENED_AT_ONCE: usize = 64;
/// The length of a message's text, in bytes.
const TEXT_BYTES: usize = 200;
/// What a message's number comes after, in what a stream receives.
const MARK: &[u8] = b"\"text\":\"message ";
/// The clock ticks of `/proc/<pid>/stat`, per second: 100 on every Linux of today.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    let (streams, messages) = arguments()?;
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    println!("{:<34}{:>14}{:>14}", "scene", "many listen", "two listen");
    let many = Scene::run(streams, messages)?;
    let two = Scene::run(2, 300)?;
    let row = |name: &str, figure: &dyn Fn(&Scene) -> String| {
        println!("{name:<34}{:>14}{:>14}", figure(&many), figure(&two));
    };
    row("streams", &|it| it.streams.to_string());
    row("messages, one at a time", &|it| it.latencies.len().div_euclid(it.streams).to_string());
    row("opened in, s", &|it| format!("{:.2}", it.opened_in.as_secs_f64()));
    row("server idle, KiB (Pss)", &|it| it.idle_kib.to_string());
    row("memory per stream, KiB (Pss)", &|it| format!("{:.1}", it.kib_per_stream()));
    row("deliveries per second", &|it| format!("{:.0}", it.deliveries_per_second()));
    row("server CPU per delivery, µs", &|it| format!("{:.1}", it.cpu_per_delivery_us()));
    row("latency p50, ms", &|it| it.latency_ms(50));
    row("latency p99, ms", &|it| it.latency_ms(99));
    row("latency max, ms", &|it| it.latency_ms(100));
    println!("each stream got each message once and in order");
    Ok(())
}

/// `--streams N --messages M`; what else `cargo bench` passes is not ours.
fn arguments() -> Result<(usize, usize)> {
    let (mut streams, mut messages) = (5_000, 20);
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut number = || -> Result<usize> { Ok(given.next().ok_or("no number")?.parse()?) };
        match name.as_str() {
            "--streams" => streams = number()?,
            "--messages" => messages = number()?,
            _ => {}
        }
    }
    Ok((streams, messages))
}

/// What was measured with this many streams on one channel.
struct Scene {
    streams: usize,
    opened_in: Duration,
    idle_kib: u64,
    open_kib: u64,
    took: Duration,
    cpu_seconds: f64,
    /// From the start of a post to its arrival, for each delivery; sorted.
    latencies: Vec<Duration>,
}

impl Scene {
    fn run(streams: usize, messages: usize) -> Result<Self> {
        let server = Server::start()?;
        let mut poster = Poster::sign_in(server.address)?;
        let idle_kib = server.memory_kib()?;
        let opening = Instant::now();
        let mut crowd = Crowd::open(server.address, &poster.token, streams)?;
        let opened_in = opening.elapsed();
        let open_kib = server.memory_kib()?;
        let mut latencies = Vec::with_capacity(streams * messages);
        let (cpu, beginning) = (server.cpu_seconds()?, Instant::now());
        for message in 0..messages {
            let start = Instant::now();
            poster.post(message)?;
            crowd.hear(message, |heard| latencies.push(heard - start))?;
            poster.is_answered()?;
        }
        let (took, cpu_seconds) = (beginning.elapsed(), server.cpu_seconds()? - cpu);
        latencies.sort_unstable();
        Ok(Self { streams, opened_in, idle_kib, open_kib, took, cpu_seconds, latencies })
    }

    fn kib_per_stream(&self) -> f64 {
        (self.open_kib.saturating_sub(self.idle_kib)) as f64 / self.streams as f64
    }

    fn deliveries_per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    fn cpu_per_delivery_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.latencies.len() as f64
    }

    fn latency_ms(&self, percent: usize) -> String {
        let at = (self.latencies.len() - 1) * percent / 100;
        format!("{:.2}", self.latencies[at].as_secs_f64() * 1e3)
    }
}

/// The server in a process of its own, on data of its own.
struct Server {
    process: Child,
    address: SocketAddr,
    _data: TempDir,
}

impl Server {
    fn start() -> Result<Self> {
        let data = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let process = Command::new(env!("CARGO_BIN_EXE_houston"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("ROCKET_PORT", address.port().to_string())
            .env("ROCKET_DATA_DIR", data.path())
            .env("ROCKET_RATE_LIMITS", "false")
            .env("ROCKET_LOG_LEVEL", "off")
            .spawn()?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err("the server does not start".into());
            }
            sleep(Duration::from_millis(5));
        }
        Ok(Self { process, address, _data: data })
    }

    /// Its share of memory in KiB: private pages and its part of those that are shared.
    fn memory_kib(&self) -> Result<u64> {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.id()))?;
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).ok_or("no Pss")?;
        Ok(pss.trim().trim_end_matches(" kB").parse()?)
    }

    /// The processor time that it has used, its own and the kernel's for it.
    fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let after_name = stat.rsplit_once(") ").ok_or("no name")?.1;
        let mut fields = after_name.split(' ').skip(11);
        let mut ticks = || -> Result<f64> { Ok(fields.next().ok_or("no ticks")?.parse()?) };
        Ok((ticks()? + ticks()?) / TICKS_PER_SECOND)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Who sends the messages, over one connection.
struct Poster {
    connection: TcpStream,
    token: String,
}

impl Poster {
    fn sign_in(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut poster = Self { connection, token: String::new() };
        poster.send("POST /api/session", r#"{"display_name":"Capcom"}"#)?;
        let answer: Value = serde_json::from_str(&poster.answer("201")?)?;
        let token = answer["token"].as_str().ok_or("no token")?.to_owned();
        Ok(Self { token, ..poster })
    }

    fn post(&mut self, message: usize) -> Result<()> {
        let text = format!("{:x<TEXT_BYTES$}", format!("message {message} "));
        let target = format!("PUT /api/channels/general/messages/m{message}");
        self.send(&target, &format!(r#"{{"text":"{text}"}}"#))
    }

    fn is_answered(&mut self) -> Result<()> {
        self.answer("201").map(drop)
    }

    fn send(&mut self, target: &str, body: &str) -> Result<()> {
        let (token, length) = (&self.token, body.len());
        let request = format!(
            "{target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        Ok(self.connection.write_all(request.as_bytes())?)
    }

    /// The body of an answer, which must have this status.
    fn answer(&mut self, status: &str) -> Result<String> {
        let (mut answer, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let read = self.connection.read(&mut buffer)?;
            if read == 0 {
                return Err("the server hung up".into());
            }
            answer += str::from_utf8(&buffer[..read])?;
            let Some((head, body)) = answer.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() < length.ok_or("no length")?.parse()? {
                continue;
            }
            if !head.starts_with(&format!("HTTP/1.1 {status}")) {
                return Err(answer.into());
            }
            return Ok(body.to_owned());
        }
    }
}

/// All who listen, on one thread.
struct Crowd {
    poller: OwnedFd,
    listeners: Vec<Listener>,
}

struct Listener {
    connection: TcpStream,
    /// What was read of chunks that are not whole yet.
    raw: Vec<u8>,
    /// What was said and not yet understood.
    said: Vec<u8>,
    next: usize,
}

impl Crowd {
    /// Opens all streams, a few at a time, and waits for the head of each answer.
    fn open(address: SocketAddr, token: &str, streams: usize) -> Result<Self> {
        let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let mut crowd = Self { poller, listeners: Vec::with_capacity(streams) };
        let request = format!(
            "GET /api/channels/general/events HTTP/1.1\r\nHost: bench\r\n\
             Authorization: Bearer {token}\r\n\r\n"
        );
        while crowd.listeners.len() < streams {
            let opened = crowd.listeners.len();
            for _ in opened..streams.min(opened + OPENED_AT_ONCE) {
                crowd.listeners.push(Listener::ask(address, &request)?);
            }
            for key in opened..crowd.listeners.len() {
                let listener = &mut crowd.listeners[key];
                listener.read_head()?;
                let key = epoll::EventData::new_u64(key as u64);
                epoll::add(&crowd.poller, &listener.connection, key, epoll::EventFlags::IN)?;
            }
        }
        Ok(crowd)
    }

    /// Waits until every stream has this message, and tells when each got it.
    fn hear(&mut self, message: usize, mut heard: impl FnMut(Instant)) -> Result<()> {
        let mut missing = self.listeners.len();
        let patience = PATIENCE.try_into()?;
        let mut events = Vec::with_capacity(1_024);
        while missing > 0 {
            events.clear();
            let ready = rustix::buffer::spare_capacity(&mut events);
            if epoll::wait(&self.poller, ready, Some(&patience))? == 0 {
                return Err(format!("{missing} streams miss message {message}").into());
            }
            for event in &events {
                let listener = &mut self.listeners[usize::try_from(event.data.u64())?];
                for number in listener.read()? {
                    if number != listener.next || number != message {
                        let next = listener.next;
                        return Err(format!("message {number} came instead of {next}").into());
                    }
                    listener.next += 1;
                    missing -= 1;
                    heard(Instant::now());
                }
            }
        }
        Ok(())
    }
}

impl Listener {
    fn ask(address: SocketAddr, request: &str) -> Result<Self> {
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.write_all(request.as_bytes())?;
        Ok(Self { connection, raw: Vec::new(), said: Vec::new(), next: 0 })
    }

    /// Waits for the answer's head; from then on, reading does not wait.
    fn read_head(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        let head = loop {
            let read = self.connection.read(&mut buffer)?;
            if read == 0 {
                return Err("the server hung up".into());
            }
            self.raw.extend_from_slice(&buffer[..read]);
            if let Some(at) = self.raw.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
        };
        if !self.raw.starts_with(b"HTTP/1.1 200") {
            return Err("a stream was refused".into());
        }
        self.raw.drain(..head);
        Ok(self.connection.set_nonblocking(true)?)
    }

    /// The numbers of the messages that have arrived.
    fn read(&mut self) -> Result<Vec<usize>> {
        let mut buffer = [0; 16 * 1024];
        match self.connection.read(&mut buffer) {
            Ok(0) => return Err("a stream has ended".into()),
            Ok(read) => self.raw.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        while let Some(chunk) = self.chunk()? {
            self.said.extend(chunk);
        }
        let mut numbers = Vec::new();
        while let Some(at) = self.said.windows(MARK.len()).position(|bytes| bytes == MARK) {
            let number = &self.said[at + MARK.len()..];
            let Some(end) = number.iter().position(|byte| *byte == b' ') else { break };
            numbers.push(str::from_utf8(&number[..end])?.parse()?);
            self.said.drain(..at + MARK.len() + end);
        }
        let keep = self.said.len().min(2 * MARK.len());
        self.said.drain(..self.said.len() - keep);
        Ok(numbers)
    }

    /// The next whole chunk of the transfer coding (RFC 9112, section 7.1).
    fn chunk(&mut self) -> Result<Option<Vec<u8>>> {
        let Some(line) = self.raw.windows(2).position(|end| end == b"\r\n") else {
            return Ok(None);
        };
        let size = usize::from_str_radix(str::from_utf8(&self.raw[..line])?, 16)?;
        let (start, end) = (line + 2, line + 2 + size);
        if self.raw.len() < end + 2 {
            return Ok(None);
        }
        let chunk = self.raw[start..end].to_vec();
        self.raw.drain(..end + 2);
        Ok(Some(chunk))
    }
}
