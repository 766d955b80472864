//! A NATS server on this machine, with a store of its own.
//!
//! The program is that of the variable `NATS_SERVER`, or what `tests/all` installs below `target`.
//! Its disk is synced with each write, as the manual asks of those who run a chat.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// A server, running or not. It ends with the value, and with this process.
pub(crate) struct NatsServer {
    pub(crate) name: String,
    pub(crate) port: u16,
    /// The port of its monitoring by HTTP.
    pub(crate) monitoring: u16,
    configuration: PathBuf,
    store: PathBuf,
    /// The command that runs a program where the server's disk is, if that is not here.
    wrapper: Vec<OsString>,
    running: Option<Running>,
}

/// A running server, and the shell that ends it once this process has ended, however that happened.
struct Running {
    shell: Child,
    pid: Pid,
}

impl NatsServer {
    /// Starts servers that become one cluster, or one that is alone, below a directory and with more
    /// in their configuration.
    pub(crate) fn start_all(count: usize, more: &str, directory: &Path) -> Vec<Self> {
        let routes: Vec<_> = (0..count).map(|_| free_port()).collect();
        let mut servers: Vec<_> =
            (0..count).map(|number| Self::new(number, &routes, more, directory)).collect();
        servers.iter_mut().for_each(Self::start);
        servers
    }

    fn new(number: usize, routes: &[u16], more: &str, directory: &Path) -> Self {
        let (name, port, monitoring) = (format!("n{number}"), free_port(), free_port());
        let store = directory.join(&name);
        let others = routes.iter().map(|port| format!("\"nats://127.0.0.1:{port}\""));
        let cluster = format!(
            "cluster {{ name: test, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            routes[number],
            others.collect::<Vec<_>>().join(", ")
        );
        let configuration = directory.join(format!("{name}.conf"));
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{port}\"\nhttp: \"127.0.0.1:{monitoring}\"\n\
             jetstream {{ store_dir: \"{}\", sync_interval: always, max_file: 2GB }}\n{more}\n{}",
            store.display(),
            if routes.len() > 1 { &cluster } else { "" }
        );
        fs::write(&configuration, text).expect("writable");
        let wrapper = Vec::new();
        Self { name, port, monitoring, configuration, store, wrapper, running: None }
    }

    /// Starts it on its store.
    pub(crate) fn start(&mut self) {
        let log = self.configuration.with_extension("log");
        // The pipe to the shell closes when this process ends.
        let script = r#""$@" < /dev/null >> "$0" 2>&1 & echo $!; read -r _; { kill -9 $!; wait; } 2> /dev/null"#;
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .arg(log)
            .args(&self.wrapper)
            .arg(program())
            .arg("-c")
            .arg(&self.configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut pid = String::new();
        let stdout = shell.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut pid).expect("the server's id");
        let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("an id");
        self.running = Some(Running { shell, pid });
    }

    /// Sets the command that runs it from the next start on.
    pub(crate) fn run_by(&mut self, wrapper: Vec<OsString>) {
        self.wrapper = wrapper;
    }

    /// The directory of its store.
    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.running = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is ours");
    }

    /// The process that runs it.
    pub(crate) fn pid(&self) -> Pid {
        self.running.as_ref().expect("it runs").pid
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill_process(self.pid, Signal::KILL);
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// The program of the server.
fn program() -> PathBuf {
    let installed =
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/python/bin/nats-server");
    let program = env::var_os("NATS_SERVER").map_or_else(installed, PathBuf::from);
    assert!(
        program.exists(),
        "there is no {}: tests/all installs it, or set NATS_SERVER",
        program.display()
    );
    program
}

/// A port that is free. Not one that the system gives to connections: those are not free for long.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Far from those of another run of these tests, of which some servers may be down at the moment.
    let first = u16::try_from(std::process::id() % 40 * 200).expect("small");
    loop {
        let port = 11_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 8_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
