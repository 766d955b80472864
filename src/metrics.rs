//! What monitors are told: `GET /healthz` and `GET /readyz`, open to all, and `GET /metrics` in
//! Prometheus' text format, for programs on this machine and for those that have its token.
//!
//! Requests are counted by a fairing as they pass, by the pattern of their route; what the engine
//! has is looked up when somebody asks. So nothing is counted where messages go out to listeners,
//! and no label has a name, an id or a text of anybody.

use std::sync::Arc;
use std::time::Instant;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use rocket::fairing::{Fairing, Info};
use rocket::http::{ContentType, Status};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use rocket::response::Response;
use rocket::{Data, Route, State, get, routes};
use sha2::{Digest, Sha256};

use crate::api::forwarded::is_from_this_machine;
use crate::api::input::bearer_token;
use crate::api::problem::{self, Kind, Problem};
use crate::engine::Engine;
use crate::engine::tally::Tally;

/// All that monitors ask for.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes![alive, ready, metrics]
}

/// What is counted as requests pass, since the start. Cheap to share.
#[derive(Clone)]
pub struct Metrics(Arc<Counted>);

struct Counted {
    /// The SHA-256 of the token that lets programs elsewhere read them, if there is one.
    token: Option<Digest256>,
    registry: Registry,
    requests: IntCounterVec,
    seconds: Histogram,
    problems: IntCounterVec,
}

impl Metrics {
    /// Nothing counted yet. Whoever has the token may read them from anywhere.
    ///
    /// # Errors
    ///
    /// Never: the names are fixed, and each is there once.
    pub fn new(token: Option<&str>) -> prometheus::Result<Self> {
        let requests = Opts::new("houston_requests_total", "Requests, by route and status class.");
        let requests = IntCounterVec::new(requests, &["method", "route", "status"])?;
        let seconds = HistogramOpts::new(
            "houston_request_seconds",
            "Seconds from a request to the head of its answer.",
        );
        let seconds = Histogram::with_opts(seconds)?;
        let problems = Opts::new("houston_problems_total", "Refusals, by problem.");
        let problems = IntCounterVec::new(problems, &["problem"])?;
        // Each is there from the start, so that its first one is an increase.
        for kind in Kind::ALL {
            problems.with_label_values(&[kind.slug()]);
        }
        let registry = Registry::new();
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(problems.clone()))?;
        let token = token.map(digest);
        Ok(Self(Arc::new(Counted { token, registry, requests, seconds, problems })))
    }
}

/// When a request came.
struct Came(Instant);

#[rocket::async_trait]
impl Fairing for Metrics {
    fn info(&self) -> Info {
        Info {
            name: "Metrics",
            kind: rocket::fairing::Kind::Request | rocket::fairing::Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| Came(Instant::now()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // Where no route is, whatever somebody invents as an address counts as one.
        let found = request.route();
        let (method, route) = found.map_or(("", ""), |it| (it.method.as_str(), it.uri.path()));
        let status = format!("{}xx", response.status().code / 100);
        self.0.requests.with_label_values(&[method, route, &status]).inc();
        let Came(came) = request.local_cache(|| Came(Instant::now()));
        self.0.seconds.observe(came.elapsed().as_secs_f64());
        if let Some(kind) = problem::answered(request) {
            self.0.problems.with_label_values(&[kind.slug()]).inc();
        }
    }
}

type Digest256 = [u8; 32];

fn digest(token: &str) -> Digest256 {
    Sha256::digest(token).into()
}

/// Whoever may read the metrics.
struct Monitor;

impl Monitor {
    fn of(request: &Request<'_>) -> Result<Self, Problem> {
        if is_from_this_machine(request) {
            return Ok(Self);
        }
        let metrics = request.rocket().state::<Metrics>().expect("the metrics are managed");
        let Some(expected) = metrics.0.token else {
            let detail = "The metrics are for programs on this machine, as long as the setting \
                          `metrics_token` is not set.";
            return Err(Problem::new(Kind::NotAllowed).because(detail));
        };
        let mut tokens = request.headers().get("Authorization").filter_map(bearer_token);
        // Digests are compared: how long that takes tells nothing about the token.
        if tokens.any(|token| digest(token) == expected) {
            return Ok(Self);
        }
        let detail = "Send the setting `metrics_token` as `Authorization: Bearer`.";
        Err(Problem::new(Kind::SignInRequired).because(detail))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Monitor {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Problem> {
        match Self::of(request) {
            Ok(monitor) => Outcome::Success(monitor),
            Err(problem) => Outcome::Error((problem.kind.status(), problem)),
        }
    }
}

/// The process runs.
#[get("/healthz")]
fn alive() -> (ContentType, &'static str) {
    (ContentType::Plain, "ok\n")
}

/// Changes still take effect.
#[get("/readyz")]
fn ready(engine: &State<Engine>) -> (Status, (ContentType, &'static str)) {
    if engine.is_ready() {
        (Status::Ok, (ContentType::Plain, "ready\n"))
    } else {
        (Status::ServiceUnavailable, (ContentType::Plain, "not ready\n"))
    }
}

/// Everything, for Prometheus.
#[get("/metrics")]
fn metrics(
    monitor: Result<Monitor, Problem>,
    metrics: &State<Metrics>,
    engine: &State<Engine>,
) -> Result<(ContentType, String), Problem> {
    let Monitor = monitor?;
    let mut families = metrics.0.registry.gather();
    let told = held(&engine.tally()).and_then(|held| {
        families.extend(held.gather());
        TextEncoder::new().encode_to_string(&families)
    });
    match told {
        Ok(text) => {
            let kind = ContentType::new("text", "plain").with_params(("version", "0.0.4"));
            Ok((kind, text))
        }
        Err(error) => {
            log::error!("The metrics cannot be told: {error}.");
            Err(Problem::new(Kind::InternalError))
        }
    }
}

/// What the engine has, as it is now.
fn held(tally: &Tally) -> prometheus::Result<Registry> {
    let registry = Registry::new();
    let add = |metric: Box<dyn Collector>| registry.register(metric);
    let gauge = |name: &str, help: &str, value: u64| {
        let gauge = IntGauge::new(name, help)?;
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        add(Box::new(gauge))
    };
    let counter = |name: &str, help: &str, value: u64| {
        let counter = IntCounter::new(name, help)?;
        counter.inc_by(value);
        add(Box::new(counter))
    };
    gauge("houston_streams", "Open streams.", tally.streams as u64)?;
    gauge("houston_users_online", "Users with an open stream.", tally.online as u64)?;
    gauge("houston_users", "Users who hold a name.", tally.users as u64)?;
    gauge("houston_channels", "Channels, direct conversations too.", tally.channels as u64)?;
    gauge("houston_messages", "Messages that are kept.", tally.messages as u64)?;
    gauge("houston_files", "Files that are kept.", tally.files as u64)?;
    gauge("houston_file_bytes", "Bytes of the files that are kept.", tally.file_bytes)?;
    counter("houston_log_entries_total", "Entries of the log.", tally.entries)?;
    counter("houston_messages_posted_total", "Messages sent.", tally.posted)?;
    counter("houston_uploads_total", "Files received.", tally.uploads)?;
    counter("houston_upload_bytes_total", "Bytes of files received.", tally.upload_bytes)?;
    Ok(registry)
}
