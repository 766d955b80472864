//! The bench of fan-out: the speed and cost of delivering one message to all listeners, beside
//! other servers.
//!
//! `cargo bench --bench fan_out -- [--scene NAME]... [--rounds N] [--server PATH=LABEL]...
//! [--nodes N]... [--no-peers] [--quick] [--check]`; see `benches/README.md` for what is measured and
//! what the figures mean.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]
#![expect(clippy::cast_precision_loss, reason = "figures are printed with three digits")]

mod caller;
mod contender;
mod crowd;
mod figures;
mod goals;
mod http;
mod ledger;
mod load;
#[expect(dead_code, reason = "what tests need")]
#[path = "../../tests/cluster/nats_server.rs"]
mod nats_server;
mod peers;
mod process;
mod scenes;
mod store;
mod stream;
mod wire;

use std::error::Error;
use std::process::ExitCode;

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::contender::{Build, Contender, give};
use crate::figures::Board;
use crate::scenes::{SCENES, Scene, Size};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The number of open files that a process needs for other things than streams.
const OTHER_FILES: usize = 300;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("fan_out: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    raise_open_files_limit()?;
    let given: Vec<_> = std::env::args().skip(1).collect();
    if let [serve, name, port] = &given[..]
        && serve == "serve"
    {
        Contender::named(name)?.serve(port.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = Wanted::from(given)?;
    let board = measure(&wanted)?;
    board.print();
    let missed = goals::print(&board);
    Ok(if wanted.check && missed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The options of the command line.
struct Wanted {
    scenes: Vec<String>,
    rounds: usize,
    size: Size,
    /// `true` if Houston is compared with other servers than its own builds.
    peers: bool,
    check: bool,
}

impl Wanted {
    fn from(given: Vec<String>) -> Result<Self> {
        let (scenes, mut builds, mut nodes) = (Vec::new(), Vec::new(), Vec::new());
        let mut wanted = Self { scenes, rounds: 3, size: Size::Full, peers: true, check: false };
        let mut given = given.into_iter();
        while let Some(option) = given.next() {
            match option.as_str() {
                "--scene" => wanted.scenes.push(given.next().ok_or("which scene?")?),
                "--rounds" => wanted.rounds = given.next().ok_or("how many rounds?")?.parse()?,
                "--server" => builds.push(Build::parse(&given.next().ok_or("which server?")?)?),
                "--nodes" => match given.next().ok_or("how many nodes?")?.parse()? {
                    0 => return Err("there is at least one node".into()),
                    again if nodes.contains(&again) => {}
                    count => nodes.push(count),
                },
                "--no-peers" => wanted.peers = false,
                "--quick" => (wanted.rounds, wanted.size) = (1, Size::Quick),
                "--check" => wanted.check = true,
                // What `cargo bench` says to every bench.
                "--bench" => {}
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        give(builds, &nodes);
        for name in &wanted.scenes {
            if !SCENES.iter().any(|scene| scene.name == name) {
                let names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
                return Err(format!("the scenes are: {}", names.join(", ")).into());
            }
        }
        Ok(wanted)
    }

    fn includes(&self, scene: &Scene) -> bool {
        self.scenes.is_empty() || self.scenes.iter().any(|name| name == scene.name)
    }
}

/// Plays all rounds; in each the servers take turns, in another order.
fn measure(wanted: &Wanted) -> Result<Board> {
    let mut board = Board::default();
    for round in 0..wanted.rounds {
        for scene in SCENES.iter().filter(|scene| wanted.includes(scene)) {
            let peers = if wanted.peers { scene.peers } else { &[] };
            let mut order: Vec<_> = Contender::houstons().chain(peers.iter().copied()).collect();
            let first = round % order.len();
            order.rotate_left(first);
            for contender in order.into_iter().filter(|it| scene.includes(*it)) {
                let name = contender.name();
                eprintln!("round {} of {}: {}, {name}", round + 1, wanted.rounds, scene.name);
                scene.play(contender, wanted.size, &mut board)?;
            }
        }
    }
    Ok(board)
}

/// Raises the limit of open files: every stream is one, of the server and of the load.
fn raise_open_files_limit() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// The number of streams that a process can have open.
fn most_streams() -> Result<usize> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    Ok(usize::try_from(files)?.saturating_sub(OTHER_FILES))
}
