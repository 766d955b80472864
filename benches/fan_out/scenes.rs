//! The scenes of the bench: each starts a server of its own, and plays one round with it.

use std::time::Duration;

use crate::Result;
use crate::contender::Contender;
use crate::crowd::{Crowd, Noise};
use crate::figures::{Board, Figure, Latencies, NOT_KEPT_UP};
use crate::load::{Load, OPENED_AT_ONCE, Posting};
use crate::process::{Process, Settings, Spent, Usage};
use crate::store::Population;

use Contender::{Axum, Bare, Coalescing, Limit};

/// The time that a server may take after the last message was due until all have it.
const IN_TIME: Duration = Duration::from_secs(5);
/// The time that memory is given to settle once all streams are open.
const SETTLING: Duration = Duration::from_millis(300);
/// The number of messages to warm up with before the measurement.
const WARM_UP: Duration = Duration::from_millis(100);
/// The time for which idle streams are watched: many pings.
const PINGED: Duration = Duration::from_mins(1);
/// The time for which others post beside each noise.
const BESIDE_NOISE: Duration = Duration::from_secs(6);
/// The number of requests for a median time.
const ASKED: usize = 20;
const STORM_PER_SECOND: u32 = 20;
const LATENCY_PER_SECOND: u32 = 50;

/// The extent of a run.
#[derive(Clone, Copy)]
pub(crate) enum Size {
    Full,
    /// A short run, to see that the bench works.
    Quick,
}

impl Size {
    fn streams(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full / 20,
        }
    }

    fn during(self, full: Duration) -> Duration {
        match self {
            Self::Full => full,
            Self::Quick => full / 10,
        }
    }
}

pub(crate) struct Scene {
    pub(crate) name: &'static str,
    /// The servers that play it beside Houston.
    pub(crate) peers: &'static [Contender],
    play: fn(&mut Round) -> Result<()>,
}

/// All scenes, in the order in which they are played.
pub(crate) const SCENES: [Scene; 8] = [
    Scene { name: "fan-out", peers: &Contender::PEERS, play: fan_out },
    Scene { name: "latency", peers: &[Coalescing, Bare, Axum], play: latency },
    Scene { name: "rooms", peers: &[Coalescing, Bare, Axum], play: rooms },
    Scene { name: "posts", peers: &[Bare, Axum], play: posts },
    Scene { name: "histories", peers: &[Limit, Axum], play: histories },
    Scene { name: "idle", peers: &[Limit, Bare, Axum], play: idle },
    Scene { name: "storm", peers: &[Axum], play: storm },
    Scene { name: "crowded", peers: &[], play: crowded },
];

impl Scene {
    /// `true` if this contender plays the scene: `crowded` needs a store on Houston's own disk.
    pub(crate) fn includes(&self, contender: Contender) -> bool {
        self.name != "crowded" || contender.nodes().is_none()
    }

    /// Plays one round with one server.
    pub(crate) fn play(&self, contender: Contender, size: Size, board: &mut Board) -> Result<()> {
        let mut round = Round { scene: self.name, contender, size, board };
        (self.play)(&mut round)
            .map_err(|error| format!("{} with {}: {error}", self.name, contender.name()).into())
    }
}

/// One server in one scene.
struct Round<'b> {
    scene: &'static str,
    contender: Contender,
    size: Size,
    board: &'b mut Board,
}

/// A server, and the load on it.
struct Stage {
    process: Process,
    load: Load,
}

impl Stage {
    fn start(contender: Contender, rooms: usize, streams: usize) -> Result<Self> {
        let process = Process::start(contender, rooms, streams)?;
        let load = Load::new(&process.address)?;
        Ok(Self { process, load })
    }

    /// Runs something, and returns the resources that the server used for it.
    fn measure<T>(&mut self, run: impl FnOnce(&mut Load) -> Result<T>) -> Result<(T, Spent)> {
        let before: Usage = self.process.usage()?;
        let got = run(&mut self.load)?;
        Ok((got, self.process.spent_since(&before)?))
    }
}

impl Round<'_> {
    /// Starts a server with this number of rooms, and users for this number of streams.
    fn stage(&self, rooms: usize, streams: usize) -> Result<Stage> {
        Stage::start(self.contender, rooms, streams)
    }

    fn add(&mut self, setting: &str, figure: Figure, value: f64) {
        self.board.add(self.scene, setting, figure, self.contender, value);
    }

    /// Opens this number of streams; the time and memory that this takes are figures.
    fn open(&mut self, stage: &mut Stage, streams: usize) -> Result<()> {
        let idle = stage.process.memory_kib()?;
        let opened_in = stage.load.open(streams, OPENED_AT_ONCE)?;
        std::thread::sleep(SETTLING);
        let per_stream = (stage.process.memory_kib()? - idle) / streams as f64;
        let setting = format!("{streams} streams");
        self.add(&setting, Figure::OpenedIn, opened_in.as_secs_f64());
        self.add(&setting, Figure::MemoryPerStream, per_stream);
        Ok(())
    }

    fn add_deliveries(&mut self, setting: &str, posting: Posting, spent: &Spent) {
        let counts = posting.counts;
        let deliveries = counts.latencies_us.len() as f64;
        let cpu_us = spent.cpu.as_secs_f64() * 1e6;
        let figures = [
            (Figure::DeliveriesPerSecond, deliveries / posting.took.as_secs_f64()),
            (Figure::CpuPerDelivery, cpu_us / deliveries),
            (Figure::WritesPerDelivery, spent.writes as f64 / deliveries),
            (Figure::ChunksPerDelivery, counts.chunks as f64 / deliveries),
            (Figure::ReadsPerDelivery, counts.reads as f64 / deliveries),
        ];
        for (figure, value) in figures {
            self.add(setting, figure, value);
        }
        if let Some(nats_cpu) = spent.nats_cpu {
            let nats_us = nats_cpu.as_secs_f64() * 1e6;
            self.add(setting, Figure::NatsCpuPerDelivery, nats_us / deliveries);
        }
        self.add_latencies(setting, counts.latencies_us);
    }

    fn add_latencies(&mut self, setting: &str, micros: Vec<u32>) {
        let latencies = Latencies::of(micros);
        self.add(setting, Figure::LatencyP50, latencies.percentile_ms(50));
        self.add(setting, Figure::LatencyP99, latencies.percentile_ms(99));
        self.add(setting, Figure::LatencyMax, latencies.percentile_ms(100));
    }
}

/// The scene of one channel to which everyone listens, with some messages in flight.
fn fan_out(round: &mut Round) -> Result<()> {
    for (streams, flights) in [(1_000, &[1, 8, 32][..]), (5_000, &[1, 8])] {
        let streams = round.size.streams(streams);
        let during = round.size.during(Duration::from_millis(1_500));
        let mut stage = round.stage(1, streams)?;
        round.open(&mut stage, streams)?;
        for flight in flights {
            stage.load.post_in_flight(*flight, WARM_UP)?;
            stage.load.forget_counts();
            let (posting, spent) = stage.measure(|load| load.post_in_flight(*flight, during))?;
            let setting = format!("{streams} streams, {flight} in flight");
            round.add_deliveries(&setting, posting, &spent);
        }
        stage.load.verify()?;
    }
    Ok(())
}

/// The scene of one channel, with messages at regular times.
fn latency(round: &mut Round) -> Result<()> {
    for streams in [1_000, 5_000] {
        let streams = round.size.streams(streams);
        let during = round.size.during(Duration::from_secs(4));
        let mut stage = round.stage(1, streams)?;
        stage.load.open(streams, OPENED_AT_ONCE)?;
        stage.load.post_in_flight(1, WARM_UP)?;
        stage.load.forget_counts();
        let (posting, spent) =
            stage.measure(|load| load.post_on_schedule(LATENCY_PER_SECOND, during, IN_TIME))?;
        let setting = format!("{streams} streams, {LATENCY_PER_SECOND} messages a second");
        if let Some(posting) = posting {
            round.add_deliveries(&setting, posting, &spent);
            stage.load.verify()?;
        } else {
            for figure in [Figure::LatencyP50, Figure::LatencyP99, Figure::LatencyMax] {
                round.add(&setting, figure, NOT_KEPT_UP);
            }
        }
    }
    Ok(())
}

/// The scene of many channels with few listeners each.
fn rooms(round: &mut Round) -> Result<()> {
    let (rooms, flight) = (round.size.streams(100), 8);
    let mut stage = round.stage(rooms, rooms * 20)?;
    stage.load.open(rooms * 20, OPENED_AT_ONCE)?;
    stage.load.post_in_flight(flight, WARM_UP)?;
    stage.load.forget_counts();
    let during = round.size.during(Duration::from_secs(2));
    let (posting, spent) = stage.measure(|load| load.post_in_flight(flight, during))?;
    round.add_deliveries(&format!("{rooms} rooms of 20, {flight} in flight"), posting, &spent);
    stage.load.verify()
}

/// The scene of posting while nobody listens.
fn posts(round: &mut Round) -> Result<()> {
    for clients in [1, 64] {
        let mut stage = round.stage(1, 0)?;
        stage.load.post_in_flight(clients, WARM_UP)?;
        stage.load.forget_counts();
        let during = round.size.during(Duration::from_millis(1_500));
        let (posting, spent) = stage.measure(|load| load.post_in_flight(clients, during))?;
        let setting = format!("{clients} clients");
        let posts = posting.messages as f64;
        round.add(&setting, Figure::PostsPerSecond, posts / posting.took.as_secs_f64());
        round.add(&setting, Figure::CpuPerPost, spent.cpu.as_secs_f64() * 1e6 / posts);
        if let Some(nats_cpu) = spent.nats_cpu {
            round.add(&setting, Figure::NatsCpuPerPost, nats_cpu.as_secs_f64() * 1e6 / posts);
        }
        let answers = Latencies::of(posting.counts.answers_us);
        round.add(&setting, Figure::AnswerP50, answers.percentile_ms(50));
        round.add(&setting, Figure::AnswerP99, answers.percentile_ms(99));
    }
    Ok(())
}

/// The scene of everyone coming at once and reading the history.
fn histories(round: &mut Round) -> Result<()> {
    let mut stage = round.stage(1, 0)?;
    for _ in 0..100 {
        stage.load.post_in_flight(1, Duration::ZERO)?;
    }
    let (clients, during) = (16, round.size.during(Duration::from_secs(1)));
    stage.load.histories(clients, WARM_UP)?;
    let ((answered, took), spent) = stage.measure(|load| load.histories(clients, during))?;
    let (setting, answered) = (format!("{clients} clients"), answered as f64);
    round.add(&setting, Figure::HistoriesPerSecond, answered / took.as_secs_f64());
    round.add(&setting, Figure::CpuPerHistory, spent.cpu.as_secs_f64() * 1e6 / answered);
    Ok(())
}

/// The scene of many idle streams, after a rush for an empty room.
fn idle(round: &mut Round) -> Result<()> {
    let rush = round.size.streams(5_000);
    let rushed_in = round.stage(1, rush)?.load.open(rush, rush)?.as_secs_f64();
    round.add(&format!("{rush} streams, all at once"), Figure::OpenedIn, rushed_in);
    let half = round.size.streams(5_000).min(crate::most_streams()? / 2);
    let mut stage = round.stage(1, 2 * half)?;
    let idle_kib = stage.process.memory_kib()?;
    round.open(&mut stage, half)?;
    stage.load.open(half, OPENED_AT_ONCE)?;
    std::thread::sleep(SETTLING);
    let streams = 2 * half;
    let setting = format!("{streams} streams");
    round.add(&setting, Figure::IdleMemory, idle_kib / 1024.0);
    let per_stream = (stage.process.memory_kib()? - idle_kib) / streams as f64;
    round.add(&setting, Figure::MemoryPerStream, per_stream);
    // The peers' pings are rarer.
    if round.contender.is_houston() {
        let during = round.size.during(PINGED);
        let ((), spent) = stage.measure(|load| load.listen(during))?;
        let share = 100.0 * spent.cpu.as_secs_f64() / during.as_secs_f64();
        round.add(&setting, Figure::CpuShare, share);
    }
    stage.load.verify()
}

/// The scene of all streams ending at once and coming back, while messages flow.
fn storm(round: &mut Round) -> Result<()> {
    for streams in [1_000, 5_000] {
        let streams = round.size.streams(streams);
        let (before, after) = (Duration::from_millis(500), Duration::from_millis(500));
        let mut stage = round.stage(1, streams)?;
        stage.load.open(streams, OPENED_AT_ONCE)?;
        let caught_up_in = stage.load.storm(STORM_PER_SECOND, before, after)?;
        round.add(&format!("{streams} streams"), Figure::CaughtUpIn, caught_up_in.as_secs_f64());
        stage.load.verify()?;
    }
    Ok(())
}

/// The scene of thousands of full channels and thousands of users, with noisy neighbours.
fn crowded(round: &mut Round) -> Result<()> {
    let (channels, users) = (round.size.streams(5_000), round.size.streams(10_000));
    let population = Population { channels, users };
    for rate_limits in [true, false] {
        let store = population.store(round.contender)?;
        let data = store.directory.path();
        let process = Process::launch(round.contender, data, Settings { rate_limits })?;
        let crowd = Crowd { population, tokens: &store.tokens, process: &process };
        if rate_limits {
            std::thread::sleep(SETTLING);
            round.add("start", Figure::StartedIn, process.started_in.as_secs_f64());
            round.add("start", Figure::ResidentMemory, process.resident_mb()?);
            for path in ["/api/channels", "/"] {
                let (median_ms, length) = crowd.median_ms(path, ASKED)?;
                let setting = format!("GET {path}");
                round.add(&setting, Figure::MedianTime, median_ms);
                round.add(&setting, Figure::AnswerLength, length as f64 / 1e3);
            }
            round.add_noises("limited", &crowd, &Noise::BY_ONE)?;
        } else {
            let noises = [&Noise::BY_ONE[..], &Noise::BY_STREAMS].concat();
            round.add_noises("without limits", &crowd, &noises)?;
        }
    }
    Ok(())
}

impl Round<'_> {
    /// Posts beside each of these noises, and before each without any; all times without noise are
    /// one figure.
    fn add_noises(&mut self, limits: &str, crowd: &Crowd, noises: &[Noise]) -> Result<()> {
        let during = self.size.during(BESIDE_NOISE);
        // Whatever is slow the first time.
        crowd.post(None, during / 4)?;
        let (mut quiet_us, mut beside) = (Vec::new(), Vec::new());
        for noise in noises {
            let quiet = crowd.post(None, during / 2)?;
            quiet_us.extend(quiet.answers_us);
            beside.push((noise, crowd.post(Some(*noise), during)?, quiet.cpu * 2));
        }
        let quiet = Latencies::of(quiet_us);
        let quiet_p99 = quiet.percentile_ms(99);
        let setting = format!("{limits}, quiet");
        self.add(&setting, Figure::AnswerP50, quiet.percentile_ms(50));
        self.add(&setting, Figure::AnswerP99, quiet_p99);
        for (noise, measured, quiet_cpu) in beside {
            let setting = format!("{limits}, {}", noise.name());
            let answers = Latencies::of(measured.answers_us);
            let p99 = answers.percentile_ms(99);
            self.add(&setting, Figure::AnswerP50, answers.percentile_ms(50));
            self.add(&setting, Figure::AnswerP99, p99);
            self.add(&setting, Figure::OverQuiet, p99 / quiet_p99);
            self.add(&setting, Figure::NoisesPerSecond, measured.noises_per_second);
            self.add(&setting, Figure::Refused, 100.0 * measured.refused);
            let cpu = measured.cpu.saturating_sub(quiet_cpu).as_secs_f64();
            self.add(&setting, Figure::CpuPerNoise, cpu * 1e6 / measured.noises);
        }
        Ok(())
    }
}
