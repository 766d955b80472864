//! Rocket's `EventStream` over a broadcast channel, as the chat example of its guide has it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rocket::http::Status;
use rocket::response::stream::{Event, EventStream};
use rocket::serde::json::Json;
use rocket::tokio::select;
use rocket::tokio::sync::broadcast::{Sender, channel};
use rocket::{Config, Shutdown, State, get, post, routes};

use crate::Result;
use crate::peers::{Draft, Message};

/// How many messages wait for a listener at most, as in the guide.
const WAITING: usize = 1024;

#[derive(Default)]
struct Rooms(Mutex<HashMap<String, Arc<Room>>>);

struct Room {
    /// The last message's number; who holds it may send the next.
    last: Mutex<u64>,
    said: Sender<Arc<Message>>,
}

pub(crate) fn serve(port: u16) -> Result<()> {
    let config =
        Config { port, log_level: rocket::config::LogLevel::Off, ..Config::release_default() };
    let server =
        rocket::custom(config).manage(Rooms::default()).mount("/api", routes![events, say]);
    rocket::execute(server.launch())?;
    Ok(())
}

#[get("/channels/<channel>/events")]
fn events(channel: &str, rooms: &State<Rooms>, mut end: Shutdown) -> EventStream![] {
    let mut said = rooms.room(channel).said.subscribe();
    EventStream! {
        loop {
            let message = select! {
                // Who is too slow is let go, and comes back.
                message = said.recv() => match message {
                    Ok(message) => message,
                    Err(_) => break,
                },
                () = &mut end => break,
            };
            yield Event::json(&*message).event("message").id(message.seq.to_string());
        }
    }
}

#[post("/channels/<channel>/messages", data = "<draft>")]
fn say(channel: &str, draft: Json<Draft>, rooms: &State<Rooms>) -> (Status, Json<Message>) {
    let room = rooms.room(channel);
    let mut last = room.last.lock().expect("nobody panics with it");
    *last += 1;
    let message = Message::new(*last, channel, draft.into_inner().text);
    // Nobody may be listening.
    let _ = room.said.send(Arc::new(message.clone()));
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
