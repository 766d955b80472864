//! Tests of promises that only a real process can keep or break: kills, restarts, signals, full
//! disks, many clients at once.

mod bodies;
mod client;
mod connections;
mod deletions;
mod endings;
mod files;
mod fronts;
mod kills;
mod load;
mod logs;
mod outsiders;
mod programs;
mod races;
mod readme;
mod refusals;
mod server;
mod streams;
mod tls;
