//! Tests of streams over bare connections: nothing of one is held back until more comes, and
//! thousands open at once.

use std::time::{Duration, Instant};

use futures::future::join_all;
use futures::stream::{self, StreamExt};
use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::server::{DEADLINE, Server, until};

#[rocket::async_test]
async fn a_message_reaches_who_reads_the_bare_connection() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.as_ref().expect("a token");
    let address = server.url().trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "GET /api/channels/general/events HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.expect("asked");
    read_until(&mut connection, "retry: ").await;

    ada.puts("general", "m1", "Can you hear me?").await.expect("an answer");

    read_until(&mut connection, "Can you hear me?").await;
}

#[cfg(target_os = "linux")]
#[rocket::async_test]
async fn a_rush_of_connections_waits_in_line_while_the_server_is_busy() {
    let server = Server::start().await;
    let address = server.url().trim_start_matches("http://").parse().expect("an address");
    let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").expect("a setting");
    let rush = allowed.trim().parse().map_or(500, |allowed: usize| allowed.min(500));
    server.pause();

    let connected = (0..rush).map(|_| std::net::TcpStream::connect_timeout(&address, DEADLINE));

    connected.collect::<Result<Vec<_>, _>>().expect("all are in line");
}

/// The number of users who come at once.
const PEOPLE: usize = 2_000;
/// The time that all of them together may take, on a busy machine and with a server that is not
/// optimised.
const ALL_HERE: Duration = Duration::from_secs(30);

#[rocket::async_test]
async fn thousands_of_people_can_come_to_a_channel_at_once() {
    may_open_many_files();
    let server = Server::start().await;
    let visitor = server.client();
    let names = (0..PEOPLE).map(|n| format!("User {n}"));
    let people = names.map(|name| async { visitor.signed_in_as(&{ name }).await });
    let people: Vec<_> = stream::iter(people).buffer_unordered(32).collect().await;

    let begun = Instant::now();
    let streams = people.iter().map(|person| async {
        let mut feed = person.listens("general", None).await;
        feed.counts(PEOPLE).await;
        feed
    });
    let streams = join_all(streams).await;

    assert!(begun.elapsed() < ALL_HERE, "{:?}", begun.elapsed());
    drop(streams);
}

#[cfg(target_os = "linux")]
#[rocket::async_test]
async fn streams_that_are_opened_and_closed_at_once_do_not_pile_up() {
    /// The number of streams that one user opens, as fast as they can.
    const OPENED: usize = 5_000;
    /// The largest number of streams that may be open in the end, by default.
    const OPEN: usize = 64;
    may_open_many_files();
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.as_ref().expect("a token");
    let address = server.url().trim_start_matches("http://");
    let request = format!(
        "GET /api/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    let files = server.open_files();
    server.memory_peak_from_now();
    let before = server.memory_peak_from_now();

    let opened = (0..OPENED).map(|_| async {
        let mut connection = TcpStream::connect(address).await.expect("a connection");
        connection.write_all(request.as_bytes()).await.expect("asked");
        // It has begun, or was refused, and then nobody wants it any more.
        connection.read_u8().await.expect("an answer");
    });
    stream::iter(opened).buffer_unordered(32).for_each(|()| async {}).await;

    let open = server.metric("houston_streams").await;
    assert!(open <= OPEN, "{open} streams are open");
    until("the connections are gone", async || server.open_files() <= files + OPEN).await;
    let more = server.memory_peak().saturating_sub(before);
    assert!(more < 64 * 1024 * 1024, "{more} bytes more");
}

/// Raises the limit of open files: each stream is one in this process, too.
pub(crate) fn may_open_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("as many files as the system allows");
}

/// Reads until this has come, or gives up.
async fn read_until(connection: &mut TcpStream, expected: &str) {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(expected) {
            let bytes = connection.read_buf(&mut read).await.expect("a connection");
            assert!(bytes > 0, "the stream has ended");
        }
    };
    timeout(DEADLINE, reading).await.unwrap_or_else(|_| panic!("{expected:?} has not come"));
}
