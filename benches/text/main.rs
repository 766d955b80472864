//! The cost of rendering texts of 4,000 characters, such as ask for much: `cargo bench --bench text`.
//!
//! Prints each text's median of 21 renderings, the dearest first, with the size of its HTML; then the
//! median and the worst of all. With `--check`, ends with an error where a bound is missed.

use std::fmt::Write;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use houston::domain::ids::UserId;
use houston::domain::text::{Directory, MAX_HTML_BYTES, render};
use serde::Deserialize;

const CHARS: usize = 4_000;
const RENDERINGS: usize = 21;
/// How many texts are listed.
const LISTED: usize = 20;
const MEDIAN_BOUND: Duration = Duration::from_millis(1);
const WORST_BOUND: Duration = Duration::from_millis(5);

/// The user Ada and the channel `general`.
struct Few;

impl Directory for Few {
    fn user(&self, compared: &str) -> Option<UserId> {
        (black_box(compared) == "ada").then(|| UserId::from("u1".to_owned()))
    }

    fn has_channel(&self, name: &str) -> bool {
        black_box(name) == "general"
    }
}

#[derive(Deserialize)]
struct Costly {
    /// Each is repeated until the text is as long as can be.
    units: Vec<String>,
    whole: Vec<String>,
}

/// The texts that ask for much, those that would do harm, and a conversation.
fn texts() -> Vec<String> {
    let costly = include_str!("../../tests/text/costly.json");
    let Costly { units, whole } = serde_json::from_str(costly).expect("texts");
    let hostile: Vec<String> =
        serde_json::from_str(include_str!("../../tests/hostile/texts.json")).expect("texts");
    let talk =
        "Good morning! Did the *second* build of https://a.example/x_y pass, @Ada? ".to_owned();
    let filled = units.into_iter().chain(hostile).chain([talk]);
    filled.map(|unit| unit.chars().cycle().take(CHARS).collect()).chain(whole).collect()
}

fn median_time(text: &str) -> (Duration, usize) {
    let text = text.parse().expect("a text");
    let mut length = 0;
    let mut times: Vec<_> = (0..RENDERINGS)
        .map(|_| {
            let started = Instant::now();
            length = render(black_box(&text), &Few).html.len();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    (times[RENDERINGS / 2], length)
}

fn main() -> ExitCode {
    let mut measured: Vec<_> = texts()
        .into_iter()
        .map(|text| {
            let (time, length) = median_time(&text);
            (time, length, text)
        })
        .collect();
    measured.sort_unstable_by(|(a, ..), (b, ..)| b.cmp(a));
    let (median, worst) = (measured[measured.len() / 2].0, measured[0].0);
    let longest = measured.iter().map(|(_, length, _)| *length).max().unwrap_or_default();
    let mut report =
        String::from("| median, ms | HTML, bytes | text begins with |\n| ---: | ---: | --- |\n");
    for (time, length, text) in measured.iter().take(LISTED) {
        let begins: String = text.chars().take(24).collect();
        // Memory does not fail.
        let _ = writeln!(report, "| {:.3} | {length} | {begins:?} |", time.as_secs_f64() * 1e3);
    }
    eprintln!(
        "{report}\n{} texts: median {median:.0?}, worst {worst:.0?}, longest HTML {longest} bytes",
        measured.len()
    );
    let is_met = median <= MEDIAN_BOUND && worst <= WORST_BOUND && longest <= MAX_HTML_BYTES;
    let is_checked = std::env::args().any(|argument| argument == "--check");
    if is_met || !is_checked { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
