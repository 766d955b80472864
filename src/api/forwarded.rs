//! The address, scheme and host of a request, by the headers of proxies before this server.
//!
//! The headers that proxies send are lists, in one line or several: each proxy adds itself at the
//! end. Of the scheme and the host the first is what the client itself asked for. Of the address
//! the last is what the nearest proxy saw; whatever is before it anybody could have sent.

use std::net::{IpAddr, SocketAddr};

use rocket::Request;

/// The headers that prove a request was forwarded by a proxy.
const SENT_BY_PROXIES: [&str; 6] =
    ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"];

/// The client's address: the last member of the header that the setting `ip_header` names, if there
/// is one, else the address of the connection.
pub(super) fn address(request: &Request<'_>) -> Option<IpAddr> {
    let header = request.rocket().config().ip_header.as_ref();
    let told = header.and_then(|header| list(request, header.as_str()).last());
    told.and_then(parse_address).or_else(|| request.remote().map(|remote| remote.ip()))
}

/// Tells whether the request was made on this machine and not forwarded by a proxy here.
pub(crate) fn is_from_this_machine(request: &Request<'_>) -> bool {
    let here = request.remote().is_some_and(|remote| remote.ip().to_canonical().is_loopback());
    let header = request.rocket().config().ip_header.as_ref().map(|header| header.as_str());
    here && !SENT_BY_PROXIES.into_iter().chain(header).any(|it| request.headers().contains(it))
}

/// Tells whether the client speaks TLS, to this server or to a proxy before it.
pub(super) fn is_secure(request: &Request<'_>) -> bool {
    let scheme = list(request, "X-Forwarded-Proto").next();
    let https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    https || request.rocket().config().tls_enabled()
}

/// The host that the client asked the outermost proxy for, by `X-Forwarded-Host`, with the port if
/// it is not the usual one.
pub(super) fn forwarded_host<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    list(request, "X-Forwarded-Host").next()
}

/// The `Host` header: this server's name to whoever connects, a client or a proxy.
pub(super) fn host<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    request.headers().get_one("Host")
}

/// The members of a header that is a list, over all lines of that name (RFC 9110, section 5.6.1).
fn list<'r>(request: &'r Request<'_>, header: &str) -> impl Iterator<Item = &'r str> {
    let members = request.headers().get(header).flat_map(|line| line.split(','));
    members.map(str::trim).filter(|member| !member.is_empty())
}

/// Reads an address as proxies write it: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`,
/// `[2001:db8::1]` or `[2001:db8::1]:80`.
fn parse_address(written: &str) -> Option<IpAddr> {
    let with_port = || written.parse().ok().map(|address: SocketAddr| address.ip());
    let bracketed = || written.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    written.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, address: &str) {
        assert_eq!(parse_address(written), address.parse().ok(), "{written}");
    }

    #[test]
    fn ports_are_left_off_addresses() {
        check("192.0.2.1", "192.0.2.1");
        check("192.0.2.1:4711", "192.0.2.1");
        check("2001:db8::1", "2001:db8::1");
        check("[2001:db8::1]", "2001:db8::1");
        check("[2001:db8::1]:4711", "2001:db8::1");
        check("unknown", "none");
    }
}
