//! Requests to the JetStream API, with the server's error codes as they are.

use std::time::Duration;

use async_nats::Request;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::timeout;

use super::connection::Nats;

/// Time within which a request has to be answered before it is sent again.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// No message has the sequence or the subject.
const NO_MESSAGE: ErrorCode = ErrorCode(10037);
/// There is no such stream.
pub(super) const NO_STREAM: ErrorCode = ErrorCode(10059);

/// The reason for which a request failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// The server refused it.
    #[error("{0}")]
    Refused(async_nats::jetstream::Error),
    /// No server answered in time, or nothing that can be read: there may be no leader at present.
    #[error("no answer ({0})")]
    Unanswered(String),
}

impl ApiError {
    /// The server's code of the refusal.
    pub(super) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(error) => Some(error.error_code()),
            Self::Unanswered(_) => None,
        }
    }
}

/// Asks a stream's leader for one message, and returns its sequence where there is one. Any replica
/// would answer a direct request, also one that lags behind.
pub(super) async fn get(nats: &Nats, stream: &str, which: &Value) -> Result<Option<u64>, ApiError> {
    #[derive(Deserialize)]
    struct Answer {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        seq: u64,
    }
    match ask::<Answer>(nats, &format!("STREAM.MSG.GET.{stream}"), which).await {
        Ok(answer) => Ok(Some(answer.message.seq)),
        Err(error) if error.code() == Some(NO_MESSAGE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sends one request to the API and reads the answer.
pub(super) async fn ask<T: DeserializeOwned>(
    nats: &Nats,
    subject: &str,
    payload: &impl Serialize,
) -> Result<T, ApiError> {
    let unanswered = |error: &dyn std::fmt::Display| ApiError::Unanswered(error.to_string());
    let payload = serde_json::to_vec(payload).map_err(|error| unanswered(&error))?;
    let request = Request::new().payload(payload.into()).timeout(Some(ANSWER_TIMEOUT));
    let subject = format!("$JS.API.{subject}");
    // The client waits without an end where too much is to be sent already, as when it is cut off.
    let answer = timeout(ANSWER_TIMEOUT * 2, nats.client().send_request(subject, request)).await;
    let answer = answer.map_err(|error| unanswered(&error))?.map_err(|error| unanswered(&error))?;
    match serde_json::from_slice(&answer.payload).map_err(|error| unanswered(&error))? {
        Response::Ok(answer) => Ok(answer),
        Response::Err { error } => Err(ApiError::Refused(error)),
    }
}
