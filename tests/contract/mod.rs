//! The contracts of the ports, which tests of several binaries share, and the macro `contract!`, which
//! runs one list of tests for every implementation of a port: a new one needs only a line.

pub(crate) mod blobs;
pub(crate) mod log;

/// Runs each promise against each implementation: `name => how to make one in this directory`.
macro_rules! contract {
    ({ $($name:ident => $make:expr,)* } $promises:tt) => {
        $($crate::contract::contract!(@promises $name, $make, $promises);)*
    };
    (@promises $name:ident, $make:expr, { $($promise:ident,)* }) => {
        mod $name {
            use super::*;
            $(#[rocket::async_test]
            async fn $promise() {
                let directory = tempfile::tempdir().expect("a temporary directory");
                super::$promise(std::sync::Arc::new(($make)(directory.path()).await)).await;
            })*
        }
    };
}

pub(crate) use blobs::blobs_contract;
pub(crate) use contract;
pub(crate) use log::log_contract;
