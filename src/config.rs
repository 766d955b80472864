//! Every setting with its unit, default and limit: raw values in, one [`Config`] out.
//!
//! Settings are read where Rocket reads its own: `Rocket.toml`, then `ROCKET_…` variables, which
//! win. Rocket's settings (`address`, `port`, `tls`, `log_level`, …) stand beside ours.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rocket::data::{ByteUnit, ToByteUnit};
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{self, Figment, Profile};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// What Houston itself can be told; the rest is Rocket's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Config {
    /// Where everything that lasts is kept; created at need. `data_dir`, default `data`, relative
    /// to the working directory.
    pub data_dir: PathBuf,
    /// Whether users and addresses are limited in how much they may do in a while. `rate_limits`,
    /// default `true`.
    pub rate_limits: bool,
    /// The largest file. `max_file_size`, default `25 MiB`.
    pub max_file_size: ByteUnit,
    /// How many files a message has at most. `max_message_files`, default 10.
    pub max_message_files: usize,
    /// How much the files of all kept messages have together at most. `max_total_size`, default
    /// `1 GiB`.
    pub max_total_size: ByteUnit,
    /// How long the body of a request may come to a halt. `body_silence_seconds`, 1 to 3,600,
    /// default 30.
    #[serde(rename = "body_silence_seconds", deserialize_with = "seconds")]
    pub body_silence: Duration,
    /// How long a client may take nothing of its answer, or be gone without a word, before its
    /// connection is cut off (Linux). `answer_silence_seconds`, 1 to 3,600, default 60.
    #[serde(rename = "answer_silence_seconds", deserialize_with = "seconds")]
    pub answer_silence: Duration,
    /// The token that lets programs on other machines read `/metrics`. `metrics_token`, default
    /// none: nobody elsewhere may.
    #[serde(default)]
    pub metrics_token: Option<Token>,
}

/// A secret that a program must send. Never empty, and not told when it is debugged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Token(String);

impl Token {
    /// The secret itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    fn try_from(token: String) -> Result<Self, Self::Error> {
        if token.trim().is_empty() { Err("a token cannot be empty") } else { Ok(Self(token)) }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// A time limit from its whole seconds: at least one, at most an hour of them.
fn seconds<'de, D: Deserializer<'de>>(setting: D) -> Result<Duration, D::Error> {
    match u64::deserialize(setting)? {
        seconds @ 1..=3_600 => Ok(Duration::from_secs(seconds)),
        seconds => Err(D::Error::custom(format!("{seconds} is not 1 to 3600 seconds"))),
    }
}

impl Config {
    /// All settings, Rocket's and ours, from their defaults, `Rocket.toml` and the environment.
    ///
    /// One default differs from Rocket's: no header is believed to say where a request comes from
    /// (`ip_header = false`), since anybody could send it.
    #[must_use]
    pub fn figment() -> Figment {
        let file = Env::var_or("ROCKET_CONFIG", "Rocket.toml");
        let profile = Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE);
        Figment::from(rocket::Config::default())
            .merge(("ip_header", false))
            .merge(("data_dir", "data"))
            .merge(("rate_limits", true))
            .merge(("max_file_size", 25.mebibytes()))
            .merge(("max_message_files", 10))
            .merge(("max_total_size", 1.gibibytes()))
            .merge(("body_silence_seconds", 30))
            .merge(("answer_silence_seconds", 60))
            .merge(Toml::file(file).nested())
            .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
            .select(profile)
    }

    /// Ours of these settings, each of its type.
    ///
    /// # Errors
    ///
    /// When one is missing or of another type; the error says which and where it came from.
    pub fn from(settings: &Figment) -> Result<Self, Box<figment::Error>> {
        Ok(settings.extract()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_a_data_directory_and_limits() {
        let config = Config::from(&Config::figment()).expect("the defaults are fine");
        assert_eq!(config.data_dir, PathBuf::from("data"));
        assert!(config.rate_limits);
    }

    #[test]
    fn sizes_are_written_with_their_unit() {
        let settings = Config::figment().merge(("max_file_size", "3 MiB"));
        let config = Config::from(&settings).expect("a size");
        assert_eq!(config.max_file_size, 3.mebibytes());
        assert_eq!(config.max_total_size, 1.gibibytes());
    }

    #[test]
    fn a_time_limit_has_a_second_at_least_and_an_hour_at_most() {
        let told = |seconds: i64| {
            let settings = Config::figment().merge(("body_silence_seconds", seconds));
            Config::from(&settings).map_err(|error| error.to_string())
        };
        assert_eq!(told(2).expect("two seconds").body_silence, Duration::from_secs(2));
        for seconds in [-1, 0, 3_601] {
            let error = told(seconds).expect_err("no time limit");
            assert!(error.contains("body_silence_seconds"), "{error}");
        }
    }

    #[test]
    fn a_token_is_not_empty_and_not_told() {
        let with = |token| Config::from(&Config::figment().merge(("metrics_token", token)));
        assert!(with(" ").expect_err("no token").to_string().contains("metrics_token"));
        let config = with("s3cret").expect("a token");
        assert_eq!(config.metrics_token.as_ref().map(Token::as_str), Some("s3cret"));
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn a_setting_of_another_type_is_named() {
        let settings = Config::figment().merge(("rate_limits", "sometimes"));
        let told = Config::from(&settings).expect_err("that is no bool").to_string();
        assert!(told.contains("rate_limits"), "{told}");
    }
}
