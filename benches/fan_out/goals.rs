//! The goals: Houston's figures against its peers', as bounds that must hold and as better ones.

use crate::contender::Contender::{self, Axum, Coalescing, Houston, Limit, Rocket};
use crate::figures::{Board, Figure, number};

/// A goal for one of Houston's figures.
struct Goal {
    what: &'static str,
    scene: &'static str,
    setting: &'static str,
    figure: Figure,
    least: &'static [Bound],
    aim: &'static [Bound],
}

/// The bound of a goal.
enum Bound {
    /// At least this multiple of another server's figure.
    Over(f64, Contender),
    /// At most this multiple of another server's figure.
    Under(f64, Contender),
    /// At most this value.
    AtMost(f64),
}

use Bound::{AtMost, Over, Under};

const GOALS: &[Goal] = &[
    Goal {
        what: "deliveries/s, 1,000 streams, K = 8",
        scene: "fan-out",
        setting: "1000 streams, 8 in flight",
        figure: Figure::DeliveriesPerSecond,
        least: &[Over(1.3, Axum), Over(8.0, Rocket)],
        aim: &[Over(0.9, Coalescing)],
    },
    Goal {
        what: "CPU per delivery, 1,000 streams, K = 1, µs",
        scene: "fan-out",
        setting: "1000 streams, 1 in flight",
        figure: Figure::CpuPerDelivery,
        least: &[Under(1.1, Axum), Under(1.8, Limit)],
        aim: &[Under(1.35, Limit)],
    },
    Goal {
        what: "CPU per delivery, 5,000 streams, K = 1, µs",
        scene: "fan-out",
        setting: "5000 streams, 1 in flight",
        figure: Figure::CpuPerDelivery,
        least: &[Under(1.1, Axum), Under(1.8, Limit)],
        aim: &[Under(1.35, Limit)],
    },
    Goal {
        what: "p99 latency, 1,000 streams at 50/s, ms",
        scene: "latency",
        setting: "1000 streams, 50 messages a second",
        figure: Figure::LatencyP99,
        least: &[Under(1.0, Axum)],
        aim: &[Under(1.5, Coalescing)],
    },
    Goal {
        what: "p99 latency, 5,000 streams at 50/s, ms",
        scene: "latency",
        setting: "5000 streams, 50 messages a second",
        figure: Figure::LatencyP99,
        least: &[Under(1.0, Axum)],
        aim: &[Under(1.5, Coalescing)],
    },
    Goal {
        what: "deliveries/s, 100 rooms of 20, K = 8",
        scene: "rooms",
        setting: "100 rooms of 20, 8 in flight",
        figure: Figure::DeliveriesPerSecond,
        least: &[Over(1.0, Axum)],
        aim: &[Over(1.2, Axum)],
    },
    Goal {
        what: "memory per idle stream of 10,000, KiB",
        scene: "idle",
        setting: "10000 streams",
        figure: Figure::MemoryPerStream,
        least: &[AtMost(26.0)],
        aim: &[Under(1.0, Axum), AtMost(10.0)],
    },
    Goal {
        what: "memory of the idle server, MiB",
        scene: "idle",
        setting: "10000 streams",
        figure: Figure::IdleMemory,
        least: &[AtMost(20.0)],
        aim: &[],
    },
    Goal {
        what: "time to open 5,000 streams, s",
        scene: "idle",
        setting: "5000 streams",
        figure: Figure::OpenedIn,
        least: &[Under(2.0, Axum)],
        aim: &[Under(1.0, Axum)],
    },
    Goal {
        what: "durable posts/s, 64 clients",
        scene: "posts",
        setting: "64 clients",
        figure: Figure::PostsPerSecond,
        least: &[Over(0.3, Axum)],
        aim: &[Over(0.5, Axum)],
    },
    Goal {
        what: "their p99, ms",
        scene: "posts",
        setting: "64 clients",
        figure: Figure::AnswerP99,
        least: &[AtMost(25.0)],
        aim: &[AtMost(10.0)],
    },
    Goal {
        what: "histories/s, 16 clients",
        scene: "histories",
        setting: "16 clients",
        figure: Figure::HistoriesPerSecond,
        least: &[Over(1.0, Axum)],
        aim: &[Over(1.7, Axum)],
    },
    Goal {
        what: "CPU of 10,000 idle streams, % of one core",
        scene: "idle",
        setting: "10000 streams",
        figure: Figure::CpuShare,
        least: &[AtMost(4.0)],
        aim: &[],
    },
    Goal {
        what: "storm of 1,000 streams: caught up in, s",
        scene: "storm",
        setting: "1000 streams",
        figure: Figure::CaughtUpIn,
        least: &[AtMost(0.3)],
        aim: &[Under(1.0, Axum)],
    },
    Goal {
        what: "storm of 5,000 streams: caught up in, s",
        scene: "storm",
        setting: "5000 streams",
        figure: Figure::CaughtUpIn,
        least: &[AtMost(3.0)],
        aim: &[Under(1.0, Axum)],
    },
    crowded("crowded: ready in, s", "start", Figure::StartedIn, &[AtMost(4.0)]),
    crowded("memory after that, MB", "start", Figure::ResidentMemory, &[AtMost(300.0)]),
    crowded("list of channels, ms", "GET /api/channels", Figure::MedianTime, &[AtMost(25.0)]),
    crowded("page, ms", "GET /", Figure::MedianTime, &[AtMost(80.0)]),
    crowded("page, kB", "GET /", Figure::AnswerLength, &[AtMost(400.0)]),
    crowded("p99 over quiet: one renames", "limited, one renames", Figure::OverQuiet, THREEFOLD),
    crowded("one searches", "limited, one searches", Figure::OverQuiet, THREEFOLD),
    crowded("one lists channels", "limited, one lists channels", Figure::OverQuiet, THREEFOLD),
    crowded("one opens pages", "limited, one opens pages", Figure::OverQuiet, THREEFOLD),
    crowded(
        "1,000 streams reconnect each second",
        "without limits, 1,000 streams reconnect each second",
        Figure::OverQuiet,
        THREEFOLD,
    ),
];

const fn crowded(
    what: &'static str,
    setting: &'static str,
    figure: Figure,
    least: &'static [Bound],
) -> Goal {
    Goal { what, scene: "crowded", setting, figure, least, aim: &[] }
}

const THREEFOLD: &[Bound] = &[AtMost(3.0)];

/// The part by which a figure may miss its goal before a check fails: a shared machine's noise is
/// not a slower server.
const TOLERANCE: f64 = 1.0 / 3.0;

/// Prints the goals beside the figures, and returns the number of figures that missed their goal by
/// more than the tolerance.
pub(crate) fn print(board: &Board) -> usize {
    println!("\n## What must show\n");
    println!("| figure | houston | peers | at least | | aim | |");
    println!("| --- | ---: | --- | --- | --- | --- | --- |");
    let mut missed = 0;
    for goal in GOALS {
        let Some(value) = goal.value(board, Houston) else { continue };
        let peers: Vec<_> = Contender::all()
            .filter(|contender| *contender != Houston)
            .filter_map(|contender| Some((contender, goal.value(board, contender)?)))
            .map(|(contender, peer)| {
                format!("{} {} ({:.2}×)", contender.name(), number(peer), value / peer)
            })
            .collect();
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            goal.what,
            number(value),
            peers.join(", "),
            told(goal.least),
            goal.verdict(goal.least, board, value),
            told(goal.aim),
            goal.verdict(goal.aim, board, value),
        );
        let tolerated = |bound: &Bound| goal.meets(bound, board, value, TOLERANCE);
        missed += usize::from(!goal.least.iter().all(tolerated));
    }
    println!("\nEach stream got each message once, and all of a room in one order.");
    if missed > 0 {
        println!("{missed} figures miss what is wanted at least by more than a third.");
    }
    missed
}

impl Goal {
    fn value(&self, board: &Board, contender: Contender) -> Option<f64> {
        board.figure(self.scene, self.setting, self.figure, contender)
    }

    fn verdict(&self, bounds: &[Bound], board: &Board, value: f64) -> &'static str {
        match bounds {
            [] => "",
            _ if bounds.iter().all(|bound| self.meets(bound, board, value, 0.0)) => "met",
            _ => "missed",
        }
    }

    /// Tells whether a value keeps to a bound, give or take some part of it.
    fn meets(&self, bound: &Bound, board: &Board, value: f64, tolerance: f64) -> bool {
        // Who cannot keep up sets no bound.
        let peer = |contender| self.value(board, contender).filter(|peer| peer.is_finite());
        match bound {
            Over(times, contender) => {
                peer(*contender).is_none_or(|peer| value >= times * peer * (1.0 - tolerance))
            }
            Under(times, contender) => {
                peer(*contender).is_none_or(|peer| value <= times * peer * (1.0 + tolerance))
            }
            AtMost(most) => value <= most * (1.0 + tolerance),
        }
    }
}

fn told(bounds: &[Bound]) -> String {
    let told = |bound: &Bound| match bound {
        Over(times, contender) => format!("{times}× {}", contender.name()),
        Under(times, contender) => format!("at most {times}× {}", contender.name()),
        AtMost(most) => format!("at most {most}"),
    };
    bounds.iter().map(told).collect::<Vec<_>>().join(", ")
}
