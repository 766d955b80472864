//! Asking other servers over HTTP/1.1, with a guard: it connects to no address that is not public.
//!
//! A host is looked up once for each request. All addresses that it is found at have to be public, and
//! the connection is made to one of those, not to the name: nobody can answer otherwise in between. Each
//! redirect is a request of its own, and goes through the same. Everything that this server ever fetches
//! is fetched here.

mod guard;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};

use self::guard::is_public;
use crate::engine::fetch::{Fetch, FetchError, FetchRequest, Fetched};

/// Largest number of redirects that are followed.
const MAX_REDIRECTS: usize = 3;
/// Largest number of a host's addresses that are tried.
const MAX_ADDRESSES: usize = 4;
/// Largest head of an answer, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// A connection.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// The network: how names are looked up, and connections made. Tests have one of their own.
pub trait Network: Send + Sync {
    /// The addresses of a host.
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// A connection to an address.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>>;

    /// Tells whether an address is one of this machine's, public or not: what is asked there passes no
    /// firewall.
    fn is_own(&self, address: IpAddr) -> bool;
}

/// The network of this machine.
struct Internet;

/// Turns for looking up names: each holds a thread, also after nobody waits for the answer any more.
static LOOK_UPS: Semaphore = Semaphore::const_new(32);

impl Network for Internet {
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async move {
            // It is never closed.
            let permit = LOOK_UPS.acquire().await;
            let look_up = move || {
                let _permit = permit;
                Ok((host.as_str(), 0).to_socket_addrs()?.map(|found| found.ip()).collect())
            };
            tokio::task::spawn_blocking(look_up).await?
        }
        .boxed()
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> {
        async move { Ok(Box::new(TcpStream::connect(address).await?) as Box<dyn Connection>) }
            .boxed()
    }

    fn is_own(&self, address: IpAddr) -> bool {
        // Nothing is sent: the system only chooses the address to send from, and to an address of its
        // own it sends from that.
        let any: IpAddr = match address {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0));
        let from = socket.and_then(|it| it.connect((address, 9)).and_then(|()| it.local_addr()));
        from.is_ok_and(|from| from.ip() == address)
    }
}

/// A client of other servers. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher(Arc<Client>);

struct Client {
    network: Box<dyn Network>,
    /// True where addresses that are not public are allowed.
    allows_private: bool,
    /// The authorities that this machine trusts, read when they are first needed.
    tls: OnceLock<TlsConnector>,
}

impl Fetcher {
    /// Makes a client, which may be allowed to connect to addresses that are not public.
    #[must_use]
    pub fn new(allows_private: bool) -> Self {
        Self::over(Box::new(Internet), allows_private)
    }

    /// Makes a client over some network.
    #[must_use]
    pub fn over(network: Box<dyn Network>, allows_private: bool) -> Self {
        Self(Arc::new(Client { network, allows_private, tls: OnceLock::new() }))
    }
}

impl Fetch for Fetcher {
    fn check(&self, url: &str) -> Result<(), FetchError> {
        let url = Url::parse(url).map_err(|_| FetchError::BadAddress)?;
        let target = Target::of(&url)?;
        match target.address {
            Some(address) => self.0.check(&[address]),
            None => Ok(()),
        }
    }

    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let client = self.0.clone();
        let deadline = Instant::now() + request.timeout;
        async move {
            let asked = timeout_at(deadline, client.ask(request, deadline)).await;
            asked.unwrap_or(Err(FetchError::TooSlow))
        }
        .boxed()
    }
}

/// The part of an address that says where to connect to.
struct Target {
    /// The host as it is written in headers, brackets included.
    host: String,
    /// The address that the host is written as, if it is one.
    address: Option<IpAddr>,
    port: u16,
    is_tls: bool,
}

impl Target {
    fn of(url: &Url) -> Result<Self, FetchError> {
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(FetchError::BadAddress),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadAddress);
        }
        let host = url.host().ok_or(FetchError::BadAddress)?;
        let address = match &host {
            // Octal, hexadecimal and short forms are read as browsers read them.
            Host::Ipv4(address) => Some(IpAddr::from(*address)),
            Host::Ipv6(address) => Some(IpAddr::from(*address)),
            Host::Domain(_) => None,
        };
        let port = url.port_or_known_default().ok_or(FetchError::BadAddress)?;
        Ok(Self { host: host.to_string(), address, port, is_tls })
    }
}

impl Client {
    fn check(&self, addresses: &[IpAddr]) -> Result<(), FetchError> {
        let may_be = |&address: &IpAddr| is_public(address) && !self.network.is_own(address);
        let allowed = self.allows_private || addresses.iter().all(may_be);
        if allowed { Ok(()) } else { Err(FetchError::NotPublic) }
    }

    async fn ask(&self, request: FetchRequest, deadline: Instant) -> Result<Fetched, FetchError> {
        let mut url = Url::parse(&request.url).map_err(|_| FetchError::BadAddress)?;
        for _ in 0..=MAX_REDIRECTS {
            let (answer, connection) = self.ask_once(&url, &request).await?;
            let Some(next) = redirection(&answer, &url) else {
                return Ok(fetched(answer, &url, connection, deadline));
            };
            url = next?;
        }
        Err(FetchError::BadRedirect)
    }

    /// Sends one request. The handle keeps the connection alive.
    async fn ask_once(
        &self,
        url: &Url,
        request: &FetchRequest,
    ) -> Result<(Response<Incoming>, AbortOnDropHandle<()>), FetchError> {
        let target = Target::of(url)?;
        let addresses = if let Some(address) = target.address {
            vec![address]
        } else {
            let found = self.network.look_up(target.host.clone()).await;
            found.ok().filter(|found| !found.is_empty()).ok_or(FetchError::NoSuchHost)?
        };
        self.check(&addresses)?;
        let stream = self.connect(&addresses, target.port).await?;
        let stream =
            if target.is_tls { self.encrypted(&target.host, stream).await? } else { stream };
        let no_answer = |error: hyper::Error| FetchError::NoAnswer(error.to_string());
        let mut builder = http1::Builder::new();
        builder.max_buf_size(MAX_HEAD_BYTES);
        let (mut sender, connection) =
            builder.handshake(TokioIo::new(stream)).await.map_err(no_answer)?;
        let connection = tokio::spawn(async move {
            // Whoever waits for the answer learns of it.
            let _ = connection.await;
        });
        let connection = AbortOnDropHandle::new(connection);
        let answer = sender.send_request(http_request(url, &target, request)?).await;
        Ok((answer.map_err(no_answer)?, connection))
    }

    /// A connection to the first of these addresses that takes one.
    async fn connect(
        &self,
        addresses: &[IpAddr],
        port: u16,
    ) -> Result<Box<dyn Connection>, FetchError> {
        let mut refused = FetchError::NoSuchHost;
        for &address in addresses.iter().take(MAX_ADDRESSES) {
            match self.network.connect((address, port).into()).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refused = FetchError::NoConnection(error.kind().to_string()),
            }
        }
        Err(refused)
    }

    async fn encrypted(
        &self,
        host: &str,
        stream: Box<dyn Connection>,
    ) -> Result<Box<dyn Connection>, FetchError> {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_owned();
        let host = ServerName::try_from(host).map_err(|_| FetchError::BadAddress)?;
        let stream = self.connector().await?.connect(host, stream).await.map_err(|error| {
            // Its own words have all names of a certificate, as many as its owner likes.
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            FetchError::NoConnection(match inner {
                Some(rustls::Error::InvalidCertificate(_)) => {
                    "its certificate is not accepted".into()
                }
                _ => error.kind().to_string(),
            })
        })?;
        Ok(Box::new(stream))
    }

    async fn connector(&self) -> Result<TlsConnector, FetchError> {
        if let Some(connector) = self.tls.get() {
            return Ok(connector.clone());
        }
        // The authorities are files.
        let made = tokio::task::spawn_blocking(connector).await;
        let made = made.map_err(|error| FetchError::NoConnection(error.to_string()))?;
        Ok(self.tls.get_or_init(|| made).clone())
    }
}

/// A connector that trusts the authorities that this machine does.
fn connector() -> TlsConnector {
    let mut authorities = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (known, _) = authorities.add_parsable_certificates(found.certs);
    if known == 0 {
        log::warn!("No certificate authorities are found: https addresses cannot be asked.");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions")
        .with_root_certificates(authorities)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn http_request(
    url: &Url,
    target: &Target,
    request: &FetchRequest,
) -> Result<Request<Full<Bytes>>, FetchError> {
    let bad = |_| FetchError::BadAddress;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = match url.port() {
        Some(port) => format!("{}:{port}", target.host),
        None => target.host.clone(),
    };
    let (method, body) = match &request.json {
        Some(json) => (Method::POST, json.clone()),
        None => (Method::GET, Bytes::new()),
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(&host).map_err(|_| FetchError::BadAddress)?);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    let agent = concat!("Houston/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    if request.json.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &request.headers {
        let value = HeaderValue::from_str(value).map_err(|_| FetchError::BadAddress)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    let mut made =
        Request::builder().method(method).uri(path).body(Full::new(body)).map_err(bad)?;
    *made.headers_mut() = headers;
    Ok(made)
}

/// The address that an answer redirects to, if it does.
fn redirection(answer: &Response<Incoming>, url: &Url) -> Option<Result<Url, FetchError>> {
    use StatusCode as S;
    // The same request is made there: a message that is not posted is of no use.
    let redirects = matches!(
        answer.status(),
        S::MOVED_PERMANENTLY
            | S::FOUND
            | S::SEE_OTHER
            | S::TEMPORARY_REDIRECT
            | S::PERMANENT_REDIRECT
    );
    let location = answer.headers().get(header::LOCATION).filter(|_| redirects)?;
    let next = str::from_utf8(location.as_bytes()).ok().and_then(|it| url.join(it).ok());
    Some(next.ok_or(FetchError::BadRedirect))
}

fn fetched(
    answer: Response<Incoming>,
    url: &Url,
    connection: AbortOnDropHandle<()>,
    deadline: Instant,
) -> Fetched {
    let text = |name: HeaderName| {
        let value = answer.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let (media_type, disposition) = (text(header::CONTENT_TYPE), text(header::CONTENT_DISPOSITION));
    let encoding = text(header::CONTENT_ENCODING);
    let status = answer.status().as_u16();
    let body = stream::try_unfold(
        (answer.into_body(), connection),
        move |(mut body, connection)| async move {
            loop {
                let Ok(frame) = timeout_at(deadline, body.frame()).await else {
                    return Err(io::ErrorKind::TimedOut.into());
                };
                let Some(frame) = frame.transpose().map_err(io::Error::other)? else {
                    return Ok(None);
                };
                if let Ok(chunk) = frame.into_data() {
                    return Ok(Some((chunk, (body, connection))));
                }
            }
        },
    );
    Fetched { status, media_type, disposition, encoding, url: url.clone(), body: body.boxed() }
}

#[cfg(test)]
mod tests;
