//! Wrong settings: finding them, and saying which, why, and what to do.

use std::env;
use std::path::Path;

use rocket::data::ByteUnit;
use rocket::figment::value::Value;
use rocket::figment::{self, Figment};
use rustix::process::{Resource, getrlimit};
use url::Url;

use super::settings::{Kind, MAX_STREAMS, SETTINGS, Setting, size_in_words};

/// Number of open files reserved for the database, for uploads and downloads, and for short requests.
/// Each stream is an open file, too.
const RESERVED_FILES: u64 = 64;

/// Largest number of characters of a wrong value that are shown.
const SHOWN_CHARS: usize = 100;

/// The reason why the settings cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// The settings cannot be read.
    #[error("the settings cannot be read: {}", without_secrets(.0))]
    Unreadable(Box<figment::Error>),
    /// A setting has a value that it may not have.
    #[error("`{key}` is {value}{origin}, but {remedy}")]
    Wrong {
        /// The setting's name in `Rocket.toml`.
        key: String,
        /// Its value, unless that is secret.
        value: String,
        /// The place that it comes from, in brackets; empty if it is not known.
        origin: String,
        /// The limits, and what to do.
        remedy: String,
    },
}

impl From<figment::Error> for SettingError {
    fn from(error: figment::Error) -> Self {
        Self::Unreadable(Box::new(error))
    }
}

/// An error without the excerpt of the file, if that may show a secret.
fn without_secrets(error: &figment::Error) -> String {
    let said = error.to_string();
    let secrets = SETTINGS.iter().filter(|setting| setting.is_secret());
    match secrets.map(|setting| setting.key).find(|key| said.contains(key)) {
        None => said,
        Some(key) => {
            let lines = [said.lines().next(), said.lines().last()].map(Option::unwrap_or_default);
            format!("{} (at `{key}`): {}", lines[0], lines[1])
        }
    }
}

/// The place that a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The default.
    Default,
    /// A file, by its path.
    File(String),
    /// A variable, by its name.
    Variable(String),
}

impl Origin {
    /// The place that this setting's value comes from.
    pub(super) fn of(settings: &Figment, key: &str) -> Self {
        let Some(metadata) = settings.find_metadata(key) else { return Self::Default };
        if let Some(figment::Source::File(path)) = &metadata.source {
            let shown = figment::Source::from(Path::new(path)).to_string();
            return Self::File(shown);
        }
        if metadata.name.contains("environment variable") {
            return Self::Variable(format!("ROCKET_{}", key.to_ascii_uppercase()));
        }
        Self::Default
    }

    fn in_brackets(&self) -> String {
        match self {
            Self::Default => String::new(),
            Self::File(place) | Self::Variable(place) => format!(" ({place})"),
        }
    }
}

/// Finds every setting that has a wrong value.
pub(super) fn problems(settings: &Figment) -> Vec<SettingError> {
    if let Some(missing) = env::var("ROCKET_CONFIG").ok().and_then(missing_file) {
        return vec![missing];
    }
    // A file that is no TOML, or has settings outside of a profile, breaks all of them alike.
    if let Err(error) = settings.extract::<figment::value::Dict>() {
        return vec![error.into()];
    }
    let wrong = SETTINGS.iter().filter_map(|setting| {
        let value = settings.find_value(setting.key).ok()?;
        let (shown, remedy) = refuse(setting, &value).err()?;
        let origin = Origin::of(settings, setting.key).in_brackets();
        Some(SettingError::Wrong { key: setting.key.into(), value: shown, origin, remedy })
    });
    let mut wrong: Vec<_> = wrong.collect();
    if wrong.is_empty()
        && let Err(error) = rocket::Config::try_from(settings.clone())
    {
        // Such a thing as two of Rocket's settings that do not go together.
        wrong.push(error.into());
    }
    wrong
}

/// The problem of a file of settings that was named and is not there: the defaults would be used.
fn missing_file(named: String) -> Option<SettingError> {
    // A relative path is looked for in the working directory, and then in those above it.
    let here = env::current_dir().unwrap_or_default();
    if here.ancestors().any(|directory| directory.join(&named).is_file()) {
        return None;
    }
    Some(SettingError::Wrong {
        key: "ROCKET_CONFIG".into(),
        value: format!("\"{named}\""),
        origin: String::new(),
        remedy: "there is no such file: name one that is there, or leave it out".into(),
    })
}

/// Checks one value. Refused, it gives the value as it is shown, and the remedy.
fn refuse(setting: &Setting, value: &Value) -> Result<(), (String, String)> {
    let must_be = || format!("must be {}: {}", setting.expected(), how_to_set(setting));
    let wrong = || Err((shown(value, setting.is_secret()), must_be()));
    match &setting.kind {
        Kind::Count { limits, .. } => match value.deserialize::<u64>() {
            Ok(count) if !limits.contains(&count) => {
                let (from, to) = (limits.start(), limits.end());
                let remedy = format!("must be from {from} to {to}: {}", how_to_set(setting));
                Err((count.to_string(), remedy))
            }
            Ok(count) if setting.key == "cluster_replicas" && count % 2 == 0 => {
                Err((count.to_string(), format!("must be 1, 3 or 5: {}", how_to_set(setting))))
            }
            Ok(count) if setting.key == "max_streams" => {
                let files = getrlimit(Resource::Nofile).current;
                streams_within(count, files).map(drop).map_err(|why| (count.to_string(), why))
            }
            Ok(_) => Ok(()),
            Err(_) => wrong(),
        },
        Kind::Size { limits, .. } => match value.deserialize::<ByteUnit>() {
            Ok(size) if !limits.contains(&size.as_u64()) => {
                let [from, to] = [limits.start(), limits.end()].map(|it| size_in_words(*it));
                let remedy = format!("must be from {from} to {to}: {}", how_to_set(setting));
                Err((size_in_words(size.as_u64()), remedy))
            }
            Ok(_) => Ok(()),
            Err(_) => wrong(),
        },
        Kind::Switch { .. } => value.to_bool().map_or_else(wrong, |_| Ok(())),
        Kind::Directory { .. } => match value.as_str() {
            None => wrong(),
            Some("") => {
                let remedy = format!("must name a directory: {}", how_to_set(setting));
                Err(("empty".into(), remedy))
            }
            Some(path) if setting.key == "pages_dir" => check_pages(setting, path),
            Some(path) if path.contains('\0') => wrong(),
            Some(_) => Ok(()),
        },
        Kind::Servers => match value.as_str() {
            Some(servers) if servers.split(',').all(is_server) => Ok(()),
            _ => Err(("unusable".into(), must_be())),
        },
        Kind::File => match value.as_str() {
            None => wrong(),
            Some(path) => std::fs::File::open(path).map(drop).map_err(|error| {
                let remedy = format!(
                    "that file cannot be read ({error}): name one that can be, in Rocket.toml or as \
                     {}, or leave it out",
                    setting.variable()
                );
                (shown(value, false), remedy)
            }),
        },
        Kind::Name { .. } => match value.as_str() {
            Some(name) if is_name(name) => Ok(()),
            _ => wrong(),
        },
        Kind::Choice { words } => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => wrong(),
        },
        Kind::Secret => match value.as_str() {
            Some(word) if !word.is_empty() && word.bytes().all(|it| it.is_ascii_graphic()) => {
                Ok(())
            }
            _ => Err(("unusable".into(), must_be())),
        },
        Kind::Rocket { .. } => {
            let alone = Figment::from(rocket::Config::default()).merge((setting.key, value));
            match rocket::Config::try_from(alone) {
                Ok(_) if is_zero(value) && ["workers", "max_blocking"].contains(&setting.key) => {
                    wrong()
                }
                Ok(config) => check_tls(setting, &config),
                Err(_) => wrong(),
            }
        }
    }
}

/// Tells whether this is the address of a NATS server.
fn is_server(address: &str) -> bool {
    Url::parse(address.trim()).is_ok_and(|url| {
        ["nats", "tls"].contains(&url.scheme())
            && url.host_str().is_some_and(|host| !host.is_empty())
            && ["", "/"].contains(&url.path())
    })
}

fn is_name(name: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_".contains(&it);
    (1..=32).contains(&name.len()) && name.bytes().all(is_part)
}

fn is_zero(value: &Value) -> bool {
    value.deserialize::<u64>() == Ok(0)
}

fn check_pages(setting: &Setting, path: &str) -> Result<(), (String, String)> {
    let missing = ["templates", "static"].into_iter().find(|it| !Path::new(path).join(it).is_dir());
    let Some(missing) = missing else { return Ok(()) };
    let remedy = format!(
        "there is no directory `{missing}` in it: name one that has `templates` and `static`, as \
         {} or in Rocket.toml, or leave it out",
        setting.variable()
    );
    Err((format!("\"{path}\""), remedy))
}

/// Checks that the files of TLS can be opened. What is in them Rocket checks when it starts.
fn check_tls(setting: &Setting, config: &rocket::Config) -> Result<(), (String, String)> {
    let (Some(tls), "tls") = (&config.tls, setting.key) else { return Ok(()) };
    for (name, path) in [("certs", tls.certs().left()), ("key", tls.key().left())] {
        let Some(path) = path else { continue };
        if let Err(error) = std::fs::File::open(&path) {
            let value = format!("{{ {name} = \"{}\", … }}", path.display());
            let remedy = format!(
                "that file cannot be read ({error}): name one that can be, in Rocket.toml or as \
                 ROCKET_TLS, or leave `tls` out"
            );
            return Err((value, remedy));
        }
    }
    Ok(())
}

fn how_to_set(setting: &Setting) -> String {
    format!("set it so in Rocket.toml or as {}, or leave it out", setting.variable())
}

/// The largest number of streams for the wanted one (0 for as many as possible) and the number of
/// files that the process may open (`None` for any). Refused, it gives the remedy.
pub(super) fn streams_within(wanted: u64, files: Option<u64>) -> Result<u64, String> {
    let files = files.unwrap_or(u64::MAX);
    let room = files.saturating_sub(RESERVED_FILES).min(MAX_STREAMS);
    if wanted > room || room == 0 {
        let least = wanted.max(1).saturating_add(RESERVED_FILES);
        return Err(format!(
            "this process may open {files} files, {RESERVED_FILES} of which are not for streams: \
             raise that limit to {least} (`ulimit -n`, or LimitNOFILE of a systemd unit), or set \
             ROCKET_MAX_STREAMS to {room} at most"
        ));
    }
    Ok(if wanted == 0 { room } else { wanted })
}

/// A value as it may be shown: on one line, not too long, and nothing of a secret.
pub(super) fn shown(value: &Value, is_secret: bool) -> String {
    if is_secret {
        return "…".into();
    }
    let whole = in_toml(value);
    let mut short: String = whole.chars().take(SHOWN_CHARS).collect();
    if short.len() < whole.len() {
        short.push('…');
    }
    short
}

fn in_toml(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Char(_, char) => format!("{:?}", char.to_string()),
        Value::Bool(_, switch) => switch.to_string(),
        Value::Num(_, number) => number
            .to_i128()
            .map(|whole| whole.to_string())
            .or_else(|| number.to_u128().map(|whole| whole.to_string()))
            .or_else(|| number.to_f64().map(|real| real.to_string()))
            .unwrap_or_default(),
        Value::Empty(..) => "none".into(),
        Value::Dict(_, members) => {
            let members = members.iter().map(|(key, value)| format!("{key} = {}", in_toml(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(_, items) => {
            format!("[{}]", items.iter().map(in_toml).collect::<Vec<_>>().join(", "))
        }
    }
}
