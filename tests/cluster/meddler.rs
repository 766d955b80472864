//! A connection to a NATS server that plays tricks.
//!
//! What the server sends is read by the frames of the client protocol
//! (<https://docs.nats.io/reference/reference-protocols/nats-protocol>).

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rocket::tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy};
use rocket::tokio::net::tcp::OwnedReadHalf;
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::{select, spawn};

/// A server's address behind which tricks are played.
pub(crate) struct Meddler {
    pub(crate) url: String,
    next: Arc<Mutex<Option<Trick>>>,
}

/// What happens to the next frame of a kind.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Trick {
    /// The connection ends instead of bringing the acknowledgement of a stored message.
    CutBeforeAcknowledgement,
    /// A consumer's delivery does not come.
    LoseDelivery,
    /// It comes twice.
    DoubleDelivery,
}

impl Meddler {
    pub(crate) async fn before(server: &str) -> Self {
        let server = server.trim_start_matches("nats://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("nats://{}", listener.local_addr().expect("an address"));
        let next = Arc::<Mutex<Option<Trick>>>::default();
        let tricks = next.clone();
        spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a client");
                let upstream = TcpStream::connect(&server).await.expect("the server");
                let tricks = tricks.clone();
                // Either side may end.
                spawn(async move { pass(client, upstream, &tricks).await });
            }
        });
        Self { url, next }
    }

    /// Plays a trick with the next frame that it is for.
    pub(crate) fn plan(&self, trick: Trick) {
        let before = self.next.lock().replace(trick);
        assert!(before.is_none(), "the one before was played");
    }

    /// Tells whether the last trick was played.
    pub(crate) fn has_played(&self) -> bool {
        self.next.lock().is_none()
    }
}

/// Passes on what both sides say until one ends.
async fn pass(
    client: TcpStream,
    upstream: TcpStream,
    next: &Mutex<Option<Trick>>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = upstream.into_split();
    let mut from_server = BufReader::new(from_server);
    let answers = async {
        loop {
            let frame = frame(&mut from_server).await?;
            let trick = next.lock().take_if(|trick| trick.is_for(&frame));
            let times = match trick {
                Some(Trick::CutBeforeAcknowledgement) => return Ok(()),
                Some(Trick::LoseDelivery) => 0,
                Some(Trick::DoubleDelivery) => 2,
                None => 1,
            };
            to_client.write_all(&frame.repeat(times)).await?;
        }
    };
    select! {
        sent = copy(&mut from_client, &mut to_server) => sent.map(drop),
        answered = answers => answered,
    }
}

/// Reads a frame: a line, and behind `MSG` and `HMSG` so many bytes as its last word says, and a line's
/// end.
async fn frame(server: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut frame = Vec::new();
    if server.read_until(b'\n', &mut frame).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&frame);
    let mut words = line.split_ascii_whitespace();
    if let Some("MSG" | "HMSG") = words.next() {
        let bytes: usize = words.last().and_then(|it| it.parse().ok()).expect("a number of bytes");
        let line_bytes = frame.len();
        frame.resize(line_bytes + bytes + 2, 0);
        server.read_exact(&mut frame[line_bytes..]).await?;
    }
    Ok(frame)
}

impl Trick {
    fn is_for(self, frame: &[u8]) -> bool {
        let text = String::from_utf8_lossy(frame);
        let is_delivery = text.lines().next().is_some_and(|line| line.contains(" $JS.ACK."));
        match self {
            Self::CutBeforeAcknowledgement => !is_delivery && text.contains("\"seq\":"),
            Self::LoseDelivery | Self::DoubleDelivery => is_delivery,
        }
    }
}
