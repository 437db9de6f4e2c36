//! Messages at the browser's edge, before and after HTTP.

use serde::{Deserialize, Serialize};

/// What arrived from a browser or a peer: raw octets, since signatures are over what was received.
#[derive(Clone, Default)]
pub struct Inbound {
    /// The path that it was sent to, exactly as received.
    pub path: String,
    /// The query string, without `?`, exactly as received.
    pub query: Option<String>,
    /// The body of an `application/x-www-form-urlencoded` POST, exactly as received.
    pub form: Option<Vec<u8>>,
    /// The Authorization header.
    pub authorization: Option<String>,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound")
            .field("path", &self.path)
            .field("query", &self.query.as_ref().map(String::len))
            .field("form", &self.form.as_ref().map(Vec::len))
            .field("authorization", &self.authorization.is_some())
            .finish()
    }
}

/// What the browser is told to do next.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outbound {
    /// Go to this URL (303 See Other, RFC 9700 4.12).
    Redirect {
        /// Absolute URL, query included.
        url: String,
    },
    /// Post this form (SAML HTTP-POST binding; OIDC form_post).
    Post {
        /// Absolute URL.
        action: String,
        /// Field names and values, in order.
        fields: Vec<(String, String)>,
    },
}

impl Outbound {
    /// Where the browser goes, without the message.
    #[must_use]
    pub fn destination(&self) -> &str {
        match self {
            Self::Redirect { url } => url.split(['?', '#']).next().unwrap_or_default(),
            Self::Post { action, .. } => action,
        }
    }
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("to", &self.destination()).finish_non_exhaustive()
    }
}
