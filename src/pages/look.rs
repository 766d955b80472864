//! The look that a reader has chosen for pages, so that it is right at first paint.

use std::convert::Infallible;

use rocket::http::Cookie;
use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest, Request};
use rocket_dyn_templates::Template;
use serde::Serialize;

/// The cookie with the reader's choice of colours: `light` or `dark`.
const THEME_COOKIE: &str = "theme";

/// The cookie with the reader's choice of room between messages: `compact`.
const DENSITY_COOKIE: &str = "density";

/// The look that a reader has chosen for pages, on this browser.
///
/// It comes with the request, by cookies that the settings of the page write; what was not chosen, or
/// says nothing, is `None`: the colours of the system, and the usual room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Look {
    /// The colours: `light` or `dark`, whatever those of the system are.
    theme: Option<&'static str>,
    /// The room between messages: `compact`.
    density: Option<&'static str>,
    /// Whether the keyboard is Apple's, where keys have other names: the browser says so.
    is_apple: bool,
}

impl Look {
    /// Reads the values of both cookies, and what the browser calls itself.
    fn of(theme: Option<&str>, density: Option<&str>, browser: &str) -> Self {
        let known = |value: Option<&str>, choices: &[&'static str]| {
            choices.iter().find(|choice| Some(**choice) == value).copied()
        };
        Self {
            theme: known(theme, &["light", "dark"]),
            density: known(density, &["compact"]),
            is_apple: ["Mac", "iPhone", "iPad"].iter().any(|name| browser.contains(name)),
        }
    }

    /// Reads the headers of a request.
    pub(super) fn of_request(request: &Request<'_>) -> Self {
        let cookie = |name| request.cookies().get(name).map(Cookie::value);
        let browser = request.headers().get_one("User-Agent").unwrap_or_default();
        Self::of(cookie(THEME_COOKIE), cookie(DENSITY_COOKIE), browser)
    }

    /// Draws a page in this look: the template's `layout` knows it as `look`.
    pub(super) fn page<C: Serialize>(self, template: &'static str, context: C) -> Template {
        Template::render(format!("{template}.html"), Page { look: self, context })
    }
}

/// What a template is given: what its page shows, and the look of it.
#[derive(Serialize)]
struct Page<C> {
    look: Look,
    #[serde(flatten)]
    context: C,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Look {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, Infallible> {
        Outcome::Success(Self::of_request(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_says_nothing_is_as_none() {
        for (theme, density, expected) in [
            (None, None, (None, None)),
            (Some("dark"), Some("compact"), (Some("dark"), Some("compact"))),
            (Some("light"), Some("cosy"), (Some("light"), None)),
            (Some("system"), Some(""), (None, None)),
            (Some("Dark"), Some("compact "), (None, None)),
            (Some("\"><script>"), Some("\" onload=\"x"), (None, None)),
            (Some("тёмная"), Some("緊湊"), (None, None)),
        ] {
            let look = Look::of(theme, density, "");
            assert_eq!((look.theme, look.density), expected, "{theme:?} {density:?}");
        }
    }

    #[test]
    fn a_browser_says_whether_its_keyboard_is_apples() {
        for (browser, expected) in [
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
                true,
            ),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15", true),
            ("Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15", true),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36",
                false,
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
                false,
            ),
            ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", false),
            ("curl/8.5.0", false),
            ("", false),
        ] {
            assert_eq!(Look::of(None, None, browser).is_apple, expected, "{browser}");
        }
    }
}
