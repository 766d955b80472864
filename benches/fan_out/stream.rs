//! A listener of the load: a connection that asks for an event stream and reads it.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::Result;
use crate::wire::{Arrived, Chunked, Head, frames};

pub(crate) struct Stream {
    pub(crate) room: usize,
    /// The number of messages that it has got.
    pub(crate) position: usize,
    state: State,
    chunked: Chunked,
    /// The part of the head, or of a frame, that was received before the rest.
    torn: Vec<u8>,
    /// The id of the last message, with which it resumes.
    last_id: Vec<u8>,
}

enum State {
    Closed,
    Connecting(TcpStream),
    /// Waiting for the head of the answer; the request is sent.
    Asked(TcpStream),
    Open(TcpStream),
}

/// The progress of a stream when its connection was ready.
pub(crate) enum Ready {
    /// The stream is connected and has sent its request: from now on it reads.
    Asked,
    /// The answer began.
    Opened,
    /// The stream read from an answer that had begun.
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

    /// Continues after the connection became ready: calls a function with each message, and counts
    /// chunks.
    pub(crate) fn proceed(
        &mut self,
        request: impl FnOnce() -> String,
        buffer: &mut [u8],
        chunks: &mut u64,
        each: impl FnMut(usize, &Arrived) -> Result<()>,
    ) -> Result<Ready> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Closed => Err("a closed stream is ready".into()),
            State::Connecting(connection) => {
                sockopt::socket_error(&connection)??;
                self.ask(&connection, request())?;
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

    fn ask(&self, mut connection: &TcpStream, request: String) -> Result<()> {
        let mut request = request.into_bytes();
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
        if self.chunked.is_over() {
            return Err("the server ended a stream".into());
        }
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

/// Reads once what has arrived, which is nothing when the connection was ready for another reason.
pub(crate) fn receive(connection: &mut TcpStream, buffer: &mut [u8]) -> Result<usize> {
    match connection.read(buffer) {
        Ok(0) => Err("the server hung up".into()),
        Ok(length) => Ok(length),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error.into()),
    }
}
