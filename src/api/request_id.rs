//! Request ids: the name of each request in the log and in its answer, `X-Request-Id`.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use rocket::http::Header;
use rocket::request::Request;

/// The name of the header.
const HEADER: &str = "X-Request-Id";
/// The largest number of characters of an id that a proxy gave.
const MAX_CHARS: usize = 64;
/// The number of random bytes of an id that is made here.
const BYTES: usize = 8;

/// The id of a request. Behind a proxy it is the one that the proxy gave, else a random one. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The id of this request, the same however often it is asked for.
    pub(crate) fn of(request: &Request<'_>) -> Self {
        request.local_cache(|| Self::given(request).unwrap_or_else(Self::random)).clone()
    }

    /// The id that came with the request. It is believed where a proxy is (`ip_header`): a stranger
    /// could send one that is in use, or anything.
    fn given(request: &Request<'_>) -> Option<Self> {
        request.rocket().config().ip_header.as_ref()?;
        let given = request.headers().get_one(HEADER)?;
        is_valid(given).then(|| Self(given.into()))
    }

    fn random() -> Self {
        let mut bytes = [0; BYTES];
        // Where the system has no random numbers, ids are all the same, and nothing else is wrong.
        let _ = getrandom::fill(&mut bytes);
        Self(HEXLOWER.encode(&bytes).into())
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as a header.
    pub(crate) fn header(&self) -> Header<'static> {
        Header::new(HEADER, self.0.to_string())
    }
}

fn is_valid(id: &str) -> bool {
    let signs = |sign: u8| sign.is_ascii_alphanumeric() || b"-_.:/+=".contains(&sign);
    (1..=MAX_CHARS).contains(&id.len()) && id.bytes().all(signs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_and_has_no_signs_that_mean_something_in_a_log() {
        for id in
            ["a", "0123456789abcdef", "Root=1-67891233-abcdef012345678912345678", "a.b:c/d+e="]
        {
            assert!(is_valid(id), "{id}");
        }
        for id in ["", "a b", "a\nb", "a\"b", "ä", "a,b", "\u{1b}[1m", &"x".repeat(65)] {
            assert!(!is_valid(id), "{id:?}");
        }
        assert_eq!(RequestId::random().as_str().len(), 16);
        assert_ne!(RequestId::random().as_str(), RequestId::random().as_str());
    }
}
