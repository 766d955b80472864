//! The device that a request comes from: its address, and its client in words, by `User-Agent`.
//!
//! Browsers say in that header that they are others before them, and ever less of themselves
//! (RFC 9110, section 10.1.5, and the browsers' *User-Agent reduction*). So a short table is enough,
//! in which the most particular comes first; nothing but words of it, or a program's own name, is
//! taken over.

use std::convert::Infallible;

use rocket::Request;
use rocket::outcome::Outcome;
use rocket::request::{FromRequest, Outcome as RequestOutcome};

use super::input::ClientAddress;
use crate::engine::Device;

/// Browsers by the beginning of a product in `User-Agent`, such as come before those that they claim
/// to be.
const BROWSERS: [(&str, &str); 32] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPX/", "Opera"),
    ("Opera/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Whale/", "Whale"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("ArkWeb/", "Huawei Browser"),
    ("Silk/", "Silk"),
    ("GSA/", "Google app"),
    ("Falkon/", "Falkon"),
    ("Epiphany/", "GNOME Web"),
    ("SeaMonkey/", "SeaMonkey"),
    ("PaleMoon/", "Pale Moon"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Systems by a part of the first comment in `User-Agent`, such as come before those that they claim
/// to be.
const SYSTEMS: [(&str, &str); 18] = [
    ("Windows", "Windows"),
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPod", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("KAIOS", "KaiOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("PlayStation", "PlayStation"),
    ("Macintosh", "macOS"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// Longest name of a program that is taken over, in bytes.
const MAX_PROGRAM_BYTES: usize = 32;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Device {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> RequestOutcome<Self, Infallible> {
        let ClientAddress(address) = ClientAddress::of(request);
        let client = request.headers().get_one("User-Agent").and_then(client);
        Outcome::Success(Self { address, client: client.map(Into::into) })
    }
}

/// The client of this `User-Agent` in words: `Firefox on Windows`, or the name of a program that is no
/// browser: `curl`. `None` where it tells neither.
fn client(user_agent: &str) -> Option<String> {
    let begins = |name: &str| user_agent.starts_with(name);
    if !begins("Mozilla/") && !begins("Opera/") {
        return program(user_agent);
    }
    let products = || user_agent.split([' ', '(', ')', ';']);
    let named = |(beginning, _): &&(&str, &str)| products().any(|it| it.starts_with(beginning));
    let browser = BROWSERS.iter().find(named).map(|(_, browser)| *browser);
    let comment = user_agent.split(['(', ')']).nth(1).unwrap_or_default();
    let system = SYSTEMS.iter().find(|(part, _)| comment.contains(part));
    match (browser, system) {
        (Some(browser), Some((_, system))) => Some(format!("{browser} on {system}")),
        (Some(browser), None) => Some(browser.into()),
        (None, Some((_, system))) => Some(format!("Browser on {system}")),
        (None, None) => None,
    }
}

/// The name of a program: the first product in its `User-Agent`, without the version.
fn program(user_agent: &str) -> Option<String> {
    let name = user_agent.split(['/', ' ']).next().unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    let has_letter = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    let plain = has_letter && name.len() <= MAX_PROGRAM_BYTES && name.bytes().all(is_plain);
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_in_words() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
                "Firefox on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
                "Firefox on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome on macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                "Chrome on ChromeOS",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
                "Chrome on iPad",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
                "Chrome on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/125.0.0.0",
                "Opera on macOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
                "Samsung Internet on Android",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15",
                "Safari on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
                "Browser on iPhone",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15 Epiphany/48.0",
                "GNOME Web on Linux",
            ),
            (
                "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile",
                "Huawei Browser on HarmonyOS",
            ),
            (
                "Mozilla/5.0 (X11; FreeBSD amd64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Firefox on FreeBSD",
            ),
            ("Mozilla/5.0 Firefox/145.0", "Firefox"),
        ] {
            assert_eq!(client(user_agent).as_deref(), Some(words), "{user_agent}");
        }
    }

    #[test]
    fn a_program_is_told_by_its_own_name() {
        for (user_agent, name) in [
            ("curl/8.5.0", "curl"),
            ("Wget/1.24.5", "Wget"),
            ("python-requests/2.32.3", "python-requests"),
            ("Go-http-client/2.0", "Go-http-client"),
            ("okhttp/4.12.0", "okhttp"),
            ("node", "node"),
            ("HTTPie/3.2.4 (x)", "HTTPie"),
        ] {
            assert_eq!(client(user_agent).as_deref(), Some(name));
        }
    }

    #[test]
    fn nothing_else_is_taken_over() {
        let long = "x".repeat(MAX_PROGRAM_BYTES + 1);
        for user_agent in [
            "",
            " ",
            "/1.0",
            "1.0",
            "<script>/1",
            "a\"b",
            "Gärtner/1",
            "--",
            &long,
            "Mozilla/5.0",
            "Mozilla/5.0 ()",
        ] {
            assert_eq!(client(user_agent), None, "{user_agent:?}");
        }
        let claims = "Mozilla/5.0 (<b>; nothing) <b>Evil</b>/1 NotChrome/1";
        assert_eq!(client(claims), None, "{claims:?}");
    }
}
