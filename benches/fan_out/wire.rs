//! What arrives on a connection, understood: heads of answers, chunks, events.
//!
//! Frames may be torn over chunks and chunks over reads; nothing is copied but a frame's first
//! part until the rest arrives.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use crate::Result;

/// What a message's number and time come after, in every server's JSON.
const MARK: &[u8] = b"\"text\":\"message ";

static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));
static FRAME_END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n\n"));

/// The head of an answer.
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Of the body, unless it is chunked.
    pub(crate) length: Option<usize>,
    pub(crate) chunked: bool,
    /// How many bytes the head itself has.
    pub(crate) bytes: usize,
}

impl Head {
    /// The head, when it is whole.
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

/// Where a reader of the chunked transfer coding is (RFC 9112, section 7.1).
#[derive(Clone, Copy, Default)]
pub(crate) enum Chunked {
    /// In the line that says the next chunk's size, with what was read of it.
    Size(usize),
    /// In that line, after the size.
    Extension(usize),
    /// That many bytes of the chunk are to come.
    Data(usize),
    /// Between a chunk and the next size.
    #[default]
    Between,
}

impl Chunked {
    /// Moves the chunks' data to the front of the bytes; tells how much that is, and how many
    /// chunks began.
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

    fn after(self, byte: u8) -> Result<Self> {
        Ok(match (self, byte) {
            (Self::Between, b'\r' | b'\n') => Self::Between,
            (Self::Size(0) | Self::Extension(0), b'\n') => {
                return Err("the server ended a stream".into());
            }
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

/// Calls with each whole frame; tells how many bytes they took.
pub(crate) fn frames(body: &[u8], mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<usize> {
    let mut at = 0;
    while let Some(length) = FRAME_END.find(&body[at..]) {
        each(&body[at..at + length])?;
        at += length + 2;
    }
    Ok(at)
}

/// A message as a stream tells it.
pub(crate) struct Arrived<'f> {
    pub(crate) number: usize,
    /// When it was to be sent, in nanoseconds of the load's clock.
    pub(crate) due_ns: u64,
    /// The event's id, with which a stream resumes.
    pub(crate) id: &'f [u8],
}

impl<'f> Arrived<'f> {
    /// The message in a frame; other events and comments have none.
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
