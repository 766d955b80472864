//! Tests of the server's connections, and of its locks on the database.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;

use rocket::tokio::io::{AsyncReadExt, AsyncWriteExt};
use rocket::tokio::net::TcpStream;
use rocket::tokio::time::timeout;

use crate::server::{DEADLINE, Server, until};

/// The server's end of a connection, as a line of `/proc/net/tcp`.
fn end_at_server(connection: &TcpStream) -> Option<Vec<String>> {
    let (server, client) = (connection.peer_addr(), connection.local_addr());
    let port = |address: std::io::Result<SocketAddr>| {
        format!(":{:04X}", address.expect("an address").port())
    };
    let (server, client) = (port(server), port(client));
    let table = fs::read_to_string("/proc/net/tcp").expect("a table");
    let lines = table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect());
    lines.into_iter().find(|line: &Vec<String>| {
        line[1].ends_with(&server) && line[2].ends_with(&client) && line[3] == "01"
    })
}

async fn connects(server: &Server) -> TcpStream {
    let address = server.url().trim_start_matches("http://");
    TcpStream::connect(address).await.expect("a connection")
}

#[rocket::async_test]
async fn a_silent_client_is_asked_for_a_sign_of_life() {
    let server = Server::start().await;
    let connection = connects(&server).await;
    let mut timer = String::new();
    until("it is accepted", async || {
        timer = end_at_server(&connection).map_or(String::new(), |line| line[5].clone());
        !timer.is_empty()
    })
    .await;
    // The kind of timer (2: keep-alive) and when it fires, in hundredths of a second.
    let (kind, when) = timer.split_once(':').expect("a timer");
    let when = u64::from_str_radix(when, 16).expect("a number");
    assert!(kind == "02" && when <= 3_000, "{timer}");
}

#[rocket::async_test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut_off() {
    let server = Server::with(&[("ROCKET_ANSWER_SILENCE_SECONDS", "2")]).await;
    let ada = server.client().signed_in_as("Ada").await;
    let text = "x".repeat(4_000);
    for n in 0..100 {
        ada.puts("general", &format!("m{n}"), &text).await.expect("an answer");
    }
    let mut connection = connects(&server).await;
    let token = ada.token.as_ref().expect("a token");
    let history = format!(
        "GET /api/channels/general/messages HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {token}\r\n\r\n"
    );
    connection.write_all(history.repeat(50).as_bytes()).await.expect("asked");
    until("it is accepted", async || end_at_server(&connection).is_some()).await;

    until("it is cut off", async || end_at_server(&connection).is_none()).await;
}

#[rocket::async_test]
async fn a_connection_on_which_nothing_happens_is_closed() {
    let server = Server::with(&[("ROCKET_BODY_SILENCE_SECONDS", "1")]).await;
    let ada = server.client().signed_in_as("Ada").await;
    let mut feed = ada.listens("general", None).await;
    for begun in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut connection = connects(&server).await;
        connection.write_all(begun.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        let read = timeout(DEADLINE, connection.read_to_end(&mut answer)).await;
        read.expect("it is closed in time").expect("it is closed");
    }
    ada.puts("general", "m1", "still there?").await.expect("an answer");
    assert_eq!(feed.next().await.expect("who listens is not cut off").data["id"], "m1");
}

#[rocket::async_test]
async fn the_database_stays_locked_while_the_server_runs() {
    let server = Server::start().await;
    let locks = fs::read_to_string("/proc/locks").expect("a table");
    for file in ["houston.db", "houston.db-shm"] {
        let inode = fs::metadata(server.data().join(file)).expect("a file").ino();
        // `1: POSIX  ADVISORY  READ 4242 fd:00:123456 128 128`
        let held = locks.lines().any(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            fields[1] == "POSIX"
                && fields.contains(&&*server.pid().to_string())
                && fields.iter().any(|field| field.ends_with(&format!(":{inode}")))
        });
        assert!(held, "{file} in {locks}");
    }
}
