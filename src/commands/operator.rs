//! How an operator's commands reach the data: through the server that runs on it, or, where none runs,
//! by opening it themselves.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rocket::http::RawStr;
use rocket::tokio::runtime::{Builder, Runtime};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::SetUpError;
use crate::api::operator::{BASE, LinkPath};
use crate::backends::operator_token;
use crate::backends::sqlite::{self, OpenError};
use crate::config::{Config, SettingError};
use crate::domain::ids::HookId;
use crate::domain::names::{ChannelName, DisplayName};
use crate::engine::operator::{ChannelSummary, HookSummary, UserSummary};
use crate::engine::{Engine, EngineError};

/// Time for which an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 256 << 20;

/// The reason why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    #[error("a setting is wrong")]
    Config(#[from] SettingError),
    #[error("there is no database in `{}`: is `data_dir` right?", .0.display())]
    Nothing(PathBuf),
    #[error("the data directory cannot be opened")]
    Open(#[from] SetUpError),
    #[error("no thread can be started")]
    Runtime(#[source] io::Error),
    #[error(
        "a server runs on `{}`, but its `{}` cannot be read: is this its user, and has it started?",
        .data.display(), operator_token::ADDRESS
    )]
    NoToken { data: PathBuf, source: io::Error },
    #[error(
        "a server runs on `{}` and speaks TLS, over which this command cannot reach it: stop it \
         first",
        .0.display()
    )]
    Tls(PathBuf),
    #[error("the server at {url} does not answer")]
    Unreachable { url: String, source: Box<ureq::Error> },
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("no server runs on `{}`: links are kept by the server that makes them, so start it first", .0.display())]
    NotRunning(PathBuf),
    #[error("it cannot be printed")]
    Print(#[from] io::Error),
}

/// Where an operator's wish is carried out.
pub(super) enum Reach {
    /// By the server that runs.
    Running(Client),
    /// Here, while no server runs.
    Stopped(Box<Stopped>),
}

pub(super) struct Stopped {
    data: PathBuf,
    runtime: Runtime,
    engine: Engine,
}

impl Reach {
    /// Finds out whether a server runs on the data directory of the settings.
    pub(super) fn find() -> Result<Self, OperatorError> {
        let config = Config::from(&Config::figment())?;
        let data = config.data_dir.clone();
        if config.cluster.is_some() {
            // The node of this directory, or else this process as a node for a moment.
            if let Ok(client) = Client::find(&data)
                && client.ready().is_ok()
            {
                return Ok(Self::Running(client));
            }
        } else if !sqlite::has_database(&data) {
            return Err(OperatorError::Nothing(data));
        }
        let runtime =
            Builder::new_current_thread().enable_all().build().map_err(OperatorError::Runtime)?;
        match runtime.block_on(crate::open_engine(&config)) {
            Ok(engine) => Ok(Self::Stopped(Box::new(Stopped { data, runtime, engine }))),
            Err(SetUpError::Data(OpenError::InUse { .. })) => {
                Client::find(&data).map(Self::Running)
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn users(&self) -> Result<Vec<UserSummary>, OperatorError> {
        match self {
            Self::Running(client) => client.get("/users"),
            Self::Stopped(stopped) => Ok(stopped.engine.list_users()),
        }
    }

    pub(super) fn remove_user(&self, name: &str) -> Result<(), OperatorError> {
        match self {
            Self::Running(client) => client.delete(&format!("/users/{}", encoded(name))),
            Self::Stopped(stopped) => {
                let Stopped { runtime, engine, .. } = &**stopped;
                let name: DisplayName = name.parse().map_err(|_| EngineError::NoSuchUser)?;
                Ok(runtime.block_on(engine.remove_user(&name))?)
            }
        }
    }

    /// Makes a one-time link; returns its path, and the address of the server.
    pub(super) fn link(&self, name: &str) -> Result<(LinkPath, String), OperatorError> {
        match self {
            Self::Running(client) => {
                let link = client.post(&format!("/users/{}/links", encoded(name)))?;
                Ok((link, client.url.clone()))
            }
            Self::Stopped(stopped) => Err(OperatorError::NotRunning(stopped.data.clone())),
        }
    }

    pub(super) fn channels(&self) -> Result<Vec<ChannelSummary>, OperatorError> {
        match self {
            Self::Running(client) => client.get("/channels"),
            Self::Stopped(stopped) => Ok(stopped.engine.list_public_channels()),
        }
    }

    pub(super) fn remove_channel(&self, name: &str) -> Result<(), OperatorError> {
        match self {
            Self::Running(client) => client.delete(&format!("/channels/{}", encoded(name))),
            Self::Stopped(stopped) => {
                let Stopped { runtime, engine, .. } = &**stopped;
                let name: ChannelName = name.parse().map_err(|_| EngineError::NoSuchChannel)?;
                Ok(runtime.block_on(engine.remove_channel(&name))?)
            }
        }
    }

    pub(super) fn hooks(&self) -> Result<Vec<HookSummary>, OperatorError> {
        match self {
            Self::Running(client) => client.get("/hooks"),
            Self::Stopped(stopped) => Ok(stopped.engine.list_hooks()),
        }
    }

    pub(super) fn remove_hook(&self, id: &str) -> Result<(), OperatorError> {
        match self {
            Self::Running(client) => client.delete(&format!("/hooks/{}", encoded(id))),
            Self::Stopped(stopped) => {
                let Stopped { runtime, engine, .. } = &**stopped;
                Ok(runtime.block_on(engine.remove_hook(&HookId::from(id.to_owned())))?)
            }
        }
    }

    pub(super) fn pause_hook(&self, id: &str) -> Result<(), OperatorError> {
        match self {
            Self::Running(client) => client.put(&format!("/hooks/{}/pause", encoded(id))),
            Self::Stopped(stopped) => stopped.set_hook_paused(id, true),
        }
    }

    pub(super) fn resume_hook(&self, id: &str) -> Result<(), OperatorError> {
        match self {
            Self::Running(client) => client.delete(&format!("/hooks/{}/pause", encoded(id))),
            Self::Stopped(stopped) => stopped.set_hook_paused(id, false),
        }
    }
}

impl Stopped {
    fn set_hook_paused(&self, id: &str, paused: bool) -> Result<(), OperatorError> {
        let id = HookId::from(id.to_owned());
        Ok(self.runtime.block_on(self.engine.set_hook_paused(&id, paused))?)
    }
}

fn encoded(name: &str) -> String {
    RawStr::new(name).percent_encode().to_string()
}

/// A client of the running server, with the operator's token.
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

type Answer = ureq::http::Response<ureq::Body>;

impl Client {
    /// Finds the server that runs on this data directory, or that ran there last.
    pub(super) fn find(data: &Path) -> Result<Self, OperatorError> {
        let (url, token) = operator_token::read(data)
            .map_err(|source| OperatorError::NoToken { data: data.into(), source })?;
        if !url.starts_with("http://") {
            return Err(OperatorError::Tls(data.into()));
        }
        // No proxy: the token is for this machine alone.
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        Ok(Self { agent, url, token })
    }

    /// Asks whether the server is ready.
    pub(super) fn ready(&self) -> Result<(), OperatorError> {
        self.accepted(self.agent.get(format!("{}/readyz", self.url)).call()).map(drop)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, OperatorError> {
        let request = self.agent.get(self.address(path)).header("Authorization", self.bearer());
        self.read(request.call())
    }

    fn post<T: DeserializeOwned>(&self, path: &str) -> Result<T, OperatorError> {
        let request = self.agent.post(self.address(path)).header("Authorization", self.bearer());
        self.read(request.send_empty())
    }

    fn put(&self, path: &str) -> Result<(), OperatorError> {
        let request = self.agent.put(self.address(path)).header("Authorization", self.bearer());
        self.accepted(request.send_empty()).map(drop)
    }

    fn delete(&self, path: &str) -> Result<(), OperatorError> {
        let request = self.agent.delete(self.address(path)).header("Authorization", self.bearer());
        self.accepted(request.call()).map(drop)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{BASE}{path}", self.url)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn unreachable(&self, source: ureq::Error) -> OperatorError {
        OperatorError::Unreachable { url: self.url.clone(), source: Box::new(source) }
    }

    fn read<T: DeserializeOwned>(
        &self,
        answer: Result<Answer, ureq::Error>,
    ) -> Result<T, OperatorError> {
        let mut answer = self.accepted(answer)?;
        let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
        body.read_json().map_err(|error| self.unreachable(error))
    }

    fn accepted(&self, answer: Result<Answer, ureq::Error>) -> Result<Answer, OperatorError> {
        #[derive(Deserialize)]
        struct Problem {
            detail: String,
        }
        let mut answer = answer.map_err(|error| self.unreachable(error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let problem = answer.body_mut().read_json::<Problem>();
        Err(OperatorError::Refused(problem.map_or_else(
            |_| format!("the server at {} answered {status}", self.url),
            |problem| problem.detail,
        )))
    }
}
