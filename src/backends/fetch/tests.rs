//! Tests of the guard and of the client, over a network in memory.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::TryStreamExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use super::*;

/// A network where every address answers, by the paths that are asked for.
#[derive(Clone, Default)]
struct Simulation {
    names: HashMap<&'static str, Vec<&'static str>>,
    /// What is answered at a path; 200 where there is nothing.
    answers: HashMap<&'static str, String>,
    connected: Arc<Mutex<Vec<SocketAddr>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Network for Simulation {
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let found = self.names.get(host.trim_end_matches('.')).cloned();
        async move {
            let found = found.ok_or(io::ErrorKind::NotFound)?;
            Ok(found.iter().map(|it| it.parse().expect("an address")).collect())
        }
        .boxed()
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Connection>>> {
        self.connected.lock().push(address);
        let (ours, mut theirs) = duplex(64 * 1024);
        let (answers, asked) = (self.answers.clone(), self.asked.clone());
        tokio::spawn(async move {
            let mut head = Vec::new();
            while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                let mut byte = [0];
                if theirs.read_exact(&mut byte).await.is_err() {
                    return;
                }
                head.extend(byte);
            }
            let head = String::from_utf8(head).expect("a head");
            let path = head.split(' ').nth(1).expect("a path").to_owned();
            asked.lock().push(head);
            let fine = || "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned();
            let answer = answers.get(path.as_str()).cloned().unwrap_or_else(fine);
            theirs.write_all(answer.as_bytes()).await.expect("it is read");
            // Held open: an answer that never ends.
            if answer.contains("X-Endless") {
                std::future::pending::<()>().await;
            }
        });
        async move { Ok(Box::new(ours) as Box<dyn Connection>) }.boxed()
    }

    fn is_own(&self, address: IpAddr) -> bool {
        address == IpAddr::from([203, 0, 114, 9])
    }
}

#[tokio::test]
async fn this_machines_own_public_address_is_refused() {
    let fetcher = Fetcher::over(Box::new(simulation()), false);
    assert_eq!(fetcher.check("http://203.0.114.9/"), Err(FetchError::NotPublic));
    assert_eq!(fetcher.check("http://203.0.114.8/"), Ok(()));
    let allowed = Fetcher::over(Box::new(simulation()), true);
    assert_eq!(allowed.check("http://203.0.114.9/"), Ok(()));

    assert!(Internet.is_own([127, 0, 0, 1].into()));
    assert!(Internet.is_own(Ipv4Addr::LOCALHOST.into()));
    for foreign in [[192, 0, 2, 1], [8, 8, 8, 8]] {
        assert!(!Internet.is_own(foreign.into()), "{foreign:?}");
    }
}

fn simulation() -> Simulation {
    let names = [
        ("public.example", vec!["93.184.215.14", "2606:4700::1111"]),
        ("other.example", vec!["8.8.8.8"]),
        ("localhost", vec!["127.0.0.1", "::1"]),
        ("rebinding.example", vec!["10.1.2.3"]),
        ("mixed.example", vec!["8.8.8.8", "192.168.0.1"]),
        ("metadata.example", vec!["169.254.169.254"]),
        ("six.example", vec!["fd00::1"]),
        ("mapped.example", vec!["::ffff:127.0.0.1"]),
        ("nat.example", vec!["64:ff9b::7f00:1"]),
        ("xn--n3h.example", vec!["127.0.0.1"]),
    ];
    Simulation { names: names.into(), ..Simulation::default() }
}

fn request(url: &str) -> FetchRequest {
    FetchRequest {
        url: url.into(),
        json: Some(Bytes::from_static(b"{}")),
        headers: vec![("webhook-id", "m1".into())],
        timeout: Duration::from_secs(7),
    }
}

async fn ask(network: &Simulation, url: &str) -> Result<Fetched, FetchError> {
    Fetcher::over(Box::new(network.clone()), false).fetch(request(url)).await
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

/// Addresses that are not public, in many spellings.
const NOT_PUBLIC: [&str; 52] = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1:8080/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://127.0.0.1./",
    "http://0/",
    "http://0.0.0.0:80/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://%31%32%37.0.0.1/",
    "https://10.0.0.1/",
    "http://10.1/",
    "http://0xa000001/",
    "http://172.16.0.1/",
    "http://172.31.255.254/",
    "http://192.168.1.1/",
    "http://192.168.257/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]:8000/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a00:1]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a00:1::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456:789a::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[::ffff:0:127.0.0.1]/",
];

/// Names that are found at such addresses.
const NAMES_OF_NOT_PUBLIC: [&str; 12] = [
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST:8000/",
    "https://localhost/",
    "http://rebinding.example/",
    "http://Rebinding.Example./",
    "http://mixed.example/",
    "http://metadata.example/latest/",
    "http://six.example/",
    "http://mapped.example/",
    "http://nat.example/",
    "http://☃.example/",
];

#[tokio::test]
async fn no_spelling_of_an_address_that_is_not_public_is_connected_to() {
    for url in NOT_PUBLIC {
        let network = simulation();
        let fetcher = Fetcher::over(Box::new(network.clone()), false);
        assert_eq!(fetcher.check(url), Err(FetchError::NotPublic), "{url}");
        assert_eq!(ask(&network, url).await.err(), Some(FetchError::NotPublic), "{url}");
        assert!(network.connected.lock().is_empty(), "{url}");
        let allowed = Fetcher::over(Box::new(network.clone()), true);
        assert_eq!(allowed.check(url), Ok(()), "{url}");
    }
}

#[tokio::test]
async fn no_name_of_an_address_that_is_not_public_is_connected_to() {
    for url in NAMES_OF_NOT_PUBLIC {
        let network = simulation();
        assert_eq!(ask(&network, url).await.err(), Some(FetchError::NotPublic), "{url}");
        assert!(network.connected.lock().is_empty(), "{url}");
    }
}

#[tokio::test]
async fn no_redirect_leads_to_an_address_that_is_not_public() {
    for to in NOT_PUBLIC.into_iter().chain(NAMES_OF_NOT_PUBLIC) {
        let mut network = simulation();
        network.answers.insert("/", redirect("http://other.example/next"));
        network.answers.insert("/next", redirect(to));
        let asked = ask(&network, "http://public.example/").await;
        assert_eq!(asked.err(), Some(FetchError::NotPublic), "{to}");
        assert_eq!(network.connected.lock().len(), 2, "{to}");
    }
}

#[tokio::test]
async fn a_public_host_is_connected_to_where_it_was_found() {
    let network = simulation();
    let answer =
        ask(&network, "http://public.example:8080/hook?a=1#part").await.expect("an answer");
    assert_eq!(answer.status, 200);
    let body: Vec<_> = answer.body.try_collect().await.expect("a body");
    assert_eq!(body.concat(), b"ok");
    assert_eq!(*network.connected.lock(), ["93.184.215.14:8080".parse().expect("an address")]);
    let asked = network.asked.lock()[0].to_ascii_lowercase();
    assert!(asked.starts_with("post /hook?a=1 http/1.1\r\n"), "{asked}");
    for header in ["host: public.example:8080", "content-type: application/json", "webhook-id: m1"]
    {
        assert!(asked.contains(&format!("\r\n{header}\r\n")), "{asked}");
    }
}

#[tokio::test]
async fn private_addresses_are_connected_to_where_that_is_allowed() {
    let network = simulation();
    let fetcher = Fetcher::over(Box::new(network.clone()), true);
    let answer = fetcher.fetch(request("http://localhost/")).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(*network.connected.lock(), ["127.0.0.1:80".parse().expect("an address")]);
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_more() {
    let mut network = simulation();
    network.answers.insert("/1", redirect("/2"));
    network.answers.insert("/2", redirect("//other.example/3"));
    network.answers.insert("/3", redirect("http://public.example/4"));
    let answer = ask(&network, "http://public.example/1").await.expect("an answer");
    assert_eq!((answer.status, answer.url.path()), (200, "/4"));
    assert_eq!(network.asked.lock().len(), 4);

    network.answers.insert("/4", redirect("/5"));
    let asked = ask(&network, "http://public.example/1").await;
    assert_eq!(asked.err(), Some(FetchError::BadRedirect));
    for (to, error) in [
        ("file:///etc/passwd", FetchError::BadAddress),
        ("ftp://other.example/", FetchError::BadAddress),
        ("http://user:word@other.example/", FetchError::BadAddress),
        ("http://[nonsense/", FetchError::BadRedirect),
    ] {
        network.answers.insert("/1", redirect(to));
        assert_eq!(ask(&network, "http://public.example/1").await.err(), Some(error), "{to}");
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused_at_once() {
    let fetcher = Fetcher::over(Box::new(simulation()), true);
    for url in [
        "",
        "public.example",
        "ftp://public.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http://user@public.example/",
        "http://user:word@public.example/",
        "http://256.256.256.256/",
        "http://exa mple/",
    ] {
        assert_eq!(fetcher.check(url), Err(FetchError::BadAddress), "{url}");
    }
    assert_eq!(fetcher.check("https://public.example/"), Ok(()));
    let nowhere = ask(&simulation(), "http://nowhere.example/").await;
    assert_eq!(nowhere.err(), Some(FetchError::NoSuchHost));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_end_is_given_up() {
    let mut network = simulation();
    network.answers.insert("/slow", "HTTP/1.1 200 OK\r\nX-Endless: 1\r\n".into());
    network
        .answers
        .insert("/body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Endless: 1\r\n\r\nhalf".into());
    let slow = ask(&network, "http://public.example/slow").await;
    assert_eq!(slow.err(), Some(FetchError::TooSlow));
    let answer = ask(&network, "http://public.example/body").await.expect("a head");
    let body: Result<Vec<_>, _> = answer.body.try_collect().await;
    assert_eq!(body.expect_err("it does not end").kind(), io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn nonsense_is_no_answer() {
    let mut network = simulation();
    network.answers.insert("/", "HELLO\r\n\r\n".into());
    let answer = ask(&network, "http://public.example/").await;
    assert!(matches!(answer.err(), Some(FetchError::NoAnswer(_))));
}
