//! Settings: read from their sources, and checked into one [`Config`].
//!
//! They are read where Rocket reads its own: `Rocket.toml`, then `ROCKET_…` variables, which win.
//! Rocket's settings (`address`, `port`, `tls`, `log_level`, …) stand beside ours. The [table of all
//! settings](settings) has their defaults and limits.

mod problems;
mod report;
pub mod settings;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rocket::data::{ByteUnit, ToByteUnit};
use rocket::figment::providers::{Env, Format, Serialized, Toml};
use rocket::figment::{Figment, Profile};
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Deserializer};

pub use self::problems::{Origin, SettingError};
use self::problems::{problems, streams_within};
pub use self::report::Report;
use self::settings::{Kind, SETTINGS, Setting};

/// The name of the file of settings, unless the variable `ROCKET_CONFIG` names another.
const FILE: &str = "Rocket.toml";

/// Houston's own settings, checked; all others are Rocket's.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Config {
    /// The data directory, with everything that lasts; created at need.
    pub data_dir: PathBuf,
    /// The directory of the templates and static files, unless they are those in the program.
    pub pages_dir: Option<PathBuf>,
    /// Limits how much each user and address may do in a while.
    pub rate_limits: bool,
    /// Largest size of a file.
    pub max_file_size: ByteUnit,
    /// Largest number of files of one message.
    pub max_message_files: usize,
    /// Largest size of the files of all messages together that are kept or can be restored.
    pub max_total_size: ByteUnit,
    /// Largest size of the texts of all messages together that are kept or can be restored, each with
    /// its HTML; they are in memory. One user's may have half of what the others' leave.
    pub max_kept_text: ByteUnit,
    /// Largest number of open streams of one user: one more ends the oldest.
    pub max_streams_per_user: usize,
    /// Largest number of open streams in all; once [checked](Config::from), never 0.
    pub max_streams: usize,
    /// Largest number of public channels.
    pub max_channels: usize,
    /// Largest number of public channels that one user created.
    pub max_channels_per_user: usize,
    /// Largest number of direct conversations that one user began.
    pub max_directs_per_user: usize,
    /// Largest number of sessions of one user.
    pub max_sessions_per_user: usize,
    /// Largest number of channels that one user has starred, hidden or given a bell; one entry of the
    /// log holds them all.
    pub max_preferences_per_user: usize,
    /// Largest number of reactions of one user to one message.
    pub max_reactions_per_user: usize,
    /// Largest number of different reactions to one message.
    pub max_reaction_kinds: usize,
    /// Largest number of reactions to one message, everybody's together.
    pub max_reactions: usize,
    /// Days after which an unused session ends.
    pub session_days: u32,
    /// The secret by which other machines may read `/metrics`.
    pub metrics_token: Option<String>,
    /// The NATS servers that keep everything, with commas between them; without them this process
    /// does.
    pub cluster: Option<String>,
    /// The file of credentials for the NATS servers.
    pub cluster_credentials: Option<PathBuf>,
    /// The file of the certificates that the NATS servers' own are checked by.
    pub cluster_ca: Option<PathBuf>,
    /// Number of NATS servers that have each entry and file.
    pub cluster_replicas: usize,
    /// The first word of every subject and stream in NATS.
    pub cluster_prefix: String,
    /// Form of the log's lines.
    pub log_format: LogFormat,
    /// Longest pause in the body of a request. `body_silence_seconds`.
    #[serde(rename = "body_silence_seconds", deserialize_with = "seconds")]
    pub body_silence: Duration,
    /// Longest time that a client may take nothing of its answer, or not respond at all, before its
    /// connection is cut off (Linux). `answer_silence_seconds`.
    #[serde(rename = "answer_silence_seconds", deserialize_with = "seconds")]
    pub answer_silence: Duration,
    /// Largest number of hooks of one channel, incoming and outgoing together. `max_hooks_per_channel`.
    pub max_hooks_per_channel: usize,
    /// Largest number of hooks that one user made. `max_hooks_per_user`.
    pub max_hooks_per_user: usize,
    /// Lets outgoing hooks post to addresses that are not public. `outgoing_private`.
    pub outgoing_private: bool,
    /// Fetches previews of the links in messages. `link_previews`.
    pub link_previews: bool,
    /// Lets previews be fetched from addresses that are not public. `link_previews_private`.
    pub link_previews_private: bool,
}

/// The form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// A JSON object a line.
    Json,
}

fn seconds<'de, D: Deserializer<'de>>(setting: D) -> Result<Duration, D::Error> {
    u64::deserialize(setting).map(Duration::from_secs)
}

/// The name of the file of settings.
fn file_name() -> String {
    Env::var_or("ROCKET_CONFIG", FILE)
}

impl Config {
    /// The raw settings, Rocket's and ours, from their defaults, `Rocket.toml` and the environment.
    ///
    /// One default differs from Rocket's: no header gives a request's address (`ip_header = false`),
    /// since any client could send one.
    #[must_use]
    pub fn figment() -> Figment {
        let profile = Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE);
        // Of the profile `default`, or those under `[default]` in the file would not replace them.
        let mut settings =
            Figment::from(rocket::Config::default()).merge(Serialized::default("ip_header", false));
        for Setting { key, kind, .. } in SETTINGS {
            settings = match kind {
                Kind::Count { default, .. } => settings.merge(Serialized::default(key, default)),
                Kind::Size { default, .. } => {
                    settings.merge(Serialized::default(key, default.bytes()))
                }
                Kind::Switch { default } => settings.merge(Serialized::default(key, default)),
                Kind::Directory { default: Some(path) } => {
                    settings.merge(Serialized::default(key, path))
                }
                Kind::Name { default } => settings.merge(Serialized::default(key, default)),
                Kind::Choice { words } => settings.merge(Serialized::default(key, words.first())),
                Kind::Directory { default: None }
                | Kind::Secret
                | Kind::Servers
                | Kind::File
                | Kind::Rocket { .. } => settings,
            };
        }
        settings
            .merge(Toml::file(file_name()).nested())
            .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
            .select(profile)
    }

    /// Checks the raw settings: each must be of its type and within its limits.
    ///
    /// It also reads the process's limit of open files: raise that first.
    ///
    /// # Errors
    ///
    /// When one is of another type, or out of its limits: the error names it with its value and where
    /// that came from, and says what to do.
    pub fn from(settings: &Figment) -> Result<Self, SettingError> {
        if let Some(problem) = problems(settings).into_iter().next() {
            return Err(problem);
        }
        let config: Self = settings.extract()?;
        let wanted = config.max_streams.try_into().unwrap_or(u64::MAX);
        let streams = streams_within(wanted, getrlimit(Resource::Nofile).current);
        let max_streams = streams.ok().and_then(|streams| streams.try_into().ok());
        Ok(Self { max_streams: max_streams.unwrap_or(config.max_streams), ..config })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .field("pages_dir", &self.pages_dir)
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
            .field("cluster", &self.cluster.as_ref().map(|_| "…"))
            .field("cluster_credentials", &self.cluster_credentials)
            .field("cluster_ca", &self.cluster_ca)
            .field("cluster_replicas", &self.cluster_replicas)
            .field("cluster_prefix", &self.cluster_prefix)
            .field("log_format", &self.log_format)
            .field("body_silence", &self.body_silence)
            .field("answer_silence", &self.answer_silence)
            .field("max_hooks_per_channel", &self.max_hooks_per_channel)
            .field("max_hooks_per_user", &self.max_hooks_per_user)
            .field("outgoing_private", &self.outgoing_private)
            .field("link_previews", &self.link_previews)
            .field("link_previews_private", &self.link_previews_private)
            .field("metrics_token", &self.metrics_token.as_ref().map(|_| "…"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::problems::shown;
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
        for setting in SETTINGS {
            let (key, Kind::Count { limits, .. }) = (setting.key, &setting.kind) else { continue };
            let (from, to) = (limits.start(), limits.end());
            for value in from.checked_sub(1).into_iter().chain([to + 1]) {
                let settings = Config::figment().merge((key, value));
                let told = Config::from(&settings).expect_err(key).to_string();
                let expected = format!("`{key}` is {value}, but must be from {from} to {to}");
                assert!(told.starts_with(&expected), "{told}");
                assert!(told.contains(&setting.variable()), "{told}");
            }
        }
        for (key, value, expected) in [
            ("max_file_size", "0 B", "`max_file_size` is 0 B, but must be from 1 B to 1 TiB"),
            ("max_total_size", "2 TiB", "`max_total_size` is 2 TiB, but"),
            ("max_kept_text", "63 KiB", "`max_kept_text` is 63 KiB, but must be from 64 KiB"),
            ("data_dir", "", "`data_dir` is empty, but must name a directory"),
            ("pages_dir", "src", "`pages_dir` is \"src\", but there is no directory `templates`"),
            ("address", "localhost", "`address` is \"localhost\", but must be an IP address"),
            (
                "cluster_ca",
                "none.pem",
                "`cluster_ca` is \"none.pem\", but that file cannot be read",
            ),
            (
                "cluster_prefix",
                "a.b",
                "`cluster_prefix` is \"a.b\", but must be small letters, digits",
            ),
            ("log_level", "loud", "`log_level` is \"loud\", but must be off, critical, normal"),
            ("ip_header", "a b", "`ip_header` is \"a b\", but must be the name of a header"),
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
        let told = streams_within(961, Some(1_024)).expect_err("one too many");
        assert!(told.starts_with("this process may open 1024 files"), "{told}");
        assert!(told.contains("raise that limit to 1025") && told.contains("to 960"), "{told}");
        assert!(streams_within(0, Some(64)).is_err(), "there is no room for any");
    }

    #[test]
    fn the_metrics_token_is_a_word_and_never_shown() {
        for token in ["", "two words", "señal", "line\n"] {
            let settings = Config::figment().merge(("metrics_token", token));
            let told = Config::from(&settings).expect_err("that cannot be sent").to_string();
            assert!(told.starts_with("`metrics_token` is unusable"), "{told}");
            let report = Report::of(&settings);
            assert!(token.is_empty() || !report.to_string().contains(token), "{report}");
        }
        let settings = Config::figment().merge(("metrics_token", "Str0ng"));
        let config = Config::from(&settings).expect("a token");
        assert_eq!(config.metrics_token.as_deref(), Some("Str0ng"));
        assert!(!format!("{config:?}").contains("Str0ng"));
        let settings = settings.merge(("metrics_tokn", "Str0ng"));
        let report = Report::of(&settings);
        assert!(!format!("{report}{:?}", report.problems).contains("Str0ng"), "{report}");
    }

    #[test]
    fn replicas_are_an_odd_number() {
        for replicas in [2, 4] {
            let settings = Config::figment().merge(("cluster_replicas", replicas));
            let told = Config::from(&settings).expect_err("no majority more").to_string();
            let expected = format!("`cluster_replicas` is {replicas}, but must be 1, 3 or 5");
            assert!(told.starts_with(&expected), "{told}");
        }
    }

    #[test]
    fn servers_are_addresses_and_never_shown() {
        for servers in ["", "one:4222", "http://one", "nats://", "nats://one,two", "nats://one/x"] {
            let settings = Config::figment().merge(("cluster", servers));
            let told = Config::from(&settings).expect_err(servers).to_string();
            assert!(told.starts_with("`cluster` is unusable, but must be addresses"), "{told}");
        }
        let servers = "nats://ada:Str0ng@one:4222, tls://two";
        let config = Config::from(&Config::figment().merge(("cluster", servers))).expect("servers");
        assert_eq!(config.cluster.as_deref(), Some(servers));
        assert!(!format!("{config:?}").contains("Str0ng"));
    }

    #[test]
    fn a_mistyped_name_is_told_from_an_unknown_one() {
        for (key, meant) in [
            ("max_chanels", "max_channels"),
            ("prot", "port"),
            ("adress", "address"),
            ("rate-limits", "rate_limits"),
            ("datadir", "data_dir"),
            ("Session_Days", "session_days"),
            ("max_file_sise", "max_file_size"),
        ] {
            let report = Report::of(&Config::figment().merge((key, "x")));
            let [told] = &report.problems[..] else { panic!("{key}: {:?}", report.problems) };
            assert!(told.contains(key) && told.contains("\"x\""), "{told}");
            assert!(told.contains(&format!("rename it to `{meant}`")), "{told}");
        }
        for key in ["databases", "template_dir", "secret_key", "x", "houston"] {
            let report = Report::of(&Config::figment().merge((key, "x")));
            assert!(report.problems.is_empty(), "{key}: {:?}", report.problems);
        }
    }

    /// Reads the names that a type asks for when it is read.
    struct Names<'n>(&'n mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = serde::de::value::Error;

        fn deserialize_any<V: serde::de::Visitor<'de>>(
            self,
            _: V,
        ) -> Result<V::Value, Self::Error> {
            Err(serde::de::Error::custom("no struct"))
        }

        fn deserialize_struct<V: serde::de::Visitor<'de>>(
            self,
            _: &'static str,
            names: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = names;
            Err(serde::de::Error::custom("the names are all"))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier
            ignored_any
        }
    }

    #[test]
    fn the_table_has_exactly_the_settings_that_are_read() {
        let mut read: &[_] = &[];
        assert!(Config::deserialize(Names(&mut read)).is_err());
        let ours = SETTINGS.iter().filter(|it| !matches!(it.kind, Kind::Rocket { .. }));
        let mut ours: Vec<_> = ours.map(|setting| setting.key).collect();
        let mut read = read.to_vec();
        ours.sort_unstable();
        read.sort_unstable();
        assert_eq!(ours, read);
    }

    #[test]
    fn the_table_in_the_readme_is_made_from_the_settings() {
        let readme = include_str!("../README.md");
        let table = settings::readme_table();
        assert!(readme.contains(&table), "put this table into README.md:\n\n{table}");
    }

    #[test]
    fn rocket_toml_has_the_defaults() {
        let text = include_str!("../Rocket.toml");
        let file = Figment::from(Toml::string(text).nested()).select("default");
        let defaults = Figment::from(rocket::Config::default()).merge(("ip_header", false));
        for setting in SETTINGS {
            let (key, default) = (setting.key, setting.default());
            let written = file.find_value(key).ok();
            match (&setting.kind, written) {
                (Kind::Rocket { .. }, None) => {}
                (Kind::Rocket { .. }, Some(value)) => {
                    let default = defaults.find_value(key).expect("Rocket has one");
                    assert_eq!(shown(&value, false), shown(&default, false), "{key}");
                }
                (
                    Kind::Secret | Kind::Servers | Kind::File | Kind::Directory { default: None },
                    written,
                ) => {
                    assert!(written.is_none(), "{key} has no default");
                    assert!(text.contains(&format!("\n# {key} = ")), "{key} is not in Rocket.toml");
                }
                (_, written) => {
                    let line = format!("\n{key} = {default}\n");
                    assert!(text.contains(&line), "Rocket.toml has {written:?}, not {line}");
                }
            }
        }
        let unknown = file.extract::<rocket::figment::value::Dict>().expect("settings");
        for key in unknown.keys() {
            assert!(Setting::named(key).is_some(), "{key} is no setting");
        }
    }

    #[test]
    fn a_time_limit_is_a_number_of_seconds() {
        let settings = Config::figment().merge(("body_silence_seconds", 2));
        let config = Config::from(&settings).expect("two seconds");
        assert_eq!(config.body_silence, Duration::from_secs(2));
    }
}
