//! A server at the limit of what the kernel allows: one thread, one epoll, the same bytes as
//! Houston writes.
//!
//! It parses no more of a request than it must, and makes each frame once. A listener is a socket
//! and two empty buffers.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};

use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket, sockopt};

use crate::Result;
use crate::peers::{Draft, KEPT, Message};

/// The number of connections that may wait to be accepted: the most that Linux grants by default.
const BACKLOG: i32 = 4096;
/// The number of ready connections that one `epoll_wait` returns at most.
const EVENTS: usize = 1024;
/// The listening socket's key; connections count from 0.
const LISTENER: u64 = u64::MAX;

/// The time at which a room's messages are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// Each message as it comes, with a write of its own.
    Each,
    /// All messages that wait, in one write.
    Together,
}

struct Loop {
    writing: Writing,
    poller: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    rooms: Vec<Room>,
}

struct Connection {
    socket: TcpStream,
    input: Vec<u8>,
    /// The bytes that the socket did not take yet.
    output: Vec<u8>,
}

struct Room {
    name: String,
    listeners: Vec<usize>,
    /// Frames that are not written yet.
    waiting: String,
    /// The connections that posted them, with their answers.
    answers: Vec<(usize, String)>,
    kept: VecDeque<String>,
    /// The cached answer with the history, until it changes.
    history: Option<Vec<u8>>,
    seq: u64,
}

pub(crate) fn serve(port: u16, writing: Writing) -> Result<()> {
    let listener = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    bind(&listener, &SocketAddr::from(([127, 0, 0, 1], port)))?;
    listen(&listener, BACKLOG)?;
    let listener = TcpListener::from(listener);
    listener.set_nonblocking(true)?;
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poller, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    let (connections, free, rooms) = (Vec::new(), Vec::new(), Vec::new());
    Loop { writing, poller, listener, connections, free, rooms }.run()
}

impl Loop {
    fn run(&mut self) -> Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            events.clear();
            epoll::wait(&self.poller, rustix::buffer::spare_capacity(&mut events), None)?;
            for Event { data, flags } in events.iter().copied() {
                if data.u64() == LISTENER {
                    self.accept()?;
                    continue;
                }
                let index = usize::try_from(data.u64())?;
                if flags.contains(EventFlags::OUT) {
                    self.write(index, &[])?;
                }
                if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                    self.read(index, &mut buffer)?;
                }
            }
            for room in 0..self.rooms.len() {
                self.deliver(room)?;
            }
        }
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let socket = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            epoll::add(&self.poller, &socket, EventData::new_u64(index as u64), EventFlags::IN)?;
            let (input, output) = (Vec::new(), Vec::new());
            self.connections[index] = Some(Connection { socket, input, output });
        }
    }

    fn read(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        match connection.socket.read(buffer) {
            Ok(0) => {
                self.forget(index);
                return Ok(());
            }
            Ok(length) => connection.input.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(_) => {
                self.forget(index);
                return Ok(());
            }
        }
        let Some((target, body)) = request(&connection.input)? else { return Ok(()) };
        // No client of ours sends a request before the last is answered.
        connection.input = Vec::new();
        self.answer(index, &target, &body)
    }

    fn forget(&mut self, index: usize) {
        self.connections[index] = None;
        self.free.push(index);
        for room in &mut self.rooms {
            room.listeners.retain(|listener| *listener != index);
        }
    }

    /// Answers `GET /api/channels/<room>/events` and its like.
    fn answer(&mut self, index: usize, target: &str, body: &[u8]) -> Result<()> {
        let mut parts = target.split('/').skip(3);
        let room = self.room(parts.next().unwrap_or_default());
        let is_post = target.starts_with("POST");
        match (is_post, parts.next()) {
            (false, Some("events")) => {
                self.rooms[room].listeners.push(index);
                self.write(index, STREAM_HEAD.as_bytes())
            }
            (false, Some("messages")) => {
                let history = self.rooms[room].take_history();
                self.write(index, &history)?;
                self.rooms[room].history = Some(history);
                Ok(())
            }
            (true, Some("messages")) => {
                self.rooms[room].say(index, serde_json::from_slice::<Draft>(body)?.text)?;
                if self.writing == Writing::Each { self.deliver(room) } else { Ok(()) }
            }
            _ => self.write(index, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        }
    }

    fn room(&mut self, name: &str) -> usize {
        self.rooms.iter().position(|room| room.name == name).unwrap_or_else(|| {
            self.rooms.push(Room::new(name));
            self.rooms.len() - 1
        })
    }

    /// Writes what waits in a room to all listeners, as one chunk, and answers the posters.
    fn deliver(&mut self, room: usize) -> Result<()> {
        if self.rooms[room].answers.is_empty() {
            return Ok(());
        }
        let frames = std::mem::take(&mut self.rooms[room].waiting);
        let chunk = format!("{:x}\r\n{frames}\r\n", frames.len());
        let listeners = std::mem::take(&mut self.rooms[room].listeners);
        for listener in &listeners {
            self.write(*listener, chunk.as_bytes())?;
        }
        self.rooms[room].listeners = listeners;
        for (poster, answer) in std::mem::take(&mut self.rooms[room].answers) {
            self.write(poster, answer.as_bytes())?;
        }
        Ok(())
    }

    /// Writes what is left from before and then these bytes, as far as the socket takes it.
    fn write(&mut self, index: usize, bytes: &[u8]) -> Result<()> {
        let Some(Connection { socket, output, .. }) = &mut self.connections[index] else {
            return Ok(());
        };
        let had_left = !output.is_empty();
        output.extend_from_slice(if had_left { bytes } else { &[] });
        let all = if had_left { &output[..] } else { bytes };
        let written = match rustix::io::write(&*socket, all) {
            Ok(written) => written,
            // Who is gone is read from next, and forgotten.
            Err(error) if error != rustix::io::Errno::AGAIN => all.len(),
            Err(_) => 0,
        };
        if had_left {
            output.drain(..written);
        } else if written < bytes.len() {
            output.extend_from_slice(&bytes[written..]);
        }
        if had_left == output.is_empty() {
            let more = if had_left { EventFlags::empty() } else { EventFlags::OUT };
            let key = EventData::new_u64(index as u64);
            epoll::modify(&self.poller, socket, key, EventFlags::IN | more)?;
        }
        Ok(())
    }
}

const STREAM_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-store, no-transform\r\ntransfer-encoding: chunked\r\n\r\n\
    d\r\nretry: 1000\n\n\r\n";

impl Room {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            listeners: Vec::new(),
            waiting: String::new(),
            answers: Vec::new(),
            kept: VecDeque::new(),
            history: None,
            seq: 0,
        }
    }

    fn say(&mut self, poster: usize, text: String) -> Result<()> {
        self.seq += 1;
        let seq = self.seq;
        let json = serde_json::to_string(&Message::new(seq, &self.name, text))?;
        write!(self.waiting, "event: message\nid: {seq:016x}-{seq}\ndata: {json}\n\n")?;
        self.answers.push((poster, with_head("201 Created", &json)));
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(json);
        self.history = None;
        Ok(())
    }

    fn take_history(&mut self) -> Vec<u8> {
        self.history.take().unwrap_or_else(|| {
            let messages: Vec<_> = self.kept.iter().map(String::as_str).collect();
            let (messages, seq) = (messages.join(","), self.seq);
            let body = format!(r#"{{"messages":[{messages}],"cursor":"{seq}","kept":{KEPT}}}"#);
            with_head("200 OK", &body).into_bytes()
        })
    }
}

fn with_head(status: &str, json: &str) -> String {
    let length = json.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
         {json}"
    )
}

/// The method, target and body of a request, once it is whole.
fn request(input: &[u8]) -> Result<Option<(String, Vec<u8>)>> {
    let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") else { return Ok(None) };
    let head = str::from_utf8(&input[..end])?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let length: usize = length.map_or(Ok(0), str::parse)?;
    let Some(body) = input.get(end + 4..end + 4 + length) else { return Ok(None) };
    let target = head.lines().next().and_then(|line| line.rsplit_once(' ')).ok_or("no target")?;
    Ok(Some((target.0.to_owned(), body.to_vec())))
}
