//! Tests of the front servers in the README's section "In public": nginx and Caddy with the very
//! configurations that stand there, before a real Houston.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use rcgen::generate_simple_self_signed;
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::{sleep, timeout};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::server::{DEADLINE, Server, free_port, until};

/// The name of the site in the README.
const NAME: &str = "chat.example.org";

/// A running front server, with its files in a temporary directory.
struct Front {
    process: Child,
    directory: TempDir,
    https: u16,
    http: u16,
}

/// A function that starts a front server before a Houston.
type Start = fn(&Server) -> Front;

/// Each front server that the README has a configuration for.
const FRONTS: [Start; 2] = [Front::nginx, Front::caddy];

impl Front {
    /// Starts nginx with the README's configuration, except for ports, paths below `/etc`, `/run`
    /// and `/var`, and nginx's directories for parts of bodies.
    fn nginx(server: &Server) -> Self {
        let (directory, https, http) = prepared();
        let here = directory.path().display().to_string();
        let mut configuration = readme("nginx");
        if !Path::new("/proc/net/if_inet6").exists() {
            // Where there is no IPv6, nginx would not start.
            let lines = configuration.split_inclusive('\n');
            configuration = lines.filter(|line| !line.contains("[::]")).collect();
        }
        let parts = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let parts = parts.map(|of| format!("    {of}_temp_path {here}/{of};\n")).concat();
        let certificates = format!("/etc/letsencrypt/live/{NAME}");
        let configuration = replaced(
            configuration,
            &[
                ("443 ssl", format!("{https} ssl")),
                ("80;", format!("{http};")),
                ("127.0.0.1:8000", address(server)),
                (&certificates, here.clone()),
                ("/var/log/nginx", here.clone()),
                ("/run/nginx.pid", format!("{here}/pid")),
                ("http {\n", format!("http {{\n{parts}")),
            ],
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration).expect("writable");
        let mut command = Command::new(program("NGINX", "nginx"));
        command.arg("-p").arg(directory.path()).arg("-c").arg(file).args(["-g", "daemon off;"]);
        Self::run(&mut command, directory, https, http)
    }

    /// Starts Caddy with the README's configuration, except for ports, and a certificate instead of
    /// one that is asked for.
    fn caddy(server: &Server) -> Self {
        let (directory, https, http) = prepared();
        let here = directory.path().display();
        let certificate = format!("tls {here}/fullchain.pem {here}/privkey.pem");
        let ports = format!("http_port {http}\n\thttps_port {https}");
        let configuration = replaced(
            readme("caddyfile"),
            &[
                ("{\n\tservers", format!("{{\n\t{ports}\n\tadmin off\n\tservers")),
                (&format!("{NAME} {{"), format!("{NAME} {{\n\t{certificate}")),
                ("127.0.0.1:8000", address(server)),
            ],
        );
        let file = directory.path().join("Caddyfile");
        fs::write(&file, configuration).expect("writable");
        let mut command = Command::new(program("CADDY", "caddy"));
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
        command.env("HOME", directory.path()).env_remove("XDG_DATA_HOME");
        Self::run(command.env_remove("XDG_CONFIG_HOME"), directory, https, http)
    }

    fn run(command: &mut Command, directory: TempDir, https: u16, http: u16) -> Self {
        let log = File::create(directory.path().join("said.log")).expect("writable");
        let process = command
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { process, directory, https, http }
    }

    /// Waits until it passes requests on.
    async fn until_ready(&mut self) {
        until("the front server is ready", async || {
            let ended = self.process.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "it has ended: {}", self.said());
            self.asks(&["--fail", &self.at("/readyz")]).succeeded
        })
        .await;
    }

    /// All output and logs of the front server.
    fn said(&self) -> String {
        let files = fs::read_dir(self.directory.path()).expect("a directory");
        let paths = files.map(|file| file.expect("a file").path());
        let logs = paths.filter(|path| path.extension().is_some_and(|it| it == "log"));
        logs.map(|log| fs::read_to_string(log).expect("text")).collect()
    }

    /// The site's address as people see it.
    fn site(&self) -> String {
        format!("https://{NAME}:{}", self.https)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.site())
    }

    /// Sends a request from afar, by curl.
    fn asks(&self, arguments: &[&str]) -> Told {
        let ran = self.curl().args(arguments).output().expect("curl runs");
        Told {
            succeeded: ran.status.success(),
            text: String::from_utf8_lossy(&ran.stdout).into_owned(),
        }
    }

    /// Signs in with the request headers that a client from afar may send as it likes.
    fn signs_in(&self, name: &str, arguments: &[&str]) -> Told {
        let body = format!(r#"{{"display_name": "{name}"}}"#);
        let json = ["--header", "Content-Type: application/json", "--data", &body];
        self.asks(&[&json[..], arguments, &["--include", &self.at("/api/session")]].concat())
    }

    fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--http2", "--path-as-is", "--cacert"])
            .arg(self.directory.path().join("fullchain.pem"))
            .args(["--max-time", &DEADLINE.as_secs().to_string()])
            .args(["--resolve", &format!("{NAME}:{}:127.0.0.1", self.https)])
            .args(["--resolve", &format!("{NAME}:{}:127.0.0.1", self.http)]);
        curl
    }

    /// Opens a bare connection within TLS, over HTTP/1.1.
    async fn connects(&self) -> TlsStream<TcpStream> {
        let certificate = self.directory.path().join("fullchain.pem");
        let certificate = CertificateDer::from_pem_file(certificate).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(("127.0.0.1", self.https)).await.expect("a connection");
        let name = ServerName::try_from(NAME).expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("TLS")
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Asked to end, so that nginx ends its workers; it may have ended already.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}

/// The output of curl.
struct Told {
    succeeded: bool,
    text: String,
}

impl Told {
    /// The status of the answer, whose head was asked for.
    #[track_caller]
    fn status(&self) -> u16 {
        let status = self.text.split(' ').nth(1).and_then(|it| it.trim().parse().ok());
        status.unwrap_or_else(|| panic!("no status in {:?}", self.text))
    }

    #[track_caller]
    fn json(&self) -> Value {
        let body = self.text.rsplit("\r\n\r\n").next().expect("a body");
        serde_json::from_str(body).unwrap_or_else(|_| panic!("no JSON in {:?}", self.text))
    }
}

/// A directory with a certificate, that nginx's workers, another user, can read; and two ports.
fn prepared() -> (TempDir, u16, u16) {
    let readable = Permissions::from_mode(0o755);
    let directory = tempfile::Builder::new().permissions(readable).tempdir();
    let directory = directory.expect("a temporary directory");
    let made = generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    fs::write(directory.path().join("fullchain.pem"), made.cert.pem()).expect("writable");
    let key = made.signing_key.serialize_pem();
    fs::write(directory.path().join("privkey.pem"), key).expect("writable");
    (directory, free_port(), free_port())
}

/// The code block in this language of the README's section "In public".
fn readme(language: &str) -> String {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = fs::read_to_string(readme).expect("the README");
    let section = readme.split("\n## ").find(|section| section.starts_with("In public\n"));
    let section = section.expect("a section on running it in public");
    let (_, block) = section.split_once(&format!("```{language}\n")).expect("a code block");
    block.split_once("```").expect("its end").0.to_owned()
}

/// The text with each of these replaced; all must be there.
fn replaced(text: String, replacements: &[(&str, String)]) -> String {
    replacements.iter().fold(text, |text, (what, by)| {
        assert!(text.contains(what), "{what:?} is in the README's configuration:\n{text}");
        text.replace(what, by)
    })
}

/// A program that a variable may point to, or that is installed. Debian has nginx where only
/// administrators look.
fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::env::split_paths(&paths).chain(["/usr/sbin".into()]);
    let found = directories.map(|directory| directory.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: install it (Debian: apt-get install {name}) or set {variable}")
    })
}

fn address(server: &Server) -> String {
    server.url().trim_start_matches("http://").to_owned()
}

/// A Houston with the settings that the README has for one behind a front server.
async fn houston() -> Server {
    let settings = readme("toml");
    let settings = settings.lines().map(|line| line.split_once(" = ").expect("a setting"));
    let variable = |(name, value): (&str, &str)| {
        (format!("ROCKET_{}", name.to_uppercase()), value.trim_matches('"').to_owned())
    };
    let limited = ("ROCKET_RATE_LIMITS".to_owned(), "true".to_owned());
    Server::with(&settings.map(variable).chain([limited]).collect::<Vec<_>>()).await
}

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
