//! Health, readiness and metrics: `GET /healthz` and `GET /readyz`, open to all, and `GET /metrics` in
//! Prometheus' text format, for programs on this machine and for those that have its token.
//!
//! Requests are counted by a fairing as they pass, by the pattern of their route; what the engine
//! has is looked up when somebody asks. No label has a name, an id or a text of anybody.

use std::sync::Arc;
use std::time::Instant;

use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
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
use crate::api::problem::{self, Problem, ProblemKind};
use crate::engine::Engine;
use crate::engine::previews::Outcome as PreviewOutcome;
use crate::engine::statistics::Statistics;

/// The routes of health, readiness and metrics.
#[must_use]
pub fn routes() -> Vec<Route> {
    routes![healthz, readyz, metrics]
}

/// Counters of requests and refusals since the start, and the fairing that counts. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Counters>);

struct Counters {
    /// The SHA-256 of the setting `metrics_token`, if it is set.
    token: Option<Digest256>,
    registry: Registry,
    requests: IntCounterVec,
    seconds: Histogram,
    problems: IntCounterVec,
}

impl Metrics {
    /// Creates counters that stand at zero. Whoever has the token may read them from anywhere.
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
        // All series exist from the start, so that the first refusal shows as an increase.
        for kind in ProblemKind::ALL {
            problems.with_label_values(&[kind.slug()]);
        }
        let registry = Registry::new();
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(problems.clone()))?;
        let token = token.map(digest);
        Ok(Self(Arc::new(Counters { token, registry, requests, seconds, problems })))
    }
}

/// The time at which a request was received, in the request's local cache.
struct ReceivedAt(Instant);

#[rocket::async_trait]
impl Fairing for Metrics {
    fn info(&self) -> Info {
        Info {
            name: "Metrics",
            kind: rocket::fairing::Kind::Request | rocket::fairing::Kind::Response,
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        request.local_cache(|| ReceivedAt(Instant::now()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        // All addresses without a route share one label, or a stranger could make any number.
        let found = request.route();
        let (method, route) = found.map_or(("", ""), |it| (it.method.as_str(), it.uri.path()));
        let status = format!("{}xx", response.status().code / 100);
        self.0.requests.with_label_values(&[method, route, &status]).inc();
        let ReceivedAt(received) = request.local_cache(|| ReceivedAt(Instant::now()));
        self.0.seconds.observe(received.elapsed().as_secs_f64());
        if let Some(kind) = problem::recorded_answer(request) {
            self.0.problems.with_label_values(&[kind.slug()]).inc();
        }
    }
}

type Digest256 = [u8; 32];

fn digest(token: &str) -> Digest256 {
    Sha256::digest(token).into()
}

/// A guard that lets pass whoever may read the metrics.
struct MetricsAccess;

impl MetricsAccess {
    fn of(request: &Request<'_>) -> Result<Self, Problem> {
        if is_from_this_machine(request) {
            return Ok(Self);
        }
        let metrics = request.rocket().state::<Metrics>().expect("the metrics are managed");
        let Some(expected) = metrics.0.token else {
            let detail = "The metrics are for programs on this machine, as long as the setting \
                          `metrics_token` is not set.";
            return Err(Problem::new(ProblemKind::NotAllowed).with_detail(detail));
        };
        let mut tokens = request.headers().get("Authorization").filter_map(bearer_token);
        // Comparing digests leaks nothing about the token by its timing.
        if tokens.any(|token| digest(token) == expected) {
            return Ok(Self);
        }
        let detail = "Send the setting `metrics_token` as `Authorization: Bearer`.";
        Err(Problem::new(ProblemKind::SignInRequired).with_detail(detail))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for MetricsAccess {
    type Error = Problem;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Problem> {
        match Self::of(request) {
            Ok(access) => Outcome::Success(access),
            Err(problem) => Outcome::Error((problem.kind.status(), problem)),
        }
    }
}

/// Tells that the process runs.
#[get("/healthz")]
fn healthz() -> (ContentType, &'static str) {
    (ContentType::Plain, "ok\n")
}

/// Tells whether changes can be kept and still take effect; 503 with the reasons if not, a line each.
#[get("/readyz")]
fn readyz(engine: &State<Engine>) -> (Status, (ContentType, String)) {
    let impediments = engine.impediments();
    if impediments.is_empty() {
        return (Status::Ok, (ContentType::Plain, "ready\n".into()));
    }
    let lines = impediments.iter().map(|impediment| format!("not ready: {impediment}.\n"));
    (Status::ServiceUnavailable, (ContentType::Plain, lines.collect()))
}

/// All metrics in Prometheus' text format.
#[get("/metrics")]
fn metrics(
    access: Result<MetricsAccess, Problem>,
    metrics: &State<Metrics>,
    engine: &State<Engine>,
) -> Result<(ContentType, String), Problem> {
    let MetricsAccess = access?;
    let mut families = metrics.0.registry.gather();
    families.extend(engine.commit_seconds().collect());
    let ready = engine.impediments().is_empty();
    let fetches = engine.preview_fetches();
    let text = engine_metrics(&engine.statistics(), &fetches, ready).and_then(|engine_metrics| {
        families.extend(engine_metrics.gather());
        TextEncoder::new().encode_to_string(&families)
    });
    match text {
        Ok(text) => {
            let kind = ContentType::new("text", "plain").with_params(("version", "0.0.4"));
            Ok((kind, text))
        }
        Err(error) => {
            log::error!("The metrics cannot be told: {error}.");
            Err(Problem::new(ProblemKind::InternalError))
        }
    }
}

/// The metrics of the engine, looked up now.
fn engine_metrics(
    statistics: &Statistics,
    preview_fetches: &[(&'static str, PreviewOutcome, u64)],
    ready: bool,
) -> prometheus::Result<Registry> {
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
    let build = Opts::new("houston_build_info", "1, with the version as a label.");
    let build = IntGauge::with_opts(build.const_label("version", env!("CARGO_PKG_VERSION")))?;
    build.set(1);
    add(Box::new(build))?;
    gauge("houston_ready", "1 if it is ready, as /readyz says, else 0.", u64::from(ready))?;
    let help = "Things that wait: commits for the disk, users with read markers for being stored.";
    let queues = IntGaugeVec::new(Opts::new("houston_queue_length", help), &["queue"])?;
    for (queue, length) in
        [("commits", statistics.waiting_commits), ("read_markers", statistics.waiting_markers)]
    {
        queues.with_label_values(&[queue]).set(i64::try_from(length).unwrap_or(i64::MAX));
    }
    add(Box::new(queues))?;
    let help = "Events that were handed to streams as they happened.";
    counter("houston_deliveries_total", help, statistics.deliveries)?;
    let help = "Streams that read too slowly and had to start again.";
    counter("houston_stream_resets_total", help, statistics.resets)?;
    let help = "Bytes of the events that are kept for streams that read more slowly.";
    gauge("houston_ring_bytes", help, statistics.ring_bytes as u64)?;
    let help = "Messages with files that are being received.";
    gauge("houston_uploads_under_way", help, statistics.uploads_under_way as u64)?;
    let help = "Messages of other nodes that were ignored: not to be read, or more than there is room for.";
    counter("houston_whispers_ignored_total", help, statistics.ignored_whispers)?;
    gauge("houston_streams", "Open streams, of this node.", statistics.streams as u64)?;
    let help = "Users with an open stream, of any node.";
    gauge("houston_users_online", help, statistics.online as u64)?;
    gauge("houston_users", "Users who hold a name.", statistics.users as u64)?;
    gauge("houston_channels", "Channels, direct conversations too.", statistics.channels as u64)?;
    gauge("houston_messages", "Messages that are kept.", statistics.messages as u64)?;
    gauge(
        "houston_files",
        "Files that are kept, pictures of previews too.",
        statistics.files as u64,
    )?;
    gauge("houston_file_bytes", "Bytes of the files that are kept.", statistics.file_bytes)?;
    counter("houston_log_entries_total", "Entries of the log.", statistics.entries)?;
    let help = "Entries of the log that could not be read and were set aside.";
    counter("houston_log_unreadable_entries_total", help, statistics.unreadable)?;
    gauge("houston_text_bytes", "Bytes of the texts that are kept.", statistics.text_bytes)?;
    counter("houston_messages_posted_total", "Messages sent.", statistics.posted)?;
    gauge("houston_hooks", "Hooks, incoming and outgoing.", statistics.hooks as u64)?;
    let help = "Deliveries to incoming hooks.";
    counter("houston_hook_deliveries_total", help, statistics.hook_deliveries)?;
    let help = "Deliveries to incoming hooks that were refused.";
    counter("houston_hook_delivery_failures_total", help, statistics.failed_hook_deliveries)?;
    let help = "Attempts to post to the programs of outgoing hooks.";
    counter("houston_hook_attempts_total", help, statistics.attempts)?;
    let help = "Attempts to post to the programs of outgoing hooks that failed.";
    counter("houston_hook_attempt_failures_total", help, statistics.failed_attempts)?;
    let help = "Messages not posted to outgoing hooks, because too many waited.";
    counter("houston_hook_dropped_total", help, statistics.dropped_posts)?;
    counter("houston_uploads_total", "Files received.", statistics.uploads)?;
    counter("houston_upload_bytes_total", "Bytes of files received.", statistics.upload_bytes)?;
    let help = "Pages and pictures of them that were fetched for previews of links, by outcome.";
    let fetches = Opts::new("houston_preview_fetches_total", help);
    let fetches = IntCounterVec::new(fetches, &["what", "outcome"])?;
    for (what, outcome, count) in preview_fetches {
        fetches.with_label_values(&[what, outcome.name()]).inc_by(*count);
    }
    add(Box::new(fetches))?;
    if let Some(log) = statistics.shared_log {
        let help = "Other nodes of this chat, as this one knows them.";
        gauge("houston_nodes", help, log.other_nodes as u64)?;
        let help = "Entries that the NATS servers have and this node has not been given yet.";
        gauge("houston_log_lag", help, log.lag)?;
        let help = "Times that the connection to the NATS servers was made anew.";
        counter("houston_nats_reconnections_total", help, log.reconnections)?;
        let help = "Seconds in which nothing could be stored.";
        counter("houston_log_stalled_seconds_total", help, log.stalled_seconds)?;
        let help = "Entries that are spent and not erased yet, by whichever node.";
        gauge("houston_log_pending_erasures", help, log.pending_erasures as u64)?;
    }
    Ok(registry)
}
