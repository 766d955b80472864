//! A scripted client, as a stranger could write it.

use futures::StreamExt;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use rocket::tokio::time::timeout;
use serde_json::{Value, json};

use crate::server::DEADLINE;

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    pub(crate) token: Option<String>,
}

/// The status and JSON of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<String>,
    pub(crate) json: Value,
}

impl Client {
    pub(crate) fn of(url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(DEADLINE).build().expect("a client");
        Self { http, url: url.into(), token: None }
    }

    /// A client with this session and a connection pool of its own.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    pub(crate) async fn is_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn signed_in_as(&self, name: &str) -> Self {
        let answer = self.post("/api/session", json!({ "display_name": name })).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 201, "{name} signs in: {answer:?}");
        self.with_token(answer.json["token"].as_str().expect("a token"))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        Answer::of(self.request(Method::GET, path).send().await?).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Answer, reqwest::Error> {
        Answer::of(self.request(Method::POST, path).json(&body).send().await?).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Answer, reqwest::Error> {
        Answer::of(self.request(Method::PUT, path).json(&body).send().await?).await
    }

    pub(crate) async fn creates(&self, channel: &str) {
        let created = self.post("/api/channels", json!({ "name": channel })).await;
        assert_eq!(created.expect("an answer").status, 201);
    }

    /// Sends a message under an id of its own.
    pub(crate) async fn puts(
        &self,
        channel: &str,
        id: &str,
        text: &str,
    ) -> Result<Answer, reqwest::Error> {
        let path = format!("/api/channels/{channel}/messages/{id}");
        self.put(&path, json!({ "text": text })).await
    }

    /// Reads the messages that the channel keeps, oldest first.
    pub(crate) async fn messages(&self, channel: &str) -> Vec<Value> {
        let path = format!("/api/channels/{channel}/messages");
        let answer = self.get(&path).await.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json["messages"].as_array().expect("messages").clone()
    }

    /// Listens to a channel, after this event if given.
    pub(crate) async fn listens(&self, channel: &str, after: Option<&str>) -> Feed {
        self.opens(&format!("/api/channels/{channel}/events"), after).await
    }

    /// Listens to everything that this user can see, from now on.
    pub(crate) async fn listens_everywhere(&self) -> Feed {
        self.opens("/api/events", None).await
    }

    async fn opens(&self, path: &str, after: Option<&str>) -> Feed {
        self.tries_to_open(path, after).await.expect("a stream")
    }

    /// Opens a stream; `None` where the server does not give it.
    pub(crate) async fn tries_to_open(&self, path: &str, after: Option<&str>) -> Option<Feed> {
        // Without the client's own deadline, which would end a stream that goes on for long.
        let mut request = self.request(Method::GET, path).timeout(DEADLINE * 10);
        if let Some(id) = after {
            request = request.header("Last-Event-ID", id);
        }
        let response = timeout(DEADLINE, request.send()).await.expect("in time");
        let response = response.ok().filter(|response| response.status() == 200)?;
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()));
        let mut feed = Feed { chunks: chunks.boxed(), read: Vec::new() };
        // The server may end after the head of its answer.
        let greeting = timeout(DEADLINE, feed.block()).await.expect("a greeting in time")?;
        assert!(greeting.starts_with("retry: "), "{greeting:?}");
        Some(feed)
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Result<Self, reqwest::Error> {
        let status = response.status();
        let retry_after = response.headers().get("Retry-After");
        let retry_after = retry_after.and_then(|it| it.to_str().ok()).map(ToOwned::to_owned);
        let body = response.bytes().await?;
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Self { status, retry_after, json })
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.status == 201 || self.status == 200
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, slug: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.json["type"], format!("/problems/{slug}"), "{self:?}");
    }
}

/// An open stream.
pub(crate) struct Feed {
    chunks: futures::stream::BoxStream<'static, Result<Vec<u8>, reqwest::Error>>,
    read: Vec<u8>,
}

/// An event with an id.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) data: Value,
}

impl Feed {
    /// Reads the text up to the next empty line; `None` when the stream has ended.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.read.drain(..end + 2).collect();
                return Some(String::from_utf8(block).expect("UTF-8").trim_end().to_owned());
            }
            self.read.extend(self.chunks.next().await?.ok()?);
        }
    }

    /// Reads the next event with an id; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        // Around the whole: pings keep coming while what is waited for does not.
        timeout(DEADLINE, self.lasting()).await.expect("an event in time")
    }

    /// Reads until the stream ends. Returns its last block.
    pub(crate) async fn last(&mut self) -> String {
        let mut last = String::new();
        while let Some(block) = self.block().await {
            last = block;
        }
        last
    }

    /// Reads until an event counts so many users online.
    pub(crate) async fn counts(&mut self, people: usize) {
        let expected = format!("event: presence\ndata: {{\"online\":{people}}}");
        self.until_block(|block| block == expected).await;
    }

    /// Reads until a block is as expected, with an id or without.
    pub(crate) async fn until_block(&mut self, expected: impl Fn(&str) -> bool) {
        let reading =
            async { while !expected(&self.block().await.expect("the stream goes on")) {} };
        timeout(DEADLINE, reading).await.expect("the block in time");
    }

    async fn lasting(&mut self) -> Option<Heard> {
        loop {
            let block = self.block().await?;
            let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            let (Some(name), Some(id)) = (field("event: "), field("id: ")) else { continue };
            let data = serde_json::from_str(field("data: ").expect("data")).expect("JSON");
            return Some(Heard { name: name.into(), id: id.into(), data });
        }
    }
}
