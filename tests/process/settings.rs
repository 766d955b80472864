//! Tests of settings as an operator meets them: `houston check`, and refusals at the start.

use std::fs;

use houston::config::settings::SETTINGS;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::command::{houston, text};

/// A directory with this `Rocket.toml`; empty for none.
fn directory(toml: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    if !toml.is_empty() {
        fs::write(directory.path().join("Rocket.toml"), toml).expect("writable");
    }
    directory
}

#[test]
fn check_lists_every_setting_with_its_value_and_where_that_comes_from() {
    let toml = "[default]\nport = 8080\nmax_channels = 50\nmax_file_size = \"3 MiB\"\n";
    let directory = directory(toml);
    let variables = [("ROCKET_MAX_CHANNELS", "60"), ("ROCKET_METRICS_TOKEN", "Str0ng")];
    let checked = houston(directory.path(), &variables, &["check"]);
    let (said, wrong) = (text(&checked.stdout), text(&checked.stderr));
    assert!(checked.status.success(), "{said}{wrong}");
    for line in [
        "port = 8080    # Rocket.toml",
        "max_channels = 60    # ROCKET_MAX_CHANNELS",
        "max_file_size = \"3 MiB\"    # Rocket.toml",
        "max_total_size = \"1 GiB\"    # default",
        "data_dir = \"data\"    # default",
        "pages_dir = none    # default",
        "metrics_token = …    # ROCKET_METRICS_TOKEN",
        "address = \"127.0.0.1\"    # default",
        "ip_header = false    # default",
    ] {
        assert!(said.lines().any(|it| it == line), "{line} is not in\n{said}");
    }
    for setting in SETTINGS {
        assert!(said.contains(setting.meaning), "{}", setting.key);
    }
    assert!(!said.contains("Str0ng") && !wrong.contains("Str0ng"));
    assert_eq!(fs::read_dir(directory.path()).expect("a directory").count(), 1, "it makes nothing");
}

/// Broken settings: `Rocket.toml`, variables, and what must be said: the key, the value, the remedy.
type Broken<'b> = (&'b str, &'b [(&'b str, &'b str)], [&'b str; 3]);

const BROKEN: &[Broken<'_>] = &[
    ("[default]\nport = 99999", &[], ["`port`", "99999 (Rocket.toml)", "from 0 to 65535"]),
    ("", &[("ROCKET_ADDRESS", "localhost")], ["`address`", "\"localhost\" (ROCKET_ADDRESS)", "IP"]),
    (
        "[default]\nmax_channels = 0",
        &[],
        ["`max_channels`", "is 0 (Rocket.toml)", "from 1 to 100000"],
    ),
    (
        "",
        &[("ROCKET_MAX_FILE_SIZE", "25 megs")],
        ["`max_file_size`", "\"25 megs\"", "a size from \"1 B\" to \"1 TiB\""],
    ),
    (
        "",
        &[("ROCKET_RATE_LIMITS", "sometimes")],
        ["`rate_limits`", "\"sometimes\"", "true or false"],
    ),
    (
        "",
        &[("ROCKET_METRICS_TOKEN", "two words")],
        ["`metrics_token`", "unusable (ROCKET_METRICS_TOKEN)", "visible ASCII"],
    ),
    ("[default]\ndata_dir = \"\"", &[], ["`data_dir`", "empty", "must name a directory"]),
    (
        "",
        &[("ROCKET_PAGES_DIR", "nowhere")],
        ["`pages_dir`", "\"nowhere\"", "`templates` and `static`"],
    ),
    (
        "[default]\nlog_level = \"loud\"",
        &[],
        ["`log_level`", "\"loud\"", "off, critical, normal or debug"],
    ),
    (
        "[default.tls]\ncerts = \"nowhere.pem\"\nkey = \"nowhere.key\"",
        &[],
        ["`tls`", "nowhere.pem", "cannot be read"],
    ),
    (
        "[default]\nmax_streams = 999999999",
        &[],
        ["`max_streams`", "999999999", "from 0 to 1000000"],
    ),
    (
        "",
        &[("ROCKET_METRICS_TOKEN", "12345")],
        ["`metrics_token`", "unusable", "in quotation marks"],
    ),
    (
        "",
        &[("ROCKET_DATA_DIR", "2026")],
        ["`data_dir`", "2026 (ROCKET_DATA_DIR)", "quotation marks"],
    ),
    (
        "",
        &[("ROCKET_CONFIG", "/nowhere/Rocket.toml")],
        ["`ROCKET_CONFIG`", "\"/nowhere/Rocket.toml\"", "no such file"],
    ),
    ("[default]\nworkers = 0", &[], ["`workers`", "is 0", "from 1"]),
    ("[default]\nsession_days = 1.5", &[], ["`session_days`", "1.5", "a whole number from 1"]),
    ("[default]\nshutdown = 3", &[], ["`shutdown`", "is 3", "`grace`"]),
    ("[default]\nip_header = \"not a header\"", &[], ["`ip_header`", "not a header", "or false"]),
];

#[test]
fn a_broken_setting_is_named_with_its_value_and_the_remedy() {
    for (toml, variables, told) in BROKEN {
        let directory = directory(toml);
        for arguments in [&["check"][..], &["serve"], &[]] {
            let refused = houston(directory.path(), variables, arguments);
            let said = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{toml}{variables:?}: {said}");
            let line = said.lines().find(|line| line.contains(told[0])).unwrap_or_default();
            for expected in told {
                assert!(line.contains(expected), "{expected} is not in {said}");
            }
        }
    }
}

#[test]
fn what_is_mistyped_is_named_with_what_was_meant() {
    for (toml, variables, told) in [
        ("[default]\nmax_chanels = 5", &[][..], ["`max_chanels`", "is 5", "to `max_channels`"]),
        ("[default]\nadress = \"::1\"", &[], ["`adress`", "\"::1\"", "to `address`"]),
        ("", &[("ROCKET_DATA_DIRR", "x")], ["`data_dirr`", "\"x\"", "to ROCKET_DATA_DIR"]),
        ("", &[("ROCKET_RATE_LIMIT", "false")], ["`rate_limit`", "false", "to ROCKET_RATE_LIMITS"]),
        ("[defualt]\nport = 1", &[], ["`[defualt]`", "Rocket.toml", "to `[default]`"]),
        (
            "[default]\nmetrics_tokn = \"Str0ng\"",
            &[],
            ["`metrics_tokn`", "is …", "to `metrics_token`"],
        ),
    ] {
        let directory = directory(toml);
        let checked = houston(directory.path(), variables, &["check"]);
        let said = text(&checked.stderr);
        assert_eq!(checked.status.code(), Some(1), "{toml}{variables:?}: {said}");
        for expected in told {
            assert!(said.contains(expected), "{expected} is not in {said}");
        }
    }
    let directory = directory("[default]\ndatabases = 5");
    let checked = houston(directory.path(), &[], &["check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert!(text(&checked.stdout).contains("Nothing reads these: databases."));
}

#[test]
fn a_file_that_is_no_toml_is_named() {
    for toml in
        ["[default\nport = 1", "port = 1\n", "[default]\nport = \n", "[default]\na = 1\na = 2\n"]
    {
        let directory = directory(toml);
        let checked = houston(directory.path(), &[], &["check"]);
        let said = text(&checked.stderr);
        assert_eq!(checked.status.code(), Some(1), "{said}");
        assert!(said.contains("the settings cannot be read: "), "{said}");
        assert!(said.contains("Rocket.toml"), "{said}");
    }
}

#[test]
fn wrong_arguments_are_refused_with_what_there_is() {
    let directory = directory("");
    for arguments in [&["sevre"][..], &["check", "--all"], &["completions"], &["--port", "80"]] {
        let refused = houston(directory.path(), &[], arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}");
        assert!(text(&refused.stderr).contains("Usage: houston"), "{arguments:?}");
    }
    let help = houston(directory.path(), &[], &["--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("check"));
    let version = houston(directory.path(), &[], &["--version"]);
    assert_eq!(text(&version.stdout).trim(), concat!("houston ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_service_has_settings_that_are_right() {
    let directory = directory("");
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/.packaging/Rocket.toml");
    let checked = houston(directory.path(), &[("ROCKET_CONFIG", config)], &["check"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    let said = text(&checked.stdout);
    assert!(said.contains("data_dir = \"/var/lib/houston/data\"    # "), "{said}");
    assert!(said.contains("pages_dir = none    # default"), "{said}");
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let directory = directory("");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let printed = houston(directory.path(), &[], &["completions", shell]);
        assert!(printed.status.success() && text(&printed.stdout).contains("check"), "{shell}");
    }
    let page = text(&houston(directory.path(), &[], &["man"]).stdout);
    assert!(page.contains(".TH") && page.contains("check"), "{page}");
    assert!(houston(directory.path(), &[], &["man", "."]).status.success());
    for page in ["houston.1", "houston-check.1", "houston-serve.1"] {
        assert!(directory.path().join(page).is_file(), "{page}");
    }
}

/// Names as they come: right ones, nearly right ones, and any.
fn names() -> impl Strategy<Value = String> {
    let known = prop::sample::select(SETTINGS.iter().map(|it| it.key).collect::<Vec<_>>());
    let near =
        (known.clone(), any::<prop::sample::Index>(), "[a-z_0-9]?").prop_map(|(name, at, with)| {
            let at = at.index(name.len());
            format!("{}{with}{}", &name[..at], &name[at + 1..])
        });
    prop_oneof![4 => known.prop_map(ToOwned::to_owned), 2 => near, 1 => "[A-Za-z_][A-Za-z0-9_.]{0,20}"]
}

/// Values as TOML writes them, of any type.
fn values() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "\"\"",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "nan",
        "inf",
        "1.5",
        "18446744073709551615",
        "9223372036854775807",
        "\"25 MiB\"",
        "\"1 XiB\"",
        "\"-1 B\"",
        "[]",
        "{}",
        "[1, \"a\"]",
        "{ certs = \"x\", key = 5 }",
        "{ grace = -1 }",
        "2026-01-01",
        "\"\\u0000\"",
        "\"\\n\"",
        "\"99999999999999999999 GiB\"",
        "\"::1\"",
        "\"off\"",
        "\"🚀\"",
    ]);
    prop_oneof![
        words.prop_map(ToOwned::to_owned),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("TOML", |it| it.is_finite()).prop_map(|real| format!("{real:?}")),
        "\"[ -!#-\\[\\]-~äß€]{0,30}\"",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_settings_are_check_says_which_is_wrong(
        settings in prop::collection::btree_map(names(), values(), 0..4),
        as_variables in any::<bool>(),
        // A profile, one that is not in use, a setting that is a table, and a mistake.
        section in prop::sample::select(vec!["default", "global", "debug", "release", "default.shutdown", "defualt"]),
    ) {
        let settings: Vec<_> = settings.into_iter().collect();
        let toml = settings.iter().map(|(name, value)| format!("{name} = {value}\n"));
        let toml = format!("[{section}]\n{}", toml.collect::<String>());
        let variables: Vec<_> = settings
            .iter()
            .map(|(name, value)| (format!("ROCKET_{}", name.to_uppercase()), value.as_str()))
            .filter(|(name, value)| !value.contains('\0') && !name.ends_with("CONFIG") && !name.ends_with("PROFILE"))
            .collect();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let directory = directory(if as_variables { "" } else { &toml });
        let checked = houston(directory.path(), if as_variables { &variables } else { &[] }, &["check"]);
        let said = text(&checked.stderr);
        prop_assert!(!said.contains("panicked"), "{said}");
        prop_assert!(matches!(checked.status.code(), Some(0 | 1)), "{:?}: {said}", checked.status);
        let (ok, lines) = (checked.status.success(), said.lines().count());
        prop_assert_eq!(ok, lines == 0, "{}", said);
        // What is no TOML is told over several lines.
        let unreadable = said.contains("cannot be read: TOML");
        let told: Vec<_> = if unreadable { vec![said.as_str()] } else { said.lines().collect() };
        for line in told {
            // A name with a dot is a member of a table: the table is named.
            let named = |name: &str| line.contains(name.split('.').next().unwrap_or(name));
            let names = settings.iter().any(|(name, _)| named(name) || named(&name.to_lowercase()));
            let table = ["shutdown", "defualt"].into_iter().find(|table| section.ends_with(table));
            let names = names || table.is_some_and(|table| line.contains(table));
            prop_assert!(names, "{line} names none of {settings:?} in [{section}]");
        }
    }
}
