//! Texts in the demo's two languages, and which of them a reader gets.

use http::{HeaderMap, header};

/// One text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Text {
    /// Swedish.
    pub(super) sv: &'static str,
    /// English.
    pub(super) en: &'static str,
}

impl Text {
    /// The text in a language.
    pub(super) fn said(self, language: Tongue) -> &'static str {
        match language {
            Tongue::Swedish => self.sv,
            Tongue::English => self.en,
        }
    }
}

/// The demo's languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tongue {
    /// Swedish, for everybody who asks for neither.
    #[default]
    Swedish,
    /// English.
    English,
}

/// The cookie that remembers which language a reader chose.
const COOKIE: &str = "language";

impl Tongue {
    /// Its tag (BCP 47).
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Swedish => "sv",
            Self::English => "en",
        }
    }

    /// The other one.
    pub(super) fn other(self) -> Self {
        match self {
            Self::Swedish => Self::English,
            Self::English => Self::Swedish,
        }
    }

    /// The language of a tag; `None` for one that the demo does not speak.
    pub(super) fn from_tag(tag: &str) -> Option<Self> {
        match tag.trim().split('-').next()?.to_ascii_lowercase().as_str() {
            // Whoever reads Norwegian or Danish is better served by Swedish.
            "sv" | "nb" | "nn" | "no" | "da" => Some(Self::Swedish),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// What the reader chose by the link, else what was chosen before, else what the browser prefers (RFC 9110 section 12.5.4; its
    /// order stands in for the weights, which browsers write in falling order), else Swedish.
    pub(super) fn of(headers: &HeaderMap, chosen: Option<&str>) -> Self {
        chosen
            .and_then(Self::from_tag)
            .or_else(|| super::web::cookie(headers, COOKIE).and_then(|tag| Self::from_tag(&tag)))
            .or_else(|| {
                let accepted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
                accepted
                    .split(',')
                    .find_map(|range| Self::from_tag(range.split(';').next().unwrap_or_default()))
            })
            .unwrap_or_default()
    }

    /// The `Set-Cookie` that remembers a choice made by the link.
    pub(super) fn remembered(chosen: Option<&str>) -> Option<String> {
        let language = Self::from_tag(chosen?)?;
        Some(format!("{COOKIE}={}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax", language.tag()))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header};

    use super::Tongue;

    #[test]
    fn the_link_wins_over_the_cookie_and_the_cookie_over_the_browser() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static("de, en-GB;q=0.9, sv;q=0.8"));
        assert_eq!(Tongue::of(&headers, None), Tongue::English);
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; language=sv"));
        assert_eq!(Tongue::of(&headers, None), Tongue::Swedish);
        assert_eq!(Tongue::of(&headers, Some("en")), Tongue::English);
        assert_eq!(Tongue::of(&headers, Some("<x>")), Tongue::Swedish);
        assert_eq!(Tongue::of(&HeaderMap::new(), None), Tongue::Swedish);
    }
}
