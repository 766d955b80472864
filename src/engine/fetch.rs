//! Fetching: the port through which other servers are asked.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use url::Url;

/// A client of other servers that connects to nothing on this machine or in its network.
pub trait Fetch: Send + Sync {
    /// Tells why an address can never be asked, as far as that shows without looking up its host.
    ///
    /// # Errors
    ///
    /// When it is no `http` or `https` address, or names an address that is not public.
    fn check(&self, url: &str) -> Result<(), FetchError>;

    /// Asks another server, and follows a few redirects. The answer's body is still to come.
    fn fetch(&self, request: FetchRequest) -> BoxFuture<'static, Result<Fetched, FetchError>>;
}

/// A request to another server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// The address.
    pub url: String,
    /// The body to post as JSON; `None` for a `GET`.
    pub json: Option<Bytes>,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// Time after which it is given up, the answer's body included.
    pub timeout: Duration,
}

/// The answer of another server.
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// The media type, as the server names it, with its parameters.
    pub media_type: Option<String>,
    /// The header `Content-Disposition`.
    pub disposition: Option<String>,
    /// The header `Content-Encoding`. Nothing is decoded.
    pub encoding: Option<String>,
    /// The address that answered.
    pub url: Url,
    /// The body. It fails when it does not end in time.
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// The reason why another server gave no answer. Nothing of an address is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is no address that can be asked.
    #[error(
        "the address must begin with http:// or https:// and name a host, without a user or password"
    )]
    BadAddress,
    /// The host is, or is found at, an address that is not public.
    #[error("the address is not public: this server posts to no machine of its own network")]
    NotPublic,
    /// The host is not found.
    #[error("the host is not found")]
    NoSuchHost,
    /// There were too many redirects, or one to nowhere.
    #[error("it redirects too often, or to nowhere")]
    BadRedirect,
    /// It cannot be connected to.
    #[error("no connection: {0}")]
    NoConnection(String),
    /// It speaks no HTTP that can be understood.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// It took too long.
    #[error("no answer in time")]
    TooSlow,
}
