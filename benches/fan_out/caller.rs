//! A connection of the load that posts or asks for histories, a request at a time.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::Result;
use crate::stream::receive;
use crate::wire::{Chunked, Head};

pub(crate) struct Caller {
    connection: TcpStream,
    asked: Option<Asked>,
    /// The answer's head, until it is whole.
    head: Vec<u8>,
    /// The state of the answer's body, once its head is whole.
    body: Option<Body>,
}

/// The state of an answer's body.
struct Body {
    bytes: usize,
    end: End,
}

/// The way in which a body's end is found.
enum End {
    /// The body has this length in bytes.
    After(usize),
    /// The body is chunked, and ends with its last chunk.
    Chunked(Chunked),
}

/// The purpose of a caller's request.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// To post the message with this number.
    Post(usize),
    /// To read a channel's messages.
    History,
}

impl Caller {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_nonblocking(true)?;
        Ok(Self { connection, asked: None, head: Vec::new(), body: None })
    }

    pub(crate) fn connection(&self) -> &TcpStream {
        &self.connection
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.asked.is_none()
    }

    pub(crate) fn ask(&mut self, asked: Asked, request: &[u8]) -> Result<()> {
        self.asked = Some(asked);
        // The last request was answered, so that there is room for the next.
        Ok(self.connection.write_all(request)?)
    }

    /// Reads what has arrived. Returns the purpose of the request once the answer is whole.
    pub(crate) fn proceed(&mut self, buffer: &mut [u8]) -> Result<Option<Asked>> {
        let length = receive(&mut self.connection, buffer)?;
        let asked = self.asked.ok_or("an answer came that nobody asked for")?;
        let received = &mut buffer[..length];
        let is_whole = if let Some(body) = &mut self.body {
            body.receive(received)?
        } else {
            self.head.extend_from_slice(received);
            let Some(head) = Head::of(&self.head)? else { return Ok(None) };
            if head.status != asked.status() {
                return Err(format!("a request was answered {}", head.status).into());
            }
            let mut received = std::mem::take(&mut self.head).split_off(head.bytes);
            self.body.insert(Body::of(&head)?).receive(&mut received)?
        };
        if !is_whole {
            return Ok(None);
        }
        let bytes = self.body.take().map_or(0, |body| body.bytes);
        if matches!(asked, Asked::History) && bytes < crate::load::HISTORY_BYTES {
            return Err("a history is too short".into());
        }
        self.asked = None;
        Ok(Some(asked))
    }
}

impl Body {
    fn of(head: &Head) -> Result<Self> {
        let end = match head.length {
            Some(length) => End::After(length),
            None if head.chunked => End::Chunked(Chunked::default()),
            None => return Err("an answer without a length".into()),
        };
        Ok(Self { bytes: 0, end })
    }

    /// Takes received bytes, and tells whether the body is whole.
    fn receive(&mut self, received: &mut [u8]) -> Result<bool> {
        match &mut self.end {
            End::After(length) => {
                self.bytes += received.len();
                if self.bytes > *length {
                    return Err("more came than one answer".into());
                }
                Ok(self.bytes == *length)
            }
            End::Chunked(chunked) => {
                self.bytes += chunked.decode(received)?.0;
                Ok(matches!(chunked, Chunked::Ended))
            }
        }
    }
}

impl Asked {
    /// The status of a successful answer.
    fn status(self) -> u16 {
        match self {
            Self::Post(_) => 201,
            Self::History => 200,
        }
    }
}
