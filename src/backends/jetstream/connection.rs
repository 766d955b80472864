//! The connection to a cluster of NATS servers.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use log::{info, warn};
use percent_encoding::percent_decode_str;

use crate::engine::log::Draft;

/// The oldest server that is used. Older ones lose or double retried appends, and take settings that
/// they do not know without a word.
pub const OLDEST_SERVER: (u64, u64) = (2, 12);
/// Size of the largest message: the largest body of an entry, with subject and headers.
pub(super) const MAX_MESSAGE_BYTES: usize = Draft::MAX_BODY_BYTES + 4 * 1024;
/// Interval of the client's pings. A server that does not answer three of them is left for another.
const PING_INTERVAL: Duration = Duration::from_secs(2);
/// Time within which a server has to answer a request to the JetStream API.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of messages of one subscription that wait for their reader. More than what a server sends
/// ahead with flow control (32 MiB), if messages have 256 bytes with all that belongs to them.
const SUBSCRIPTION_CAPACITY: usize = 128 * 1024;

/// The settings of a connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// URLs of the servers, `nats://` or `tls://`. A user and a password, or a token, in the first
    /// that has any are used for all: servers tell of others that the client did not know.
    pub servers: Vec<String>,
    /// A credentials file, as `nsc` writes it.
    pub credentials: Option<PathBuf>,
    /// A file with the certificates (PEM) that servers are trusted by, instead of the system's.
    /// With it, TLS is required.
    pub ca: Option<PathBuf>,
    /// What the names of all subjects, streams and buckets begin with: 1 to 32 of `a-z 0-9 - _`.
    /// Chats of different prefixes can share servers.
    pub prefix: String,
    /// Number of servers that hold each entry and file: 1, 3 or 5.
    pub replicas: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".into()],
            credentials: None,
            ca: None,
            prefix: "houston".into(),
            replicas: 3,
        }
    }
}

/// A reason for which the servers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address is no URL of a NATS server.
    #[error(
        "`{shown}` is no address of a NATS server ({source}): write nats://HOST:PORT, or tls://HOST:PORT"
    )]
    Address {
        /// The address, without user and password.
        shown: String,
        /// The client's error.
        source: io::Error,
    },
    /// No address is given.
    #[error("no address of a NATS server is given: name at least one")]
    NoAddress,
    /// The prefix breaks its rule.
    #[error("the prefix `{0}` cannot be used: take 1 to 32 of a-z, 0-9, `-` and `_`")]
    Prefix(String),
    /// The number of replicas is none of those that make sense.
    #[error("there cannot be {0} replicas: take 1, 3 or 5")]
    Replicas(usize),
    /// The credentials file cannot be read.
    #[error(
        "the credentials file `{}` cannot be used: take one as `nsc generate creds` writes it",
        .path.display()
    )]
    Credentials {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The file with the trusted certificates cannot be read.
    #[error("the certificates in `{}` cannot be read", .path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The servers do not know the user, the token or the credentials.
    #[error(
        "the NATS servers refuse the user: look at the user and password, token or credentials file, \
         and at the servers' accounts"
    )]
    Refused,
    /// The server speaks no TLS, and the address or a CA asks for it.
    #[error(
        "the NATS servers {servers} do not speak TLS: put a `tls` block into their configuration, or \
         write nats:// and leave `cluster_ca` out"
    )]
    NoTls {
        /// The servers, without users and passwords.
        servers: String,
    },
    /// TLS with a server cannot begin.
    #[error(
        "TLS with the NATS servers fails: {0}; is the CA's file the right one, and the host named in the certificate?"
    )]
    Tls(String),
    /// No server answers.
    #[error(
        "none of the NATS servers {servers} can be reached: {reason}; does one run, and is this its \
         address for clients (`listen`, mostly port 4222)?"
    )]
    Unreachable {
        /// The servers, without users and passwords.
        servers: String,
        /// The client's error.
        reason: String,
    },
    /// The server is too old.
    #[error(
        "the NATS server is of version {found}, and Houston needs {}.{} or newer: older ones can lose \
         or double messages when a server fails",
        OLDEST_SERVER.0, OLDEST_SERVER.1
    )]
    TooOld {
        /// The server's version.
        found: String,
    },
    /// The server takes no message that is as large as the largest entry.
    #[error(
        "the NATS server takes messages of at most {found} bytes, and Houston needs {needed}: set \
         max_payload to at least that in the servers' configuration"
    )]
    SmallMessages {
        /// The server's `max_payload`.
        found: usize,
        /// The size that is needed.
        needed: usize,
    },
}

/// A connection to the servers that the log, the whispers and the files share. Clones are the same
/// connection. It goes over to another server by itself when its own ends.
#[derive(Clone, Debug)]
pub struct Nats {
    client: Client,
    jetstream: Context,
    prefix: Arc<str>,
    replicas: usize,
    /// Number of connections that were made.
    connections: Arc<AtomicU64>,
}

impl Nats {
    /// Connects to one of the servers.
    ///
    /// # Errors
    ///
    /// When an option breaks its rule, a file cannot be read, no server can be reached or all refuse
    /// the user, or the server is too old or takes only small messages.
    pub async fn connect(options: &Options) -> Result<Self, ConnectError> {
        check_prefix(&options.prefix)?;
        if ![1, 3, 5].contains(&options.replicas) {
            return Err(ConnectError::Replicas(options.replicas));
        }
        let servers = Servers::parse(&options.servers)?;
        let connections = Arc::<AtomicU64>::default();
        let counted = connections.clone();
        let connecting = client_options(options, servers.login.clone()).await?;
        let connecting = connecting.event_callback(move |event| {
            if matches!(event, Event::Connected) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            report(&event);
            std::future::ready(())
        });
        let client = connecting
            .connect(&servers.addresses[..])
            .await
            .map_err(|error| refusal(&error, &servers.shown))?;
        let info = client.server_info();
        if version(&info.version).is_none_or(|found| found < OLDEST_SERVER) {
            return Err(ConnectError::TooOld { found: info.version });
        }
        if info.max_payload < MAX_MESSAGE_BYTES {
            let (found, needed) = (info.max_payload, MAX_MESSAGE_BYTES);
            return Err(ConnectError::SmallMessages { found, needed });
        }
        let jetstream = ContextBuilder::new().timeout(REQUEST_TIMEOUT).build(client.clone());
        let (prefix, replicas) = (options.prefix.as_str().into(), options.replicas);
        Ok(Self { client, jetstream, prefix, replicas, connections })
    }

    /// The client, for publishing and subscribing without JetStream.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The JetStream API.
    #[must_use]
    pub fn jetstream(&self) -> &Context {
        &self.jetstream
    }

    /// What the names of all subjects, streams and buckets begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The subject of this name below the prefix: `houston.n` of `n`.
    #[must_use]
    pub fn subject(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// Number of servers that hold each entry and file.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// Number of times that the connection was made anew.
    #[must_use]
    pub fn reconnections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// True while there is a connection to a server.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }
}

fn check_prefix(prefix: &str) -> Result<(), ConnectError> {
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if prefix.is_empty() || prefix.len() > 32 || !prefix.bytes().all(allowed) {
        return Err(ConnectError::Prefix(prefix.into()));
    }
    Ok(())
}

/// How the client says who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Login {
    Password { user: String, password: String },
    Token(String),
}

/// The servers' addresses without what must not be shown.
#[derive(Debug)]
struct Servers {
    addresses: Vec<ServerAddr>,
    login: Option<Login>,
    /// The addresses as text.
    shown: String,
}

impl Servers {
    fn parse(urls: &[String]) -> Result<Self, ConnectError> {
        let (mut addresses, mut login) = (Vec::new(), None);
        for url in urls {
            // Whatever stands before an `@` may be a password.
            let shown = || url.rsplit_once('@').map_or(url.as_str(), |(_, host)| host).to_owned();
            let refused = |source| ConnectError::Address { shown: shown(), source };
            let address: ServerAddr = url.parse().map_err(refused)?;
            let mut url = address.into_inner();
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let user = Some(url.username()).filter(|user| !user.is_empty()).map(decoded);
            let password = url.password().map(decoded);
            login = login.or(match (user, password) {
                (Some(user), Some(password)) => Some(Login::Password { user, password }),
                (Some(token), None) => Some(Login::Token(token)),
                (None, _) => None,
            });
            // Neither fails for a URL that has a host.
            let _ = (url.set_username(""), url.set_password(None));
            addresses.push(ServerAddr::from_url(url).map_err(refused)?);
        }
        if addresses.is_empty() {
            return Err(ConnectError::NoAddress);
        }
        let shown = addresses.iter().map(|it| format!("{}:{}", it.host(), it.port()));
        let shown = shown.collect::<Vec<_>>().join(", ");
        Ok(Self { addresses, login, shown })
    }
}

async fn client_options(
    options: &Options,
    login: Option<Login>,
) -> Result<ConnectOptions, ConnectError> {
    let mut connecting = ConnectOptions::new()
        .name("houston")
        .ping_interval(PING_INTERVAL)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .subscription_capacity(SUBSCRIPTION_CAPACITY);
    connecting = match login {
        Some(Login::Password { user, password }) => connecting.user_and_password(user, password),
        Some(Login::Token(token)) => connecting.token(token),
        None => connecting,
    };
    if let Some(path) = &options.credentials {
        let unusable = |source| ConnectError::Credentials { path: path.clone(), source };
        connecting = connecting.credentials_file(path).await.map_err(unusable)?;
    }
    if let Some(path) = &options.ca {
        let unreadable = |source| ConnectError::Certificates { path: path.clone(), source };
        tokio::fs::metadata(path).await.map_err(unreadable)?;
        connecting = connecting.add_root_certificates(path.clone()).require_tls(true);
    }
    Ok(connecting)
}

fn refusal(error: &async_nats::ConnectError, servers: &str) -> ConnectError {
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            ConnectError::Refused
        }
        ConnectErrorKind::Tls => ConnectError::Tls(error.to_string()),
        _ if is_answered_in_plain(error) => ConnectError::NoTls { servers: servers.into() },
        _ => ConnectError::Unreachable { servers: servers.into(), reason: error.to_string() },
    }
}

/// Tells whether a server answered the beginning of TLS with something else.
fn is_answered_in_plain(error: &async_nats::ConnectError) -> bool {
    error.to_string().contains("InvalidContentType")
}

/// Reports what happens to the connection, in the log of the process.
fn report(event: &Event) {
    match event {
        Event::Connected => info!("Connected to a NATS server."),
        Event::Disconnected => warn!("The connection to the NATS server ended; trying others."),
        Event::LameDuckMode => info!("The NATS server is about to stop; going over to another."),
        Event::SlowConsumer(_) => warn!("NATS sent more than could be read; some of it is lost."),
        Event::ServerError(error) => warn!("The NATS server says: {error}."),
        Event::ClientError(error) => warn!("The connection to NATS: {error}."),
        Event::Draining | Event::Closed => {}
    }
}

/// The first two numbers of a server's version.
fn version(text: &str) -> Option<(u64, u64)> {
    let mut numbers = text.trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn parse(urls: &[&str]) -> Result<Servers, ConnectError> {
        Servers::parse(&urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_first_login_of_the_addresses_is_taken_and_shown_nowhere() {
        let servers =
            parse(&["nats://a", "tls://ada:p%40ss@b:4333", "nats://eve:x@c"]).expect("three");
        let (user, password) = ("ada".to_owned(), "p@ss".to_owned());
        assert_eq!(servers.login, Some(Login::Password { user, password }));
        assert_eq!(servers.shown, "a:4222, b:4333, c:4222");
        assert!(servers.addresses.iter().all(|address| !address.as_url_str().contains('@')));
        assert!(servers.addresses[1].tls_required());
        let token = parse(&["nats://s3cret@a"]).expect("one").login;
        assert_eq!(token, Some(Login::Token("s3cret".to_owned())));
    }

    #[test]
    fn an_address_that_cannot_be_used_is_named_without_its_password() {
        let refused = parse(&["http://ada:secret@a"]).expect_err("no scheme of NATS").to_string();
        assert!(
            refused.starts_with("`a` is no address") && !refused.contains("secret"),
            "{refused}"
        );
        assert!(matches!(parse(&[]), Err(ConnectError::NoAddress)));
    }

    #[tokio::test]
    async fn a_server_without_tls_is_told_from_one_that_cannot_be_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let servers = vec![format!("tls://{}", listener.local_addr().expect("an address"))];
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let answered = async {
                    client.write_all(b"INFO {\"version\":\"2.15.1\"}\r\n").await?;
                    client.read_u8().await?;
                    client.write_all(b"-ERR 'Unknown Protocol Operation'\r\n").await
                };
                answered.await.expect("a client that reads");
            }
        });
        let refused = Nats::connect(&Options { servers, ..Options::default() }).await;
        assert!(matches!(refused, Err(ConnectError::NoTls { .. })), "{refused:?}");
        let servers = vec!["nats://127.0.0.1:1".to_owned()];
        let refused = Nats::connect(&Options { servers, ..Options::default() }).await;
        assert!(matches!(refused, Err(ConnectError::Unreachable { .. })), "{refused:?}");
    }

    #[test]
    fn a_prefix_has_a_small_alphabet() {
        for prefix in ["houston", "a-b_9"] {
            assert!(check_prefix(prefix).is_ok(), "{prefix:?}");
        }
        for prefix in ["", "a.b", "A", "a*", &"a".repeat(33)] {
            assert!(check_prefix(prefix).is_err(), "{prefix:?}");
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let old = |text| version(text).is_none_or(|found| found < OLDEST_SERVER);
        for text in ["2.9.10", "2.11.99", "1.99.0", "x", ""] {
            assert!(old(text), "{text:?}");
        }
        for text in ["2.12.0", "2.15.1-preview.1", "v2.12.3", "3.0.0"] {
            assert!(!old(text), "{text:?}");
        }
    }
}
