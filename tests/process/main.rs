//! Tests of promises that only a real process can keep or break: kills, restarts, signals, full
//! disks, many clients at once.

mod anywhere;
mod backups;
mod bodies;
mod bots;
mod client;
mod command;
mod conformance;
mod connections;
mod deletions;
mod endings;
mod files;
mod front;
mod fronts;
mod kills;
mod listeners;
mod load;
mod logs;
mod operator;
mod outsiders;
mod programs;
mod races;
mod readme;
mod refusals;
mod restorations;
mod server;
mod settings;
mod shell;
mod streams;
mod tls;
mod unit;
