//! The report of all settings that `houston check` prints.

use std::fmt;

use rocket::figment::Figment;
use rocket::figment::value::Dict;

use super::problems::{Origin, SettingError, problems, shown};
use super::settings::{Kind, SETTINGS, Setting, WITHOUT_EFFECT, size_in_words};
use super::{Config, file_name};

/// Likeness, from 0 to 1, from which on an unknown name is taken for a mistyped one.
const ALIKE: f64 = 0.85;

/// A report of all settings: their values, where these come from, and what is wrong with them.
pub struct Report {
    profile: String,
    rows: Vec<Row>,
    /// What is wrong, in words; empty when the server would start.
    pub problems: Vec<String>,
    /// Names that no setting has, and that look like none.
    unknown: Vec<String>,
}

struct Row {
    setting: &'static Setting,
    value: String,
    origin: Origin,
}

impl Report {
    /// Looks at all settings.
    #[must_use]
    pub fn of(settings: &Figment) -> Self {
        let wrong = problems(settings);
        let unreadable = wrong.iter().any(|it| matches!(it, SettingError::Unreadable(_)));
        let mut problems: Vec<_> = wrong.iter().map(ToString::to_string).collect();
        let mut unknown = Vec::new();
        for key in strangers(settings) {
            match alike(&key) {
                Some(setting) => problems.push(mistyped(settings, &key, setting)),
                None => unknown.push(key),
            }
        }
        problems.extend(mistyped_profiles(settings));
        if problems.is_empty()
            && let Err(error) = Config::from(settings)
        {
            problems.push(error.to_string());
        }
        let rows = if unreadable { Vec::new() } else { rows(settings) };
        Self { profile: settings.profile().to_string(), rows, problems, unknown }
    }
}

fn rows(settings: &Figment) -> Vec<Row> {
    let row = |setting: &'static Setting| {
        let origin = Origin::of(settings, setting.key);
        let value = settings.find_value(setting.key).ok();
        let value = match (&setting.kind, value) {
            (_, None) => setting.default(),
            (Kind::Size { .. }, Some(value)) => {
                value.deserialize::<rocket::data::ByteUnit>().map_or_else(
                    |_| shown(&value, false),
                    |size| format!("\"{}\"", size_in_words(size.as_u64())),
                )
            }
            (_, Some(value)) => shown(&value, setting.is_secret()),
        };
        Row { setting, value, origin }
    };
    SETTINGS.iter().map(row).collect()
}

/// The names among the settings that no setting has.
fn strangers(settings: &Figment) -> Vec<String> {
    let names = settings.extract::<Dict>().map(|all| all.into_keys().collect::<Vec<_>>());
    let is_strange =
        |key: &String| Setting::named(key).is_none() && !WITHOUT_EFFECT.contains(&key.as_str());
    names.unwrap_or_default().into_iter().filter(is_strange).collect()
}

/// The setting whose name is the most like this one, if it is like it at all.
fn alike(key: &str) -> Option<&'static Setting> {
    let key: String = key.chars().take(100).collect::<String>().to_lowercase().replace('-', "_");
    let likeness = |setting: &Setting| strsim::jaro_winkler(&key, setting.key);
    let scored = SETTINGS.iter().map(|setting| (likeness(setting), setting));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, setting)| setting)
}

fn mistyped(settings: &Figment, key: &str, setting: &Setting) -> String {
    let known = setting.key;
    let value = settings
        .find_value(key)
        .map_or_else(|_| "…".into(), |value| shown(&value, setting.is_secret()));
    match Origin::of(settings, key) {
        Origin::Variable(name) => format!(
            "`{key}` is {value} ({name}), but there is no such setting: rename it to {}, or leave \
             it out",
            setting.variable()
        ),
        Origin::File(place) => format!(
            "`{key}` is {value} ({place}), but there is no such setting: rename it to `{known}`, \
             or leave it out"
        ),
        Origin::Default => {
            format!("`{key}` is {value}, but there is no such setting: rename it to `{known}`")
        }
    }
}

/// Profiles in the file whose names look like those of the usual ones, and are not.
fn mistyped_profiles(settings: &Figment) -> Vec<String> {
    let usual = ["default", "global", "debug", "release"];
    let mut said = Vec::new();
    for profile in settings.profiles() {
        let name = profile.to_string().to_lowercase();
        if usual.contains(&name.as_str()) || profile == settings.profile() {
            continue;
        }
        let name: String = name.chars().take(100).collect();
        if let Some(known) = usual.iter().find(|it| strsim::jaro_winkler(&name, it) >= ALIKE) {
            said.push(format!(
                "`[{name}]` in {} is a profile that is not in use: rename it to `[{known}]`, or \
                 set ROCKET_PROFILE to {name}",
                file_name()
            ));
        }
    }
    said
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Settings of the profile `{}`, from {} and the environment:",
            self.profile,
            file_name()
        )?;
        for Row { setting, value, origin } in &self.rows {
            let from = match origin {
                Origin::Default => "default",
                Origin::File(place) | Origin::Variable(place) => place,
            };
            writeln!(f, "\n{} = {value}    # {from}", setting.key)?;
            writeln!(f, "    {} Values: {}.", setting.meaning, setting.expected())?;
        }
        if !self.unknown.is_empty() {
            writeln!(f, "\nNothing reads these: {}.", self.unknown.join(", "))?;
        }
        match self.problems.len() {
            0 => writeln!(f, "\nAll is well: the server would start with these."),
            count => writeln!(f, "\n{count} to put right:"),
        }
    }
}
