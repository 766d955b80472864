//! Local time as a reader writes it: their zone, their clock, the order of their dates.
//!
//! `static/js/conversation/local-time.js` writes the same strings, byte for byte; the table
//! `tests/rendering/words.json` holds both to it.

use std::convert::Infallible;

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use rocket::http::Cookie;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use serde::{Serialize, Serializer};

/// The cookie with the reader's zone, as the IANA names it: `Europe/Berlin`. A script sets it.
const ZONE_COOKIE: &str = "zone";

/// The cookie with the reader's choice of a clock: `12` or `24`.
const CLOCK_COOKIE: &str = "clock";

/// The languages that count hours to 12, by the Unicode CLDR.
const LANGUAGES_OF_12_HOURS: &[&str] = &[
    "ak", "am", "ar", "as", "bn", "chr", "ckb", "dz", "ee", "el", "en", "fil", "gu", "haw", "hi",
    "km", "kn", "ko", "kok", "ks", "mai", "mi", "ml", "mni", "mr", "ms", "om", "or", "pa", "qu",
    "sa", "sat", "sd", "so", "sq", "ta", "te", "ti", "to", "ur", "yue",
];

/// The regions where a language of the list above counts hours to 24, by the Unicode CLDR.
const REGIONS_OF_24_HOURS: &[(&str, &[&str])] = &[
    (
        "en",
        &[
            "AT", "BE", "BI", "BW", "BZ", "CH", "CM", "CZ", "DE", "DK", "EE", "ES", "FI", "FR",
            "GB", "GG", "HU", "ID", "IE", "IL", "IM", "IO", "IT", "JE", "JP", "KE", "LT", "LV",
            "MG", "MT", "MU", "MV", "NG", "NL", "NO", "PL", "PT", "RO", "RW", "SC", "SE", "SI",
            "SK", "TZ", "UA", "UG", "ZA", "ZW",
        ],
    ),
    ("ar", &["IL", "KM", "MA"]),
    ("ta", &["LK"]),
];

/// The regions where Spanish counts hours to 12, by the Unicode CLDR.
const SPANISH_REGIONS_OF_12_HOURS: &[&str] = &[
    "BO", "CL", "CO", "CR", "CU", "DO", "GT", "HN", "MX", "NI", "PA", "PE", "PH", "PR", "PY", "SV",
    "US", "VE",
];

/// The regions where English names the month before the day, by the Unicode CLDR.
const REGIONS_OF_MONTH_FIRST: &[&str] =
    &["AS", "BI", "CA", "GU", "JP", "MH", "MP", "PH", "PR", "UM", "US", "VI"];

/// The number of hours that a clock counts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// `9:05 AM` and `12:05 PM`.
    Hours12,
    /// `09:05` and `12:05`.
    Hours24,
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Hours12 => "12",
            Self::Hours24 => "24",
        })
    }
}

/// The way in which a reader writes times, and the time at which they read.
///
/// It comes with the request: the zone and the clock by cookies, everything else by
/// `Accept-Language`. Without a cookie the zone is UTC, until a script knows better.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Locale {
    /// The zone.
    #[serde(serialize_with = "zone_name")]
    pub(super) zone: Tz,
    /// The clock.
    pub(super) clock: Clock,
    /// The clock where the reader has not chosen one.
    pub(super) usual_clock: Clock,
    /// Whether dates name the month before the day: `November 24, 2026`.
    pub(super) is_month_first: bool,
    /// The present time.
    #[serde(skip)]
    pub(super) now: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde calls")]
fn zone_name<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

impl Locale {
    /// Reads the values of both cookies and of `Accept-Language`.
    fn of(zone: Option<&str>, clock: Option<&str>, languages: &str, now: DateTime<Utc>) -> Self {
        let preferred = languages.split([',', ';']).next().unwrap_or_default().trim();
        let mut subtags = preferred.split('-');
        let language = subtags.next().unwrap_or_default().to_ascii_lowercase();
        // A script may stand between: `zh-Hant-TW`.
        let region = subtags.find(|it| it.len() == 2).map(str::to_ascii_uppercase);
        let usual_clock = usual_clock(&language, region.as_deref());
        let clock = match clock {
            Some("12") => Clock::Hours12,
            Some("24") => Clock::Hours24,
            _ => usual_clock,
        };
        let is_month_first = language == "en"
            && region.is_none_or(|region| REGIONS_OF_MONTH_FIRST.contains(&&*region));
        let zone = zone.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        Self { zone, clock, usual_clock, is_month_first, now }
    }

    /// The day that it is at this time.
    pub(super) fn day(&self, time: DateTime<Utc>) -> NaiveDate {
        time.with_timezone(&self.zone).date_naive()
    }

    /// A time of day in hours and minutes: `09:05`, `9:05 AM`.
    pub(super) fn clock_words(&self, time: DateTime<Utc>) -> String {
        let format = match self.clock {
            Clock::Hours12 => "%-I:%M %p",
            Clock::Hours24 => "%H:%M",
        };
        time.with_timezone(&self.zone).format(format).to_string()
    }

    /// A date with its weekday: `Tuesday, 24 November 2026`, `Tuesday, November 24, 2026`.
    pub(super) fn date_words(&self, day: NaiveDate) -> String {
        let format = if self.is_month_first { "%A, %B %-d, %Y" } else { "%A, %-d %B %Y" };
        day.format(format).to_string()
    }

    /// A date with a time of day to the second.
    pub(super) fn full_words(&self, time: DateTime<Utc>) -> String {
        let format = match self.clock {
            Clock::Hours12 => "%-I:%M:%S %p",
            Clock::Hours24 => "%H:%M:%S",
        };
        let clock = time.with_timezone(&self.zone).format(format);
        format!("{}, {clock}", self.date_words(self.day(time)))
    }

    /// A time of day, with its date where that is not today's, and the year where it is not this one.
    pub(super) fn brief_words(&self, time: DateTime<Utc>) -> String {
        let clock = self.clock_words(time);
        let (day, today) = (self.day(time), self.day(self.now));
        let format = match (self.is_month_first, day.year() == today.year()) {
            _ if day == today => return clock,
            (false, true) => "%-d %b",
            (false, false) => "%-d %b %Y",
            (true, true) => "%b %-d",
            (true, false) => "%b %-d, %Y",
        };
        format!("{}, {clock}", day.format(format))
    }

    /// A day as people call it: `Today`, `Yesterday`, or its date.
    pub(super) fn day_words(&self, day: NaiveDate) -> String {
        let today = self.day(self.now);
        if day == today {
            "Today".to_owned()
        } else if Some(day) == today.checked_sub_days(Days::new(1)) {
            "Yesterday".to_owned()
        } else {
            self.date_words(day)
        }
    }
}

/// The clock that people of a language, in a region, are used to.
fn usual_clock(language: &str, region: Option<&str>) -> Clock {
    let counts_to_24 = |region| {
        let mut known = REGIONS_OF_24_HOURS.iter();
        known.any(|(of, regions)| *of == language && regions.contains(&region))
    };
    let counts_to_12 = if language == "es" {
        region.is_some_and(|region| SPANISH_REGIONS_OF_12_HOURS.contains(&region))
    } else {
        LANGUAGES_OF_12_HOURS.contains(&language) && !region.is_some_and(counts_to_24)
    };
    if counts_to_12 { Clock::Hours12 } else { Clock::Hours24 }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Locale {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        let cookie = |name| request.cookies().get(name).map(Cookie::value);
        let languages = request.headers().get_one("Accept-Language").unwrap_or_default();
        let (zone, clock) = (cookie(ZONE_COOKIE), cookie(CLOCK_COOKIE));
        Outcome::Success(Self::of(zone, clock, languages, Utc::now()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Words {
        times: Vec<Time>,
    }

    #[derive(Deserialize)]
    struct Time {
        zone: String,
        clock: String,
        is_month_first: bool,
        now: DateTime<Utc>,
        at: DateTime<Utc>,
        clock_words: String,
        full_words: String,
        brief_words: String,
        day: NaiveDate,
        day_words: String,
    }

    #[test]
    fn times_are_written_as_the_table_says() {
        let table = include_str!("../../tests/rendering/words.json");
        let words: Words = serde_json::from_str(table).expect("a table");
        assert!(words.times.len() >= 12);
        for row in words.times {
            let language = if row.is_month_first { "en-US" } else { "de-DE" };
            let locale = Locale::of(Some(&row.zone), Some(&row.clock), language, row.now);
            let day = locale.day(row.at);
            assert_eq!(locale.clock_words(row.at), row.clock_words, "{} {}", row.at, row.zone);
            assert_eq!(locale.full_words(row.at), row.full_words);
            assert_eq!(locale.brief_words(row.at), row.brief_words);
            assert_eq!((day, locale.day_words(day)), (row.day, row.day_words));
        }
    }

    #[test]
    fn a_language_says_how_times_and_dates_are_written() {
        let at: DateTime<Utc> = "2026-11-24T15:05:00Z".parse().expect("a time");
        for (languages, time, date) in [
            ("en-US,en;q=0.9", "3:05 PM", "Tuesday, November 24, 2026"),
            ("en", "3:05 PM", "Tuesday, November 24, 2026"),
            ("en-GB,en-US;q=0.7", "15:05", "Tuesday, 24 November 2026"),
            ("en-CA", "3:05 PM", "Tuesday, November 24, 2026"),
            ("en-AU", "3:05 PM", "Tuesday, 24 November 2026"),
            ("en-ZA", "15:05", "Tuesday, 24 November 2026"),
            ("de-DE,de;q=0.9", "15:05", "Tuesday, 24 November 2026"),
            ("fr-CA", "15:05", "Tuesday, 24 November 2026"),
            ("hi-IN", "3:05 PM", "Tuesday, 24 November 2026"),
            ("ko-KR", "3:05 PM", "Tuesday, 24 November 2026"),
            ("ar-EG", "3:05 PM", "Tuesday, 24 November 2026"),
            ("ar-MA", "15:05", "Tuesday, 24 November 2026"),
            ("es-ES", "15:05", "Tuesday, 24 November 2026"),
            ("es-MX", "3:05 PM", "Tuesday, 24 November 2026"),
            ("zh-Hans-CN", "15:05", "Tuesday, 24 November 2026"),
            ("pa-Guru-IN", "3:05 PM", "Tuesday, 24 November 2026"),
            ("EN-us", "3:05 PM", "Tuesday, November 24, 2026"),
            ("", "15:05", "Tuesday, 24 November 2026"),
            ("*", "15:05", "Tuesday, 24 November 2026"),
        ] {
            let locale = Locale::of(None, None, languages, at);
            assert_eq!(locale.clock_words(at), time, "{languages:?}");
            assert_eq!(locale.date_words(locale.day(at)), date, "{languages:?}");
        }
    }

    #[test]
    fn a_cookie_that_says_nothing_is_as_none() {
        let at: DateTime<Utc> = "2026-11-24T15:05:00Z".parse().expect("a time");
        for (zone, clock) in
            [("Mars/Olympus", "13"), ("", ""), ("../etc/passwd", "am"), ("+9", "0")]
        {
            let locale = Locale::of(Some(zone), Some(clock), "de", at);
            assert_eq!((locale.zone, locale.clock), (Tz::UTC, Clock::Hours24));
        }
    }
}
