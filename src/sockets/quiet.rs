//! A timeout for connections on which nothing happens (Linux).
//!
//! Rocket has no timeout for a client's TLS handshake, for the head of a request, for the first bytes
//! of its body, or for a connection that waits for the next request; nor can one be set, since all
//! of that is read before any of our code runs. But the kernel knows when each connection last
//! received and sent bytes. If that is too long ago, the reading half is shut: Rocket then sees the
//! end of the request, answers what can be answered, and closes the connection.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use rocket::Shutdown;
use rustix::net::{Shutdown as Half, shutdown};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::copies::copies_of;
use super::diagnosis::{Connection, connections};

/// Longest silence of a connection between two requests: longer than proxies keep idle connections
/// (nginx one minute, Caddy two), and than streams are silent between two pings.
const IDLE_TIMEOUT: Duration = Duration::from_secs(150);
/// Number of checks of all connections in the time that they may be silent within a request.
const CHECKS: u32 = 2;

/// Ends quiet connections to this port, again and again, until the server shuts down or the system
/// does not permit it.
pub(super) async fn end_quiet_connections(port: u16, silence: Duration, shutdown: Shutdown) {
    let pause = (silence / CHECKS).clamp(Duration::from_secs(1), Duration::from_secs(15));
    let mut shutdown = shutdown;
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            () = sleep(pause) => {}
        }
        let ended = spawn_blocking(move || end_quiet_now(port, silence)).await;
        if let Err(error) = ended.map_err(io::Error::other).flatten() {
            log::warn!("Connections on which nothing happens are not ended: {error}.");
            return;
        }
    }
}

/// Ends the connections that are quiet now.
fn end_quiet_now(port: u16, silence: Duration) -> io::Result<()> {
    let all = connections(port)?;
    let quiet: HashSet<_> =
        all.iter().filter(|it| is_quiet(it, silence)).map(|it| it.inode).collect();
    if quiet.is_empty() {
        return Ok(());
    }
    for copy in copies_of(&quiet)? {
        // Fails where the client has closed the connection by now.
        let _ = shutdown(copy, Half::Read);
    }
    Ok(())
}

/// Tells whether nothing has happened on a connection for too long. Where the client does not take
/// its answer, the kernel's own timeout applies; and where we sent last, the client has no request
/// under way, so the longer [`IDLE_TIMEOUT`] does.
fn is_quiet(connection: &Connection, silence: Duration) -> bool {
    let Connection { since_sent, since_received, has_taken, .. } = *connection;
    // The kernel's clock is coarse: an answer may go out in the tick in which the request came.
    let answered = has_taken && since_sent <= since_received;
    let limit = if answered { silence.max(IDLE_TIMEOUT) } else { silence };
    connection.unsent_bytes == 0 && since_sent.min(since_received) > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a connection that has been answered before.
    #[track_caller]
    fn check(sent: u64, received: u64, unsent_bytes: u32, quiet: bool) {
        check_one(true, sent, received, unsent_bytes, quiet);
    }

    #[track_caller]
    fn check_one(has_taken: bool, sent: u64, received: u64, unsent_bytes: u32, quiet: bool) {
        let (since_sent, since_received) =
            (Duration::from_secs(sent), Duration::from_secs(received));
        let connection =
            Connection { inode: 1, unsent_bytes, has_taken, since_sent, since_received };
        assert_eq!(is_quiet(&connection, Duration::from_secs(30)), quiet, "{sent} {received}");
    }

    #[test]
    fn a_connection_is_quiet_when_nothing_came_and_nothing_went() {
        check_one(false, 31, 31, 0, true);
        check_one(false, 29, 29, 0, false);
        check_one(false, 1_000, 31, 0, true);
        check(1_000, 31, 0, true);
        check(1_000, 29, 0, false);
    }

    #[test]
    fn between_requests_and_while_it_listens_a_client_may_be_silent() {
        check(31, 1_000, 0, false);
        check(31, 31, 0, false);
        check(149, 1_000, 0, false);
        check(151, 1_000, 0, true);
    }

    #[test]
    fn whoever_has_an_answer_to_take_is_not_quiet() {
        check(1_000, 1_000, 1, false);
    }
}
