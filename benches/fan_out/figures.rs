//! The figures that were measured: each of each round, their medians, and the tables of them.

use std::collections::BTreeMap;

use crate::contender::Contender;

/// The meaning and unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    DeliveriesPerSecond,
    /// The server's processor time per delivery, in µs.
    CpuPerDelivery,
    /// The NATS servers' processor time, a part of [`Figure::CpuPerDelivery`].
    NatsCpuPerDelivery,
    WritesPerDelivery,
    ChunksPerDelivery,
    /// The load client's calls of `recv` per delivery: where messages coalesce, one reads several.
    ReadsPerDelivery,
    /// The latency from when a message is due to its arrival at a stream, in ms.
    LatencyP50,
    LatencyP99,
    LatencyMax,
    /// The time from the first connection to the head of the last stream's answer, in s.
    OpenedIn,
    /// The memory before any stream, in MiB.
    IdleMemory,
    /// The memory per open stream, in KiB.
    MemoryPerStream,
    PostsPerSecond,
    /// The latency from when a message is due to its answer, in ms.
    AnswerP50,
    AnswerP99,
    /// The server's processor time per post, in µs.
    CpuPerPost,
    /// The NATS servers' processor time, a part of [`Figure::CpuPerPost`].
    NatsCpuPerPost,
    HistoriesPerSecond,
    /// The server's processor time per history, in µs.
    CpuPerHistory,
    /// The time from all streams' end until all are open again and have what was posted by then, in
    /// s.
    CaughtUpIn,
    /// The server's processor time in percent of one core.
    CpuShare,
    /// The time from the start of the process until `/readyz` answers 200, in s.
    StartedIn,
    /// The process's resident memory, in MB.
    ResidentMemory,
    /// The median time of a repeated request, in ms.
    MedianTime,
    /// The length of that request's answer, in kB.
    AnswerLength,
    /// The ratio of the 99th percentile beside a noisy neighbour to the one without.
    OverQuiet,
    /// The number of the noisy neighbour's requests per second.
    NoisesPerSecond,
    /// The part of those requests that was refused, in percent.
    Refused,
    /// The server's processor time per noisy request, without that of the quiet posts, in µs.
    CpuPerNoise,
}

impl Figure {
    fn name(self) -> &'static str {
        match self {
            Self::DeliveriesPerSecond => "deliveries per second",
            Self::CpuPerDelivery => "server CPU per delivery, µs",
            Self::NatsCpuPerDelivery => "NATS CPU per delivery, µs",
            Self::WritesPerDelivery => "writes per delivery",
            Self::ChunksPerDelivery => "chunks per delivery",
            Self::ReadsPerDelivery => "client's reads per delivery",
            Self::LatencyP50 => "latency p50, ms",
            Self::LatencyP99 => "latency p99, ms",
            Self::LatencyMax => "latency max, ms",
            Self::OpenedIn => "opened in, s",
            Self::IdleMemory => "idle server, MiB (Pss)",
            Self::MemoryPerStream => "memory per stream, KiB (Pss)",
            Self::PostsPerSecond => "posts per second",
            Self::AnswerP50 => "answered p50, ms",
            Self::AnswerP99 => "answered p99, ms",
            Self::CpuPerPost => "server CPU per post, µs",
            Self::NatsCpuPerPost => "NATS CPU per post, µs",
            Self::HistoriesPerSecond => "histories per second",
            Self::CpuPerHistory => "server CPU per history, µs",
            Self::CaughtUpIn => "all caught up in, s",
            Self::CpuShare => "server CPU, % of one core",
            Self::StartedIn => "ready in, s",
            Self::ResidentMemory => "memory, MB (RSS)",
            Self::MedianTime => "median, ms",
            Self::AnswerLength => "length, kB",
            Self::OverQuiet => "p99 over the quiet one",
            Self::NoisesPerSecond => "noises per second",
            Self::Refused => "refused of them, %",
            Self::CpuPerNoise => "server CPU per noise, µs",
        }
    }
}

/// The value that stands for a figure that could not be measured in time.
pub(crate) const NOT_KEPT_UP: f64 = f64::INFINITY;

/// All figures, those of a setting together, else in the order in which they first came.
#[derive(Default)]
pub(crate) struct Board {
    rows: Vec<Row>,
}

struct Row {
    scene: &'static str,
    setting: String,
    figure: Figure,
    /// The values of each server, one for each round.
    values: BTreeMap<Contender, Vec<f64>>,
}

impl Row {
    fn median(&self, contender: Contender) -> Option<f64> {
        self.values.get(&contender).map(|values| median(values))
    }
}

impl Board {
    pub(crate) fn add(
        &mut self,
        scene: &'static str,
        setting: &str,
        figure: Figure,
        contender: Contender,
        value: f64,
    ) {
        let at = self.position(scene, setting, figure).unwrap_or_else(|| {
            let is_beside = |row: &Row| row.scene == scene && row.setting == setting;
            let last_beside = self.rows.iter().rposition(is_beside);
            let at = last_beside.map_or(self.rows.len(), |last| last + 1);
            let (setting, values) = (setting.to_owned(), BTreeMap::new());
            self.rows.insert(at, Row { scene, setting, figure, values });
            at
        });
        self.rows[at].values.entry(contender).or_default().push(value);
    }

    /// The median over the rounds, if it was measured.
    pub(crate) fn figure(
        &self,
        scene: &str,
        setting: &str,
        figure: Figure,
        contender: Contender,
    ) -> Option<f64> {
        self.rows[self.position(scene, setting, figure)?].median(contender)
    }

    /// Prints each scene's figures, beside each its ratio to the limit's, else to axum's, else to
    /// that of the first build that was given, else, where there are nodes, to Houston's own.
    pub(crate) fn print(&self) {
        for rows in
            self.rows.chunk_by(|one, next| one.scene == next.scene && one.setting == next.setting)
        {
            println!("\n## {}: {}\n", rows[0].scene, rows[0].setting);
            let shown: Vec<_> = Contender::all()
                .filter(|contender| rows.iter().any(|row| row.values.contains_key(contender)))
                .collect();
            print!("| {:<28} |", "figure");
            for contender in &shown {
                print!(" {:>18} |", contender.name());
            }
            println!("\n| {:-<28} |{}", "", " -----------------: |".repeat(shown.len()));
            for row in rows {
                let bases = [Contender::Limit, Contender::Coalescing, Contender::Axum];
                let (builds, nodes) =
                    Contender::houstons().skip(1).partition::<Vec<_>, _>(|it| it.nodes().is_none());
                let own = (!nodes.is_empty()).then_some(Contender::Houston);
                let base = bases
                    .into_iter()
                    .chain(builds)
                    .chain(own)
                    .find_map(|contender| row.median(contender));
                print!("| {:<28} |", row.figure.name());
                for contender in &shown {
                    print!(" {:>18} |", cell(row.median(*contender), base));
                }
                println!();
            }
        }
    }

    fn position(&self, scene: &str, setting: &str, figure: Figure) -> Option<usize> {
        self.rows
            .iter()
            .position(|row| row.scene == scene && row.setting == setting && row.figure == figure)
    }
}

fn cell(value: Option<f64>, base: Option<f64>) -> String {
    match (value, base) {
        (None, _) => String::new(),
        (Some(value), Some(base)) if base > 0.0 && base.is_finite() && value.is_finite() => {
            format!("{} ({:.2}×)", number(value), value / base)
        }
        (Some(value), _) => number(value),
    }
}

/// Formats a number with at least three digits, and thousands separated.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "cannot keep up".to_owned();
    }
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let plain = format!("{value:.digits$}");
    let whole = plain.find('.').unwrap_or(plain.len());
    let mut grouped = String::new();
    for (at, digit) in plain.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// A sorted list of latencies.
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        Self(micros)
    }

    /// The latency that this percentage did not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1e3)
    }
}
