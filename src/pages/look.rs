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
}

impl Look {
    /// Reads the values of both cookies.
    fn of(theme: Option<&str>, density: Option<&str>) -> Self {
        let known = |value: Option<&str>, choices: &[&'static str]| {
            choices.iter().find(|choice| Some(**choice) == value).copied()
        };
        Self { theme: known(theme, &["light", "dark"]), density: known(density, &["compact"]) }
    }

    /// Reads the cookies of a request.
    pub(super) fn of_request(request: &Request<'_>) -> Self {
        let cookie = |name| request.cookies().get(name).map(Cookie::value);
        Self::of(cookie(THEME_COOKIE), cookie(DENSITY_COOKIE))
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
        for (theme, density, look) in [
            (None, None, Look { theme: None, density: None }),
            (Some("dark"), Some("compact"), Look { theme: Some("dark"), density: Some("compact") }),
            (Some("light"), Some("cosy"), Look { theme: Some("light"), density: None }),
            (Some("system"), Some(""), Look { theme: None, density: None }),
            (Some("Dark"), Some("compact "), Look { theme: None, density: None }),
            (Some("\"><script>"), Some("\" onload=\"x"), Look { theme: None, density: None }),
            (Some("тёмная"), Some("緊湊"), Look { theme: None, density: None }),
        ] {
            assert_eq!(Look::of(theme, density), look, "{theme:?} {density:?}");
        }
    }
}
