//! Tests of what the front servers of the README's section "In public" promise.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::future::{join, join_all};
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::time::{sleep, timeout};

use crate::front::{FRONTS, Front, NAME, houston};
use crate::server::{DEADLINE, until};

/// A stream that curl listens to.
struct Listening(rocket::tokio::process::Child);

impl Listening {
    fn to(mut curl: Command, url: &str, token: &str) -> Self {
        let bearer = format!("Authorization: Bearer {token}");
        curl.args(["--silent", "--no-buffer", "--header", &bearer, url]).stdout(Stdio::piped());
        let mut curl = rocket::tokio::process::Command::from(curl);
        Self(curl.kill_on_drop(true).spawn().expect("curl runs"))
    }

    async fn hears(&mut self, expected: &str) {
        let stdout = self.0.stdout.as_mut().expect("piped");
        let mut heard = Vec::new();
        let hearing = async {
            while !String::from_utf8_lossy(&heard).contains(expected) {
                let bytes = stdout.read_buf(&mut heard).await.expect("readable");
                assert!(bytes > 0, "the stream has ended: {}", String::from_utf8_lossy(&heard));
            }
        };
        timeout(DEADLINE, hearing).await.unwrap_or_else(|_| panic!("{expected:?} has not come"));
    }
}

#[rocket::async_test]
async fn an_event_comes_unbuffered_and_whoever_leaves_has_left() {
    const STREAM: &str = "/api/channels/general/events";
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let ada = server.client().signed_in_as("Ada").await;
        let near = format!("{}{STREAM}", server.url());
        let token = ada.token.as_ref().expect("a token");
        let mut near = Listening::to(Command::new("curl"), &near, token);
        near.hears("retry: ").await;

        let bob = front.signs_in("Bob", &[]).json();
        let token = bob["token"].as_str().expect("a token");
        for (version, id) in [("--http2", "m1"), ("--http1.1", "m2")] {
            let mut curl = front.curl();
            curl.arg(version);
            let mut far = Listening::to(curl, &front.at(STREAM), token);
            far.hears("retry: ").await;
            let said = ada.puts("general", id, "Can you hear me?").await.expect("an answer");
            assert_eq!(said.status, 201, "{said:?}");
            far.hears("Can you hear me?").await;
        }

        near.hears("event: left").await;
    }
}

#[rocket::async_test]
async fn a_browser_gets_http_2_a_secure_cookie_and_the_address_it_came_to() {
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let origin = format!("Origin: {}", front.site());
        let forged = ["--header", "X-Forwarded-Host: evil.example", "--header"];
        let forged = [&forged[..], &["X-Forwarded-Proto: http", "--header", &origin]].concat();

        let signed_in = front.signs_in("Ada", &forged);

        assert!(signed_in.text.starts_with("HTTP/2 201"), "{}", signed_in.text);
        let head = signed_in.text.to_lowercase();
        assert!(head.contains("; secure"), "{head}");
        assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
        let token = signed_in.json()["token"].as_str().expect("a token").to_owned();
        let cookie = format!("session={token}");
        let link = front.at("/api/session/links");
        let link = [&forged[..], &["--cookie", &cookie, "--request", "POST", &link]].concat();
        let link = front.asks(&link);
        let url = link.json()["url"].as_str().expect("a URL").to_owned();
        assert!(url.starts_with(&front.at("/links/")), "{url}");

        let plain = format!("http://{NAME}:{}/channels/general", front.http);
        let moved = front.asks(&["--include", &plain]);
        assert!([301, 308].contains(&moved.status()), "{}", moved.text);
        let to = format!("https://{NAME}/channels/general");
        assert!(moved.text.to_lowercase().contains(&format!("location: {to}\r\n")), "{to}");
    }
}

#[rocket::async_test]
async fn limits_go_by_the_clients_address_whatever_it_sends() {
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let signs_in = |from: &str, n: u8| {
            let real = format!("X-Real-IP: 192.0.2.{n}");
            let forwarded = format!("X-Forwarded-For: 192.0.2.{n}");
            let headers = ["--header", &real, "--header", &forwarded];
            let name = format!("{from} {n}");
            front.signs_in(&name, &[&headers[..], &["--interface", from]].concat()).status()
        };
        let refused = (0..250).find(|n| signs_in("127.0.0.2", *n) == 429);
        assert!(refused.is_some(), "an address that a client makes up counts");
        assert_eq!(signs_in("127.0.0.3", 0), 201, "another client is not limited by the first");
    }
}

/// The deadline for a connection to be cut. Less than what the front servers would do by
/// themselves: a minute for a head.
const CUT: Duration = Duration::from_secs(50);

#[rocket::async_test]
async fn a_slow_head_and_an_idle_connection_are_cut() {
    join_all(FRONTS.map(|start| async move {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let (slow, idle) =
            join(timeout(CUT, front.drips_a_head()), timeout(CUT, front.rests_after_an_answer()))
                .await;
        assert!(slow.is_ok(), "a slow head is cut");
        assert!(idle.is_ok(), "an idle connection is cut");
    }))
    .await;
}

impl Front {
    /// Sends a head that never ends, a byte a second, until the connection has ended.
    async fn drips_a_head(&self) {
        let mut connection = self.connects().await;
        let head = format!("GET /readyz HTTP/1.1\r\nHost: {NAME}\r\nX-Slow: ");
        connection.write_all(head.as_bytes()).await.expect("open");
        let (mut reads, mut writes) = rocket::tokio::io::split(connection);
        let drips = async {
            while writes.write_all(b"x").await.is_ok() && writes.flush().await.is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        let ends = async { while reads.read_u8().await.is_ok() {} };
        join(drips, ends).await;
    }

    /// Sends one request and then nothing, until the connection has ended.
    async fn rests_after_an_answer(&self) {
        let mut connection = self.connects().await;
        let head = format!("GET /readyz HTTP/1.1\r\nHost: {NAME}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.expect("open");
        let mut read = Vec::new();
        while connection.read_buf(&mut read).await.is_ok_and(|bytes| bytes > 0) {}
        let answer = String::from_utf8_lossy(&read);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(!answer.to_lowercase().contains("connection: close"), "{answer}");
    }
}

#[rocket::async_test]
async fn the_largest_file_passes_and_a_larger_one_is_refused_by_houston() {
    const MIB: usize = 1024 * 1024;
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let token = front.signs_in("Ada", &[]).json()["token"].as_str().expect("it").to_owned();
        let bearer = format!("Authorization: Bearer {token}");
        let file = front.directory.path().join("file");
        let bytes: Vec<u8> =
            (0..25 * MIB).map(|at| u8::try_from(at % 251).expect("small")).collect();
        fs::write(&file, &bytes).expect("writable");
        let part = format!("file=@{}", file.display());
        let messages = front.at("/api/channels/general/messages");

        let sent = front.asks(&["--header", &bearer, "--form", &part, &messages]).json();

        let url = sent["attachments"][0]["url"].as_str().expect("a file");
        let back = front.directory.path().join("back");
        let output = back.display().to_string();
        front.asks(&["--header", &bearer, "--output", &output, &front.at(url)]);
        assert!(fs::read(&back).expect("a file") == bytes, "the same bytes");

        fs::write(&file, vec![0; 26 * MIB]).expect("writable");
        let refused = front.asks(&["--header", &bearer, "--form", &part, &messages]).json();
        assert_eq!(refused["type"], "/problems/too-large", "{refused}");
    }
}

#[rocket::async_test]
async fn ten_thousand_requests_are_all_answered() {
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let token = front.signs_in("Ada", &[]).json()["token"].as_str().expect("it").to_owned();
        let bearer = format!("Authorization: Bearer {token}");
        let nothing = ["--output", "/dev/null", "--write-out", "%{http_code}\n"];
        let many = ["--parallel", "--parallel-max", "50", &front.at("/api/session?[1-10000]")];

        let told = front.asks(&[&nothing[..], &["--header", &bearer], &many].concat());

        assert_eq!(told.text.lines().filter(|status| *status == "200").count(), 10_000);
        assert!(told.succeeded);
    }
}

#[rocket::async_test]
async fn metrics_are_not_there_from_outside_however_they_are_spelled() {
    for start in FRONTS {
        let server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        for path in [
            "/metrics",
            "/metrics/",
            "//metrics",
            "//metrics//",
            "/metrics?x",
            "/metrics/?x",
            "/%6detrics",
            "/metrics%2f",
            "/%2fmetrics",
            "/./metrics",
            "/metrics/.",
            "/x/../metrics",
            "/METRICS",
            "/metrics%20",
            "/metrics;x",
            "/metrics%00",
        ] {
            let told = front.asks(&["--include", &front.at(path)]);
            assert!([400, 404].contains(&told.status()), "{path}: {}", told.text);
            assert!(!told.text.contains("houston_"), "{path}: {}", told.text);
        }
    }
}

#[rocket::async_test]
async fn addresses_that_are_secrets_stay_out_of_its_logs() {
    for start in FRONTS {
        let mut server = houston().await;
        let mut front = start(&server);
        front.until_ready().await;
        let ask = |path: &str| front.asks(&["--include", &front.at(path)]).status();

        ask("/links/secret-one");
        server.kill();
        assert_eq!(ask("/known"), 502, "Houston does not answer");
        assert_eq!(ask("/links/secret-two"), 502);

        until("its logs name what failed", async || front.said().contains("/known")).await;
        assert!(!front.said().contains("secret"), "{}", front.said());
    }
}
