//! What the answer and the grant need of a request, carried across the provider trip inside the core's opaque `Remembered`.

use std::fmt;

use broker_core::role::{ReturnTo, upstream::Remembered};
use serde::{Deserialize, Serialize};

use crate::{error_code::ErrorCode, op::claims_parameter::Placement};

/// How the answer travels (OAuth 2.0 Multiple Response Types 2.1, OAuth 2.0 Form Post Response Mode).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that posts itself.
    FormPost,
}

impl ResponseMode {
    /// The mode of that name; `None` for those that are not offered, `fragment` among them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

/// What is carried. `state` and `nonce` belong to the relying party and stay out of Debug, as they stay out of the log.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// Returned exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Goes into the ID token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
    /// S256; `None` only where the relying party is excused from PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code_challenge: Option<String>,
    /// How the answer travels.
    #[serde(default)]
    pub(crate) response_mode: ResponseMode,
    /// The scopes that are granted, as names.
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    /// Where claims go.
    #[serde(default)]
    pub(crate) placement: Placement,
    /// `prompt=consent`.
    #[serde(default)]
    pub(crate) notice_asked: bool,
    /// For a request that was refused: what to say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Refused>,
}

/// What is said of a refused request: a code more exact than the failure's, and a text made of our words and parameter names alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) error: ErrorCode,
    pub(crate) description: String,
}

impl Carried {
    /// For the core to keep.
    pub(crate) fn remembered(&self) -> Remembered {
        Remembered(serde_json::to_string(self).expect("strings and enums as map keys always become JSON"))
    }

    /// What was carried; `None` when it is not ours.
    pub(crate) fn recall(return_to: &ReturnTo) -> Option<Self> {
        serde_json::from_str(&return_to.remembered().0).ok()
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried")
            .field("response_mode", &self.response_mode)
            .field("scopes", &self.scopes)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
