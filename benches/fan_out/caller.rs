//! One connection of the load that posts or asks for histories, a request at a time.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use crate::Result;
use crate::stream::receive;
use crate::wire::Head;

pub(crate) struct Caller {
    connection: TcpStream,
    asked: Option<Asked>,
    /// The answer's head, until it is whole.
    head: Vec<u8>,
    /// How many bytes of the answer's body are to come, once its head is whole.
    left: Option<usize>,
}

/// What a caller waits for.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    /// That its message of this number is kept.
    Post(usize),
    /// A channel's messages.
    History,
}

impl Caller {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        connection.set_nonblocking(true)?;
        Ok(Self { connection, asked: None, head: Vec::new(), left: None })
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

    /// Reads; tells what it had asked for when the answer is whole.
    pub(crate) fn proceed(&mut self, buffer: &mut [u8]) -> Result<Option<Asked>> {
        let length = receive(&mut self.connection, buffer)?;
        let asked = self.asked.ok_or("an answer came that nobody asked for")?;
        let left = if let Some(left) = self.left {
            left.checked_sub(length).ok_or("more came than one answer")?
        } else {
            self.head.extend_from_slice(&buffer[..length]);
            let Some(head) = Head::of(&self.head)? else { return Ok(None) };
            let body = self.head.len() - head.bytes;
            let length = asked.check(&head)?;
            self.head.clear();
            length.checked_sub(body).ok_or("more came than one answer")?
        };
        self.left = (left > 0).then_some(left);
        if left > 0 {
            return Ok(None);
        }
        self.asked = None;
        Ok(Some(asked))
    }
}

impl Asked {
    /// The length of an answer's body, if that is the answer that was asked for.
    fn check(self, head: &Head) -> Result<usize> {
        let length = head.length.ok_or("an answer without a length")?;
        match (self, head.status) {
            (Self::Post(_), 201) => Ok(length),
            (Self::History, 200) if length >= crate::load::HISTORY_BYTES => Ok(length),
            (Self::History, 200) => Err("a history is too short".into()),
            (_, status) => Err(format!("a request was answered {status}").into()),
        }
    }
}
