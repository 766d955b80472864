//! The beginning of a text face: where it starts, and whether it goes on.

use std::convert::Infallible;

use chrono::{TimeDelta, Utc};
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};

use crate::domain::time::Timestamp;
use crate::engine::Resume;

/// A guard with the parts of the query of a text face: `?since=10m | all | <cursor>`, `?follow=0 | 1`.
#[derive(Debug, PartialEq)]
pub(super) struct Start {
    /// The point in the channel's stream.
    pub(super) from: Resume,
    /// The time from which on messages are shown.
    pub(super) not_before: Option<Timestamp>,
    /// Whether what comes is shown, too, where that is said.
    pub(super) follow: Option<bool>,
}

impl Start {
    /// Reads the header `Last-Event-ID`, which browsers and others send when they come back, and
    /// the two parts of the query.
    fn of(last_event_id: Option<&str>, since: Option<&str>, follow: Option<&str>) -> Self {
        let follow = follow.map(|it| !matches!(it, "0" | "false" | "no" | "off"));
        let last = last_event_id.filter(|id| !id.is_empty());
        let not_before = since.and_then(time);
        let from = match last.or(since.filter(|_| not_before.is_none())) {
            None | Some("" | "all" | "0") => Resume::Start,
            Some(cursor) => cursor.parse().map_or(Resume::Unknown, Resume::After),
        };
        Self { from, not_before, follow }
    }
}

/// The time that is this long ago: `90s`, `10m`, `2h 30m`, `1day`. The beginning of time where that
/// is longer ago than can be told; `None` for what is no duration.
fn time(since: &str) -> Option<Timestamp> {
    let duration = humantime::parse_duration(since).ok().filter(|_| since != "0")?;
    let ago = TimeDelta::from_std(duration).ok();
    let time = ago.and_then(|ago| Utc::now().checked_sub_signed(ago));
    Some(time.map_or(Timestamp::from_millis(i64::MIN), Timestamp::from))
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Start {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let part = |name| request.query_value::<&str>(name).and_then(Result::ok);
        let last = request.headers().get_one("Last-Event-ID");
        Outcome::Success(Self::of(last, part("since"), part("follow")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_starts_at_the_beginning_unless_told_otherwise() {
        let cursor = "0000000000000007-0000000a-42";
        let after = Resume::After(cursor.parse().expect("a cursor"));
        for (last, since, from) in [
            (None, None, Resume::Start),
            (None, Some("all"), Resume::Start),
            (None, Some(""), Resume::Start),
            (None, Some("0"), Resume::Start),
            (None, Some(cursor), after),
            (None, Some("nonsense"), Resume::Unknown),
            (None, Some("10 parsecs"), Resume::Unknown),
            (None, Some("10m"), Resume::Start),
            (Some(cursor), Some("10m"), after),
            (Some(""), None, Resume::Start),
        ] {
            assert_eq!(Start::of(last, since, None).from, from, "{last:?} {since:?}");
        }
    }

    #[test]
    fn a_duration_is_a_time_ago() {
        for (since, seconds) in
            [("90s", 90), ("10m", 600), ("10min", 600), ("2h", 7_200), ("1d", 86_400), ("0s", 0)]
        {
            let expected = Utc::now().timestamp_millis() - seconds * 1_000;
            let time = time(since).expect(since).as_millis();
            assert!((expected..expected + 5_000).contains(&time), "{since}: {time}");
        }
        assert_eq!(time("9999999999999y"), None, "nothing that can be told");
        assert_eq!(time("all"), None);
    }

    #[test]
    fn it_goes_on_where_it_is_told_so() {
        for (follow, on) in [
            (None, None),
            (Some("1"), Some(true)),
            (Some("true"), Some(true)),
            (Some(""), Some(true)),
            (Some("0"), Some(false)),
            (Some("false"), Some(false)),
        ] {
            assert_eq!(Start::of(None, None, follow).follow, on, "{follow:?}");
        }
    }
}
