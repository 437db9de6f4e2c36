//! The Content-Security-Policy of each page (CSP Level 3): nothing from elsewhere, nothing inline, no framing.

/// What a page needs beyond the common ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ContentPolicy {
    /// Words and links alone.
    Quiet,
    /// A search form, and a script that asks this host as one types.
    Search,
    /// A form that posts to this host, which answers 200.
    OwnForm,
    /// The same, with a script that helps and asks nobody.
    HelpedForm,
    /// A form that posts to another host. Chromium applies `form-action` to every redirect that follows, and where a peer redirects
    /// is not ours to list: the directive is left out.
    ForeignForm,
}

impl ContentPolicy {
    /// The header's value.
    pub(super) fn header(self) -> String {
        let own = match self {
            Self::Quiet => "; form-action 'none'",
            Self::Search => "; script-src 'self'; connect-src 'self'; form-action 'self'",
            Self::OwnForm => "; form-action 'self'",
            Self::HelpedForm => "; script-src 'self'; form-action 'self'",
            Self::ForeignForm => "; script-src 'self'",
        };
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'{own}"
        )
    }
}
