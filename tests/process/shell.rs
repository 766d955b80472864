//! Tests of `houston` as a client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Method;
use rocket::tokio::io::copy_bidirectional;
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::task::{JoinSet, spawn_blocking};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::Client;
use crate::server::{DEADLINE, Server, until};

/// A command of the client, for this server and with this token.
fn houston(url: &str, token: &str, arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_houston"), url, token, arguments)
}

/// A program that is told of this server and this token.
fn program(path: &str, url: &str, token: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command
        .args(arguments)
        .env("HOUSTON_URL", url)
        .env("HOUSTON_TOKEN", token)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A person at a shell.
struct Shell {
    url: String,
    token: String,
}

impl Shell {
    fn of(server: &Server, person: &Client) -> Self {
        let token = person.token.clone().expect("a token");
        Self { url: server.url().to_owned(), token }
    }

    /// Runs a command to its end. Returns its exit code, and what it said.
    async fn runs(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = houston(&self.url, &self.token, arguments);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("a process");
        let input = input.to_owned();
        let output = spawn_blocking(move || {
            let mut stdin = child.stdin.take().expect("piped");
            // It need not read it.
            let _ = stdin.write_all(input.as_bytes());
            drop(stdin);
            child.wait_with_output().expect("it ends")
        });
        Done::from(output.await.expect("it ends"))
    }

    fn starts(&self, arguments: &[&str]) -> Running {
        Running::of(houston(&self.url, &self.token, arguments))
    }

    fn starts_by(&self, starter: &str, arguments: &[&str]) -> Running {
        Running::of(program(starter, &self.url, &self.token, arguments))
    }
}

/// The end of a command.
#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

/// A command that goes on.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn of(mut command: Command) -> Self {
        let mut child = command.spawn().expect("a process");
        let out: ChildStdout = child.stdout.take().expect("piped");
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line that it says.
    async fn line(&mut self) -> String {
        let mut line = None;
        until("it says something", async || {
            line = self.lines.try_recv().ok();
            line.is_some()
        })
        .await;
        line.expect("a line")
    }

    /// The exit code, once it has ended.
    async fn code(&mut self) -> i32 {
        let mut status = None;
        until("it ends", async || {
            status = self.child.try_wait().expect("our process");
            status.is_some()
        })
        .await;
        status.and_then(|status| status.code()).expect("it ended by itself")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells whether a process has ended.
fn is_gone(process: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.is_empty() || status.contains("State:\tZ")
}

async fn listening(server: &Server, streams: usize) {
    until("it listens", async || server.metric("houston_streams").await == streams).await;
}

#[rocket::async_test]
async fn a_name_is_all_it_takes_to_post_and_to_read() {
    let server = Server::start().await;
    let script = r#"
        set -eu
        eval "$("$houston" login Ada)"
        "$houston" post general Hello from a shell
        echo 'piped *text*' | "$houston" post general
        echo 'from a dash' | "$houston" post '#general' -
        id=$("$houston" post general --id status 'T minus 10'); echo "$id"
        "$houston" post general --id status 'T minus 9'
        echo plot > 'the plan.txt'
        "$houston" post general 'see here' --file 'the plan.txt' -f 'the plan.txt'
        "$houston" post @Ada --file 'the plan.txt'
        "$houston" tail general & tail=$!
        sleep 2
        kill $tail
    "#;
    let directory = tempfile::tempdir().expect("a directory");
    let ran = Command::new("bash")
        .args(["-c", script])
        .env("houston", env!("CARGO_BIN_EXE_houston"))
        .env("HOUSTON_URL", server.url())
        .current_dir(directory.path())
        .output()
        .expect("bash runs");
    let done = Done::from(ran);
    assert_eq!(done.code, 0, "{done:?}");
    for said in [
        "\nstatus\nstatus\n",
        "Z Ada: Hello from a shell\n",
        "Z Ada: piped *text*\n",
        "Z Ada: from a dash\n",
        "Z Ada: T minus 9\n",
        "Z Ada: see here\n  http://",
        "/the%20plan.txt\n",
    ] {
        assert!(done.out.contains(said), "{said:?} in {done:?}");
    }
    assert!(!done.out.contains("T minus 10"), "{done:?}");
}

#[rocket::async_test]
async fn what_goes_wrong_names_the_remedy() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let shell = Shell::of(&server, &ada);
    let long = "x".repeat(4_001);
    for (arguments, code, said) in [
        (&["post", "nowhere", "hi"][..], 1, "There is no channel of that name"),
        (&["post", "@Nobody", "hi"], 1, "Nobody holds the name"),
        (&["post", "general"], 1, "nothing to send: give a text"),
        (&["post", "general", "-f", "/no/such/file"], 1, "/no/such/file cannot be read"),
        (&["post", "general", "--id", "a b", "hi"], 1, "A message id"),
        (&["post", "general", &long], 1, "at most 4,000 characters"),
        (&["tail", "nowhere"], 1, "There is no channel"),
        (&["wait", "nowhere", "x"], 1, "There is no channel"),
        (&["run", "--on", "nowhere", "--", "cat"], 1, "There is no channel"),
        (&["ask", "nowhere", "x"], 125, "There is no channel"),
        (&["wait", "general", "("], 2, "regex"),
        (&["wait", "general", "x", "--timeout", "soon"], 2, "--timeout"),
        (&["run", "--on", "general", "--timeout", "soon", "--", "cat"], 2, "--timeout"),
        (&["run", "--on", "general"], 2, "COMMAND"),
        (&["login", "@Ada"], 1, "cannot start with"),
        (&["login", "ADA"], 1, "already called that"),
        (&["post", "--token", "wrong", "general", "hi"], 1, "houston login NAME"),
        (&["post", "--token", "", "general", "hi"], 1, "HOUSTON_TOKEN"),
        (&["post", "--url", "nonsense://x", "general", "hi"], 1, "HOUSTON_URL"),
        (&["tail", "--url", "", "general"], 1, "HOUSTON_URL"),
    ] {
        let done = shell.runs(arguments, "").await;
        assert_eq!(done.code, code, "{arguments:?}: {done:?}");
        assert!(done.err.contains(said), "{arguments:?}: {done:?}");
        assert_eq!(done.out, "", "{arguments:?}");
    }
    assert!(ada.messages("general").await.is_empty());
    let gone = shell.runs(&["post", "--url", "http://127.0.0.1:1", "general", "hi"], "").await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("http://127.0.0.1:1 does not answer"), "{gone:?}");
    assert!(gone.err.contains("HOUSTON_URL") && !gone.err.contains(&shell.token), "{gone:?}");
}

#[rocket::async_test]
async fn one_message_grows_with_what_is_said_at_most_twice_a_second() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let shell = Shell::of(&server, &ada);
    let mut follows =
        houston(&shell.url, &shell.token, &["post", "general", "--id", "build", "--follow"]);
    let mut child = follows.stdin(Stdio::piped()).spawn().expect("a process");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"line 0\n").expect("read");
    until("it begins at once", async || ada.messages("general").await.len() == 1).await;
    let begun = Instant::now();
    for n in 1..40 {
        input.write_all(format!("line {n}\n").as_bytes()).expect("read");
        rocket::tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(input);
    let done = Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!((done.code, done.out.as_str()), (0, "build\n"), "{done:?}");
    let allowed = begun.elapsed().as_secs() * 2 + 4;
    let puts = server.metric("houston_requests_total{method=\"PUT\",route=\"/api/channels/<channel>/messages/<id>\",status=\"2xx\"}").await;
    assert!(puts as u64 <= allowed && puts > 2, "{puts} of {allowed}");
    let messages = ada.messages("general").await;
    let text = messages[0]["text"].as_str().expect("a text");
    assert!(messages.len() == 1 && text.starts_with("line 0\n") && text.ends_with("line 39"));
    let nothing = shell.runs(&["post", "general", "--follow"], "").await;
    assert_eq!(nothing.code, 1, "{nothing:?}");
}

/// A place between client and server where connections can be cut.
struct Cut {
    url: String,
    target: Arc<Mutex<SocketAddr>>,
    connections: Arc<Mutex<JoinSet<()>>>,
}

impl Cut {
    async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let target = Arc::new(Mutex::new(server.address()));
        let connections = Arc::<Mutex<JoinSet<()>>>::default();
        let (to, all) = (target.clone(), connections.clone());
        rocket::tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let to = *to.lock().expect("whole");
                all.lock().expect("whole").spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(to).await {
                        // Ends when either does.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { url, target, connections }
    }

    fn cuts(&self) {
        self.connections.lock().expect("whole").abort_all();
    }
}

#[rocket::async_test]
async fn a_tail_goes_on_after_cuts_and_restarts_and_misses_nothing() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let token = ada.token.clone().expect("a token");
    let cut = Cut::before(&server).await;
    ada.puts("general", "m0", "text 0").await.expect("kept");
    let shell = Shell { url: cut.url.clone(), token: token.clone() };
    let mut text = shell.starts(&["tail", "general"]);
    let mut json = shell.starts(&["tail", "general", "--json", "-n", "0"]);
    let mut all = shell.starts(&["tail", "--json"]);
    assert!(text.line().await.ends_with("Z Ada: text 0"));
    listening(&server, 3).await;
    for n in 1..4 {
        ada.puts("general", &format!("m{n}"), &format!("text {n}")).await.expect("kept");
        cut.cuts();
    }
    ada.creates("short").await;
    ada.puts("short", "s1", "soon gone").await.expect("kept");
    for n in 1..4 {
        let message: Value = serde_json::from_str(&all.line().await).expect("JSON");
        assert_eq!(message["text"], format!("text {n}"));
    }
    assert!(all.line().await.contains("soon gone"));
    let mut server = server;
    server.kill();
    let server = server.restart().await;
    let ada = server.client().with_token(&token);
    // More deletions than the server remembers for who resumes.
    ada.request(Method::DELETE, "/api/channels/short").send().await.expect("an answer");
    for _ in 0..100 {
        ada.creates("shorter").await;
        ada.request(Method::DELETE, "/api/channels/shorter").send().await.expect("an answer");
    }
    *cut.target.lock().expect("whole") = server.address();
    let gone = json!({ "event": "channel-deleted", "name": "short", "channel": "short" });
    let shown: Value = serde_json::from_str(&all.line().await).expect("JSON");
    assert_eq!(shown, gone, "it was deleted meanwhile");
    ada.puts("general", "m4", "text 4").await.expect("kept");
    ada.creates("ops").await;
    ada.puts("ops", "o1", "elsewhere").await.expect("kept");
    for n in 1..5 {
        assert!(text.line().await.ends_with(&format!("Z Ada: text {n}")), "{n}");
        let message: Value = serde_json::from_str(&json.line().await).expect("JSON");
        assert_eq!(message["text"], format!("text {n}"));
    }
    assert!(all.line().await.contains("text 4"));
    let message: Value = serde_json::from_str(&all.line().await).expect("JSON");
    assert_eq!((&message["text"], &message["channel"]), (&json!("elsewhere"), &json!("ops")));
    let ops = Shell::of(&server, &ada).starts(&["tail", "ops"]);
    listening(&server, 4).await;
    ada.request(Method::DELETE, "/api/channels/ops").send().await.expect("an answer");
    let mut ops = ops;
    assert!(ops.line().await.ends_with("elsewhere"));
    assert_eq!(ops.line().await, "# The channel was deleted.");
    assert_eq!(ops.code().await, 0);
}

#[rocket::async_test]
async fn a_tail_of_everything_shows_edits_and_deletions_as_one_of_a_channel_does() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let shell = Shell::of(&server, &ada);
    ada.creates("ops").await;
    ada.puts("ops", "m0", "before").await.expect("kept");
    let begun = Instant::now();
    let mut text = shell.starts(&["tail"]);
    let mut json = shell.starts(&["tail", "--json"]);
    listening(&server, 2).await;
    let line = async |json: &mut Running| -> Value {
        serde_json::from_str(&json.line().await).expect("JSON")
    };
    let said = async |tail: &mut Running, channel: &str, said: &str| {
        let (sign, mut lines) = (if channel == "@Ada" { "" } else { "#" }, said.lines());
        let (shown, first) = (tail.line().await, lines.next().expect("a line"));
        assert!(shown.starts_with(&format!("{sign}{channel} 20")), "{shown}");
        assert!(shown.ends_with(&format!("Z Ada: {first}")), "{shown}");
        for further in lines {
            assert_eq!(tail.line().await, format!("  {further}"));
        }
    };
    for (channel, id, sent) in
        [("general", "m1", "first\n  second"), ("general", "m2", "to go"), ("@Ada", "n1", "a note")]
    {
        ada.puts(channel, id, sent).await.expect("kept");
        assert_eq!(line(&mut json).await["text"], sent);
        said(&mut text, channel, sent).await;
    }
    // Of these nothing tells, so that it is looked for them.
    let edits =
        [("general", "m1", "better"), ("ops", "m0", "edited"), ("@Ada", "n1", "well noted")];
    for (channel, id, sent) in edits {
        ada.puts(channel, id, sent).await.expect("kept");
    }
    let mut shown = Vec::new();
    for _ in edits {
        shown.push(line(&mut json).await["text"].as_str().expect("a text").to_owned());
    }
    shown.sort();
    assert_eq!(shown, ["better", "edited", "well noted"]);
    let lists = "houston_requests_total{method=\"GET\",route=\"/api/channels\",status=\"2xx\"}";
    let (lists, allowed) = (server.metric(lists).await, 2 * (2 + begun.elapsed().as_secs() / 25));
    assert!(lists as u64 <= allowed, "the list is read {lists} times, {allowed} are allowed");
    let mut shown = Vec::new();
    for _ in edits {
        shown.push(text.line().await);
    }
    shown.sort();
    for (shown, (channel, end)) in shown.iter().zip([
        ("#general 20", "Z Ada: better"),
        ("#ops 20", "Z Ada: edited"),
        ("@Ada 20", "Z Ada: well noted"),
    ]) {
        assert!(shown.starts_with(channel) && shown.ends_with(end), "{shown}");
    }
    // What is said in a channel has all else shown that is new there.
    ada.request(Method::DELETE, "/api/channels/general/messages/m2").send().await.expect("it");
    ada.puts("general", "m3", "after it").await.expect("kept");
    let deleted = line(&mut json).await;
    assert_eq!(
        (&deleted["event"], &deleted["id"], &deleted["channel"]),
        (&json!("message-deleted"), &json!("m2"), &json!("general"))
    );
    assert_eq!(line(&mut json).await["text"], "after it");
    said(&mut text, "general", "after it").await; // of a deletion a text says nothing
    ada.post("/api/channels/general/messages/m2/restore", json!({})).await.expect("restored");
    ada.puts("general", "m4", "after that").await.expect("kept");
    for sent in ["to go", "after that"] {
        assert_eq!(line(&mut json).await["text"], sent);
        said(&mut text, "general", sent).await;
    }
    ada.request(Method::DELETE, "/api/channels/ops").send().await.expect("an answer");
    let gone = json!({ "event": "channel-deleted", "name": "ops", "channel": "ops" });
    assert_eq!(line(&mut json).await, gone);
    assert_eq!(text.line().await, "#ops # The channel was deleted.");
    ada.puts("general", "m5", "it goes on").await.expect("kept");
    assert_eq!(line(&mut json).await["text"], "it goes on");
    assert!(text.line().await.starts_with("#general 20"));
}

#[rocket::async_test]
async fn a_tail_ends_where_its_session_does() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let mut tail = Shell::of(&server, &ada).starts(&["tail", "general"]);
    listening(&server, 1).await;
    ada.request(Method::DELETE, "/api/session").send().await.expect("an answer");
    assert_eq!(tail.code().await, 1);
    let mut said = String::new();
    let stderr = tail.child.stderr.as_mut().expect("piped");
    stderr.read_to_string(&mut said).expect("text");
    assert!(said.contains("not signed in"), "{said}");
}

#[rocket::async_test]
async fn a_command_answers_people_and_neither_itself_nor_bots() {
    let server = Server::start().await;
    let (ada, bot) =
        (server.client().signed_in_as("Ada").await, server.client().signed_in_as("Robot").await);
    let made = bot.post("/api/sessions", json!({ "name": "x", "bot": true })).await;
    let bot = bot.with_token(made.expect("an answer").json["token"].as_str().expect("a token"));
    let eve = server.client().signed_in_as("Eve").await;
    let answers = "test -z \"${HOUSTON_TOKEN:-}\" && echo \"$HOUSTON_AUTHOR on $HOUSTON_CHANNEL: $(cat)\"; \
                   case \"$HOUSTON_TEXT\" in quiet) exit 3;; esac";
    let shell = Shell::of(&server, &eve);
    let _runs = shell.starts(&["run", "--on", "general", "--", "sh", "-c", answers]);
    listening(&server, 1).await;
    bot.puts("general", "b1", "I am a bot").await.expect("kept");
    eve.puts("general", "e1", "I am the one who answers").await.expect("kept");
    ada.puts("general", "a1", "$(touch /tmp/owned) `id`; 'x'").await.expect("kept");
    let texts = async || -> Vec<String> {
        let messages = ada.messages("general").await;
        let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
        messages.iter().map(text).collect()
    };
    until("it answers", async || texts().await.len() == 4).await;
    assert_eq!(texts().await[3], "Ada on general: $(touch /tmp/owned) `id`; 'x'");
    ada.puts("general", "a1", "an edit is no message").await.expect("kept");
    ada.puts("general", "a2", &"long ".repeat(790)).await.expect("kept");
    until("it answers again", async || texts().await.len() == 6).await;
    assert_eq!(texts().await.len(), 6, "{:?}", texts().await);
}

#[rocket::async_test]
async fn a_command_that_takes_too_long_is_killed_with_all_that_it_started() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let eve = server.client().signed_in_as("Eve").await;
    let script = "case \"$HOUSTON_TEXT\" in quick) echo done;; silent) sleep 1000;; flood) yes;; \
                  *) sleep 1000 & child=$!; setsid sleep 1000 & echo \"begun $child $!\"; wait;; esac";
    let arguments = ["run", "--on", "general", "--timeout", "10s", "--", "sh", "-c", script];
    let runs = Shell::of(&server, &eve).starts(&arguments);
    listening(&server, 1).await;
    let threads = || {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", runs.child.id()));
        tasks.expect("it runs").count()
    };
    let threads_before = threads();
    let answer_to = async |id: &str, text: &str| -> String {
        let before = ada.messages("general").await.len();
        ada.puts("general", id, text).await.expect("kept");
        let mut answer = None;
        until("it answers", async || {
            let messages = ada.messages("general").await;
            answer = messages.get(before + 1).and_then(|it| it["text"].as_str().map(str::to_owned));
            answer.is_some()
        })
        .await;
        answer.expect("an answer")
    };
    let ended = "(It took longer than 10s and was ended.)";
    let answer = answer_to("a1", "slow").await;
    let said = answer.strip_suffix(&format!("\n\n{ended}")).expect("it says so");
    let children = said.strip_prefix("begun ").expect("what it had said");
    let (child, away) = children.split_once(' ').expect("both");
    until("what it had started is gone", async || is_gone(child)).await;
    assert!(!is_gone(away), "what has left its process group lives on");
    until("nothing waits for that", async || threads() == threads_before).await;
    let away = away.parse().ok().and_then(Pid::from_raw).expect("an id");
    kill_process(away, Signal::KILL).expect("it lives on");
    assert_eq!(answer_to("a2", "quick").await, "done", "the next one is served");
    assert_eq!(answer_to("a3", "silent").await, ended);
    let answer = answer_to("a4", "flood").await;
    assert!(answer.starts_with("y\ny\n") && answer.ends_with(ended), "{answer}");
}

#[rocket::async_test]
async fn a_command_ends_with_who_runs_it() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let eve = server.client().signed_in_as("Eve").await;
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("pid");
    let script = format!("sleep 1000 & echo $! > {}; wait", file.display());
    let arguments = ["run", "--on", "general", "--timeout", "1h", "--", "sh", "-c", &script];
    let mut runs = Shell::of(&server, &eve).starts(&arguments);
    listening(&server, 1).await;
    ada.puts("general", "a1", "go").await.expect("kept");
    let mut child = String::new();
    until("it runs", async || {
        child = std::fs::read_to_string(&file).unwrap_or_default().trim().to_owned();
        !child.is_empty()
    })
    .await;
    kill_process(Pid::from_child(&runs.child), Signal::TERM).expect("our process");
    assert_eq!(runs.code().await, 128 + 15);
    until("what it had started is gone", async || is_gone(&child)).await;
}

#[rocket::async_test]
async fn a_command_goes_on_after_a_hangup_that_is_ignored() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let eve = server.client().signed_in_as("Eve").await;
    let houston = env!("CARGO_BIN_EXE_houston");
    let arguments = [houston, "run", "--on", "general", "--timeout", "1h", "--", "echo", "done"];
    let mut runs = Shell::of(&server, &eve).starts_by("nohup", &arguments);
    listening(&server, 1).await;
    kill_process(Pid::from_child(&runs.child), Signal::HUP).expect("our process");
    ada.puts("general", "a1", "go").await.expect("kept");
    until("it answers", async || ada.messages("general").await.len() == 2).await;
    // Not SIGQUIT: shells have what they run in the background ignore it.
    kill_process(Pid::from_child(&runs.child), Signal::TERM).expect("our process");
    assert_eq!(runs.code().await, 128 + 15, "this one is not ignored");
}

#[rocket::async_test]
async fn it_waits_for_a_message_that_matches_and_no_longer_than_it_is_told() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    ada.puts("general", "m0", "deployed before").await.expect("kept");
    let shell = Shell::of(&server, &ada);
    let mut waits = shell.starts(&["wait", "general", r"(?i)^deployed\b|fehlgeschlagen"]);
    let mut json =
        shell.starts(&["wait", "general", "[Dd]eployed v2", "--json", "--timeout", "5m"]);
    listening(&server, 2).await;
    ada.puts("general", "m1", "not yet deployed").await.expect("kept");
    ada.puts("general", "m2", "Deployed v2").await.expect("kept");
    assert!(waits.line().await.ends_with("Z Ada: Deployed v2"));
    let message: Value = serde_json::from_str(&json.line().await).expect("JSON");
    assert_eq!(message["id"], "m2");
    assert_eq!((waits.code().await, json.code().await), (0, 0));
    let begun = Instant::now();
    let done = shell.runs(&["wait", "general", "never", "--timeout", "1s"], "").await;
    assert_eq!((done.code, done.out.as_str()), (124, ""), "{done:?}");
    assert!(begun.elapsed() >= Duration::from_secs(1) && begun.elapsed() < DEADLINE);
    assert!(done.err.contains("the time is over"), "{done:?}");
}

#[rocket::async_test]
async fn it_asks_and_the_first_choice_decides() {
    let server = Server::start().await;
    let ada = server.client().signed_in_as("Ada").await;
    let bob = server.client().signed_in_as("Bob").await;
    let shell = Shell::of(&server, &ada);
    let question = async |n: usize| {
        let mut id = None;
        until("it is asked", async || {
            let messages = bob.messages("general").await;
            let asked = messages.iter().filter(|it| it["author"]["display_name"] == "Ada");
            let asked: Vec<_> = asked.collect();
            id = asked.get(n).and_then(|it| it["id"].as_str()).map(ToOwned::to_owned);
            id.is_some()
        })
        .await;
        id.expect("a question")
    };
    let reacts = async |person: &Client, id: &str, reaction: &str| {
        let path = format!("/api/channels/general/messages/{id}/reactions/{reaction}");
        person.put(&path, json!({})).await.expect("an answer")
    };
    for (n, (choices, code, choice)) in
        [("yes,no", 0, "yes"), ("yes,no", 1, "no"), ("%F0%9F%91%8D,x", 1, "x")].iter().enumerate()
    {
        let mut asks = shell.starts(&["ask", "general", "Deploy?", "--choices", choices]);
        let id = question(n).await;
        reacts(&ada, &id, choice).await;
        reacts(&bob, &id, "hm").await;
        reacts(&bob, &id, choice).await;
        assert_eq!((asks.line().await.as_str(), asks.code().await), (*choice, *code));
    }
    let mut asks = shell.starts(&["ask", "general", "And now?", "--choices", "yes, no"]);
    question(3).await;
    bob.puts("general", "r1", "let me see").await.expect("kept");
    bob.puts("general", "r2", "> [Ada](/channels/general) wrote:\n> And now?\n\nNo.")
        .await
        .expect("it");
    assert_eq!((asks.line().await.as_str(), asks.code().await), ("no", 1));
    let mut asks = shell.starts(&["ask", "general", "What is it called?"]);
    question(4).await;
    bob.puts("general", "r3", "@Ada Gemini").await.expect("kept");
    assert_eq!((asks.line().await.as_str(), asks.code().await), ("Gemini", 0));
    let done = shell.runs(&["ask", "general", "Anybody?", "--timeout", "1s"], "").await;
    assert_eq!((done.code, done.out.as_str()), (124, ""), "{done:?}");
}
