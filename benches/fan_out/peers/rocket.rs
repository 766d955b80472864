//! A peer with Rocket and a broadcast channel: Rocket's `EventStream`, as the chat example of its
//! guide has it; or bytes that are made once and all that wait in one chunk, to tell what of
//! Houston's cost is Rocket's.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use bytes::{Bytes, BytesMut};
use futures::stream::{BoxStream, StreamExt, unfold};
use rocket::http::{ContentType, Status};
use rocket::request::Request;
use rocket::response::stream::{Event, EventStream};
use rocket::response::{self, Responder, Response};
use rocket::serde::json::{self, Json};
use rocket::tokio::select;
use rocket::tokio::sync::broadcast::error::TryRecvError;
use rocket::tokio::sync::broadcast::{Receiver, Sender, channel};
use rocket::{Config, Route, Shutdown, State, get, post, routes};
use tokio_util::io::StreamReader;

use crate::Result;
use crate::peers::{Draft, Message};

/// The number of messages that may wait for a listener, as in the guide.
const WAITING: usize = 1024;
/// The buffer of each stream that writes chunks, as large as Houston's.
const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Default)]
struct Rooms(Mutex<HashMap<String, Arc<Room>>>);

struct Room {
    /// The last message's number. Whoever holds the lock may send the next.
    last: Mutex<u64>,
    said: Sender<Arc<Said>>,
}

/// A message on its way to the listeners.
struct Said {
    message: Message,
    /// The frame, made by the first listener that wants it.
    frame: OnceLock<Bytes>,
}

impl Said {
    fn frame(&self) -> &Bytes {
        self.frame.get_or_init(|| {
            let json = json::to_string(&self.message).expect("it has no keys but strings");
            format!("id: {}\nevent: message\ndata: {json}\n\n", self.message.seq).into()
        })
    }
}

/// Serves a stream with an `Event` for each listener.
pub(crate) fn events() -> Vec<Route> {
    routes![event_stream, say]
}

/// Serves a stream with bytes that are made once, and all that wait for a listener in one chunk.
pub(crate) fn chunks() -> Vec<Route> {
    routes![chunk_stream, say]
}

pub(crate) fn serve(port: u16, routes: Vec<Route>) -> Result<()> {
    let config =
        Config { port, log_level: rocket::config::LogLevel::Off, ..Config::release_default() };
    let server = rocket::custom(config).manage(Rooms::default()).mount("/api", routes);
    rocket::execute(server.launch())?;
    Ok(())
}

#[get("/channels/<channel>/events")]
fn event_stream(channel: &str, rooms: &State<Rooms>, mut end: Shutdown) -> EventStream![] {
    let mut said = rooms.room(channel).said.subscribe();
    EventStream! {
        loop {
            let said = select! {
                // Who is too slow is let go, and comes back.
                said = said.recv() => match said {
                    Ok(said) => said,
                    Err(_) => break,
                },
                () = &mut end => break,
            };
            let message = &said.message;
            yield Event::json(message).event("message").id(message.seq.to_string());
        }
    }
}

struct Chunks(BoxStream<'static, io::Result<Bytes>>);

#[get("/channels/<channel>/events")]
fn chunk_stream(channel: &str, rooms: &State<Rooms>) -> Chunks {
    let next = |mut said: Receiver<Arc<Said>>| async {
        // Who is too slow is let go here, too.
        let mut chunk = said.recv().await.ok()?.frame().clone();
        loop {
            let more = match said.try_recv() {
                Ok(more) => more,
                Err(TryRecvError::Empty) => return Some((Ok(chunk), said)),
                Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return None,
            };
            let mut joined = BytesMut::from(chunk);
            joined.extend_from_slice(more.frame());
            chunk = joined.freeze();
        }
    };
    Chunks(unfold(rooms.room(channel).said.subscribe(), next).boxed())
}

impl<'r> Responder<'r, 'static> for Chunks {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build()
            .header(ContentType::EventStream)
            .streamed_body(StreamReader::new(self.0))
            .max_chunk_size(CHUNK_BYTES)
            .ok()
    }
}

#[post("/channels/<channel>/messages", data = "<draft>")]
fn say(channel: &str, draft: Json<Draft>, rooms: &State<Rooms>) -> (Status, Json<Message>) {
    let room = rooms.room(channel);
    let mut last = room.last.lock().expect("nobody panics with it");
    *last += 1;
    let message = Message::new(*last, channel, draft.into_inner().text);
    // Nobody may be listening.
    let _ = room.said.send(Arc::new(Said { message: message.clone(), frame: OnceLock::new() }));
    (Status::Created, Json(message))
}

impl Rooms {
    fn room(&self, name: &str) -> Arc<Room> {
        let mut rooms = self.0.lock().expect("nobody panics with it");
        if let Some(room) = rooms.get(name) {
            return Arc::clone(room);
        }
        let room = Arc::new(Room { last: Mutex::default(), said: channel(WAITING).0 });
        rooms.insert(name.to_owned(), Arc::clone(&room));
        room
    }
}
