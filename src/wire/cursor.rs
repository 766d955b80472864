//! Cursors: points in a stream, as clients hold them.

use std::fmt;
use std::str::FromStr;

use crate::domain::ids::{Epoch, Seq, StartId};

/// A point in a stream: `<epoch of the stream>-<start>-<sequence>`, opaque to clients.
///
/// The start tells a cursor from a past that was undone, as by restoring a backup, from one of the
/// present: the idea of Kafka's leader epochs (KIP-101).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch of the stream, derived from the log's.
    pub epoch: Epoch,
    /// The start during which it was issued.
    pub start: StartId,
    /// The last sequence seen.
    pub seq: Seq,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}-{}", self.epoch, self.start.0, self.seq)
    }
}

/// The error for a text that is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this server")]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(cursor: &str) -> Result<Self, InvalidCursor> {
        let mut parts = cursor.split('-');
        let mut next = |digits: Option<usize>| {
            let part = parts.next().ok_or(InvalidCursor)?;
            let right = digits.is_none_or(|digits| part.len() == digits);
            let digits = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            if right && digits { Ok(part) } else { Err(InvalidCursor) }
        };
        let (epoch, start, seq) = (next(Some(16))?, next(Some(8))?, next(None)?);
        if parts.next().is_some() {
            return Err(InvalidCursor);
        }
        let epoch = u64::from_str_radix(epoch, 16).map_err(|_| InvalidCursor)?;
        let start = u32::from_str_radix(start, 16).map_err(|_| InvalidCursor)?;
        let seq = seq.parse().map_err(|_| InvalidCursor)?;
        Ok(Self { epoch: Epoch(epoch), start: StartId(start), seq: Seq(seq) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_written_and_read() {
        let cursor = Cursor { epoch: Epoch(7), start: StartId(10), seq: Seq(42) };
        assert_eq!(cursor.to_string(), "0000000000000007-0000000a-42");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn anything_else_is_no_cursor() {
        for text in [
            "",
            "0",
            "7-42",
            "0000000000000007-42",
            "0000000000000007-0000000a-",
            "0000000000000007-0000000a-1-1",
            "000000000000000g-0000000a-1",
            "é-1-1",
            "--",
            "a-b-c",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text:?}");
        }
    }
}
