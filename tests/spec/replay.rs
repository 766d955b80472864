//! Starting again gives the state that was there, wherever the pending erasures were cut.
//!
//! Random histories run against the log on a disk. What is decided on an older state than it is
//! applied to is among them: so some entries are refused by the log, and some by `apply` alone.
//!
//! `HOUSTON_REPLAY_CASES` sets the number of histories.

mod decisions;
mod history;
mod past;
mod reader;
mod world;

use proptest::test_runner::{Config, TestCaseResult, TestError, TestRunner};

use self::history::{History, histories};
use self::world::{Fault, restarts_show_nothing};

const CASES: u32 = 500;
/// How many histories it takes at most to find a planted fault.
const FAULTY_CASES: u32 = 200;

#[test]
fn starting_again_gives_the_state_that_was_there() {
    let cases = std::env::var("HOUSTON_REPLAY_CASES").ok();
    let cases = cases.map_or(CASES, |cases| cases.parse().expect("a number of cases"));
    let found = run(cases, 4_000, |history| restarts_show_nothing(history, None));
    found.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_log_that_trims_by_count_is_found() {
    is_found(Fault::TrimByCount);
}

#[test]
fn a_log_that_counts_what_was_refused_is_found() {
    is_found(Fault::CountRefused);
}

#[test]
fn a_log_that_erases_out_of_order_is_found() {
    is_found(Fault::EraseOutOfOrder);
}

#[test]
fn a_log_that_erases_what_can_be_restored_is_found() {
    is_found(Fault::EraseDeleted);
}

fn is_found(fault: Fault) {
    let found = run(FAULTY_CASES, 0, |history| restarts_show_nothing(history, Some(fault)));
    assert!(matches!(found, Err(TestError::Fail(..))), "{fault:?} was not found");
}

fn run(
    cases: u32,
    max_shrink_iters: u32,
    property: impl Fn(&History) -> TestCaseResult,
) -> Result<(), TestError<History>> {
    let config = Config { cases, max_shrink_iters, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&histories(), |history| property(&history))
}
