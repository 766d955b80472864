//! A blocking HTTP client for what is measured by the request, where the load's own event loop
//! would be in the way.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::Result;

/// The time that an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that is kept alive from request to request.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::with_capacity(64 * 1024, stream) })
    }

    /// Sends a request without a body, of somebody with a session.
    pub(crate) fn get(&mut self, path: &str, token: &str) -> Result<Answer> {
        self.ask(&format!("GET {path}"), token, "Accept: text/html, application/json\r\n", "")
    }

    /// Sends a request with a body in JSON; without a token, of nobody.
    pub(crate) fn send(&mut self, target: &str, token: &str, json: &str) -> Result<Answer> {
        let length = json.len();
        let kind = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        self.ask(target, token, &kind, json)
    }

    /// Asks for an event stream, after an event if given, and returns the id that it begins with, if
    /// any, and the time after which the client is to reconnect, if it is told one.
    pub(crate) fn listen(
        &mut self,
        path: &str,
        token: &str,
        after: &str,
    ) -> Result<(String, Option<Duration>)> {
        let after = match after {
            "" => String::new(),
            after => format!("Last-Event-ID: {after}\r\n"),
        };
        let head = self.begin(&format!("GET {path}"), token, &after, "")?;
        if head.status != 200 {
            return Err(format!("{path} answered {}", head.status).into());
        }
        // The first chunk has the first block whole, and maybe what was missed.
        let mut block = Vec::new();
        self.read_chunk(&mut block)?;
        let text = String::from_utf8_lossy(&block);
        let last = |name| text.lines().filter_map(|line| line.strip_prefix(name)).next_back();
        let id = last("id:").unwrap_or_default().trim().to_owned();
        let retry_ms = last("retry:").and_then(|retry| retry.trim().parse().ok());
        Ok((id, retry_ms.map(Duration::from_millis)))
    }

    /// Reads what has arrived of an event stream, and returns the last id in it, if any.
    pub(crate) fn last_id(&mut self) -> Result<Option<String>> {
        self.stream.get_ref().set_nonblocking(true)?;
        let mut arrived = Vec::new();
        let read = self.stream.read_to_end(&mut arrived);
        if let Err(error) = read
            && error.kind() != ErrorKind::WouldBlock
        {
            return Err(error.into());
        }
        let text = String::from_utf8_lossy(&arrived);
        let lines: Vec<_> = text.lines().collect();
        // The transfer coding may cut a line in two: then its data does not follow.
        let whole = |pair: &[&str]| {
            let id = pair[0].strip_prefix("id: ")?;
            pair[1].starts_with("data: ").then(|| id.to_owned())
        };
        Ok(lines.windows(2).filter_map(whole).next_back())
    }

    fn ask(&mut self, target: &str, token: &str, headers: &str, body: &str) -> Result<Answer> {
        let head = self.begin(target, token, headers, body)?;
        let mut body = Vec::new();
        if head.chunked {
            while self.read_chunk(&mut body)? > 0 {}
        } else {
            body.resize(head.length, 0);
            self.stream.read_exact(&mut body)?;
        }
        Ok(Answer { status: head.status, body })
    }

    fn begin(&mut self, target: &str, token: &str, headers: &str, body: &str) -> Result<Head> {
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let request =
            format!("{target} HTTP/1.1\r\nHost: bench\r\n{authorization}{headers}\r\n{body}");
        self.stream.get_mut().write_all(request.as_bytes())?;
        Head::read(&mut self.stream)
    }

    /// Appends a chunk of a body to these bytes, and returns its length, 0 for the last.
    fn read_chunk(&mut self, body: &mut Vec<u8>) -> Result<usize> {
        let size = line(&mut self.stream)?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16)?;
        let before = body.len();
        body.resize(before + size, 0);
        self.stream.read_exact(&mut body[before..])?;
        line(&mut self.stream)?;
        Ok(size)
    }
}

impl Answer {
    /// Returns the answer if it has this status.
    pub(crate) fn expect(self, status: u16, what: &str) -> Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        let said = String::from_utf8_lossy(&self.body);
        Err(format!("{what} was answered {}: {said}", self.status).into())
    }
}

struct Head {
    status: u16,
    /// The length of the body; `None` if it is chunked.
    length: usize,
    chunked: bool,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> Result<Self> {
        let status = line(stream)?;
        let status = status.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
        let mut head = Self { status, length: 0, chunked: false };
        loop {
            let field = line(stream)?.to_ascii_lowercase();
            match field.split_once(':') {
                None => return Ok(head),
                Some(("content-length", length)) => head.length = length.trim().parse()?,
                Some(("transfer-encoding", coding)) => head.chunked = coding.trim() == "chunked",
                Some(_) => {}
            }
        }
    }
}

/// Reads the next line, without its end.
fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err("the server hung up".into());
    }
    Ok(line.trim_end().to_owned())
}
