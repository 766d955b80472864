//! Settings: their units, defaults and limits, checked into one [`Config`].
//!
//! Settings are read where Rocket reads its own: `Rocket.toml`, then `ROCKET_…` variables, which
//! win. Rocket's settings (`address`, `port`, `tls`, `log_level`, …) stand beside ours.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use rocket::data::{ByteUnit, ToByteUnit};
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{self, Figment, Profile};
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Deserializer};

/// The settings that are whole numbers: key, default, smallest and largest value.
const COUNTS: [(&str, u64, RangeInclusive<u64>); 16] = [
    ("max_message_files", 10, 1..=1_000),
    ("max_streams_per_user", 64, 1..=1_000_000),
    ("max_channels", 1_000, 1..=100_000),
    ("max_channels_per_user", 100, 1..=100_000),
    ("max_directs_per_user", 500, 1..=100_000),
    ("max_sessions_per_user", 100, 1..=1_000),
    ("max_preferences_per_user", 2_000, 1..=2_000),
    ("max_reactions_per_user", 8, 1..=1_000),
    ("max_reaction_kinds", 32, 1..=1_000),
    ("max_reactions", 300, 1..=1_000),
    ("session_days", 180, 1..=36_500),
    ("max_streams", 0, 0..=MAX_STREAMS),
    ("body_silence_seconds", 30, 1..=3_600),
    ("answer_silence_seconds", 60, 1..=3_600),
    ("max_hooks_per_channel", 20, 1..=1_000),
    ("max_hooks_per_user", 100, 1..=10_000),
];
/// The settings that are sizes: key, default, smallest and largest value in bytes.
const SIZES: [(&str, u64, RangeInclusive<u64>); 3] = [
    ("max_file_size", 25 * MIB, 1..=TIB),
    ("max_total_size", 1_024 * MIB, 1..=TIB),
    ("max_kept_text", 256 * MIB, MIB / 16..=TIB),
];
const MIB: u64 = 1 << 20;
const TIB: u64 = 1 << 40;

/// Largest number of streams in all, whatever number of files the process may open.
const MAX_STREAMS: u64 = 1_000_000;
/// Number of open files reserved for the database, for uploads and downloads, and for short requests.
/// Each stream is an open file, too.
const RESERVED_FILES: u64 = 64;

/// Houston's own settings, checked; all others are Rocket's.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Config {
    /// The data directory, with everything that lasts; created at need. `data_dir`, default `data`, relative
    /// to the working directory.
    pub data_dir: PathBuf,
    /// Limits how much each user and address may do in a while. `rate_limits`, default `true`.
    pub rate_limits: bool,
    /// Largest size of a file. `max_file_size`, default `25 MiB`, 1 byte to 1 TiB.
    pub max_file_size: ByteUnit,
    /// Largest number of files of one message. `max_message_files`, default 10, 1 to 1,000.
    pub max_message_files: usize,
    /// Largest size of the files of all messages together that are kept or can be restored.
    /// `max_total_size`, default `1 GiB`, 1 byte to 1 TiB.
    pub max_total_size: ByteUnit,
    /// Largest size of the texts of all messages together that are kept or can be restored, each with
    /// its HTML; they are in memory. One user's may have half of what the others' leave.
    /// `max_kept_text`, default `256 MiB`, 64 KiB to 1 TiB.
    pub max_kept_text: ByteUnit,
    /// Largest number of open streams of one user: one more ends the oldest. `max_streams_per_user`,
    /// default 64, 1 to 1,000,000.
    pub max_streams_per_user: usize,
    /// Largest number of open streams in all. `max_streams`, default 0: 64 fewer than the files that
    /// the process may open, which is also the largest value, and at most 1,000,000; once
    /// [checked](Config::from), never 0.
    pub max_streams: usize,
    /// Largest number of public channels. `max_channels`, default 1,000, 1 to 100,000.
    pub max_channels: usize,
    /// Largest number of public channels that one user created. `max_channels_per_user`, default 100,
    /// 1 to 100,000.
    pub max_channels_per_user: usize,
    /// Largest number of direct conversations that one user began. `max_directs_per_user`, default
    /// 500, 1 to 100,000.
    pub max_directs_per_user: usize,
    /// Largest number of sessions of one user. `max_sessions_per_user`, default 100, 1 to 1,000.
    pub max_sessions_per_user: usize,
    /// Largest number of channels that one user has starred, hidden or given a bell; one entry of the
    /// log holds them all. `max_preferences_per_user`, default 2,000, 1 to 2,000.
    pub max_preferences_per_user: usize,
    /// Largest number of reactions of one user to one message. `max_reactions_per_user`, default 8, 1
    /// to 1,000.
    pub max_reactions_per_user: usize,
    /// Largest number of different reactions to one message. `max_reaction_kinds`, default 32, 1 to
    /// 1,000.
    pub max_reaction_kinds: usize,
    /// Largest number of reactions to one message, everybody's together. `max_reactions`, default 300,
    /// 1 to 1,000.
    pub max_reactions: usize,
    /// Days after which an unused session ends. `session_days`, default 180, 1 to 36,500.
    pub session_days: u32,
    /// The secret by which other machines may read `/metrics`, sent as Bearer token. `metrics_token`,
    /// by default none: only this machine may. Visible ASCII characters without spaces.
    pub metrics_token: Option<String>,
    /// Longest pause in the body of a request. `body_silence_seconds`, default 30, 1 to 3,600.
    #[serde(rename = "body_silence_seconds", deserialize_with = "seconds")]
    pub body_silence: Duration,
    /// Longest time that a client may take nothing of its answer, or not respond at all, before its
    /// connection is cut off (Linux). `answer_silence_seconds`, default 60, 1 to 3,600.
    #[serde(rename = "answer_silence_seconds", deserialize_with = "seconds")]
    pub answer_silence: Duration,
    /// Largest number of hooks of one channel, incoming and outgoing together. `max_hooks_per_channel`,
    /// default 20, 1 to 1,000.
    pub max_hooks_per_channel: usize,
    /// Largest number of hooks that one user made. `max_hooks_per_user`, default 100, 1 to 10,000.
    pub max_hooks_per_user: usize,
    /// Lets outgoing hooks post to addresses that are not public: this machine, and its network.
    /// `outgoing_private`, default `false`.
    pub outgoing_private: bool,
}

fn seconds<'de, D: Deserializer<'de>>(setting: D) -> Result<Duration, D::Error> {
    u64::deserialize(setting).map(Duration::from_secs)
}

/// The reason why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// A setting is missing or of another type.
    #[error(transparent)]
    Unreadable(#[from] Box<figment::Error>),
    /// A setting is out of its limits.
    #[error("`{key}` is {value}, but {remedy}")]
    OutOfLimits {
        /// The setting's name in `Rocket.toml`.
        key: &'static str,
        /// Its value, unless that is secret.
        value: String,
        /// The limits, and what to do.
        remedy: String,
    },
}

impl SettingError {
    fn out_of_limits(key: &'static str, value: impl ToString, remedy: String) -> Self {
        Self::OutOfLimits { key, value: value.to_string(), remedy }
    }
}

impl From<figment::Error> for SettingError {
    fn from(error: figment::Error) -> Self {
        Self::Unreadable(Box::new(error))
    }
}

impl Config {
    /// The raw settings, Rocket's and ours, from their defaults, `Rocket.toml` and the environment.
    ///
    /// One default differs from Rocket's: no header gives a request's address (`ip_header = false`),
    /// since any client could send one.
    #[must_use]
    pub fn figment() -> Figment {
        let file = Env::var_or("ROCKET_CONFIG", "Rocket.toml");
        let profile = Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE);
        let mut settings = Figment::from(rocket::Config::default())
            .merge(("ip_header", false))
            .merge(("data_dir", "data"))
            .merge(("rate_limits", true))
            .merge(("outgoing_private", false));
        for (key, default, _) in COUNTS {
            settings = settings.merge((key, default));
        }
        for (key, default, _) in SIZES {
            settings = settings.merge((key, default.bytes()));
        }
        settings
            .merge(Toml::file(file).nested())
            .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
            .select(profile)
    }

    /// Checks the raw settings: each of ours must be of its type and within its limits.
    ///
    /// It also reads the process's limit of open files: raise that first.
    ///
    /// # Errors
    ///
    /// When one is missing, of another type (the error says which and where it came from) or out
    /// of its limits (it says which those are and what to do).
    pub fn from(settings: &Figment) -> Result<Self, SettingError> {
        for (key, _, limits) in COUNTS {
            let value: u64 = settings.extract_inner(key)?;
            if !limits.contains(&value) {
                let (from, to) = limits.into_inner();
                let remedy = format!("must be from {from} to {to}: {}", how_to_set(key));
                return Err(SettingError::out_of_limits(key, value, remedy));
            }
        }
        for (key, _, limits) in SIZES {
            let value: ByteUnit = settings.extract_inner(key)?;
            if !limits.contains(&value.as_u64()) {
                let (from, to) = limits.into_inner();
                let (from, to) = (from.bytes(), to.bytes());
                let remedy = format!("must be from {from} to {to}: {}", how_to_set(key));
                return Err(SettingError::out_of_limits(key, value, remedy));
            }
        }
        let config: Self = settings.extract()?;
        config.check_data_dir()?;
        config.check_metrics_token()?;
        let max_streams = streams_within(config.max_streams, getrlimit(Resource::Nofile).current)?;
        Ok(Self { max_streams, ..config })
    }

    fn check_data_dir(&self) -> Result<(), SettingError> {
        if self.data_dir.as_os_str().is_empty() {
            let remedy = format!("must name a directory: {}", how_to_set("data_dir"));
            return Err(SettingError::out_of_limits("data_dir", "empty", remedy));
        }
        Ok(())
    }

    fn check_metrics_token(&self) -> Result<(), SettingError> {
        let Some(token) = &self.metrics_token else { return Ok(()) };
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let remedy = format!(
                "must be made of letters, digits and other visible ASCII characters, without \
                 spaces: {}",
                how_to_set("metrics_token")
            );
            return Err(SettingError::out_of_limits("metrics_token", "unusable", remedy));
        }
        Ok(())
    }
}

fn how_to_set(key: &str) -> String {
    let variable = key.to_ascii_uppercase();
    format!("set it so in Rocket.toml or as ROCKET_{variable}, or leave it out")
}

/// The largest number of streams for the wanted one (0 for as many as possible) and the number of
/// files that the process may open (`None` for any).
fn streams_within(wanted: usize, files: Option<u64>) -> Result<usize, SettingError> {
    let key = "max_streams";
    let files = files.unwrap_or(u64::MAX);
    let room = files.saturating_sub(RESERVED_FILES).min(MAX_STREAMS);
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    if wanted > room || room == 0 {
        let least = u64::try_from(wanted.max(1)).unwrap_or(u64::MAX) + RESERVED_FILES;
        let remedy = format!(
            "this process may open {files} files, {RESERVED_FILES} of which are not for streams: \
             raise that limit to {least} (`ulimit -n`, or LimitNOFILE of a systemd unit), or set \
             ROCKET_MAX_STREAMS to {room} at most"
        );
        return Err(SettingError::out_of_limits(key, wanted, remedy));
    }
    Ok(if wanted == 0 { room } else { wanted })
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .field("rate_limits", &self.rate_limits)
            .field("max_file_size", &self.max_file_size)
            .field("max_message_files", &self.max_message_files)
            .field("max_total_size", &self.max_total_size)
            .field("max_kept_text", &self.max_kept_text)
            .field("max_streams_per_user", &self.max_streams_per_user)
            .field("max_streams", &self.max_streams)
            .field("max_channels", &self.max_channels)
            .field("max_channels_per_user", &self.max_channels_per_user)
            .field("max_directs_per_user", &self.max_directs_per_user)
            .field("max_sessions_per_user", &self.max_sessions_per_user)
            .field("max_preferences_per_user", &self.max_preferences_per_user)
            .field("max_reactions_per_user", &self.max_reactions_per_user)
            .field("max_reaction_kinds", &self.max_reaction_kinds)
            .field("max_reactions", &self.max_reactions)
            .field("session_days", &self.session_days)
            .field("body_silence", &self.body_silence)
            .field("answer_silence", &self.answer_silence)
            .field("max_hooks_per_channel", &self.max_hooks_per_channel)
            .field("max_hooks_per_user", &self.max_hooks_per_user)
            .field("outgoing_private", &self.outgoing_private)
            .field("metrics_token", &self.metrics_token.as_ref().map(|_| "…"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_within_their_limits() {
        let config = Config::from(&Config::figment()).expect("the defaults are fine");
        assert_eq!(config.data_dir, PathBuf::from("data"));
        assert!(config.rate_limits);
        assert_eq!((config.max_streams_per_user, config.session_days), (64, 180));
        assert_eq!((config.max_channels, config.max_kept_text), (1_000, 256.mebibytes()));
        assert!(config.max_streams > 0, "as many as there may be open files");
    }

    #[test]
    fn sizes_are_written_with_their_unit() {
        let settings = Config::figment().merge(("max_file_size", "3 MiB"));
        let config = Config::from(&settings).expect("a size");
        assert_eq!(config.max_file_size, 3.mebibytes());
        assert_eq!(config.max_total_size, 1.gibibytes());
    }

    #[test]
    fn a_setting_of_another_type_is_named() {
        for key in ["rate_limits", "max_channels", "max_kept_text", "session_days"] {
            let settings = Config::figment().merge((key, "sometimes"));
            let told = Config::from(&settings).expect_err("that is no value").to_string();
            assert!(told.contains(key), "{told}");
        }
        let settings = Config::figment().merge(("max_streams", -1));
        let told = Config::from(&settings).expect_err("that is no number of streams").to_string();
        assert!(told.contains("max_streams"), "{told}");
    }

    #[test]
    fn a_setting_out_of_its_limits_is_named_with_its_value_and_the_remedy() {
        for (key, _, limits) in COUNTS {
            let (from, to) = limits.into_inner();
            for value in from.checked_sub(1).into_iter().chain([to + 1]) {
                let settings = Config::figment().merge((key, value));
                let told = Config::from(&settings).expect_err(key).to_string();
                let expected = format!("`{key}` is {value}, but must be from {from} to {to}");
                assert!(told.starts_with(&expected), "{told}");
                assert!(told.contains(&key.to_uppercase()), "{told}");
            }
        }
        for (key, value, expected) in [
            ("max_file_size", "0 B", "`max_file_size` is 0B, but must be from 1B to 1TiB"),
            ("max_total_size", "2 TiB", "`max_total_size` is 2TiB, but"),
            ("max_kept_text", "63 KiB", "`max_kept_text` is 63KiB, but must be from 64KiB"),
            ("data_dir", "", "`data_dir` is empty, but must name a directory"),
        ] {
            let settings = Config::figment().merge((key, value));
            let told = Config::from(&settings).expect_err(key).to_string();
            assert!(told.starts_with(expected), "{told}");
        }
    }

    #[test]
    fn open_files_are_left_for_what_is_no_stream() {
        assert_eq!(streams_within(0, Some(1_024)), Ok(960));
        assert_eq!(streams_within(960, Some(1_024)), Ok(960));
        assert_eq!(streams_within(0, None), Ok(1_000_000));
        let told = streams_within(961, Some(1_024)).expect_err("one too many").to_string();
        assert!(told.starts_with("`max_streams` is 961, but this process may open 1024 files"));
        assert!(told.contains("raise that limit to 1025") && told.contains("to 960"), "{told}");
        assert!(streams_within(0, Some(64)).is_err(), "there is no room for any");
    }

    #[test]
    fn the_metrics_token_is_a_word_and_never_shown() {
        for token in ["", "two words", "señal", "line\n"] {
            let settings = Config::figment().merge(("metrics_token", token));
            let told = Config::from(&settings).expect_err("that cannot be sent").to_string();
            assert!(told.starts_with("`metrics_token` is unusable"), "{told}");
        }
        let settings = Config::figment().merge(("metrics_token", "Str0ng"));
        let config = Config::from(&settings).expect("a token");
        assert_eq!(config.metrics_token.as_deref(), Some("Str0ng"));
        assert!(!format!("{config:?}").contains("Str0ng"));
    }

    #[test]
    fn a_time_limit_is_a_number_of_seconds() {
        let settings = Config::figment().merge(("body_silence_seconds", 2));
        let config = Config::from(&settings).expect("two seconds");
        assert_eq!(config.body_silence, Duration::from_secs(2));
    }
}
