//! A bot that answers `ping`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::{env, error::Error, thread, time::Duration};

use serde_json::{Value, json};
use ureq::{Agent, Error::StatusCode};

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::var("HOUSTON_URL").unwrap_or("http://127.0.0.1:8000".into());
    let channel = format!("{server}/api/channels/general");
    let bearer = format!("Bearer {}", env::var("HOUSTON_TOKEN")?);
    let patience = Some(Duration::from_secs(15)); // a stream has a ping every five seconds
    let http: Agent = Agent::config_builder().timeout_per_read(patience).build().into();
    let history = http.get(format!("{channel}/messages")).header("Authorization", &bearer);
    let history: Value = history.call()?.into_body().read_json()?;
    let mut cursor = history["cursor"].as_str().ok_or("no cursor")?.to_owned();
    let latest = history["messages"].as_array().and_then(|messages| messages.last());
    let mut last = latest.and_then(|message| message["seq"].as_u64()).unwrap_or(0);
    loop {
        if let Err(error) = listen(&http, &channel, &bearer, &mut cursor, &mut last) {
            eprintln!("{error}"); // the server is away
        }
        thread::sleep(Duration::from_secs(1));
    }
}

fn listen(
    http: &Agent,
    channel: &str,
    bearer: &str,
    cursor: &mut String,
    last: &mut u64,
) -> Result<(), Box<dyn Error>> {
    let stream = http.get(format!("{channel}/events")).header("Authorization", bearer);
    let stream = stream.header("Last-Event-ID", &*cursor).call()?;
    let mut event = HashMap::new();
    for line in BufReader::new(stream.into_body().into_reader()).lines() {
        let line = line?;
        if let Some((field, value)) = line.split_once(": ") {
            event.insert(field.to_owned(), value.to_owned());
            continue;
        }
        // An empty line ends an event.
        if event.remove("event").as_deref() == Some("message") {
            let message: Value = serde_json::from_str(&event["data"])?;
            let (author, seq) = (&message["author"], message["seq"].as_u64().ok_or("no seq")?);
            // After a `reset` all that is kept comes again.
            if seq > *last && message["text"] == "ping" && author["bot"] == false {
                // Under an id of its own: said again, it changes nothing.
                let answer = format!("{channel}/messages/pong-{seq}");
                let text = format!("pong, {}", author["display_name"].as_str().unwrap_or("you"));
                let put = http.put(answer).header("Authorization", bearer);
                match put.send_json(json!({ "text": text })) {
                    // Refused for good, as where somebody has taken the id.
                    Err(StatusCode(code @ 400..500)) if ![401, 408, 429].contains(&code) => {
                        eprintln!("not answered: {code}");
                    }
                    answered => drop(answered?),
                }
            }
            *last = seq.max(*last);
        }
        if let Some(id) = event.remove("id") {
            *cursor = id; // only now: a message that was not answered comes again
        }
        event.clear();
    }
    Ok(())
}
