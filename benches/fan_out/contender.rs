//! The servers that are measured.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::Result;
use crate::peers::{axum, limit, rocket};

/// A server that is measured. All speak the same protocol to the load, which is Houston's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    /// Houston itself, durable.
    Houston,
    /// Another build of Houston, by its place among those that were given.
    Given(usize),
    /// Processes of Houston over NATS servers, by their place among those that were given.
    Nodes(usize),
    /// An epoll loop that writes the same bytes, once for each listener and message.
    Limit,
    /// The same epoll loop, but all messages that wait go out in one write.
    Coalescing,
    /// Rocket's own `EventStream`.
    Rocket,
    /// Rocket with frames that are made once, and nothing of Houston's engine.
    Bare,
    /// axum's `Sse` over a broadcast channel.
    Axum,
}

impl Contender {
    /// The servers that Houston is compared with.
    pub(crate) const PEERS: [Self; 5] =
        [Self::Limit, Self::Coalescing, Self::Rocket, Self::Bare, Self::Axum];

    /// Houston, its other builds, and its nodes.
    pub(crate) fn houstons() -> impl Iterator<Item = Self> {
        let others = (0..given().builds.len()).map(Self::Given);
        let nodes = (0..given().nodes.len()).map(Self::Nodes);
        [Self::Houston].into_iter().chain(others).chain(nodes)
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::houstons().chain(Self::PEERS)
    }

    pub(crate) fn is_houston(self) -> bool {
        matches!(self, Self::Houston | Self::Given(_) | Self::Nodes(_))
    }

    /// The number of nodes, where it is nodes.
    pub(crate) fn nodes(self) -> Option<usize> {
        match self {
            Self::Nodes(at) => Some(given().nodes[at].count),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Houston => "houston",
            Self::Given(at) => &given().builds[at].label,
            Self::Nodes(at) => &given().nodes[at].label,
            Self::Limit => "limit",
            Self::Coalescing => "coalescing",
            Self::Rocket => "rocket",
            Self::Bare => "bare",
            Self::Axum => "axum",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self> {
        let found = Self::all().find(|it| it.name() == name);
        found.ok_or_else(|| format!("there is no server {name}").into())
    }

    /// Runs as this server, until the process is ended.
    pub(crate) fn serve(self, port: u16) -> Result<()> {
        match self {
            Self::Houston | Self::Given(_) | Self::Nodes(_) => {
                Err("Houston has a binary of its own".into())
            }
            Self::Limit => limit::serve(port, limit::Writing::Each),
            Self::Coalescing => limit::serve(port, limit::Writing::Together),
            Self::Rocket => rocket::serve(port, rocket::events()),
            Self::Bare => rocket::serve(port, rocket::chunks()),
            Self::Axum => axum::serve(port),
        }
    }

    /// Houston's binary: the one that is built beside the bench, or one that was given.
    pub(crate) fn binary(self) -> Result<&'static Path> {
        match self {
            Self::Houston | Self::Nodes(_) => Ok(Path::new(env!("CARGO_BIN_EXE_houston"))),
            Self::Given(at) => Ok(&given().builds[at].binary),
            _ => Err(format!("{} is no Houston", self.name()).into()),
        }
    }

    /// The directory with this Houston's templates and static files: in the working copy that it
    /// was built in, or else in this one.
    pub(crate) fn home(self) -> Result<&'static Path> {
        let binary = self.binary()?;
        let has_templates = |directory: &&Path| directory.join("templates").is_dir();
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Ok(binary.ancestors().skip(1).find(has_templates).unwrap_or(here))
    }
}

/// Another build of Houston.
#[derive(Debug)]
pub(crate) struct Build {
    binary: PathBuf,
    label: String,
}

impl Build {
    /// Parses `PATH=LABEL`.
    pub(crate) fn parse(given: &str) -> Result<Self> {
        let (binary, label) = given.rsplit_once('=').ok_or("a server is given as PATH=LABEL")?;
        let binary =
            Path::new(binary).canonicalize().map_err(|error| format!("{binary}: {error}"))?;
        Ok(Self { binary, label: label.to_owned() })
    }
}

/// Houston on some nodes.
#[derive(Debug)]
struct Nodes {
    count: usize,
    label: String,
}

/// The contenders that the command line gives.
#[derive(Debug)]
struct Given {
    builds: Vec<Build>,
    nodes: Vec<Nodes>,
}

static GIVEN: OnceLock<Given> = OnceLock::new();
static NONE: Given = Given { builds: Vec::new(), nodes: Vec::new() };

/// Adds these builds, and Houston on so many nodes, to the contenders. Called once, before anything is
/// measured.
pub(crate) fn give(builds: Vec<Build>, nodes: &[usize]) {
    let nodes = nodes.iter().map(|count| {
        let label = if *count == 1 { "1 node".to_owned() } else { format!("{count} nodes") };
        Nodes { count: *count, label }
    });
    // Nobody gives twice.
    let _ = GIVEN.set(Given { builds, nodes: nodes.collect() });
}

fn given() -> &'static Given {
    GIVEN.get().unwrap_or(&NONE)
}
