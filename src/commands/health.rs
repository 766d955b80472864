//! `houston health`: whether the server is ready, for checks of health.

use super::operator::{Client, OperatorError};
use crate::config::Config;

pub(super) fn run() -> Result<(), OperatorError> {
    let config = Config::from(&Config::figment())?;
    Client::find(&config.data_dir)?.ready()
}
