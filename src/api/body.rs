//! Request bodies, with limits on their length, their pauses and their duration.
//!
//! Everything that is read of a body goes through [`Reader`]: JSON, texts, forms, files, and what
//! is thrown away of a body that was refused. So a client that stops in the middle holds what it
//! was given, a place among the uploads of its user, for no longer than the limits say.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rocket::Request;
use rocket::data::{Data, DataStream, ToByteUnit};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::problem::{Problem, ProblemKind};

/// The largest body, in bytes. Files in a form do not count.
pub(crate) const MAX_BYTES: u64 = 64 * 1024;
/// The number of bytes of a larger body that are read and thrown away, so that its sender gets to
/// read the answer.
const MAX_DRAINED_BYTES: u64 = 16 * 1024 * 1024;
/// The time that any body may take, however small it is.
const MIN_DURATION: Duration = Duration::from_mins(1);
/// The number of bytes that a body must have brought for each second beyond [`MIN_DURATION`].
const MIN_BYTES_PER_SECOND: u64 = 16 * 1024;

/// The longest pause within a body before it is given up, as managed state.
pub(crate) struct MaxSilence(pub(crate) Duration);

/// A request body that has not been read yet.
pub(crate) struct Body<'r> {
    data: Data<'r>,
    length: Option<u64>,
    max_silence: Duration,
}

impl<'r> Body<'r> {
    /// Takes the body of a request, with the server's limits on it.
    pub(super) fn of(request: &Request<'_>, data: Data<'r>) -> Self {
        let length = request.headers().get_one("Content-Length");
        let length = length.and_then(|length| length.parse().ok());
        let MaxSilence(max_silence) = request.rocket().state().expect("the limit is managed");
        Self { data, length, max_silence: *max_silence }
    }

    /// The length in bytes that the client has promised, by `Content-Length`.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Reads a body of at most [`MAX_BYTES`].
    pub(super) async fn bytes(self) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let mut reader = self.reader(MAX_BYTES);
        let read = (&mut reader).take(MAX_BYTES + 1).read_to_end(&mut bytes).await;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(reader.refuse(Problem::new(ProblemKind::TooLarge)).await);
        }
        match read {
            Ok(_) => Ok(bytes),
            Err(_) => Err(reader.refuse(Problem::malformed("The body ended early.")).await),
        }
    }

    /// Reads a body of at most [`MAX_BYTES`] as UTF-8.
    pub(super) async fn text(self) -> Result<String, Problem> {
        utf8(self.bytes().await?)
    }

    /// A reader of a body that should have at most `max_bytes`. What is refused on the way can be
    /// [drained](Reader::refuse) from it, and somewhat more.
    pub(super) fn reader(self, max_bytes: u64) -> Reader<DataStream<'r>> {
        let max_bytes = max_bytes.saturating_add(MAX_DRAINED_BYTES);
        let promised_bytes = self.length.unwrap_or(0).min(max_bytes);
        Reader::of(self.data.open(max_bytes.bytes()), promised_bytes, self.max_silence)
    }

    /// Drains the refused body, as far as is reasonable, and returns the problem.
    pub(super) async fn refuse(self, problem: Problem) -> Problem {
        self.reader(0).refuse(problem).await
    }
}

/// A reader of a body that fails with [`io::ErrorKind::TimedOut`] when nothing comes for too long,
/// or when the body as a whole takes longer than its size allows for.
pub(super) struct Reader<R> {
    stream: R,
    max_silence: Duration,
    begun: Instant,
    /// The time of the last successful read.
    heard: Instant,
    /// The number of bytes read so far.
    bytes: u64,
    /// The least number of bytes to expect. Rocket reads the beginning of each body by itself;
    /// where that has failed, it looks like a body that ends there.
    promised_bytes: u64,
    alarm: Pin<Box<Sleep>>,
    gave_up: bool,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn of(stream: R, promised_bytes: u64, max_silence: Duration) -> Self {
        let now = Instant::now();
        Self {
            stream,
            max_silence,
            begun: now,
            heard: now,
            bytes: 0,
            promised_bytes,
            alarm: Box::pin(sleep_until(now + max_silence)),
            gave_up: false,
        }
    }

    /// Drains what is left of the body, and returns the problem to answer with. Whoever still sends
    /// when the answer comes may never read it. A body that was given up is not read on, and that
    /// is the problem then, whatever was made of the half that came.
    pub(super) async fn refuse(&mut self, problem: Problem) -> Problem {
        if self.gave_up {
            return Problem::new(ProblemKind::RequestTimeout);
        }
        // The answer is the same whether the rest could be read or not.
        let _ = tokio::io::copy(self, &mut tokio::io::sink()).await;
        problem
    }

    /// The time by which the body must have ended, judged by the bytes that have come so far.
    fn deadline(&self) -> Instant {
        self.begun + MIN_DURATION + Duration::from_secs(self.bytes / MIN_BYTES_PER_SECOND)
    }

    fn give_up(&mut self) -> Poll<io::Result<()>> {
        self.gave_up = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Reader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.gave_up || self.deadline() < Instant::now() {
            return self.give_up();
        }
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let length = buffer.filled().len() - before;
            self.bytes += length as u64;
            self.heard = Instant::now();
            let ended = length == 0 && buffer.remaining() > 0 && read.is_ok();
            if ended && self.bytes < self.promised_bytes {
                return self.give_up();
            }
            return Poll::Ready(read);
        }
        let limit = self.deadline().min(self.heard + self.max_silence);
        if self.alarm.deadline() != limit {
            self.alarm.as_mut().reset(limit);
        }
        ready!(self.alarm.as_mut().poll(context));
        self.give_up()
    }
}

/// Decodes bytes as UTF-8, without the byte order mark that some programs begin a text with.
pub(super) fn utf8(bytes: Vec<u8>) -> Result<String, Problem> {
    let text = String::from_utf8(bytes);
    Ok(unmarked(text.map_err(|_| Problem::malformed("The body is not UTF-8."))?))
}

/// The text without a byte order mark at its start.
pub(super) fn unmarked(mut text: String) -> String {
    if text.starts_with('\u{FEFF}') {
        text.remove(0);
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const MAX_SILENCE: Duration = Duration::from_secs(30);

    /// Reads a body whose sender repeats `piece` after every `pause`, or sends it once if there is
    /// none. Returns the kind of the failure and the time until it.
    async fn halts(piece: &'static [u8], pause: Option<Duration>) -> (io::ErrorKind, Duration) {
        let (mut sender, body) = duplex(piece.len());
        let sends = async {
            loop {
                sender.write_all(piece).await.expect("somebody reads");
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            }
        };
        let mut reader = Reader::of(body, 0, MAX_SILENCE);
        let mut read = Vec::new();
        let begun = Instant::now();
        let ended = tokio::select! {
            () = sends => unreachable!("it goes on for ever"),
            ended = reader.read_to_end(&mut read) => ended,
        };
        (ended.expect_err("it never ends").kind(), begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_to_a_halt_is_given_up() {
        let (error, after) = halts(b"half of it", None).await;
        assert_eq!((error, after.as_secs()), (io::ErrorKind::TimedOut, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up() {
        let (error, after) = halts(b"x", Some(Duration::from_secs(29))).await;
        assert_eq!((error, after.as_secs()), (io::ErrorKind::TimedOut, 60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_take_as_long_as_its_size_allows_for() {
        let (mut sender, body): (DuplexStream, _) = duplex(1024 * 1024);
        let sends = async {
            for _ in 0..100 {
                sender.write_all(&vec![0; 200 * 1024]).await.expect("somebody reads");
                tokio::time::sleep(Duration::from_secs(12)).await;
            }
            drop(sender);
        };
        let mut read = tokio::io::sink();
        let mut reader = Reader::of(body, 0, MAX_SILENCE);
        let ((), read) = tokio::join!(sends, tokio::io::copy(&mut reader, &mut read));
        assert_eq!(read.expect("all of it"), 100 * 200 * 1024);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_ends_before_what_was_promised_is_given_up() {
        for (promised, error) in [(5, None), (6, Some(io::ErrorKind::TimedOut))] {
            let mut reader = Reader::of(&b"hello"[..], promised, MAX_SILENCE);
            let read = reader.read_to_end(&mut Vec::new()).await;
            assert_eq!(read.err().map(|error| error.kind()), error, "{promised}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_not_read_for_ever() {
        let (_sender, body) = duplex(1);
        let mut reader = Reader::of(body, 0, MAX_SILENCE);
        let begun = Instant::now();
        let problem = reader.refuse(Problem::new(ProblemKind::TooLarge)).await;
        assert_eq!((problem.kind, begun.elapsed().as_secs()), (ProblemKind::TooLarge, 30));
        let problem = reader.refuse(Problem::new(ProblemKind::TooLarge)).await;
        assert_eq!(problem.kind, ProblemKind::RequestTimeout, "it was given up");
    }

    #[test]
    fn a_byte_order_mark_is_dropped() {
        assert_eq!(utf8(b"\xEF\xBB\xBFhi".to_vec()).expect("UTF-8"), "hi");
        assert_eq!(utf8(b"hi\xEF\xBB\xBF".to_vec()).expect("UTF-8"), "hi\u{FEFF}");
    }
}
