//! The harness of the tests: people in a workspace, with the HTTP hidden.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{FutureExt, LocalBoxFuture, join_all};
use houston::assets::Sources;
use houston::config::Config;
use rocket::figment::Figment;
use rocket::http::{ContentType, Header, Method};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::tokio::io::{AsyncBufReadExt, BufReader, Lines};
use rocket::tokio::time::{sleep, timeout};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::described;

/// The deadline of every wait. Generous: these are promises, not races.
const DEADLINE: Duration = Duration::from_secs(30);

/// The `Accept` header of Firefox when it opens a page.
pub(crate) const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A server of one test, in this process, on a temporary directory.
#[derive(Clone)]
pub(crate) struct Workspace {
    client: Arc<Client>,
    data: Arc<TempDir>,
}

impl Workspace {
    /// Starts a server without rate limits, which have tests of their own.
    pub(crate) async fn start() -> Self {
        Self::with(|settings| settings.merge(("rate_limits", false))).await
    }

    pub(crate) async fn with(change: impl FnOnce(Figment) -> Figment) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        Self { client: launch(data.path(), change).await, data: Arc::new(data) }
    }

    /// Starts a server on an existing data directory.
    pub(crate) async fn over(data: TempDir) -> Self {
        let client = launch(data.path(), |settings| settings.merge(("rate_limits", false))).await;
        Self { client, data: Arc::new(data) }
    }

    /// Stops the server and starts it again on the same data.
    pub(crate) async fn restarted(self) -> Self {
        let Self { client, data } = self;
        let client = Arc::into_inner(client).expect("everybody has let go of the server");
        drop(client.terminate().await);
        until_let_go(data.path()).await;
        let client = launch(data.path(), |settings| settings.merge(("rate_limits", false))).await;
        Self { client, data }
    }

    pub(crate) fn visitor(&self) -> Person {
        let address = Ipv4Addr::LOCALHOST.into();
        Person { workspace: self.clone(), token: None, user: Value::Null, address }
    }

    pub(crate) async fn signed_in_as(&self, name: &str) -> Person {
        self.visitor().signs_in_as(name).await
    }

    /// Tells the server to stop, as a signal does.
    pub(crate) fn shut_down(&self) {
        self.client.rocket().shutdown().notify();
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// All mounted routes.
    pub(crate) fn routes(&self) -> Vec<(Method, String)> {
        let routes = self.client.rocket().routes();
        routes.map(|route| (route.method, route.uri.to_string())).collect()
    }

    /// A person with the session of this token.
    pub(crate) fn holder_of(&self, token: &str) -> Person {
        Person { token: Some(token.into()), ..self.visitor() }
    }
}

/// Waits until no server of this process has the data directory any more: after its end its tasks
/// finish what they are storing.
async fn until_let_go(data: &Path) {
    let is_free = |path: &Path| File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    let let_go = async {
        while !is_free(data) || !is_free(&data.join("houston.lock")) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, let_go).await.expect("the server before has let go of its data");
}

async fn launch(data: &Path, change: impl FnOnce(Figment) -> Figment) -> Arc<Client> {
    let settings = Config::figment()
        .merge(("data_dir", data))
        .merge(("pages_dir", env!("CARGO_MANIFEST_DIR")))
        .merge(("log_level", "off"))
        // No test asks the internet. Those of previews have servers of their own.
        .merge(("link_previews", false));
    let rocket = houston::rocket(change(settings), Sources::default()).await.expect("a workspace");
    Arc::new(Client::untracked(rocket).await.expect("a server"))
}

/// A client of the server, signed in or not.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) workspace: Workspace,
    pub(crate) token: Option<String>,
    pub(crate) user: Value,
    /// The address that they connect from.
    address: IpAddr,
}

impl Person {
    /// The same person at another address.
    pub(crate) fn at(self, address: &str) -> Self {
        Self { address: address.parse().expect("an address"), ..self }
    }

    pub(crate) async fn signs_in_as(&self, name: &str) -> Self {
        let answer = self.post("/api/session", json!({ "display_name": name })).await;
        assert_eq!(answer.status, 201, "{name} signs in: {answer:?}");
        let (user, token) = (answer.json()["user"].clone(), &answer.json()["token"]);
        let token = token.as_str().expect("a token").into();
        Self { token: Some(token), user, ..self.clone() }
    }

    pub(crate) fn id(&self) -> &str {
        self.user["id"].as_str().expect("a user id")
    }

    /// Sends a request as any client could make it. Its answer must be one that the API's
    /// description has.
    pub(crate) async fn asks(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Answer {
        let response = timeout(DEADLINE, self.dispatch(method, path, headers, body)).await;
        let answer = Answer::of(response).await;
        described::judge(method, path, &answer);
        answer
    }

    /// Sends a request and returns the status alone, without reading the body.
    pub(crate) async fn begins(&self, method: Method, path: &str) -> u16 {
        let answer = timeout(DEADLINE, self.dispatch(method, path, &[], "")).await;
        answer.expect("an answer before the deadline").status().code
    }

    async fn dispatch(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> LocalResponse<'_> {
        let mut request = self.workspace.client.req(method, path.to_owned());
        request.set_remote((self.address, 4_711).into());
        if let Some(token) = &self.token {
            request.add_header(Header::new("Authorization", format!("Bearer {token}")));
        }
        for (name, value) in headers {
            // The local client takes cookies by themselves only.
            if *name == "Cookie" {
                for (cookie, secret) in value.split("; ").filter_map(|it| it.split_once('=')) {
                    request = request.cookie((cookie.to_owned(), secret.to_owned()));
                }
                continue;
            }
            request.add_header(Header::new((*name).to_owned(), (*value).to_owned()));
        }
        request.set_body(body);
        request.dispatch().await
    }

    pub(crate) async fn sends_json(&self, method: Method, path: &str, body: Value) -> Answer {
        let json = ContentType::JSON.to_string();
        self.asks(method, path, &[("Content-Type", &json)], body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.asks(Method::Get, path, &[], "").await
    }

    /// Asks for a page, as a browser does.
    pub(crate) async fn page(&self, path: &str) -> Answer {
        self.asks(Method::Get, path, &[("Accept", BROWSER)], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.sends_json(Method::Post, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.sends_json(Method::Put, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.sends_json(Method::Patch, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.asks(Method::Delete, path, &[], "").await
    }

    pub(crate) async fn creates(&self, channel: &str) -> Value {
        let answer = self.post("/api/channels", json!({ "name": channel })).await;
        assert_eq!(answer.status, 201, "#{channel} is created: {answer:?}");
        answer.json()
    }

    pub(crate) async fn posts(&self, channel: &str, text: &str) -> Value {
        let path = format!("/api/channels/{channel}/messages");
        let answer = self.post(&path, json!({ "text": text })).await;
        assert_eq!(answer.status, 201, "{text:?} is posted: {answer:?}");
        answer.json()
    }

    /// Sends a message with files, each a name and its bytes.
    pub(crate) async fn sends(&self, channel: &str, text: &str, files: &[(&str, &[u8])]) -> Answer {
        let path = format!("/api/channels/{channel}/messages");
        self.sends_as(Method::Post, &path, text, files).await
    }

    /// Sends a multipart form with this method to this address.
    pub(crate) async fn sends_as(
        &self,
        method: Method,
        path: &str,
        text: &str,
        files: &[(&str, &[u8])],
    ) -> Answer {
        let part = |name: &str| {
            format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"").into_bytes()
        };
        let mut form = [&part("text")[..], b"\r\n\r\n", text.as_bytes(), b"\r\n"].concat();
        for (name, bytes) in files {
            let named = format!("; filename=\"{name}\"\r\nContent-Type: text/html\r\n\r\n");
            form.extend([&part("file"), named.as_bytes(), bytes, b"\r\n"].concat());
        }
        form.extend(b"--part--\r\n");
        let kind = [("Content-Type", "multipart/form-data; boundary=part")];
        self.asks(method, path, &kind, form).await
    }

    /// Repeats a request until it is refused with 429, right after many others: on a busy machine
    /// not always at the first attempt.
    pub(crate) async fn refused_behind<'p>(
        &'p self,
        others: usize,
        path: &'p str,
        body: Value,
        ask: impl Fn() -> LocalBoxFuture<'p, Answer>,
    ) -> Answer {
        for _ in 0..20 {
            let others = (0..others).map(|_| self.post(path, body.clone()).boxed_local());
            let mut answers = join_all(others.chain([ask()])).await;
            if let Some(answer) = answers.pop().filter(|answer| answer.status == 429) {
                answer.refused(429, "slow-down");
                return answer;
            }
        }
        panic!("there is no limit");
    }

    pub(crate) async fn puts(&self, channel: &str, id: &str, text: &str) -> Answer {
        let path = format!("/api/channels/{channel}/messages/{id}");
        self.put(&path, json!({ "text": text })).await
    }

    pub(crate) async fn deletes(&self, channel: &str, id: &str) {
        let answer = self.delete(&format!("/api/channels/{channel}/messages/{id}")).await;
        assert_eq!(answer.status, 204, "{id} is deleted: {answer:?}");
    }

    /// Restores a message, and returns it.
    pub(crate) async fn restores(&self, channel: &str, id: &str) -> Value {
        let answer = self.tries_to_restore(channel, id).await;
        assert_eq!(answer.status, 200, "{id} is restored: {answer:?}");
        answer.json()
    }

    pub(crate) async fn tries_to_restore(&self, channel: &str, id: &str) -> Answer {
        let path = format!("/api/channels/{channel}/messages/{id}/restore");
        self.asks(Method::Post, &path, &[], "").await
    }

    /// Reads the channel's history: its messages, and the cursor at which they are true.
    pub(crate) async fn history(&self, channel: &str) -> (Vec<Value>, String) {
        let answer = self.get(&format!("/api/channels/{channel}/messages")).await;
        assert_eq!(answer.status, 200, "#{channel} is read: {answer:?}");
        let history = answer.json();
        let cursor = history["cursor"].as_str().expect("a cursor").into();
        (history["messages"].as_array().expect("messages").clone(), cursor)
    }

    /// Reads the texts that the channel keeps, oldest first.
    pub(crate) async fn reads(&self, channel: &str) -> Vec<String> {
        let (messages, _) = self.history(channel).await;
        let text = |message: Value| message["text"].as_str().expect("a text").to_owned();
        messages.into_iter().map(text).collect()
    }

    pub(crate) async fn channel(&self, name: &str) -> Value {
        let answer = self.get(&format!("/api/channels/{name}")).await;
        assert_eq!(answer.status, 200, "#{name} is there: {answer:?}");
        answer.json()["channel"].clone()
    }

    /// Lists the channels, but for their places in their streams.
    pub(crate) async fn lists_channels(&self) -> Vec<Value> {
        let listed = self.get("/api/channels").await.json()["channels"].take();
        let Value::Array(mut channels) = listed else { panic!("no list: {listed}") };
        for channel in &mut channels {
            let cursor = channel.as_object_mut().and_then(|channel| channel.remove("cursor"));
            assert!(cursor.is_some_and(|cursor| cursor.is_string()), "{channel}");
        }
        channels
    }

    pub(crate) async fn listens(&self, channel: &str) -> Feed<'_> {
        self.opens(&format!("/api/channels/{channel}/events"), &[]).await
    }

    pub(crate) async fn listens_after(&self, channel: &str, cursor: &str) -> Feed<'_> {
        let path = format!("/api/channels/{channel}/events");
        self.opens(&path, &[("Last-Event-ID", cursor)]).await
    }

    pub(crate) async fn listens_everywhere(&self) -> Feed<'_> {
        self.opens("/api/events", &[]).await
    }

    /// Opens a live tail in this format.
    pub(crate) async fn tails(&self, path: &str, accept: &str) -> Tail<'_> {
        let response = self.dispatch(Method::Get, path, &[("Accept", accept)], "").await;
        assert_eq!(response.status().code, 200, "{path} is a tail");
        Tail { lines: BufReader::new(response).lines() }
    }

    pub(crate) async fn opens(&self, path: &str, headers: &[(&str, &str)]) -> Feed<'_> {
        let response = self.dispatch(Method::Get, path, headers, "").await;
        assert_eq!(response.status().code, 200, "{path} is a stream");
        assert_eq!(response.content_type(), Some(ContentType::EventStream));
        let mut feed = Feed { lines: BufReader::new(response).lines(), last_id: None };
        let first = timeout(DEADLINE, feed.block()).await.expect("an answer before the deadline");
        let [retry, id] = &first[..] else { panic!("{first:?} is how a stream begins") };
        assert!(retry.starts_with("retry: "), "{retry}: a stream answers at once");
        feed.last_id = Some(id.strip_prefix("id: ").expect("where it begins").to_owned());
        feed
    }
}

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    async fn of(response: Result<LocalResponse<'_>, impl std::fmt::Debug>) -> Self {
        let response = response.expect("an answer before the deadline");
        let headers = response.headers().iter();
        let headers = headers.map(|it| (it.name().to_string(), it.value().to_owned())).collect();
        let status = response.status().code;
        let bytes = timeout(DEADLINE, response.into_bytes()).await.expect("a whole answer");
        let bytes = bytes.unwrap_or_default();
        Self { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of this header that begins with this prefix.
    pub(crate) fn header_with(&self, name: &str, beginning: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let named = |known: &str, value: &str| {
            known.eq_ignore_ascii_case(name) && value.starts_with(beginning)
        };
        headers.find(|(known, value)| named(known, value)).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON in {self:?}"))
    }

    /// The answer as a problem, which it must be.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, slug: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("Content-Type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{self:?}");
        problem
    }
}

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Feed<'c> {
    lines: Lines<BufReader<LocalResponse<'c>>>,
    /// The id of the last event that had one.
    pub(crate) last_id: Option<String>,
}

impl Feed<'_> {
    /// Reads the lines up to the next empty one; none at the end of the stream.
    async fn block(&mut self) -> Vec<String> {
        let mut block = Vec::new();
        loop {
            match self.lines.next_line().await.expect("a readable stream") {
                Some(line) if line.is_empty() => return block,
                Some(line) => block.push(line),
                None => return Vec::new(),
            }
        }
    }

    /// Reads the next event; `None` when the stream has ended. Pings are skipped, since they come at
    /// any time.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        let heard = async {
            loop {
                match self.next_or_ping().await {
                    Some(heard) if heard.name == "ping" => {}
                    heard => return heard,
                }
            }
        };
        timeout(DEADLINE, heard).await.expect("an event before the deadline")
    }

    async fn next_or_ping(&mut self) -> Option<Heard> {
        let block = self.block().await;
        let field = |name: &str| block.iter().find_map(|line| line.strip_prefix(name));
        let name = field("event: ")?.to_owned();
        let id = field("id: ").map(ToOwned::to_owned);
        let data = serde_json::from_str(field("data: ").expect("data")).expect("JSON");
        self.last_id = id.clone().or(self.last_id.take());
        Some(Heard { name, id, data })
    }

    /// Reads until an event with this name.
    pub(crate) async fn next_named(&mut self, name: &str) -> Heard {
        loop {
            match self.next().await {
                Some(heard) if heard.name == name => return heard,
                Some(_) => {}
                None => panic!("the stream ended before a {name}"),
            }
        }
    }

    /// Reads the next event with an id, as its name and its subject.
    pub(crate) async fn next_lasting(&mut self) -> (String, String) {
        loop {
            let heard = self.next().await.expect("the stream goes on");
            if heard.id.is_some() {
                let said = ["text", "id", "reason", "topic", "name"];
                let said = said.iter().find_map(|field| heard.data[field].as_str());
                return (heard.name, said.unwrap_or_default().to_owned());
            }
        }
    }

    /// Reads until the stream ends. Returns the time after which the client shall come back, in
    /// milliseconds, that it ends with.
    pub(crate) async fn farewell(&mut self) -> u32 {
        let last = async {
            let mut last = Vec::new();
            loop {
                match self.block().await {
                    block if block.is_empty() => return last,
                    block => last = block,
                }
            }
        };
        let last = timeout(DEADLINE, last).await.expect("an end before the deadline");
        let retry = last.first().and_then(|line| line.strip_prefix("retry: "));
        retry.unwrap_or_else(|| panic!("{last:?} is how it ends")).parse().expect("milliseconds")
    }

    /// Reads until the stream ends, which must happen.
    pub(crate) async fn ends(&mut self) {
        while self.next().await.is_some() {}
    }
}

/// An open live tail of lines.
pub(crate) struct Tail<'c> {
    lines: Lines<BufReader<LocalResponse<'c>>>,
}

impl Tail<'_> {
    /// Reads the next line that is not empty; `None` when the tail has ended.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            let line = timeout(DEADLINE, self.lines.next_line()).await;
            match line.expect("a line before the deadline").expect("a readable tail") {
                Some(line) if line.is_empty() => {}
                line => return line,
            }
        }
    }
}

/// An event as [`next_lasting`](Feed::next_lasting) returns it.
pub(crate) fn event(name: &str, said: &str) -> (String, String) {
    (name.into(), said.into())
}
