//! One listener of the load: a connection that asks for an event stream and reads it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::Result;
use crate::wire::{Arrived, Chunked, Head, frames};

pub(crate) struct Stream {
    pub(crate) room: usize,
    /// How many messages it has got.
    pub(crate) position: usize,
    state: State,
    chunked: Chunked,
    /// What was received and is not whole yet: of the head, or of a frame.
    torn: Vec<u8>,
    /// The id of the last message, with which it resumes.
    last_id: Vec<u8>,
}

enum State {
    Closed,
    Connecting(TcpStream),
    /// The request is sent; the answer's head is to come.
    Asked(TcpStream),
    Open(TcpStream),
}

/// What a stream became when its connection was ready.
pub(crate) enum Ready {
    /// Connected, and has sent its request: from now on it reads.
    Asked,
    /// The answer began.
    Opened,
    /// It read from an answer that had begun.
    Read,
}

impl Stream {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            room,
            position: 0,
            state: State::Closed,
            chunked: Chunked::default(),
            torn: Vec::new(),
            last_id: Vec::new(),
        }
    }

    /// Begins to connect, without waiting.
    pub(crate) fn connect(&mut self, address: SocketAddr) -> Result<&TcpStream> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        self.state = State::Connecting(TcpStream::from(socket));
        self.connection()
    }

    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
        self.chunked = Chunked::default();
        self.torn.clear();
    }

    pub(crate) fn connection(&self) -> Result<&TcpStream> {
        match &self.state {
            State::Closed => Err("a closed stream is ready".into()),
            State::Connecting(it) | State::Asked(it) | State::Open(it) => Ok(it),
        }
    }

    /// Goes on after its connection became ready; calls with each message, and counts chunks.
    pub(crate) fn proceed(
        &mut self,
        request: &str,
        buffer: &mut [u8],
        chunks: &mut u64,
        each: impl FnMut(usize, &Arrived) -> Result<()>,
    ) -> Result<Ready> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => Err("a closed stream is ready".into()),
            State::Connecting(connection) => {
                sockopt::socket_error(&connection)??;
                self.ask(&connection, request)?;
                self.state = State::Asked(connection);
                Ok(Ready::Asked)
            }
            State::Asked(mut connection) => {
                let length = receive(&mut connection, buffer)?;
                self.torn.extend_from_slice(&buffer[..length]);
                let Some(head) = Head::of(&self.torn)? else {
                    self.state = State::Asked(connection);
                    return Ok(Ready::Asked);
                };
                if head.status != 200 || !head.chunked {
                    return Err(format!("a stream was answered {}", head.status).into());
                }
                self.state = State::Open(connection);
                let mut body = std::mem::take(&mut self.torn).split_off(head.bytes);
                self.hear(&mut body, chunks, each)?;
                Ok(Ready::Opened)
            }
            State::Open(mut connection) => {
                let length = receive(&mut connection, buffer)?;
                self.state = State::Open(connection);
                self.hear(&mut buffer[..length], chunks, each)?;
                Ok(Ready::Read)
            }
        }
    }

    fn ask(&self, mut connection: &TcpStream, request: &str) -> Result<()> {
        let mut request = request.as_bytes().to_vec();
        if !self.last_id.is_empty() {
            request.extend_from_slice(b"Last-Event-ID: ");
            request.extend_from_slice(&self.last_id);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        // A new connection has room for a request.
        Ok(connection.write_all(&request)?)
    }

    fn hear(
        &mut self,
        received: &mut [u8],
        chunks: &mut u64,
        mut each: impl FnMut(usize, &Arrived) -> Result<()>,
    ) -> Result<()> {
        let (length, begun) = self.chunked.decode(received)?;
        *chunks += begun;
        let (position, last_id) = (&mut self.position, &mut self.last_id);
        let mut hear_frame = |frame: &[u8]| -> Result<()> {
            let Some(arrived) = Arrived::of(frame)? else { return Ok(()) };
            each(*position, &arrived)?;
            *position += 1;
            last_id.clear();
            last_id.extend_from_slice(arrived.id);
            Ok(())
        };
        if self.torn.is_empty() {
            let heard = frames(&received[..length], hear_frame)?;
            self.torn.extend_from_slice(&received[heard..length]);
        } else {
            self.torn.extend_from_slice(&received[..length]);
            let heard = frames(&self.torn, &mut hear_frame)?;
            self.torn.drain(..heard);
        }
        Ok(())
    }
}

/// Reads once what has arrived: nothing, when it was ready for another reason.
pub(crate) fn receive(connection: &mut TcpStream, buffer: &mut [u8]) -> Result<usize> {
    match connection.read(buffer) {
        Ok(0) => Err("the server hung up".into()),
        Ok(length) => Ok(length),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error.into()),
    }
}
