//! `[publish]`: what is published of the federation, and on what terms.

use serde::Deserialize;

use super::{File, Problem, Problems};

/// `[publish]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PublishSection {
    /// Whether registered identity providers are published beside our own entities, at `/mdq/` and `/metadata/`.
    pub(crate) feed: bool,
    /// Who registered them: a URI.
    pub(crate) registration_authority: Option<String>,
    /// Who publishes: a URI; default: the issuer.
    pub(crate) publisher: Option<String>,
    /// How long a document may be used, hours.
    pub(crate) valid_hours: u32,
    /// How long a document should be kept before asking again, seconds.
    pub(crate) cache_seconds: u32,
}

impl Default for PublishSection {
    /// Four days: a weekend without us, and what is taken back is gone everywhere within the week.
    fn default() -> Self {
        Self {
            feed: false,
            registration_authority: None,
            publisher: None,
            valid_hours: 96,
            cache_seconds: 3600,
        }
    }
}

impl PublishSection {
    /// How long a document may be used, in seconds.
    pub(crate) fn validity_seconds(&self) -> i64 {
        i64::from(self.valid_hours) * 3600
    }
}

/// Finds what would leave peers without metadata, or with metadata for too long.
pub(super) fn validate(file: &File, problems: &mut Problems) {
    const SECTION: &str = "[publish]";
    let Some(section) = &file.publish else { return };
    let mut add = |id: &'static str, what: String, fix: &str| {
        problems.add_about(SECTION, Problem::error(id, what, fix.to_owned()));
    };
    if !(2..=672).contains(&section.valid_hours) {
        add(
            "config.publish_validity",
            format!("valid_hours is {}", section.valid_hours),
            "Give between 2 and 672 hours (28 days): shorter, and a short outage of ours is one of everybody's; longer, and what is taken back lives on.",
        );
    } else if section.cache_seconds < 60 || i64::from(section.cache_seconds) > section.validity_seconds() / 4
    {
        add(
            "config.publish_cache",
            format!("cache_seconds is {}", section.cache_seconds),
            "Give at least 60, and at most a quarter of valid_hours: peers must come back before what they have expires.",
        );
    }
    for (key, value) in
        [("registration_authority", &section.registration_authority), ("publisher", &section.publisher)]
    {
        if let Some(value) = value
            && url::Url::parse(value).is_err()
        {
            add(
                "config.publish_uri",
                format!("{key} is `{value}`, which is no URI"),
                "Give a URI, such as https://federation.example.",
            );
        }
    }
}
