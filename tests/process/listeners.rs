//! Tests with clients of event streams that others wrote: wherever they are cut off, they get each
//! message once and in order. `tests/all` installs those that are no crates.

use std::io;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use eventsource_client::{Client as _, ClientBuilder, ReconnectOptions, SSE};
use futures::StreamExt;
use futures::channel::mpsc;
use launchdarkly_sdk_transport::{
    ByteStream, HttpTransport, Request, Response, ResponseFuture, TransportError,
};
use rocket::tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy};
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::sync::watch;
use rocket::tokio::task::JoinHandle;
use rocket::tokio::{select, spawn};
use serde_json::Value;

use crate::programs::{SCRIPTS, python};
use crate::server::{Server, until};

/// The texts of the messages that a client was told of.
type Heard = Arc<Mutex<Vec<String>>>;

/// A client that listens as long as it is kept.
enum Listening {
    Program { _process: rocket::tokio::process::Child },
    Task(JoinHandle<()>),
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Self::Task(task) = self {
            task.abort();
        }
    }
}

fn hear(heard: &Heard, text: &str) {
    heard.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
}

/// Listens by a program that prints each text on a line.
fn listens_by(mut program: Command, url: &str, token: &str, heard: &Heard) -> Listening {
    program.args([url, token]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut program = rocket::tokio::process::Command::from(program);
    let mut process = program.kill_on_drop(true).spawn().expect("a process");
    let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let heard = heard.clone();
    spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            hear(&heard, &line);
        }
    });
    Listening::Program { _process: process }
}

fn httpx_sse(url: &str, token: &str, heard: &Heard) -> Listening {
    let mut program = python();
    program.arg(format!("{SCRIPTS}/listen.py"));
    listens_by(program, url, token, heard)
}

fn npms_eventsource(url: &str, token: &str, heard: &Heard) -> Listening {
    let mut program = Command::new("node");
    program.arg(format!("{SCRIPTS}/listen.mjs"));
    listens_by(program, url, token, heard)
}

fn eventsource_client(url: &str, token: &str, heard: &Heard) -> Listening {
    let soon = Duration::from_millis(200);
    let again = ReconnectOptions::reconnect(true).delay(soon).backoff_factor(1).build();
    let client = ClientBuilder::for_url(url).expect("an address").reconnect(again);
    let client = client.header("Authorization", &format!("Bearer {token}")).expect("a header");
    let mut events = client.build_with_transport(Reqwest::default()).stream();
    let heard = heard.clone();
    Listening::Task(spawn(async move {
        // An error is told, and then it goes on.
        while let Some(event) = events.next().await {
            if let Ok(SSE::Event(event)) = event
                && event.event_type == "message"
            {
                let message: Value = serde_json::from_str(&event.data).expect("JSON");
                hear(&heard, message["text"].as_str().expect("a text"));
            }
        }
    }))
}

/// The transport of eventsource-client.
#[derive(Clone, Default)]
struct Reqwest(reqwest::Client);

impl HttpTransport for Reqwest {
    fn request(&self, request: Request<Option<Bytes>>) -> ResponseFuture {
        let request = request.map(Option::unwrap_or_default);
        let http = self.0.clone();
        // What comes out has to be `Sync`: a task and a channel are.
        let asked = spawn(async move {
            let request = request.try_into().map_err(TransportError::new)?;
            let answer = http.execute(request).await.map_err(TransportError::new)?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            let (sender, body) = mpsc::unbounded();
            spawn(async move {
                let mut chunks = answer.bytes_stream();
                while let Some(chunk) = chunks.next().await {
                    let sent = sender.unbounded_send(chunk.map_err(TransportError::new));
                    if sent.is_err() {
                        break;
                    }
                }
            });
            let mut answer = Response::new(Box::pin(body) as ByteStream);
            (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
            Ok(answer)
        });
        Box::pin(async { asked.await.map_err(TransportError::new)? })
    }
}

/// A way to a server that can be cut, and can lead to another one.
pub(crate) struct Way {
    url: String,
    to: Arc<Mutex<SocketAddr>>,
    cuts: watch::Sender<()>,
    in_message: Arc<AtomicBool>,
}

impl Way {
    pub(crate) async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let to = Arc::new(Mutex::new(server.address()));
        let (cuts, in_message) = (watch::Sender::new(()), Arc::new(AtomicBool::new(false)));
        let way = Self { url, to, cuts, in_message };
        let (to, cuts, in_message) = (way.to.clone(), way.cuts.subscribe(), way.in_message.clone());
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let to = *to.lock().unwrap_or_else(PoisonError::into_inner);
                let (mut cuts, in_message) = (cuts.clone(), in_message.clone());
                cuts.mark_unchanged();
                spawn(async move {
                    select! {
                        // Who is cut off knows of no server that does not answer.
                        _ = carry(client, to, &in_message) => {}
                        _ = cuts.changed() => {}
                    }
                });
            }
        });
        way
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn leads_to(&self, server: &Server) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = server.address();
    }

    /// Cuts every connection.
    fn is_cut(&self) {
        self.cuts.send_replace(());
    }

    /// Cuts the connection on which the next message comes, in the middle of that.
    pub(crate) fn is_cut_in_the_next_message(&self) {
        self.in_message.store(true, Ordering::SeqCst);
    }
}

/// Carries bytes between a client and a server until one of them, or a cut, ends the connection.
async fn carry(mut client: TcpStream, to: SocketAddr, in_message: &AtomicBool) -> io::Result<()> {
    let mut server = TcpStream::connect(to).await?;
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let answers = async {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            let read = from_server.read(&mut bytes).await?;
            let read = &bytes[..read];
            let has_message = read.windows(14).any(|part| part == b"event: message");
            if has_message && in_message.swap(false, Ordering::SeqCst) {
                return to_client.write_all(&read[..read.len() / 2]).await;
            }
            if read.is_empty() {
                return Ok(());
            }
            to_client.write_all(read).await?;
        }
    };
    select! {
        ended = answers => ended,
        ended = copy(&mut from_client, &mut to_server) => ended.map(|_| ()),
    }
}

async fn hears_each_message_once(listen: fn(&str, &str, &Heard) -> Listening) {
    let mut server = Server::start().await;
    let mut ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let way = Way::to(&server).await;
    let history = ada.get("/api/channels/general/messages").await.expect("an answer").json;
    let cursor = history["cursor"].as_str().expect("a cursor");
    let url = format!("{}/api/channels/general/events?after={cursor}", way.url);
    let heard = Heard::default();
    let mut said = Vec::new();
    let all = |said: &[String]| {
        let (heard, said) = (heard.clone(), said.to_vec());
        async move {
            let enough = async || heard.lock().is_ok_and(|heard| heard.len() >= said.len());
            until("all is heard", enough).await;
            assert_eq!(*heard.lock().unwrap_or_else(PoisonError::into_inner), said);
        }
    };

    let _listening = listen(&url, &token, &heard);
    until("it listens", async || server.metric("houston_streams").await == 1).await;
    // Before the first event.
    way.is_cut();
    says(&ada, &mut said, "before").await;
    all(&said).await;
    for text in ["within", "within again"] {
        way.is_cut_in_the_next_message();
        says(&ada, &mut said, text).await;
        says(&ada, &mut said, "after that").await;
        all(&said).await;
    }
    // While it is away, as is the server.
    server.kill();
    server = server.restart().await;
    ada = server.client().with_token(&token);
    for text in ["away", "away again", "still away"] {
        says(&ada, &mut said, text).await;
    }
    way.leads_to(&server);
    all(&said).await;
    says(&ada, &mut said, "here").await;
    all(&said).await;
}

async fn says(ada: &crate::client::Client, said: &mut Vec<String>, text: &str) {
    let answer = ada.puts("general", &format!("m{}", said.len()), text).await.expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    said.push(text.to_owned());
}

#[rocket::async_test]
async fn httpx_sse_hears_each_message_once() {
    hears_each_message_once(httpx_sse).await;
}

#[rocket::async_test]
async fn npms_eventsource_hears_each_message_once() {
    hears_each_message_once(npms_eventsource).await;
}

#[rocket::async_test]
async fn eventsource_client_hears_each_message_once() {
    hears_each_message_once(eventsource_client).await;
}
