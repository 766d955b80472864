//! Which share of all messages a node needs if it follows only the channels that somebody has open
//! there: a simulation, for the table in `benches/README.md`.
//!
//! The sizes of channels are Zipf-distributed (G. K. Zipf, *Human Behavior and the Principle of Least
//! Effort*, 1949): a user's next channel is the one of rank r with a probability proportional to
//! r^-s. A channel's messages are as many as its users. Load balancers put each user on any node.

#![expect(clippy::print_stdout, reason = "a bench reports on standard output")]

use fastrand::Rng;

/// Number of users who are connected to all nodes together.
const USERS: usize = 100_000;
/// Number of users for each channel.
const USERS_PER_CHANNEL: usize = 4;
/// The numbers of nodes that are looked at.
const NODES: [usize; 6] = [1, 2, 4, 8, 16, 32];
/// The exponents of the distribution.
const EXPONENTS: [f64; 3] = [0.8, 1.0, 1.2];
/// The numbers of channels of which a user's page shows something: the open one, or a sidebar's.
const CHANNELS_OF_A_USER: [usize; 2] = [1, 30];
const SEED: u64 = 1;

fn main() {
    println!("| s | channels of a user | {} |", NODES.map(|n| format!("{n} nodes")).join(" | "));
    println!("| --- | --- | {} |", NODES.map(|_| "---").join(" | "));
    for exponent in EXPONENTS {
        for of_a_user in CHANNELS_OF_A_USER {
            let zipf = Zipf::new(USERS / USERS_PER_CHANNEL, exponent);
            let shares = NODES.map(|nodes| {
                let (mean, most) = shares(&zipf, nodes, of_a_user);
                format!("{:.1} % ({:.1} %)", 100.0 * mean, 100.0 * most)
            });
            println!("| {exponent} | {of_a_user} | {} |", shares.join(" | "));
        }
    }
}

/// The mean and the largest share of all messages that one of so many nodes needs.
fn shares(zipf: &Zipf, nodes: usize, of_a_user: usize) -> (f64, f64) {
    let mut random = Rng::with_seed(SEED);
    let channels = zipf.cumulated.len();
    let mut users = vec![0_u32; channels];
    let mut is_needed = vec![vec![false; channels]; nodes];
    for _ in 0..USERS {
        let node = random.usize(..nodes);
        // One that is drawn twice is the user's once.
        let mut theirs: Vec<_> = (0..of_a_user).map(|_| zipf.draw(&mut random)).collect();
        theirs.sort_unstable();
        theirs.dedup();
        for channel in theirs {
            users[channel] += 1;
            is_needed[node][channel] = true;
        }
    }
    let all: f64 = users.iter().copied().map(f64::from).sum();
    let needed = is_needed.iter().map(|channels| {
        let needed = channels.iter().zip(&users).filter(|(is_needed, _)| **is_needed);
        needed.map(|(_, users)| f64::from(*users)).sum::<f64>() / all
    });
    let needed: Vec<_> = needed.collect();
    let number = u32::try_from(nodes).expect("few nodes");
    (needed.iter().sum::<f64>() / f64::from(number), needed.iter().copied().fold(0.0, f64::max))
}

/// A Zipf distribution over ranks.
struct Zipf {
    /// For each rank, the probability of it or one before it.
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(ranks: usize, exponent: f64) -> Self {
        let ranks = u32::try_from(ranks).expect("few channels");
        let mut sum = 0.0;
        let sums = (1..=ranks).map(|rank| {
            sum += f64::from(rank).powf(-exponent);
            sum
        });
        let mut cumulated: Vec<_> = sums.collect();
        for share in &mut cumulated {
            *share /= sum;
        }
        Self { cumulated }
    }

    fn draw(&self, random: &mut Rng) -> usize {
        let at = random.f64();
        self.cumulated.partition_point(|sum| *sum < at).min(self.cumulated.len() - 1)
    }
}
