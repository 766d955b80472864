//! A front server, nginx or Caddy, with the very configuration of the README's section "In public", before
//! a real Houston.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rcgen::generate_simple_self_signed;
use rocket::tokio::net::TcpStream;
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
pub(crate) const NAME: &str = "chat.example.org";

/// A running front server, with its files in a temporary directory.
pub(crate) struct Front {
    process: Child,
    pub(crate) directory: TempDir,
    https: u16,
    pub(crate) http: u16,
}

/// A function that starts a front server before a Houston.
pub(crate) type Start = fn(&Server) -> Front;

/// Each front server that the README has a configuration for.
pub(crate) const FRONTS: [Start; 2] = [Front::nginx, Front::caddy];

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
    pub(crate) async fn until_ready(&mut self) {
        until("the front server is ready", async || {
            let ended = self.process.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "it has ended: {}", self.said());
            self.asks(&["--fail", &self.at("/readyz")]).succeeded
        })
        .await;
    }

    /// All output and logs of the front server.
    pub(crate) fn said(&self) -> String {
        let files = fs::read_dir(self.directory.path()).expect("a directory");
        let paths = files.map(|file| file.expect("a file").path());
        let logs = paths.filter(|path| path.extension().is_some_and(|it| it == "log"));
        logs.map(|log| fs::read_to_string(log).expect("text")).collect()
    }

    /// The site's address as people see it.
    pub(crate) fn site(&self) -> String {
        format!("https://{NAME}:{}", self.https)
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.site())
    }

    /// Sends a request from afar, by curl.
    pub(crate) fn asks(&self, arguments: &[&str]) -> Told {
        let ran = self.curl().args(arguments).output().expect("curl runs");
        Told {
            succeeded: ran.status.success(),
            text: String::from_utf8_lossy(&ran.stdout).into_owned(),
        }
    }

    /// Signs in with the request headers that a client from afar may send as it likes.
    pub(crate) fn signs_in(&self, name: &str, arguments: &[&str]) -> Told {
        let body = format!(r#"{{"display_name": "{name}"}}"#);
        let json = ["--header", "Content-Type: application/json", "--data", &body];
        self.asks(&[&json[..], arguments, &["--include", &self.at("/api/session")]].concat())
    }

    pub(crate) fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--http2", "--path-as-is", "--cacert"])
            .arg(self.directory.path().join("fullchain.pem"))
            .args(["--max-time", &DEADLINE.as_secs().to_string()])
            .args(["--resolve", &format!("{NAME}:{}:127.0.0.1", self.https)])
            .args(["--resolve", &format!("{NAME}:{}:127.0.0.1", self.http)]);
        curl
    }

    /// Opens a bare connection within TLS, over HTTP/1.1.
    pub(crate) async fn connects(&self) -> TlsStream<TcpStream> {
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
pub(crate) struct Told {
    pub(crate) succeeded: bool,
    pub(crate) text: String,
}

impl Told {
    /// The status of the answer, whose head was asked for.
    #[track_caller]
    pub(crate) fn status(&self) -> u16 {
        let status = self.text.split(' ').nth(1).and_then(|it| it.trim().parse().ok());
        status.unwrap_or_else(|| panic!("no status in {:?}", self.text))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
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
pub(crate) async fn houston() -> Server {
    let settings = readme("toml");
    let settings = settings.lines().map(|line| line.split_once(" = ").expect("a setting"));
    let variable = |(name, value): (&str, &str)| {
        (format!("ROCKET_{}", name.to_uppercase()), value.trim_matches('"').to_owned())
    };
    let limited = ("ROCKET_RATE_LIMITS".to_owned(), "true".to_owned());
    Server::with(&settings.map(variable).chain([limited]).collect::<Vec<_>>()).await
}
