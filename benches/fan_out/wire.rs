//! The parser of what arrives on a connection: heads of answers, chunks, events.
//!
//! Frames may be torn over chunks and chunks over reads; nothing is copied but a frame's first
//! part until the rest arrives.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::Result;

/// The text before a message's number and time, in every server's JSON.
const MARK: &[u8] = b"\"text\":\"message ";

static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
static FRAME_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n\n"));

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The length of the body; `None` if it is chunked.
    pub(crate) length: Option<usize>,
    pub(crate) chunked: bool,
    /// The length of the head itself, in bytes.
    pub(crate) bytes: usize,
}

impl Head {
    /// Parses the head, once it is whole.
    pub(crate) fn of(received: &[u8]) -> Result<Option<Self>> {
        let Some(end) = memmem::find(received, b"\r\n\r\n") else { return Ok(None) };
        let text = str::from_utf8(&received[..end])?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).ok_or("an answer without a status")?.parse()?;
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = field("content-length:").map(str::parse).transpose()?;
        let chunked = field("transfer-encoding:") == Some("chunked");
        Ok(Some(Self { status, length, chunked, bytes: end + 4 }))
    }
}

/// The state of a reader of the chunked transfer coding (RFC 9112, section 7.1).
#[derive(Clone, Copy, Default)]
pub(crate) enum Chunked {
    /// In the line with the next chunk's size, with the digits read so far.
    Size(usize),
    /// In the line with the next chunk's size, after it.
    Extension(usize),
    /// Within a chunk, of which this many bytes are to come.
    Data(usize),
    /// Between a chunk and the next size.
    #[default]
    Between,
    /// After the size of the last chunk, which has no data: an empty line is to come.
    Last,
    /// After the end of the body.
    Ended,
}

impl Chunked {
    /// Moves the chunks' data to the front of the bytes, and returns its length and the number of
    /// chunks that began.
    pub(crate) fn decode(&mut self, bytes: &mut [u8]) -> Result<(usize, u64)> {
        let (mut at, mut kept, mut begun) = (0, 0, 0);
        while at < bytes.len() {
            let Self::Data(left) = *self else {
                *self = self.after(bytes[at])?;
                begun += u64::from(matches!(self, Self::Data(_)));
                at += 1;
                continue;
            };
            let taken = left.min(bytes.len() - at);
            bytes.copy_within(at..at + taken, kept);
            (at, kept) = (at + taken, kept + taken);
            *self = if taken == left { Self::Between } else { Self::Data(left - taken) };
        }
        Ok((kept, begun))
    }

    /// Tells whether nothing more is to come but the body's end.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Last | Self::Ended)
    }

    fn after(self, byte: u8) -> Result<Self> {
        Ok(match (self, byte) {
            (Self::Between, b'\r' | b'\n') => Self::Between,
            (Self::Size(0) | Self::Extension(0), b'\n') | (Self::Last, b'\r') => Self::Last,
            (Self::Last, b'\n') => Self::Ended,
            (Self::Last, _) => return Err("an answer with trailers".into()),
            (Self::Ended, _) => return Err("more came than one answer".into()),
            (Self::Size(size) | Self::Extension(size), b'\n') => Self::Data(size),
            (Self::Size(size), b'\r' | b';') | (Self::Extension(size), _) => Self::Extension(size),
            (Self::Between, digit) => Self::Size(hexadecimal(digit)?),
            (Self::Size(size), digit) => Self::Size(size * 16 + hexadecimal(digit)?),
            (Self::Data(_), _) => unreachable!("data is taken as it is"),
        })
    }
}

fn hexadecimal(digit: u8) -> Result<usize> {
    let value = char::from(digit).to_digit(16).ok_or("a chunk without a size")?;
    Ok(value.try_into()?)
}

/// Calls a function with each whole frame, and returns the number of bytes that they took.
pub(crate) fn frames(body: &[u8], mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<usize> {
    let mut at = 0;
    while let Some(length) = FRAME_END.find(&body[at..]) {
        each(&body[at..at + length])?;
        at += length + 2;
    }
    Ok(at)
}

/// A message as a stream delivers it.
pub(crate) struct Arrived<'f> {
    pub(crate) number: usize,
    /// The time at which the message was due, in nanoseconds of the load's clock.
    pub(crate) due_ns: u64,
    /// The event's id, with which a stream resumes.
    pub(crate) id: &'f [u8],
}

impl<'f> Arrived<'f> {
    /// Parses the message in a frame; `None` for other events and comments.
    pub(crate) fn of(frame: &'f [u8]) -> Result<Option<Self>> {
        let Some(at) = TEXT.find(frame) else { return Ok(None) };
        let mut words = frame[at + MARK.len()..].split(|byte| *byte == b' ');
        let mut number = || decimal(words.next().unwrap_or_default());
        let (number, due_ns) = (number()?, number()?);
        let id = frame.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"id:"));
        let id = id.ok_or("a message without an id")?.trim_ascii_start();
        Ok(Some(Self { number: number.try_into()?, due_ns, id }))
    }
}

fn decimal(digits: &[u8]) -> Result<u64> {
    Ok(str::from_utf8(digits)?.parse()?)
}
