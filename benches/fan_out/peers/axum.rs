//! A peer with axum's `Sse` over a broadcast channel, as a careful user would write it.
//!
//! A message is made into JSON once, not for each listener. Who resumes, or was too slow for the
//! channel, gets what they missed from the room's history, and a `reset` if that is too short.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use futures::stream::{Stream, unfold};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use crate::Result;
use crate::peers::{Draft, History, KEPT, Message};

/// The number of messages that may wait for a listener.
const WAITING: usize = 1024;
/// The time between signs of life.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, Arc<Room>>>>);

struct Room {
    kept: Mutex<VecDeque<Arc<Message>>>,
    said: Sender<Said>,
}

/// A message on its way to the listeners.
#[derive(Clone)]
struct Said {
    seq: u64,
    json: Arc<str>,
}

pub(crate) fn serve(port: u16) -> Result<()> {
    Runtime::new()?.block_on(async {
        let messages = get(history).post(say);
        let router = Router::new()
            .route("/api/channels/{channel}/messages", messages)
            .route("/api/channels/{channel}/events", get(events))
            .with_state(Rooms::default());
        let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|connection| {
            // A message that goes out later than it could is not worth an error.
            let _ = connection.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

async fn say(
    Path(channel): Path<String>,
    State(rooms): State<Rooms>,
    Json(draft): Json<Draft>,
) -> Response {
    let json = rooms.room(&channel).say(&channel, draft.text);
    (StatusCode::CREATED, [(CONTENT_TYPE, "application/json")], json.to_string()).into_response()
}

async fn history(Path(channel): Path<String>, State(rooms): State<Rooms>) -> Response {
    let kept = rooms.room(&channel).after(0);
    let cursor = kept.back().map_or(0, |message| message.seq).to_string();
    let messages = kept.iter().map(|message| &**message).collect();
    Json(History { messages, cursor, kept: KEPT }).into_response()
}

async fn events(
    Path(channel): Path<String>,
    State(rooms): State<Rooms>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let room = rooms.room(&channel);
    let resumed = headers.get("last-event-id");
    let resumed = resumed.and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    Sse::new(Listener::new(room, resumed).stream())
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Rooms {
    fn room(&self, name: &str) -> Arc<Room> {
        let mut rooms = self.0.lock().expect("nobody panics with it");
        if let Some(room) = rooms.get(name) {
            return Arc::clone(room);
        }
        let room = Arc::new(Room { kept: Mutex::default(), said: channel(WAITING).0 });
        rooms.insert(name.to_owned(), Arc::clone(&room));
        room
    }
}

impl Room {
    fn say(&self, channel: &str, text: String) -> Arc<str> {
        let mut kept = self.kept.lock().expect("nobody panics with it");
        let seq = kept.back().map_or(0, |last| last.seq) + 1;
        let message = Message::new(seq, channel, text);
        let json: Arc<str> = encode(&message).into();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::new(message));
        // Nobody may be listening.
        let _ = self.said.send(Said { seq, json: Arc::clone(&json) });
        json
    }

    fn after(&self, seq: u64) -> VecDeque<Arc<Message>> {
        let kept = self.kept.lock().expect("nobody panics with it");
        let first = kept.partition_point(|message| message.seq <= seq);
        kept.range(first..).cloned().collect()
    }
}

struct Listener {
    room: Arc<Room>,
    said: Receiver<Said>,
    /// The number of the last message that the listener has, or that came before it listened.
    last: u64,
    missed: VecDeque<Arc<Message>>,
}

impl Listener {
    /// Subscribes to the channel before it reads the history, so that no message falls between the
    /// two.
    fn new(room: Arc<Room>, resumed: Option<u64>) -> Self {
        let said = room.said.subscribe();
        let last = resumed.unwrap_or(0);
        let missed = resumed.map(|last| room.after(last)).unwrap_or_default();
        Self { room, said, last, missed }
    }

    fn stream(self) -> impl Stream<Item = std::result::Result<Event, Infallible>> {
        unfold(self, |mut listener| async {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(message) = self.missed.front() {
                if message.seq > self.last + 1 {
                    self.last = message.seq - 1;
                    return Some(Event::default().event("reset").data("{}"));
                }
                self.last = message.seq;
                let event = event(message.seq, &encode(message));
                self.missed.pop_front();
                return Some(event);
            }
            match self.said.recv().await {
                Ok(said) if said.seq <= self.last => {}
                Ok(said) => {
                    self.last = said.seq;
                    return Some(event(said.seq, &said.json));
                }
                Err(RecvError::Lagged(_)) => self.missed = self.room.after(self.last),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

fn event(seq: u64, json: &str) -> Event {
    Event::default().event("message").id(seq.to_string()).data(json)
}

fn encode(message: &Message) -> String {
    serde_json::to_string(message).expect("it has no map with keys that are not texts")
}
