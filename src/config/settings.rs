//! The table of all settings: names, defaults, limits, and their meaning in a sentence.
//!
//! It is the only place that has them: [`Config`](super::Config) takes defaults and limits from it,
//! `houston check` prints it, and tests compare `README.md` and `Rocket.toml` with it.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Largest number of streams in all, whatever number of files the process may open.
pub(super) const MAX_STREAMS: u64 = 1_000_000;

/// A setting: one row of the [table](SETTINGS).
#[derive(Debug)]
pub struct Setting {
    /// The name in `Rocket.toml`. The variable is `ROCKET_` and the name in capitals.
    pub key: &'static str,
    /// The type, with the default and the limits.
    pub kind: Kind,
    /// The meaning, in Markdown.
    pub meaning: &'static str,
}

/// The type of a setting, with its default and its limits.
#[derive(Debug)]
pub enum Kind {
    /// A whole number.
    Count {
        /// The default.
        default: u64,
        /// The smallest and the largest value.
        limits: RangeInclusive<u64>,
    },
    /// A number of bytes, written with its unit: `"25 MiB"`.
    Size {
        /// The default in bytes.
        default: u64,
        /// The smallest and the largest value in bytes.
        limits: RangeInclusive<u64>,
    },
    /// `true` or `false`.
    Switch {
        /// The default.
        default: bool,
    },
    /// The addresses of NATS servers, with commas between them; none by default. They may hold a
    /// password, and are not shown.
    Servers,
    /// The path of a file; none by default.
    File,
    /// A name of small letters, digits, `-` and `_`.
    Name {
        /// The default.
        default: &'static str,
    },
    /// The path of a directory.
    Directory {
        /// The default, if there is one.
        default: Option<&'static str>,
    },
    /// One of a few words.
    Choice {
        /// The words; the first is the default.
        words: &'static [&'static str],
    },
    /// A word that nobody else should know; none by default.
    Secret,
    /// A setting of Rocket's, which checks it by itself.
    Rocket {
        /// The default as it is written in `Rocket.toml`.
        default: &'static str,
        /// The values that Rocket takes, in words.
        expected: &'static str,
    },
}

const fn count(
    key: &'static str,
    default: u64,
    limits: RangeInclusive<u64>,
    meaning: &'static str,
) -> Setting {
    Setting { key, kind: Kind::Count { default, limits }, meaning }
}

const fn size(
    key: &'static str,
    default: u64,
    limits: RangeInclusive<u64>,
    meaning: &'static str,
) -> Setting {
    Setting { key, kind: Kind::Size { default, limits }, meaning }
}

const fn rocket(
    key: &'static str,
    default: &'static str,
    expected: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { key, kind: Kind::Rocket { default, expected }, meaning }
}

/// Every setting: first Houston's own, then Rocket's.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "data_dir",
        kind: Kind::Directory { default: Some("data") },
        meaning: "The directory of everything that lasts, created at need, for one process at a \
                  time; relative to the working directory.",
    },
    Setting {
        key: "pages_dir",
        kind: Kind::Directory { default: None },
        meaning: "A directory with `templates` and `static` to be read at the start instead of \
                  those in the program, for those who change them; relative to the working \
                  directory.",
    },
    Setting {
        key: "rate_limits",
        kind: Kind::Switch { default: true },
        meaning: "Limits what a user may do in a while: 60 messages at once, then 10 a second; 600 \
                  other changes, then 50 a second; 600 small things to read (a page is 2, a long \
                  list more), then 60 a second. All users of an address, or of a /64 of IPv6, \
                  together ten times as much; signing in there 30 times at once, then once in 2 \
                  seconds.",
    },
    size("max_file_size", 25 * MIB, 1..=TIB, "Largest size of a file."),
    count("max_message_files", 10, 1..=1_000, "Largest number of files of one message."),
    size(
        "max_total_size",
        GIB,
        1..=TIB,
        "Largest size of the files of all messages together that are kept, or were deleted less \
         than half a minute ago: until then that can be undone.",
    ),
    size(
        "max_kept_text",
        256 * MIB,
        64 * KIB..=TIB,
        "Largest size of the texts of all messages together that are kept, or were deleted less \
         than half a minute ago, each with its HTML. They are in memory, too. One user's may have \
         half of what the others' leave.",
    ),
    count(
        "max_streams_per_user",
        64,
        1..=1_000_000,
        "Largest number of open streams of one user; one more ends the oldest.",
    ),
    count(
        "max_streams",
        0,
        0..=MAX_STREAMS,
        "Largest number of open streams in all; 0 for as many as the limit of open files (`ulimit \
         -n`) allows, less 64. More than that is refused.",
    ),
    count("max_channels", 1_000, 1..=100_000, "Largest number of channels that everybody sees."),
    count(
        "max_channels_per_user",
        100,
        1..=100_000,
        "Largest number of channels that one user created.",
    ),
    count(
        "max_directs_per_user",
        500,
        1..=100_000,
        "Largest number of direct conversations that one user began.",
    ),
    count(
        "max_sessions_per_user",
        100,
        1..=1_000,
        "Largest number of devices and scripts that one user is signed in on.",
    ),
    count(
        "session_days",
        180,
        1..=36_500,
        "Number of days without use after which a session ends.",
    ),
    count(
        "max_preferences_per_user",
        2_000,
        1..=2_000,
        "Largest number of channels that one user has starred, hidden or given a bell.",
    ),
    count(
        "max_reactions_per_user",
        8,
        1..=1_000,
        "Largest number of reactions of one user to one message.",
    ),
    count(
        "max_reaction_kinds",
        32,
        1..=1_000,
        "Largest number of different reactions to one message.",
    ),
    count(
        "max_reactions",
        300,
        1..=1_000,
        "Largest number of reactions to one message, everybody's together.",
    ),
    count(
        "max_hooks_per_channel",
        20,
        1..=1_000,
        "Largest number of hooks of one channel, incoming and outgoing together.",
    ),
    count("max_hooks_per_user", 100, 1..=10_000, "Largest number of hooks that one user made."),
    Setting {
        key: "outgoing_private",
        kind: Kind::Switch { default: false },
        meaning: "Lets outgoing hooks post to addresses that are not public: this machine, and its \
                  network.",
    },
    Setting {
        key: "link_previews",
        kind: Kind::Switch { default: true },
        meaning: "Fetches title, description and picture of the pages that messages link to, and \
                  shows them below. With `false` no page is fetched.",
    },
    Setting {
        key: "link_previews_private",
        kind: Kind::Switch { default: false },
        meaning: "Lets previews be fetched from addresses that are not public: then whoever can post \
                  sees what pages of this machine and its network say of themselves.",
    },
    Setting {
        key: "metrics_token",
        kind: Kind::Secret,
        meaning: "The secret by which programs on other machines may read `/metrics`, sent as \
                  Bearer token; without it only this machine may, and no proxy on it.",
    },
    Setting {
        key: "cluster",
        kind: Kind::Servers,
        meaning: "The NATS servers, 2.12 or newer with JetStream, that keep everything for all nodes: \
                  \"nats://one:4222,nats://two:4222\", `tls://` to speak TLS, `user:password@` or \
                  `token@` before the first host. Without it this process is alone and keeps \
                  everything in `data_dir`.",
    },
    Setting {
        key: "cluster_credentials",
        kind: Kind::File,
        meaning: "The file of credentials (`.creds`) by which this node signs in to NATS.",
    },
    Setting {
        key: "cluster_ca",
        kind: Kind::File,
        meaning: "The file of the certificates (PEM) by which the NATS servers' own are checked, \
                  instead of the system's.",
    },
    count(
        "cluster_replicas",
        3,
        1..=5,
        "Number of NATS servers that have each entry and file: 1, 3 or 5. With 3 one may fail.",
    ),
    Setting {
        key: "cluster_prefix",
        kind: Kind::Name { default: "houston" },
        meaning: "The first word of every subject and stream in NATS: another one is another chat.",
    },
    Setting {
        key: "log_format",
        kind: Kind::Choice { words: &["text", "json"] },
        meaning: "The form of the log's lines. As JSON each has `time`, `level`, `target`, `message` \
                  and, where a request is served, the `request_id` that its answer has as \
                  `X-Request-Id`.",
    },
    count(
        "body_silence_seconds",
        30,
        1..=3_600,
        "Longest pause, in seconds, in what a client sends before it is given up.",
    ),
    count(
        "answer_silence_seconds",
        60,
        1..=3_600,
        "Longest time, in seconds, that a client may take nothing of its answer, or be gone \
         without a word, before it is cut off (Linux).",
    ),
    rocket(
        "address",
        "\"127.0.0.1\"",
        "an IP address",
        "The address to listen on; `0.0.0.0` to be reachable from outside.",
    ),
    rocket("port", "8000", "a whole number from 0 to 65535", "The port to listen on."),
    rocket(
        "ip_header",
        "false",
        "the name of a header, or false",
        "Behind a proxy, the header that says where a request comes from, like `X-Real-IP`; the \
         last address in it counts. Without it everybody behind the proxy shares the budgets of \
         one address. Without a proxy anybody could send such a header.",
    ),
    rocket(
        "tls",
        "none",
        "a table with the paths `certs` and `key`",
        "The certificates and the key by which Houston itself speaks TLS.",
    ),
    rocket(
        "log_level",
        "\"normal\", of release builds \"critical\"",
        "off, critical, normal or debug",
        "The detail of the log. `debug` adds nothing of requests: their headers hold secrets.",
    ),
    rocket(
        "cli_colors",
        "true",
        "true or false",
        "Uses colours and pictures in the log of a terminal.",
    ),
    rocket(
        "workers",
        "number of cores",
        "a whole number from 1",
        "Number of threads that serve requests.",
    ),
    rocket(
        "max_blocking",
        "512",
        "a whole number from 1",
        "Largest number of threads for files and compression.",
    ),
    rocket(
        "keep_alive",
        "5",
        "a whole number of seconds, or 0",
        "0 closes each connection after its answer; with any other number it stays open.",
    ),
    rocket("ident", "\"Rocket\"", "a text, or false", "The value of the header `Server`."),
    rocket(
        "shutdown",
        "Rocket's",
        "a table with `grace` and `mercy`, in seconds, and `signals`",
        "The seconds that requests get to end when the server is told to, and those that \
         connections get after that.",
    ),
    rocket(
        "limits",
        "Rocket's",
        "a table of sizes",
        "Rocket's limits of bodies, by which nothing here is read: Houston's own limits hold.",
    ),
    rocket(
        "temp_dir",
        "the system's",
        "the path of a directory, in quotation marks",
        "Rocket's directory of temporary files, of which Houston makes none.",
    ),
];

/// Names that Rocket knows, but that change nothing here: no typing errors.
pub(super) const WITHOUT_EFFECT: &[&str] = &["template_dir", "secret_key", "profile", "config"];

impl Setting {
    /// Finds a setting by its name.
    #[must_use]
    pub fn named(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The variable that sets it: `ROCKET_PORT`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("ROCKET_{}", self.key.to_ascii_uppercase())
    }

    /// True if its value must not be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Servers)
    }

    /// The default, as it is written in `Rocket.toml`; `none` where there is none.
    #[must_use]
    pub fn default(&self) -> String {
        match &self.kind {
            Kind::Count { default, .. } => default.to_string(),
            Kind::Size { default, .. } => format!("\"{}\"", size_in_words(*default)),
            Kind::Switch { default } => default.to_string(),
            Kind::Directory { default: Some(default) } | Kind::Name { default } => {
                format!("\"{default}\"")
            }
            Kind::Choice { words } => format!("\"{}\"", words.first().unwrap_or(&"")),
            Kind::Directory { default: None } | Kind::Secret | Kind::Servers | Kind::File => {
                "none".into()
            }
            Kind::Rocket { default, .. } => (*default).into(),
        }
    }

    /// The values that it may have, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        match &self.kind {
            Kind::Count { limits, .. } => {
                format!("a whole number from {} to {}", limits.start(), limits.end())
            }
            Kind::Size { limits, .. } => {
                let (from, to) = (size_in_words(*limits.start()), size_in_words(*limits.end()));
                format!("a size from \"{from}\" to \"{to}\"")
            }
            Kind::Switch { .. } => "true or false".into(),
            Kind::Directory { .. } => "the path of a directory, in quotation marks".into(),
            Kind::Servers => {
                "addresses that begin with nats:// or tls://, with commas between them, in quotation \
                 marks"
                    .into()
            }
            Kind::File => "the path of a file, in quotation marks".into(),
            Kind::Name { .. } => "small letters, digits, - and _, in quotation marks".into(),
            Kind::Choice { words } => words.join(" or "),
            Kind::Secret => "letters, digits and other visible ASCII characters, without spaces, \
                             in quotation marks"
                .into(),
            Kind::Rocket { expected, .. } => (*expected).into(),
        }
    }
}

/// A number of bytes with the largest unit that leaves it whole: `25 MiB`.
pub(super) fn size_in_words(bytes: u64) -> String {
    let units = [(TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    let whole = units.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{bytes} B"), |(unit, name)| format!("{} {name}", bytes / unit))
}

/// The table of settings in `README.md`.
#[must_use]
pub fn readme_table() -> String {
    let mut table = "| setting | default | values | |\n| --- | --- | --- | --- |\n".to_owned();
    for setting in SETTINGS {
        let (key, default, meaning) = (setting.key, setting.default(), setting.meaning);
        let expected = setting.expected();
        let expected = expected.trim_end_matches(", in quotation marks");
        // Cannot fail: it is written to memory.
        let _ = writeln!(table, "| `{key}` | {default} | {expected} | {meaning} |");
    }
    table
}
